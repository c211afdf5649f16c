"""Manual entries of the accounting module (`/3.0/accounting/manual_entries`): no single read, no search, no draft."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date as day
from decimal import Decimal

from app.connectors.bexio.resource import resource_of, understood
from app.connectors.bexio.wire import OptionalId, Wire
from app.connectors.bexio.writing import confirmed
from app.connectors.transport import Transport

GROUP = "manual_group_entry"
MAX_REFERENCE = 80
MAX_DESCRIPTION = 255
ROWS_PER_PAGE = 500
RESTARTS = 5


class ManualEntryLine(Wire):
    """A line. Its id may be missing in the echo of a create; `amount` includes the VAT that `tax_id` splits off."""

    id: OptionalId = None
    debit_account_id: OptionalId = None
    credit_account_id: OptionalId = None
    tax_id: OptionalId = None
    tax_account_id: OptionalId = None
    description: str | None = None
    amount: Decimal
    currency_id: OptionalId = None
    currency_factor: Decimal = Decimal(1)


class ManualEntry(Wire):
    """An entry with its lines. `reference_nr` is neither unique nor searchable."""

    id: int
    type: str
    date: day
    reference_nr: str | None = None
    entries: tuple[ManualEntryLine, ...]
    is_locked: bool = False
    edited_by_user_id: OptionalId = None


MANUAL_ENTRIES = resource_of("/3.0/accounting/manual_entries", ManualEntry)


class ManualEntries:
    """The company's manual entries."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def newest(self) -> ManualEntry | None:
        """The entry with the highest id."""
        rows = await self._page(0, 1)
        return rows[0] if rows else None

    async def pages(self, *, above: int = 0) -> AsyncIterator[tuple[ManualEntry, ...]]:
        """The entries with an id above, the newest first.

        Pages overlap by a row, so that neither new entries nor deleted ones hide a row between two pages. Entries
        that appear meanwhile may come twice or not at all.

        Raises:
            RemoteUnavailable: rows were deleted faster than pages could be read.
        """
        offset, last, restarts = 0, 0, 0
        while True:
            rows = await self._page(offset, ROWS_PER_PAGE)
            if offset and (not rows or rows[0].id < last):
                # Something above was deleted, and rows moved up past the border of the page.
                restarts += 1
                if restarts > RESTARTS:
                    raise self._transport.unsteady()
                offset = 0
                continue
            wanted = tuple(row for row in rows if row.id > above)
            if wanted:
                yield wanted
            if len(rows) < ROWS_PER_PAGE or len(wanted) < len(rows):
                return
            last = rows[-1].id
            offset += len(rows) - 1

    async def create(self, content: bytes) -> ManualEntry:
        """Makes an entry of a body that is JSON already: what was shown and stored is what is sent, to the byte.

        There is no draft and no key: after an unknown outcome, wait until it must have landed, then look.
        """
        answer = await self._transport.write("POST", MANUAL_ENTRIES.path, body=content)
        return confirmed(self._transport, answer, MANUAL_ENTRIES.row)

    async def _page(self, offset: int, limit: int) -> tuple[ManualEntry, ...]:
        query: dict[str, str | int] = {"order_by": "id_desc", "limit": limit, "offset": offset}
        answer = await self._transport.read("GET", MANUAL_ENTRIES.path, query=query)
        return understood(self._transport, answer, MANUAL_ENTRIES.rows)
