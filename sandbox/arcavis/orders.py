"""Orders: saved carts that become a transaction when they are booked."""

from decimal import Decimal

from sandbox.arcavis import booking
from sandbox.arcavis.errors import BusinessError, UnknownRecordError
from sandbox.arcavis.listing import Answer, Call, list_rows
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.values import Record, optional_whole, text, whole

OPEN, BOOKED = 0, 1


def read_all(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/orders`."""
    return list_rows(tenant.orders, call, tenant.ticks.next())


def read_one(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/orders/{id}`."""
    return Answer(tenant.orders.get(call.record_id))


def save(tenant: Tenant, call: Call) -> Answer:
    """`POST /api/orders`: create, or update an open one by `Id`. Result is the id.

    Raises:
        BusinessError: for an unknown article, customer or store, or an order that is booked already.
    """
    given = call.body
    order_id = optional_whole(given.get("Id"))
    before = _blank(tenant.orders.next_id) if order_id is None else tenant.orders.get(order_id)
    if before["StatusCode"] == BOOKED:
        raise BusinessError("OrderAlreadyBooked")
    record = before | {name: text(given[name]) for name in ("Reference", "Remarks") if name in given}
    record["PersonId"] = optional_whole(given.get("PersonId", before["PersonId"]))
    record["StoreId"] = whole(given.get("StoreId"), before["StoreId"])
    if record["PersonId"] is not None and record["PersonId"] not in tenant.customers:
        raise BusinessError("CustomerNotFound")
    if record["StoreId"] not in tenant.helpers["stores"]:
        raise BusinessError("StoreNotFound")
    if "OrderArticles" in given:
        cart = booking.price_cart(tenant, {"TransactionArticles": given["OrderArticles"]})
        record["OrderArticles"], record["Amount"] = cart.lines, cart.rest
    return Answer(tenant.orders.put(record))


def book(tenant: Tenant, order_id: int, payment_type_id: int) -> Record:
    """Book an order onto one payment type; returns the transaction, which names the order.

    Raises:
        BusinessError: when it was booked before, or as `booking.book_cart`.
    """
    order = tenant.orders.get(order_id)
    if order["StatusCode"] == BOOKED:
        raise BusinessError("OrderAlreadyBooked")
    try:
        kind = tenant.helpers["paymenttypes"].get(payment_type_id)
    except UnknownRecordError:
        raise BusinessError("PaymentTypeNotFound") from None
    transaction = booking.book_cart(
        tenant,
        {
            "PersonId": order["PersonId"],
            "StoreId": order["StoreId"],
            "Remarks": order["Remarks"],
            "TransactionArticles": order["OrderArticles"],
            "TransactionPayments": [{"Title": kind["Title"], "Amount": order["Amount"]}],
        },
    )
    linked = transaction | {"GroupReference": order["Number"]}
    tenant.transactions.put(linked)
    tenant.orders.put(order | {"StatusCode": BOOKED, "TransactionId": linked["Id"]})
    return linked


def _blank(order_id: int) -> Record:
    return {
        "Id": order_id,
        "Number": f"A-{order_id:05d}",
        "Reference": "",
        "PersonId": None,
        "StoreId": 1,
        "Remarks": "",
        "Amount": Decimal(0),
        "OrderArticles": [],
        "StatusCode": OPEN,
        "TransactionId": None,
    }
