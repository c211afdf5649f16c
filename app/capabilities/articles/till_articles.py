"""Which articles Arcavis has, by number: read whole once, and then as what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.capabilities.articles import place, records
from app.capabilities.articles.wanted import number_key
from app.connectors.arcavis.client import Arcavis
from app.core.errors import RemoteUnavailable
from app.jobs import operations
from app.jobs.work import Work

ROWS = 1000
MOST_ROUNDS = 3
PAUSE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Ticks mean something to the environment only that gave them."""

    environment: str
    ticks: int

    @classmethod
    def parsed(cls, value: str) -> _Cursor:
        ticks, _, environment = value.partition(" ")
        return cls(environment, int(ticks))

    def __str__(self) -> str:
        return f"{self.ticks} {self.environment}"


async def follow(work: Work, arcavis: Arcavis) -> int:
    """Brings what we know of Arcavis' articles up to date; returns the highest id among them.

    The ticks kept are those of the first page, so that no change made while paging is missed; they are kept when the
    last page is, so that a crash in between reads everything again. When rows left their page meanwhile, others may
    have slipped past the next one: then all pages are read once more.

    Raises:
        RemoteUnavailable: the list changed during every reading.
    """
    async with work.db.begin(work.tenant) as session:
        value = await place.read_cursor(session, work.tenant)
    cursor = _Cursor.parsed(value) if value else None
    since = cursor.ticks if cursor is not None and cursor.environment == arcavis.environment else None
    for _ in range(MOST_ROUNDS):
        if await _read(work, arcavis, since):
            async with work.db.begin(work.tenant) as session:
                return await records.highest_in_arcavis(session, work.tenant)
    raise RemoteUnavailable("arcavis-busy", "arcavis", PAUSE_SECONDS)


async def _read(work: Work, arcavis: Arcavis, since: int | None) -> bool:
    """Reads all pages once; False when rows moved, and nothing is known of what was not seen."""
    ticks, page = since, 1
    while True:
        found = await arcavis.articles.page(page, ROWS, since)
        ticks = found.data_age_ticks if page == 1 else ticks
        is_last = page >= found.total_pages
        if is_last and page > 1 and ticks is not None and await _moved(arcavis, ticks, is_diff=since is not None):
            return False
        now: datetime = work.clock.now()
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            if since is None and page == 1:
                await records.forget_arcavis(session, work.tenant)
            numbers = {str(row.id): number_key(row.article_number) for row in found.result}
            deleted = [str(each) for each in found.deleted_ids]
            await records.saw_in_arcavis(session, work.tenant, numbers, deleted, now)
            if is_last:
                if since is None:
                    await records.end_unknown(session, work.tenant, now)
                if ticks is not None:
                    text = str(_Cursor(arcavis.environment, ticks))
                    await place.move_cursor(session, work.tenant, text, now)
        await work.reached("till-articles-read")
        if is_last:
            return True
        page += 1


async def _moved(arcavis: Arcavis, ticks: int, *, is_diff: bool) -> bool:
    """Whether rows left their page since the first one was read. In a full list, a change moves none."""
    since = await arcavis.articles.page(1, ROWS, ticks)
    return bool(since.deleted_ids or (is_diff and since.result))
