"""Reading what changed on both sides into the mirror, a page at a time; each page is stored with what covers it.

Both lists are read so that nothing is skipped while they change: bexio's by id or with overlapping pages, and Arcavis'
again when rows moved from one page to the next meanwhile. The cursor is where the reading began, not where it ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import cursors, records
from app.capabilities.contacts.editing import record_of
from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.mapping import Vocabulary
from app.capabilities.contacts.progress import Progress, Reading
from app.capabilities.contacts.records import Place
from app.capabilities.contacts.refreshing import record_from
from app.capabilities.contacts.writing import contacts_of
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.envelope import Many
from app.connectors.arcavis.names import Customer, Supplier
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.resource import PAGE_SIZE
from app.core.swiss_time import changed_since, to_local_text
from app.jobs import operations
from app.jobs.work import Work

BEXIO_CURSOR = "bexio.contacts"
ARCAVIS_CURSORS: dict[Kind, str] = {"customer": "arcavis.customers", "supplier": "arcavis.suppliers"}
# bexio's clock is not ours, and a row may become visible a little after its own timestamp.
OVERLAP = timedelta(minutes=5)
# So many contacts may be archived while the next page is fetched, and none slips past it.
SLIPPED = 50
ARCAVIS_PAGE = 1000
# A list that changes under every reading is read no more often than this; the next run reads on from the old cursor.
MOST_ROUNDS = 3

Keep = Callable[[AsyncConnection, Progress], Awaitable[None]]
ArcavisPage = Many[Customer] | Many[Supplier]


@dataclass(frozen=True, slots=True)
class ReadingSides:
    """Reads within one turn of work. `keep` stores the run's progress in the transaction of a page."""

    work: Work
    bexio: Bexio
    arcavis: Arcavis
    vocabulary: Vocabulary
    progress: Progress
    keep: Keep

    async def bexio_page(self) -> None:
        """The next page of all contacts by id, or of the changed ones, the latest change first."""
        reading = self.progress.bexio
        if reading.started is None:
            await self._begin_bexio(reading)
        started = reading.started or self.work.clock.now()
        if reading.since is None:
            await self._bexio_from_the_beginning(reading, started)
        else:
            await self._bexio_changes(reading, started, datetime.fromisoformat(reading.since))

    async def _bexio_from_the_beginning(self, reading: Reading, started: datetime) -> None:
        page = await self.bexio.contacts.page_after(reading.last)
        rows = [record_of(contact, self.vocabulary) for contact in page]
        ids = [row.id for row in rows]
        last = len(page) < PAGE_SIZE
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await records.store(session, self._bexio, rows, pending=True)
            upto = reading.known if last else ids[-1]
            await records.mark_missing(session, self._bexio, after=reading.last, upto=upto, present=ids)
            if not last and reading.last == 0:
                await records.analyze(session)
            reading.last = max([reading.last, *ids])
            self._count(len(rows))
            if last:
                self.progress.phase = "customers"
                await self._move_bexio(session, started)
            await self.keep(session, self.progress)

    async def _bexio_changes(self, reading: Reading, started: datetime, cursor: datetime) -> None:
        """What was read or written shortly before the cursor comes once more: one page of it without news is enough."""
        since = changed_since(cursor - OVERLAP, started)
        page = await self.bexio.contacts.newest(max(0, reading.last - SLIPPED), updated_since=since)
        rows = [record_of(contact, self.vocabulary) for contact in page]
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            news = await records.store(session, self._bexio, rows, pending=True)
            # In October's doubled hour the texts do not follow the time: then everything is read.
            in_order = since == to_local_text(cursor - OVERLAP)
            echo = not news and in_order and bool(page) and page[-1].updated_at < cursor
            reading.last = max(0, reading.last - SLIPPED) + len(rows)
            self._count(len(rows))
            if echo or len(page) < PAGE_SIZE:
                self.progress.phase, reading.last = "archive", 0
            await self.keep(session, self.progress)

    async def archive_page(self) -> None:
        """The next page of contacts archived meanwhile."""
        reading = self.progress.bexio
        started = reading.started or self.work.clock.now()
        page = await self.bexio.contacts.page_after(
            reading.last, updated_since=_since(reading, started), show_archived=True
        )
        last = len(page) < PAGE_SIZE
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await records.mark_gone(session, self._bexio, [contact.id for contact in page])
            reading.last = max([reading.last, *(contact.id for contact in page)])
            if last:
                self.progress.phase = "customers"
                await self._move_bexio(session, started)
            await self.keep(session, self.progress)

    async def arcavis_page(self, kind: Kind) -> None:
        """The next page of changed, or all, contacts of a kind."""
        reading = self.progress.customers if kind == "customer" else self.progress.suppliers
        if reading.started is None:
            await self._begin_arcavis(kind, reading)
        contacts = contacts_of(self.arcavis, kind)
        since = int(reading.since) if reading.since is not None else None
        found = await contacts.page(reading.page, ARCAVIS_PAGE, since)
        if reading.page == 1:
            reading.ticks = found.data_age_ticks
        last = reading.page >= found.total_pages
        moved = last and reading.page > 1 and await self._moved(kind, reading)
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await self._store_arcavis(session, kind, reading, found, last=last)
            if last:
                await self._end_arcavis(session, kind, reading, moved=moved)
            else:
                reading.page += 1
            await self.keep(session, self.progress)

    def _count(self, read: int) -> None:
        """What is read again only to hear the echo of our own writes is no news."""
        if self.progress.rounds == 0:
            self.progress.count(read=read)

    @property
    def _bexio(self) -> Place:
        return Place(self.work.tenant, "bexio")

    async def _begin_bexio(self, reading: Reading) -> None:
        reading.since = await self._cursor(BEXIO_CURSOR, self._bexio, self.bexio.company)
        reading.started = self.work.clock.now()
        async with self.work.db.begin(self.work.tenant) as session:
            reading.known = await records.highest(session, self._bexio)

    async def _begin_arcavis(self, kind: Kind, reading: Reading) -> None:
        place = Place(self.work.tenant, "arcavis", kind)
        reading.since = await self._cursor(ARCAVIS_CURSORS[kind], place, self.arcavis.environment)
        reading.started = self.work.clock.now()
        async with self.work.db.begin(self.work.tenant) as session:
            reading.known = await records.highest(session, place)

    async def _cursor(self, name: str, place: Place, owner: str) -> str | None:
        """From where to read on; None reads everything. Nothing that was read from another owner holds."""
        work = self.work
        async with work.db.begin(work.tenant) as session:
            known, value = await cursors.read(session, work.tenant, name)
            if known is not None and known != owner:
                await operations.hold(session, work.operation)
                await records.forget(session, place)
        return value if known == owner and not self.progress.full else None

    async def _move_bexio(self, session: AsyncConnection, started: datetime) -> None:
        now = self.work.clock.now()
        value = started.isoformat()
        await cursors.move(session, self.work.tenant, BEXIO_CURSOR, self.bexio.company, value, now)

    async def _moved(self, kind: Kind, reading: Reading) -> bool:
        """Whether rows left their page since the first one was read, and let others slip past the next one."""
        if reading.ticks is None:
            return False
        since = await contacts_of(self.arcavis, kind).changed_since(reading.ticks)
        return bool(since.deleted_ids or (reading.since is not None and since.result))

    async def _store_arcavis(
        self, session: AsyncConnection, kind: Kind, reading: Reading, found: ArcavisPage, *, last: bool
    ) -> None:
        place = Place(self.work.tenant, "arcavis", kind)
        rows = [record_from(contact) for contact in found.result]
        living = [row for row in rows if not row.gone]
        await records.store(session, place, living, pending=True)
        await records.mark_gone(session, place, [*found.deleted_ids, *(row.id for row in rows if row.gone)])
        ids = [row.id for row in living]
        sorted_ = ids == sorted(ids) and (not ids or ids[0] > reading.last)
        if reading.since is None and sorted_:
            upto = reading.known if last else max(ids, default=reading.last)
            await records.mark_missing(session, place, after=reading.last, upto=upto, present=ids)
        if reading.since is None and not last and reading.page == 1:
            await records.analyze(session)
        reading.last = max([reading.last, *ids])
        self._count(len(rows))

    async def _end_arcavis(self, session: AsyncConnection, kind: Kind, reading: Reading, *, moved: bool) -> None:
        if moved and reading.rounds < MOST_ROUNDS:
            reading.rounds += 1
            reading.page, reading.last = 1, 0
            return
        if reading.ticks is not None and not moved:
            owner, now = self.arcavis.environment, self.work.clock.now()
            value = str(reading.ticks)
            await cursors.move(session, self.work.tenant, ARCAVIS_CURSORS[kind], owner, value, now)
        self.progress.phase = "suppliers" if kind == "customer" else "work"


def _since(reading: Reading, started: datetime) -> str | None:
    if reading.since is None:
        return None
    return changed_since(datetime.fromisoformat(reading.since) - OVERLAP, started)
