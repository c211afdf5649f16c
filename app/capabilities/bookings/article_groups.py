"""What articles belong to, by day: an exported day keeps the groups that it was exported with.

Receipts name articles, not groups, and Arcavis knows only today's. So what is seen is kept with the day from which it
holds: the first sight of an article for all time, a later change from the day on which it was seen.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings.facts import UNGROUPED, Groups

ALWAYS = date(1, 1, 1)

_LOAD = text(
    "select article_id, since, main_group, trade_group, article_group from booking_article_groups"
    " order by article_id, since"
)
_STORE = text(
    "insert into booking_article_groups (tenant_id, article_id, since, main_group, trade_group, article_group)"
    " select :tenant, * from unnest(cast(:articles as text[]), cast(:days as date[]), cast(:main as text[]),"
    " cast(:trade as text[]), cast(:group as text[]))"
    " on conflict (tenant_id, article_id, since) do nothing"
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An article's groups from a day on."""

    article: str
    since: date
    groups: Groups


@dataclass(frozen=True, slots=True)
class Grouping:
    """The groups of all articles, by day. `fresh` is what was seen and is not stored yet."""

    known: Mapping[str, tuple[Seen, ...]] = field(default_factory=dict[str, tuple[Seen, ...]])
    fresh: tuple[Seen, ...] = ()

    def of(self, article: str | None, day: date) -> Groups:
        """What an article belonged to on a day; nothing when it was never seen."""
        history = self.known.get(article, ()) if article is not None else ()
        if not history:
            return UNGROUPED
        place = bisect_right(history, day, key=lambda seen: seen.since)
        return history[max(place - 1, 0)].groups

    def seen(self, current: Mapping[str, Groups], today: date) -> Grouping:
        """The same with what Arcavis says today; what differs holds from today on."""
        fresh = [found for article, groups in current.items() if (found := self._change(article, groups, today))]
        known = dict(self.known)
        for one in fresh:
            known[one.article] = (*(row for row in known.get(one.article, ()) if row.since != one.since), one)
        return Grouping(known, (*self.fresh, *fresh))

    def _change(self, article: str, groups: Groups, today: date) -> Seen | None:
        history = self.known.get(article, ())
        if not history:
            return Seen(article, ALWAYS, groups)
        # What was seen today holds for today: a second change on one day waits until tomorrow.
        if history[-1].groups == groups or history[-1].since >= today:
            return None
        return Seen(article, today, groups)


def grouping(rows: Sequence[Seen]) -> Grouping:
    """From rows sorted by article and day."""
    known: dict[str, tuple[Seen, ...]] = {}
    for row in rows:
        known[row.article] = (*known.get(row.article, ()), row)
    return Grouping(known)


async def load(session: AsyncConnection) -> Grouping:
    """What was seen of this tenant's articles."""
    rows = await session.execute(_LOAD)
    return grouping(
        [Seen(row.article_id, row.since, Groups(row.main_group, row.trade_group, row.article_group)) for row in rows]
    )


async def store(session: AsyncConnection, tenant: UUID, fresh: Sequence[Seen]) -> None:
    """Keeps what was seen; what somebody else kept meanwhile stays."""
    if not fresh:
        return
    values = {
        "tenant": tenant,
        "articles": [seen.article for seen in fresh],
        "days": [seen.since for seen in fresh],
        "main": [seen.groups.main_group for seen in fresh],
        "trade": [seen.groups.trade_group for seen in fresh],
        "group": [seen.groups.article_group for seen in fresh],
    }
    await session.execute(_STORE, values)
