"""Transactions, by id, by sale day, or as what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import cast

from app.connectors.arcavis import names
from app.connectors.arcavis.envelope import Many, changes, one, pages, resource_of, whole
from app.connectors.arcavis.names import Transaction, UnreadTransaction
from app.connectors.transport import Transport

TRANSACTIONS = resource_of(names.TRANSACTIONS, Transaction)
Listed = Transaction | UnreadTransaction
LISTED = resource_of(names.TRANSACTIONS, cast("type[Listed]", names.ListedTransaction))


class Transactions:
    """What the tenant's tills and backoffice booked."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, transaction_id: int) -> Transaction:
        """One transaction."""
        return await one(self._transport, TRANSACTIONS, transaction_id)

    def pages(self, first: date, last: date) -> AsyncIterator[Many[Listed]]:
        """The transactions of the sale days from `first` to `last`, both included.

        One that arrives while pages are read may shift others, which then come twice.
        """
        days: dict[str, str | int] = {names.DATE_FROM: first.isoformat(), names.DATE_TO: last.isoformat()}
        return pages(self._transport, LISTED, days)

    async def now(self) -> int:
        """The cursor from which on changes are news."""
        latest: dict[str, str | int] = {names.PAGE: 1, names.PAGE_SIZE: 1}
        return (await whole(self._transport, LISTED, latest)).data_age_ticks or 0

    def changes(self, ticks: int) -> AsyncIterator[Many[Listed]]:
        """Transactions that are new or changed since `ticks`; see `envelope.changes`."""
        return changes(self._transport, LISTED, ticks)
