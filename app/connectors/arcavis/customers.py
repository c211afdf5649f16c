"""Customers, by id, as a full load, or as what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from app.connectors.arcavis import names
from app.connectors.arcavis.envelope import Many, one, pages, resource_of, whole
from app.connectors.arcavis.names import Customer
from app.connectors.transport import Transport

CUSTOMERS = resource_of(names.CUSTOMERS, Customer)


class Customers:
    """The tenant's customers."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, customer_id: int) -> Customer:
        """One customer; a deleted one is marked so."""
        return await one(self._transport, CUSTOMERS, customer_id)

    def pages(self) -> AsyncIterator[Many[Customer]]:
        """All customers."""
        return pages(self._transport, CUSTOMERS)

    async def changed_since(self, ticks: int) -> Many[Customer]:
        """Customers changed, and the ids of those deleted, since an earlier answer's `data_age_ticks`."""
        return await whole(self._transport, CUSTOMERS, {names.CHANGED_SINCE: ticks})
