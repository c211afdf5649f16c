"""Orders (`/2.0/kb_order`). Their status follows from what is made of them; their key cannot be searched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import IntEnum

from pydantic import TypeAdapter

from app.connectors.bexio.criteria import Criterion, changed_since
from app.connectors.bexio.kb_documents import KbDocument, KbDocumentCreate
from app.connectors.bexio.positions import Position
from app.connectors.bexio.resource import gathered, pages, resource_of, search_pages, understood
from app.connectors.bexio.writing import send
from app.connectors.transport import Transport


class OrderStatus(IntEnum):
    """`kb_item_status_id`."""

    PENDING = 5
    DONE = 6
    PARTIAL = 15
    CANCELLED = 21


class Order(KbDocument):
    """An order as lists and searches show it: without its positions."""


class OrderWithPositions(Order):
    """An order as it is shown alone, and after it was made."""

    positions: tuple[Position, ...]


class OrderCreate(KbDocumentCreate):
    """A new order."""


ORDERS = resource_of("/2.0/kb_order", Order, order_by="id")
_SHOWN = TypeAdapter(OrderWithPositions)


class Orders:
    """The company's orders."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(self, *, updated_since: str | None = None) -> AsyncIterator[tuple[Order, ...]]:
        """All orders by id, or those changed since a Swiss local time."""
        if updated_since is not None:
            return search_pages(self._transport, ORDERS, (changed_since(updated_since),))
        return pages(self._transport, ORDERS)

    async def search(self, *criteria: Criterion) -> tuple[Order, ...]:
        """The orders that meet all criteria. Searchable as invoices are, but for `api_reference`."""
        return await gathered(search_pages(self._transport, ORDERS, criteria))

    async def get(self, order_id: int) -> OrderWithPositions:
        """One order."""
        return understood(self._transport, await self._transport.read("GET", f"{ORDERS.path}/{order_id}"), _SHOWN)

    async def create(self, order: OrderCreate) -> OrderWithPositions:
        """Makes an order with up to 150 positions."""
        return await send(self._transport, ORDERS.path, order.body(), _SHOWN)
