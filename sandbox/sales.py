"""Sales over the control API of the simulated Arcavis: tills sell, orders are booked.

For callers that do not import the sandbox. Each sale is answered as `{transaction, body}`: what
Arcavis holds, and what the till or backoffice sends to the connector.
"""

import random
from datetime import date

from starlette.requests import Request
from starlette.routing import Route

from sandbox import till
from sandbox.arcavis import orders, transactions
from sandbox.arcavis.control import endpoint, tenant_of
from sandbox.arcavis.errors import BadRequestError
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.values import Record, flag, optional_whole, text, whole
from sandbox.arcavis.world import World

_MAX_SALES = 20_000
_MAX_LINES = 500


def sales_routes(world: World) -> list[Route]:
    """The routes that make sales, to be passed to `create_app`."""
    tenant = "/_sandbox/tenants/{tenant}"
    return [
        Route(f"{tenant}/sales", endpoint(world, _sell), methods=["POST"]),
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


def _book_order(world: World, request: Request, body: Record) -> object:
    """`{payment_type_id}`: the order becomes a transaction."""
    tenant = tenant_of(world, request)
    booked = orders.book(tenant, request.path_params["record_id"], whole(body.get("payment_type_id")))
    return {"transaction": booked, "body": till.sale_body(booked, till.Assortment.of(tenant))}


def _day(tenant: Tenant, body: Record) -> date:
    given = text(body.get("day"))
    if not given:
        return tenant.ticks.local().date()
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise BadRequestError("day is no date") from None
