"""Transactions, by id, by sale day, or as what changed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from app.connectors.arcavis import names
from app.connectors.arcavis.envelope import Many, one, pages, resource_of, whole
from app.connectors.arcavis.names import Transaction
from app.connectors.transport import Transport

TRANSACTIONS = resource_of(names.TRANSACTIONS, Transaction)
RESTARTS = 5


class Transactions:
    """What the tenant's tills and backoffice booked."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def get(self, transaction_id: int) -> Transaction:
        """One transaction."""
        return await one(self._transport, TRANSACTIONS, transaction_id)

    def pages(self, first: date, last: date) -> AsyncIterator[Many[Transaction]]:
        """The transactions of the sale days from `first` to `last`, both included.

        One that arrives while pages are read may shift others, which then come twice.
        """
        days: dict[str, str | int] = {names.DATE_FROM: first.isoformat(), names.DATE_TO: last.isoformat()}
        return pages(self._transport, TRANSACTIONS, days)

    async def now(self) -> int:
        """The cursor from which on changes are news."""
        latest: dict[str, str | int] = {names.PAGE: 1, names.PAGE_SIZE: 1}
        return (await whole(self._transport, TRANSACTIONS, latest)).data_age_ticks or 0

    async def changes(self, ticks: int) -> AsyncIterator[Many[Transaction]]:
        """Transactions that are new or changed since an earlier answer's `data_age_ticks`, page by page.

        The next cursor is `data_age_ticks` of the first page. A transaction that changes while pages are read may
        move, and shift another one out of sight between two pages: then all pages come once more.

        Raises:
            RemoteUnavailable: the list changed during every reading.
        """
        for _ in range(RESTARTS):
            began: int | None = None
            last = 1
            async for page in pages(self._transport, TRANSACTIONS, {names.CHANGED_SINCE: ticks}):
                began = began or page.data_age_ticks
                last = page.total_pages
                yield page
            if last <= 1 or began is None or not await self._changed(began):
                return
        raise self._transport.unsteady()

    async def _changed(self, ticks: int) -> bool:
        latest: dict[str, str | int] = {names.CHANGED_SINCE: ticks, names.PAGE: 1, names.PAGE_SIZE: 1}
        return bool((await whole(self._transport, TRANSACTIONS, latest)).result)
