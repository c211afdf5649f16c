"""Which articles Arcavis has, by number: read whole once, and then as what changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.capabilities.articles import place, records
from app.capabilities.articles.wanted import number_key
from app.connectors.arcavis.client import Arcavis
from app.jobs import operations
from app.jobs.work import Work

ROWS = 1000


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


async def follow(work: Work, arcavis: Arcavis) -> None:
    """Brings what we know of Arcavis' articles up to date.

    The ticks kept are those of the first page, so that no change made while paging is missed; they are kept when the
    last page is, so that a crash in between reads everything again.
    """
    async with work.db.begin(work.tenant) as session:
        value = await place.read_cursor(session, work.tenant)
    cursor = _Cursor.parsed(value) if value else None
    since = cursor.ticks if cursor is not None and cursor.environment == arcavis.environment else None
    ticks, page = since, 1
    while True:
        found = await arcavis.articles.page(page, ROWS, since)
        ticks = found.data_age_ticks if page == 1 else ticks
        is_last = page >= found.total_pages
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
            return
        page += 1
