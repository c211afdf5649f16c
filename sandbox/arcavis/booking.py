"""`PUT` and `POST /api/transactions`: a cart is priced (check) or booked by a shop system."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sandbox.arcavis import transactions
from sandbox.arcavis.contacts import CUSTOMERS
from sandbox.arcavis.errors import BadRequestError, BusinessError, UnknownRecordError
from sandbox.arcavis.listing import Answer, Call
from sandbox.arcavis.pricing import STANDARD_RATE, LineInput, price_line, unit_price_of
from sandbox.arcavis.rounding import to_rappen
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.transactions import Receipt
from sandbox.arcavis.values import Record, number, optional_whole, records, text, whole

WEB_POINT_OF_SALE = 9
"""The point of sale of bookings made over the API when the client names none."""
VOUCHER_PAYMENT_TYPE = 4


@dataclass(frozen=True, slots=True)
class Cart:
    """A priced cart: lines, vouchers that are worth something, and what remains to be paid in CHF."""

    lines: list[Record]
    vouchers: list[Record]
    rest: Decimal


def check(tenant: Tenant, call: Call) -> Answer:
    """`PUT /api/transactions`: the cart priced, nothing saved; a worthless voucher is left out."""
    cart = price_cart(tenant, call.body)
    return Answer(
        {
            "AmountOpen": cart.rest,
            "TransactionArticles": cart.lines,
            "TransactionVouchers": cart.vouchers,
            "Remarks": text(call.body.get("Remarks")),
        }
    )


def book(tenant: Tenant, call: Call) -> Answer:
    """`POST /api/transactions`: books, saves the customer, moves stock. Result is the id, Message "Success".

    There is no idempotency: the same body twice makes two transactions.
    """
    return Answer(book_cart(tenant, call.body)["Id"], message="Success")


def price_cart(tenant: Tenant, given: Record) -> Cart:
    """Price a client's `TransactionArticles` and see what its `TransactionVouchers` are worth.

    Raises:
        BusinessError: for an unknown article.
    """
    rows = records(given.get("TransactionArticles"))
    lines = [price_line(_line_input(tenant, row, place)) for place, row in enumerate(rows, start=1)]
    rest = sum((line["Price"] for line in lines), Decimal(0))
    vouchers: list[Record] = []
    for row in records(given.get("TransactionVouchers")):
        voucher = text(row.get("VoucherId"))
        worth = min(tenant.vouchers.get(voucher, Decimal(0)), rest)
        if worth > 0 and all(voucher != other["VoucherId"] for other in vouchers):
            vouchers.append({"VoucherId": voucher, "VoucherTypeId": 1, "Amount": worth, "IsIssued": False})
            rest -= worth
    return Cart(lines, vouchers, rest)


def book_cart(tenant: Tenant, given: Record) -> Record:
    """Book a client's transaction; everything is checked before anything is stored.

    Raises:
        BusinessError: VoucherInvalid, PaymentTypeNotFound, CustomerRequired, NotEnoughFunds, ...
    """
    cart = price_cart(tenant, given)
    if len(cart.vouchers) < len(records(given.get("TransactionVouchers"))):
        raise BusinessError("VoucherInvalid")
    payments = [_payment(tenant, row) for row in records(given.get("TransactionPayments"))]
    till, store_id = _place(tenant, given)
    sold_at = _sold_at(tenant, given)
    _check_customer(tenant, given, payments)
    customer = _customer(tenant, given)
    voucher_kind = tenant.helpers["paymenttypes"].get(VOUCHER_PAYMENT_TYPE)
    receipt = Receipt(
        till,
        transactions.next_running_number(tenant, till),
        store_id,
        sold_at,
        cart.lines,
        [*payments, *(transactions.payment(voucher_kind, row["Amount"]) for row in cart.vouchers)],
        cart.vouchers,
        person_id=None if customer is None else customer["Id"],
        customer_name="" if customer is None else display_name(customer),
        remarks=text(given.get("Remarks")),
        type_id=whole(given.get("TransactionTypeId"), transactions.SALE_TYPE),
        purpose_id=optional_whole(given.get("TransactionPurposeId")),
    )
    return transactions.receive(tenant, transactions.build(receipt))


def display_name(customer: Record) -> str:
    """The name printed on a receipt."""
    return customer["CompanyName"] or f"{customer['Firstname']} {customer['Name']}".strip()


def _line_input(tenant: Tenant, row: Record, place: int) -> LineInput:
    article_id = optional_whole(row.get("ArticleId"))
    article = None
    if article_id is not None:
        if article_id not in tenant.articles:
            raise BusinessError("ArticleNotFound")
        article = tenant.articles.get(article_id)
    quantity = number(row.get("Quantity"), Decimal(1))
    on_sale = article is not None and article["SalePrice"] > 0
    if text(row.get("UnitPrice")):
        unit_price = number(row["UnitPrice"])
    elif article is not None:
        unit_price = article["SalePrice"] if on_sale else article["Price"]
    else:
        unit_price = unit_price_of(number(row.get("Price")), quantity)
    tax_rate = number(row.get("TaxRate"), article["TaxRate"] if article else STANDARD_RATE)
    if not 0 <= tax_rate < 1:
        raise BusinessError("TaxNotFound")
    return LineInput(
        position=whole(row.get("ReceiptPosition"), place),
        title=text(row.get("Title")) or (article["Title"] if article else ""),
        quantity=quantity,
        unit_price=unit_price,
        tax_rate=tax_rate,
        article_id=article_id or 0,
        unit_id=article["UnitId"] if article else 1,
        discount=number(row.get("Discount")),
        discount_percent=number(row.get("DiscountPercent")),
        buying_price=article["BuyingPrice"] if article else Decimal(0),
        on_sale=on_sale,
    )


def _payment(tenant: Tenant, row: Record) -> Record:
    kind = tenant.payment_type_titled(text(row.get("Title")))
    if kind is None:
        raise BusinessError("PaymentTypeNotFound")
    amount = to_rappen(number(row.get("Amount")))
    return transactions.payment(kind, -amount if whole(row.get("Debit")) else amount)


def _sold_at(tenant: Tenant, given: Record) -> datetime:
    """The time of sale: `SaleTime` or `SaleDay` when the client backdates, else now."""
    value = text(given.get("SaleTime")) or text(given.get("SaleDay"))
    if not value:
        return tenant.ticks.local()
    try:
        return datetime.fromisoformat(value).replace(tzinfo=None)
    except ValueError:
        raise BadRequestError(f"not a time: {value}") from None


def _place(tenant: Tenant, given: Record) -> tuple[int, int]:
    """Point of sale and store; the store is the point of sale's own unless the client names one."""
    till = optional_whole(given.get("PointOfSaleId")) or WEB_POINT_OF_SALE
    try:
        own_store: int = tenant.helpers["pointofsales"].get(till)["StoreId"]
        store = optional_whole(given.get("StoreId")) or own_store
        return till, tenant.helpers["stores"].get(store)["Id"]
    except UnknownRecordError:
        raise BusinessError("PointOfSaleNotFound") from None


def _check_customer(tenant: Tenant, given: Record, payments: list[Record]) -> None:
    """Refuse a payment that needs a customer without one, and one on account beyond its limit."""
    kinds = [tenant.helpers["paymenttypes"].get(row["PaymentTypeId"]) for row in payments]
    known = _known_customer(tenant, given)
    if known is None and not _names_customer(given) and any(kind["IsCustomerRequired"] for kind in kinds):
        raise BusinessError("CustomerRequired")
    drawn = sum(
        (row["Amount"] for row, kind in zip(payments, kinds, strict=True) if kind["IsAccount"] and not row["Debit"]),
        Decimal(0),
    )
    funds = Decimal(0) if known is None else known["AccountBalance"] + known["AccountLimit"]
    if drawn > funds and drawn > 0:
        raise BusinessError("NotEnoughFunds")


def _names_customer(given: Record) -> bool:
    return isinstance(given.get("Customer"), dict)


def _known_customer(tenant: Tenant, given: Record) -> Record | None:
    """The stored customer that a client's transaction names, by number or by `PersonId`."""
    if _names_customer(given):
        return tenant.customers.by_key(text(given["Customer"].get("CustomerNumber")))
    person_id = optional_whole(given.get("PersonId"))
    if person_id is None:
        return None
    try:
        return tenant.customers.get_visible(person_id)
    except UnknownRecordError:
        raise BusinessError("CustomerNotFound") from None


def _customer(tenant: Tenant, given: Record) -> Record | None:
    """The customer of a transaction, created or updated when the client sent one whole."""
    if _names_customer(given):
        return tenant.customers.get(CUSTOMERS.upsert(tenant, given["Customer"]))
    return _known_customer(tenant, given)
