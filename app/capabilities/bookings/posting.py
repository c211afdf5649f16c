"""Bringing groups into bexio, each exactly once.

A manual entry has no draft and no key, and its number is neither unique nor searchable. So the intent is committed
before it is sent; after an unclear outcome we wait longer than a lost request can take to land, then read the newest
entries back, adopt ours by its number, or know that it was never made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from app.capabilities.bookings import postings
from app.capabilities.bookings.postings import Unsettled
from app.capabilities.bookings.readback import landed
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.manual_entries import ManualEntry
from app.core.errors import RemoteRejected, RemoteUnavailable
from app.jobs import operations
from app.jobs.outcomes import Halt, Later
from app.jobs.work import INTENT_LIFE, Work


@dataclass(frozen=True, slots=True)
class Doubled:
    """An entry of ours that bexio holds more than once."""

    reference: str
    bexio_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Poster:
    """One turn of work on one tenant's bexio. `settle` is how long a lost write may still land there."""

    work: Work
    bexio: Bexio
    settle: timedelta

    async def resolve(self, day: date | None = None) -> list[Doubled]:
        """Finds out what became of the groups of a day (or of all) whose outcome nobody knows.

        Raises:
            Halt: one of them may still land.
        """
        work = self.work
        async with work.db.begin(work.tenant) as session:
            unsettled = await postings.unsettled(session, work.tenant, day)
        if not unsettled:
            return []
        due = max(one.sent_at for one in unsettled) + self.settle
        if (wait := due - work.clock.now()) > timedelta(0):
            raise Halt(Later(wait, "booking-may-land"))
        await work.advance("reading-back")
        present = await self._present(unsettled)
        await work.reached("read-back")
        doubled: list[Doubled] = []
        for one in unsettled:
            ours = landed(one.request, present)
            await self._settle(one, ours[0].id if ours else None)
            if len(ours) > 1:
                doubled.append(Doubled(one.reference, tuple(entry.id for entry in ours)))
        return doubled

    async def _present(self, unsettled: Sequence[Unsettled]) -> list[ManualEntry]:
        """The entries that carry a number of ours, among all that are newer than what was known before sending."""
        references = {one.reference for one in unsettled}
        above = min(one.known_id for one in unsettled)
        found: dict[int, ManualEntry] = {}
        async for page in self.bexio.manual_entries.pages(above=above):
            found.update({entry.id: entry for entry in page if entry.reference_nr in references})
        return list(found.values())

    async def post(self, group: UUID, request: bytes) -> int:
        """Sends a planned group, once; returns bexio's id.

        Raises:
            RemoteRejected: bexio refused it; it is planned still.
            RemoteUnavailable: bexio surely did not take it; it is planned still.
            OutcomeUnknown: it may or may not be there: `resolve` finds out, later.
            Halt: somebody else is at it.
        """
        work = self.work
        sent_at = work.clock.now()
        await work.advance("posting")
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            await postings.intend(session, work.tenant, group, sent_at)
        await work.reached("booking-intended")
        try:
            made = await self.bexio.until(sent_at + INTENT_LIFE).manual_entries.create(request)
        except (RemoteUnavailable, RemoteRejected):
            async with work.db.begin(work.tenant) as session:
                await postings.take_back(session, group, sent_at, work.clock.now())
            raise
        await work.reached("booking-answered")
        async with work.db.begin(work.tenant) as session:
            await postings.settle(session, group, sent_at, work.clock.now(), bexio_id=made.id)
        await work.reached("booking-recorded")
        return made.id

    async def _settle(self, one: Unsettled, bexio_id: int | None) -> None:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            await postings.settle(session, one.id, one.sent_at, work.clock.now(), bexio_id=bexio_id)
        await work.reached("booking-adopted" if bexio_id is not None else "booking-lost")
