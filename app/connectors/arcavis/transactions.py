"""Transactions, by id or by sale day."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from app.connectors.arcavis import names
from app.connectors.arcavis.envelope import Many, one, pages, resource_of
from app.connectors.arcavis.names import Transaction
from app.connectors.transport import Transport

TRANSACTIONS = resource_of(names.TRANSACTIONS, Transaction)


class Transactions:
    """What the tenant's tills and backoffice booked."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, transaction_id: int) -> Transaction:
        """One transaction."""
        return await one(self._transport, TRANSACTIONS, transaction_id)

    def pages(self, first: date, last: date) -> AsyncIterator[Many[Transaction]]:
        """The transactions of the sale days from `first` to `last`, both included."""
        days: dict[str, str | int] = {names.DATE_FROM: first.isoformat(), names.DATE_TO: last.isoformat()}
        return pages(self._transport, TRANSACTIONS, days)
