"""What a till can still change is refused at once, while the cashier can choose another payment type."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from app.capabilities.documents.schemas import Customer, Line, Sale
from app.capabilities.documents.swiss_vat import rates_on
from app.core.errors import FieldError, InvalidInput
from app.core.money import ZERO, amount, plain

OLDEST = timedelta(days=400)
NEWEST = timedelta(days=2)
MOST_PIECES = 1_000_000

Problem = tuple[str, FieldError]


def check(sale: Sale, invoice_payment_type: str | None, today: date) -> None:
    """Refuses a sale that cannot become an invoice.

    Raises:
        InvalidInput: the code names the first problem, `errors` list all of them.
    """
    problems = [
        *_sale(sale, today),
        *_customer(sale.customer),
        *_lines(sale),
        *_sums(sale),
        *_tender(sale, invoice_payment_type),
    ]
    if problems:
        raise InvalidInput(problems[0][0], [error for _, error in problems])


def _sale(sale: Sale, today: date) -> Iterator[Problem]:
    if sale.currency != "CHF":
        yield "currency-not-supported", FieldError("/currency", "Only CHF can be invoiced.")
    if not today - OLDEST <= sale.date <= today + NEWEST:
        span = {"first": str(today - OLDEST), "last": str(today + NEWEST)}
        yield "sale-date-out-of-range", FieldError("/date", "The date must lie between {first} and {last}.", span)
    if sale.total <= 0:
        message = "The total must be above zero: bexio's interface has no credit notes."
        yield "amount-not-positive", FieldError("/total", message)


def _customer(customer: Customer | None) -> Iterator[Problem]:
    if customer is None:
        yield "customer-missing", FieldError("/customer", "A sale on invoice needs a customer.")
    elif customer.is_company and not (customer.company_name or "").strip():
        yield "customer-name-missing", FieldError("/customer/company_name", "A company needs its name.")
    elif not customer.is_company and not ((customer.last_name or "") + (customer.first_name or "")).strip():
        yield (
            "customer-name-missing",
            FieldError("/customer/last_name", "A person needs a last or first name."),
        )


def _lines(sale: Sale) -> Iterator[Problem]:
    seen: set[int] = set()
    rates = rates_on(sale.date)
    for index, line in enumerate(sale.lines):
        at = f"/lines/{index}"
        if line.position in seen:
            yield (
                "position-duplicate",
                FieldError(f"{at}/position", "Position {position} occurs twice.", {"position": str(line.position)}),
            )
        seen.add(line.position)
        if line.is_text:
            continue
        yield from _line(line, at)
        if line.tax_rate is not None and line.tax_rate not in rates:
            known = ", ".join(plain(rate) for rate in sorted(rates, reverse=True)) or "-"
            params = {"rate": plain(line.tax_rate), "day": str(sale.date), "known": known}
            message = "{rate} % is no Swiss VAT rate on {day} (known: {known})."
            yield "tax-rate-unknown", FieldError(f"{at}/tax_rate", message, params)


def _line(line: Line, at: str) -> Iterator[Problem]:
    for name in ("quantity", "unit_price", "amount", "tax_rate"):
        if getattr(line, name) is None:
            message = "A line has quantity, unit_price, amount and tax_rate; a text line has none of them."
            yield "line-incomplete", FieldError(f"{at}/{name}", message)
    quantity, taken = line.quantity, line.amount
    if quantity is None or taken is None:
        return
    if quantity == 0:
        yield "quantity-out-of-range", FieldError(f"{at}/quantity", "The quantity must not be zero.")
    elif abs(quantity) > MOST_PIECES:
        yield (
            "quantity-out-of-range",
            FieldError(f"{at}/quantity", "The quantity must not exceed {most}.", {"most": str(MOST_PIECES)}),
        )
    elif taken != 0 and line.unit_price and (quantity * line.unit_price > 0) != (taken > 0):
        message = "The amount has another sign than quantity times unit price."
        yield "line-sign-differs", FieldError(f"{at}/amount", message)


def _sums(sale: Sale) -> Iterator[Problem]:
    lines = sum((line.amount or ZERO for line in sale.lines), ZERO)
    if lines != sale.total:
        params = {"lines": amount(lines), "total": amount(sale.total)}
        message = "The lines add up to {lines}, the total is {total}."
        yield "lines-differ-from-total", FieldError("/total", message, params)
    paid = sum((payment.amount for payment in sale.payments), ZERO)
    if paid != sale.total:
        params = {"payments": amount(paid), "total": amount(sale.total)}
        message = "The payments add up to {payments}, the total is {total}."
        yield "payments-differ-from-total", FieldError("/payments", message, params)


def _tender(sale: Sale, invoice_payment_type: str | None) -> Iterator[Problem]:
    for index, payment in enumerate(sale.payments):
        if payment.amount <= 0:
            message = "A payment must be above zero: give change back before the sale is sent."
            yield "payment-not-positive", FieldError(f"/payments/{index}/amount", message)
    if invoice_payment_type is not None and all(p.payment_type_id != invoice_payment_type for p in sale.payments):
        message = "No part is paid with payment type {payment_type}, the one for bexio invoices."
        yield "not-paid-on-invoice", FieldError("/payments", message, {"payment_type": invoice_payment_type})
