"""Payments of an invoice (`/2.0/kb_invoice/{id}/payment`): list, create, show, delete."""

from datetime import date
from decimal import Decimal

from sandbox.bexio import documents, forms, invoices, periods
from sandbox.bexio.call import SUCCESS, Answer, Call, Route, Routes
from sandbox.bexio.company import PAYMENT, Company, Document, InvoiceStatus
from sandbox.bexio.errors import Invalid, NotFound, form_errors
from sandbox.bexio.ledger import CUSTOMER_CREDIT, RECEIVABLES, Reference
from sandbox.bexio.values import Record, fixed, short

FORM = forms.Form(
    {
        "date": forms.day,
        "value": forms.number,
        "bank_account_id": forms.known("banking_accounts"),
        "payment_service_id": forms.one_of(1, 2, 3),
    },
    frozenset({"value"}),
)


def routes() -> Routes:
    """The endpoints of payments."""
    show, edit, path = ("kb_invoice_show",), ("kb_invoice_edit",), "/2.0/kb_invoice/{id}/payment"
    return {
        ("GET", path): Route(_list, show),
        ("POST", path): Route(_create, edit),
        ("GET", f"{path}/{{id}}"): Route(_show, show),
        ("DELETE", f"{path}/{{id}}"): Route(_delete, edit),
    }


def pay(company: Company, invoice: Document, given: Record) -> Record:
    """Record a payment: bank or cash account against the receivables.

    Raises:
        Invalid: as bexio refuses it.
    """
    values: Record = {"date": company.today().isoformat(), **FORM.read(company, given)}
    value: Decimal = values["value"]
    _check(company, invoice, value)
    day = date.fromisoformat(values["date"] or company.today().isoformat())
    periods.check_open(company, day, with_vat=False)
    payment_id = company.payments.next_id()
    payment: Record = {
        "id": payment_id,
        "date": day.isoformat(),
        "value": value,
        "bank_account_id": values.get("bank_account_id"),
        "title": "Zahlungseingang",
        "payment_service_id": values.get("payment_service_id"),
        "is_client_account_redemption": False,
        "is_cash_discount": False,
        "kb_invoice_id": invoice.id,
        "kb_credit_voucher_id": None,
        "kb_credit_voucher_text": "",
        "kb_bill_id": None,
    }
    _book(company, invoice, payment, day)
    invoice.received += value
    _follow(company, invoice)
    return company.payments.put(payment_id, payment)


def take_back(company: Company, invoice: Document, payment_id: int) -> None:
    """Delete a payment with its booking; the invoice is open again."""
    payment = company.payments.remove(payment_id)
    company.ledger.remove(PAYMENT, payment_id)
    invoice.received -= payment["value"]
    _follow(company, invoice)


def of(company: Company, invoice: Document) -> list[Record]:
    """The payments of an invoice."""
    return [payment for payment in company.payments if payment["kb_invoice_id"] == invoice.id]


def _check(company: Company, invoice: Document, value: Decimal) -> None:
    rules = company.rules
    if value <= 0:
        raise form_errors("value: Has to be above zero.")
    if invoice.status == InvoiceStatus.DRAFT and not rules.accepts_payment_on_draft:
        raise Invalid("A draft can not be paid.")
    if invoice.status in {InvoiceStatus.CANCELLED, InvoiceStatus.UNPAID}:
        raise Invalid("A cancelled or written off invoice can not be paid.")
    if value > invoice.open_amount and not rules.accepts_overpayment:
        raise form_errors("value: Exceeds the open amount.")


def _book(company: Company, invoice: Document, payment: Record, day: date) -> None:
    """What exceeds the open amount is the customer's credit."""
    ledger = company.ledger
    bank_id = payment["bank_account_id"] or invoice.head["bank_account_id"] or min(company.banking_accounts.rows)
    bank = company.banking_accounts[bank_id]["account_id"]
    reference = Reference(PAYMENT, payment["id"], f"Zahlungseingang {invoice.number}")
    settled = min(payment["value"], max(invoice.open_amount, Decimal(0)))
    ledger.book(reference, day, bank, ledger.account_id(RECEIVABLES), settled)
    ledger.book(reference, day, bank, ledger.account_id(CUSTOMER_CREDIT), payment["value"] - settled)


def _follow(company: Company, invoice: Document) -> None:
    if invoice.status == InvoiceStatus.DRAFT:
        documents.touch(company, invoice)
        return
    status = InvoiceStatus.PENDING
    if invoice.received > 0:
        status = InvoiceStatus.PAID if invoice.open_amount <= 0 else InvoiceStatus.PARTIAL
    invoices.set_status(company, invoice, status)


def row(payment: Record, *, is_echo: bool = False) -> Record:
    """A payment as bexio shows it; the echo of a create has a short value."""
    return {**payment, "value": short(payment["value"]) if is_echo else fixed(payment["value"])}


def _own(call: Call) -> Record:
    payment = call.company.payments[call.ids[1]]
    if payment["kb_invoice_id"] != call.ids[0]:
        raise NotFound(f"Payment with id {call.ids[1]} does not exist")
    return payment


def _list(call: Call) -> Answer:
    invoice = call.company.invoices[call.ids[0]]
    return Answer(call.page(row(payment) for payment in of(call.company, invoice)))


def _create(call: Call) -> Answer:
    payment = pay(call.company, call.company.invoices[call.ids[0]], call.form())
    return Answer(row(payment, is_echo=True), 201)


def _show(call: Call) -> Answer:
    return Answer(row(_own(call)))


def _delete(call: Call) -> Answer:
    payment = _own(call)
    take_back(call.company, call.company.invoices[call.ids[0]], payment["id"])
    return Answer(SUCCESS)
