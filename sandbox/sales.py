"""Sales over the control API of the simulated Arcavis: tills sell, orders are booked.

For callers that do not import the sandbox. Each sale is answered as `{transaction, body}`: what
Arcavis holds, and what the till or backoffice sends to the connector.
"""

import random
from datetime import date, timedelta

from starlette.requests import Request
from starlette.routing import Route

from sandbox import till
from sandbox.arcavis import orders, tills, transactions
from sandbox.arcavis.control import endpoint, tenant_of
from sandbox.arcavis.errors import BadRequestError
from sandbox.arcavis.seed import BEXIO_INVOICE
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.values import Record, flag, optional_whole, text, whole
from sandbox.arcavis.world import World
from sandbox.trade import Habits, Trade

_MAX_SALES = 20_000
_MAX_LINES = 500
_MAX_DAYS = 400


def sales_routes(world: World) -> list[Route]:
    """The routes that make sales, to be passed to `create_app`."""
    tenant = "/_sandbox/tenants/{tenant}"
    return [
        Route(f"{tenant}/sales", endpoint(world, _sell), methods=["POST"]),
        Route(f"{tenant}/trade", endpoint(world, _trade), methods=["POST"]),
        Route(f"{tenant}/orders/{{record_id:int}}/book", endpoint(world, _book_order), methods=["POST"]),
    ]


def _sell(world: World, request: Request, body: Record) -> object:
    """`{count?, seed?, day?, lines?, mixed?}`: a morning of sales on invoice at all tills."""
    tenant = tenant_of(world, request)
    count, lines = whole(body.get("count"), 40), optional_whole(body.get("lines"))
    if not 1 <= count <= _MAX_SALES or not 1 <= (lines or 1) <= _MAX_LINES:
        raise BadRequestError(f"count is 1 to {_MAX_SALES}, lines 1 to {_MAX_LINES}")
    shop = till.Assortment.of(tenant)
    shape = till.Shape(lines=lines, mixed=flag(body["mixed"]) if "mixed" in body else None)
    tills = till.open_tills(shop, random.Random(whole(body.get("seed"))), tenant.last_numbers)
    received = [transactions.receive(tenant, sale) for sale in till.morning(tills, _day(tenant, body), count, shape)]
    return [{"transaction": sale, "body": till.sale_body(sale, shop)} for sale in received]


def _trade(world: World, request: Request, body: Record) -> object:
    """`{from?, to?, seed?, receipts?}`: everything that the tills book on those days, as `sandbox.trade` draws it.

    Answers `{transactions, held, bodies}`: how many arrived, how many wait for a till that is offline, and what the
    tills send to the connector for their sales on invoice.
    """
    tenant = tenant_of(world, request)
    first, last = _day(tenant, body, "from"), _day(tenant, body, "to")
    receipts = whole(body.get("receipts"), Habits().receipts)
    if not 0 <= (last - first).days < _MAX_DAYS or not 1 <= receipts <= _MAX_SALES:
        raise BadRequestError(f"1 to {_MAX_DAYS} days, receipts 1 to {_MAX_SALES}")
    shop = till.Assortment.of(tenant)
    habits = Habits(tills=till.tills_of(shop), receipts=receipts)
    trade = Trade(shop, whole(body.get("seed")), habits, tenant.last_numbers)
    booked = [row for place in range((last - first).days + 1) for row in trade.day(first + timedelta(days=place))]
    arrived = sum(tills.hand_over(tenant, row) for row in booked)
    on_invoice = [row for row in booked if _is_on_invoice(row)]
    bodies = [till.sale_body(row, shop) for row in on_invoice]
    return {"transactions": arrived, "held": len(booked) - arrived, "bodies": bodies}


def _is_on_invoice(row: Record) -> bool:
    return any(each["PaymentTypeId"] == BEXIO_INVOICE for each in row["TransactionPayments"])


def _book_order(world: World, request: Request, body: Record) -> object:
    """`{payment_type_id}`: the order becomes a transaction."""
    tenant = tenant_of(world, request)
    booked = orders.book(tenant, request.path_params["record_id"], whole(body.get("payment_type_id")))
    return {"transaction": booked, "body": till.sale_body(booked, till.Assortment.of(tenant))}


def _day(tenant: Tenant, body: Record, name: str = "day") -> date:
    given = text(body.get(name))
    if not given:
        return tenant.ticks.local().date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise BadRequestError(f"{name} is no date") from None
