"""Transactions as stored: numbered per till, delivered by tills, cancelled only by a reversing one."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from sandbox.arcavis.errors import BadRequestError, BusinessError
from sandbox.arcavis.listing import Answer, Call, list_rows
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.ticks import day_stamp, long_stamp, stamp
from sandbox.arcavis.values import Record, whole

TILL_FACTOR = 10**12
SALE_TYPE, EXPENSES_TYPE, ACCOUNT_LOAD_TYPE, SKIMMING_TYPE, END_OF_DAY_TYPE = 1, 2, 3, 4, 5
CANCELLED = 1
_LINE_SIGNED = ("Quantity", "Discount", "Price", "NetDiscount", "NetPrice")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a new transaction is made of; times are Zurich local time without zone."""

    point_of_sale_id: int
    running_number: int
    store_id: int
    sold_at: datetime
    lines: list[Record] = field(default_factory=list[Record])
    payments: list[Record] = field(default_factory=list[Record])
    vouchers: list[Record] = field(default_factory=list[Record])
    person_id: int | None = None
    customer_name: str = ""
    remarks: str = ""
    user_id: int = 1
    type_id: int = SALE_TYPE
    purpose_id: int | None = None
    title: str = "Verkauf"
    tip: Decimal = Decimal(0)


def build(receipt: Receipt, amount: Decimal | None = None) -> Record:
    """The transaction of a receipt, ids and sums filled in.

    `amount` is given for bookings without lines (expenses, skimming); otherwise it is what the customer owes:
    lines, vouchers sold and the tip. What a cash total is rounded by stays open.
    """
    transaction_id = receipt.point_of_sale_id * TILL_FACTOR + receipt.running_number
    sold = sum((row["Amount"] for row in receipt.vouchers if row["IsIssued"]), Decimal(0))
    owed = sum((line["Price"] for line in receipt.lines), sold + receipt.tip)
    total = owed if amount is None else amount
    paid = sum((-row["Amount"] if row["Debit"] else row["Amount"] for row in receipt.payments), Decimal(0))
    return {
        "Id": transaction_id,
        "Number": f"{receipt.point_of_sale_id}/{receipt.running_number}",
        "Title": receipt.title,
        "TransactionTypeId": receipt.type_id,
        "IsEndOfDayTransaction": receipt.type_id == END_OF_DAY_TYPE,
        "SaleDay": day_stamp(receipt.sold_at),
        "SaleTime": stamp(receipt.sold_at),
        "PointOfSaleId": receipt.point_of_sale_id,
        "UserId": receipt.user_id,
        "PersonId": receipt.person_id,
        "StoreId": receipt.store_id,
        "Amount": total,
        "AmountOpen": total - paid,
        "AmountPayed": paid,
        "TipAmount": receipt.tip,
        "TotalQuantity": sum((line["Quantity"] for line in receipt.lines), Decimal(0)),
        "ExecutedTime": stamp(receipt.sold_at),
        "SynchedTime": None,
        "CustomerDisplayName": receipt.customer_name,
        "AnnulationTransactionId": None,
        "Remarks": receipt.remarks,
        "GroupReference": None,
        "TransactionPurposeId": receipt.purpose_id,
        "BonusPoints": 0,
        "StatusCode": None,
        "TransactionArticles": _owned(receipt.lines, transaction_id),
        "TransactionPayments": _owned(receipt.payments, transaction_id),
        "TransactionVouchers": _owned(receipt.vouchers, transaction_id),
    }


def payment(payment_type: Record, amount: Decimal) -> Record:
    """A row of `TransactionPayments`; a negative amount is money given out (`Debit` 1)."""
    return {
        "TransactionId": 0,
        "PaymentTypeId": payment_type["Id"],
        "Title": payment_type["Title"],
        "Amount": abs(amount),
        "CurrencyIsoCode": payment_type["CurrencyIsoCode"],
        "AmountForeign": abs(amount),
        "ExchangeRate": 1,
        "Debit": int(amount < 0),
        "Reference": None,
    }


def next_running_number(tenant: Tenant, point_of_sale_id: int) -> int:
    """The next receipt number of a till."""
    return tenant.last_numbers.get(point_of_sale_id, 0) + 1


def note_number(tenant: Tenant, transaction_id: int) -> None:
    """A till has used a number, whether or not it was heard."""
    till, running_number = divmod(transaction_id, TILL_FACTOR)
    tenant.last_numbers[till] = max(tenant.last_numbers.get(till, 0), running_number)


def receive(tenant: Tenant, transaction: Record) -> Record:
    """A till hands over a completed transaction, at once or days later.

    Stock, vouchers and customer accounts move now. The same transaction again changes nothing.

    Raises:
        BusinessError: when the id is taken by another transaction.
    """
    transaction_id: int = transaction["Id"]
    if transaction_id in tenant.transactions:
        known = tenant.transactions.get(transaction_id)
        if known["ExecutedTime"] != transaction["ExecutedTime"] or known["Amount"] != transaction["Amount"]:
            raise BusinessError("TransactionAlreadyExists")
        return known
    stored = transaction | {"SynchedTime": long_stamp(tenant.ticks.local())}
    tenant.transactions.put(stored)
    _mark_cancelled(tenant, stored)
    note_number(tenant, transaction_id)
    _move_stock(tenant, stored)
    _move_vouchers(tenant, stored)
    _move_account(tenant, stored)
    return stored


def cancel(tenant: Tenant, transaction_id: int) -> Record:
    """Cancel a transaction whole, with a reversing one on the same till and today's sale day.

    Both point at each other and are marked cancelled, so the original reappears in a diff.

    Raises:
        BusinessError: when it was cancelled before, or is an end-of-day row.
    """
    original = tenant.transactions.get(transaction_id)
    if original["StatusCode"] == CANCELLED or original["IsEndOfDayTransaction"]:
        raise BusinessError("TransactionCannotBeCancelled")
    number = next_running_number(tenant, original["PointOfSaleId"])
    return receive(tenant, reversal_of(original, number, tenant.ticks.local()))


def reversal_of(original: Record, running_number: int, now: datetime) -> Record:
    """The transaction that takes another one back, at its till, on the sale day of `now` (Zurich local time)."""
    till: int = original["PointOfSaleId"]
    new_id = till * TILL_FACTOR + running_number
    return original | {
        "Id": new_id,
        "Number": f"{till}/{running_number}",
        "SaleDay": day_stamp(now),
        "SaleTime": stamp(now),
        "ExecutedTime": stamp(now),
        **{name: -original[name] for name in ("Amount", "AmountOpen", "AmountPayed", "TotalQuantity", "TipAmount")},
        "AnnulationTransactionId": original["Id"],
        "StatusCode": CANCELLED,
        "TransactionArticles": [
            line | {name: -line[name] for name in _LINE_SIGNED} | {"TransactionId": new_id}
            for line in original["TransactionArticles"]
        ],
        "TransactionPayments": [
            row | {"Debit": 1 - row["Debit"], "TransactionId": new_id} for row in original["TransactionPayments"]
        ],
        "TransactionVouchers": [
            row | {"Amount": -row["Amount"], "TransactionId": new_id} for row in original["TransactionVouchers"]
        ],
    }


def close_day(tenant: Tenant, point_of_sale_id: int) -> Record:
    """The end-of-day row of a till: no lines, no money, to be ignored by every rule."""
    store_id = tenant.helpers["pointofsales"].get(point_of_sale_id)["StoreId"]
    running_number = next_running_number(tenant, point_of_sale_id)
    receipt = Receipt(
        point_of_sale_id,
        running_number,
        store_id,
        tenant.ticks.local(),
        type_id=END_OF_DAY_TYPE,
        title="Tagesabschluss",
    )
    return receive(tenant, build(receipt))


def book_money(tenant: Tenant, receipt: Receipt, payment_type_id: int, amount: Decimal) -> Record:
    """A booking without articles: expense or skimming (negative amount), loading a customer account."""
    kind = tenant.helpers["paymenttypes"].get(payment_type_id)
    return receive(tenant, build(replace(receipt, payments=[payment(kind, amount)]), amount))


def read_all(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/transactions`: a diff, or `dateFrom`/`dateTo` on the sale day (inclusive), by type."""
    first, last = (_day(call, name) for name in ("dateFrom", "dateTo"))
    type_id = call.query.get("transactionTypeId", "")

    def keep(row: Record) -> bool:
        day: str = row["SaleDay"][:10]
        return (
            (not first or day >= first)
            and (not last or day <= last)
            and (not type_id or row["TransactionTypeId"] == whole(type_id))
        )

    return list_rows(tenant.transactions, call, tenant.ticks.next(), keep=keep)


def read_one(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/transactions/{id}`."""
    return Answer(tenant.transactions.get(call.record_id))


def _day(call: Call, name: str) -> str:
    given = call.query.get(name, "")
    if not given:
        return ""
    try:
        return datetime.fromisoformat(given).date().isoformat()
    except ValueError:
        raise BadRequestError(f"{name} is no date") from None


def _owned(rows: list[Record], transaction_id: int) -> list[Record]:
    return [row | {"TransactionId": transaction_id} for row in rows]


def _mark_cancelled(tenant: Tenant, stored: Record) -> None:
    """A reversing transaction changes its original: it points back and reappears in a diff."""
    original_id = stored["AnnulationTransactionId"]
    if original_id is not None and original_id in tenant.transactions:
        original = tenant.transactions.get(original_id)
        tenant.transactions.put(original | {"AnnulationTransactionId": stored["Id"], "StatusCode": CANCELLED})


def _move_stock(tenant: Tenant, transaction: Record) -> None:
    for line in transaction["TransactionArticles"]:
        levels = tenant.stock_levels(line["ArticleId"])
        if levels:
            store: int = transaction["StoreId"]
            tenant.set_stock(line["ArticleId"], store, levels.get(store, Decimal(0)) - line["Quantity"])


def _move_vouchers(tenant: Tenant, transaction: Record) -> None:
    for row in transaction["TransactionVouchers"]:
        if row["IsIssued"]:
            tenant.vouchers[row["VoucherId"]] = tenant.vouchers.get(row["VoucherId"], Decimal(0)) + row["Amount"]
        elif row["VoucherId"] in tenant.vouchers:
            tenant.vouchers[row["VoucherId"]] -= row["Amount"]


def _move_account(tenant: Tenant, transaction: Record) -> None:
    """Draw what was paid on account from the customer's account, and load it on an account load."""
    kinds = tenant.helpers["paymenttypes"]
    change = transaction["Amount"] if transaction["TransactionTypeId"] == ACCOUNT_LOAD_TYPE else Decimal(0)
    for row in transaction["TransactionPayments"]:
        if kinds.get(row["PaymentTypeId"])["IsAccount"]:
            change += row["Amount"] if row["Debit"] else -row["Amount"]
    if change and transaction["PersonId"] is not None:
        customer = tenant.customers.get(transaction["PersonId"])
        customer["AccountBalance"] += change
        tenant.customers.touch(customer["Id"])
