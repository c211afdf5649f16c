"""Once a day: what waits for a person, to those who asked to be told. Nothing when nothing waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.mailing import outbox
from app.capabilities.mailing.outbox import Mail
from app.core.clock import Clock
from app.core.swiss_time import ZURICH
from app.jobs.operations import Operation
from app.jobs.outcomes import Later, Outcome
from app.jobs.work import Work

KIND = "mail.digest"
AT = time(7, 0)
MOST_POINTS = 20
LASTS = timedelta(hours=20)

# One line for each kind of trouble, with the latest of its items as the example, most frequent first.
_OPEN = text(
    "select code, count(*) as count, (array_agg(params order by created_at desc))[1] as params,"
    " sum(count(*)) over () as total from attention where tenant_id = :tenant and state = 'open'"
    " group by code order by count(*) desc, code limit :most"
)


@dataclass(frozen=True, slots=True)
class DigestHandler:
    """The standing work of a connected tenant: it is never done, only due again."""

    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """Hands in today's digest, unless it was already; see `app.jobs.work.Handler`."""
        now = self.clock.now()
        local = now.astimezone(ZURICH)
        if local.time() >= AT:
            async with work.db.begin(work.tenant) as session:
                await outbox.tidy(session, now)
                await _put(session, work, now)
        return Later(_next(local) - now, "next-poll", succeeded=True)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """The digest is in the outbox: nothing is left to record."""


async def _put(session: AsyncConnection, work: Work, now: datetime) -> None:
    rows = (await session.execute(_OPEN, {"tenant": work.tenant, "most": MOST_POINTS})).all()
    if not rows:
        return
    items = [{"code": row.code, "params": row.params, "count": row.count} for row in rows]
    params: dict[str, Any] = {"count": str(rows[0].total), "items": items}
    day = now.astimezone(ZURICH).date().isoformat()
    await outbox.put(session, work.tenant, Mail(f"digest/{day}", "mail-digest", params, lasts=LASTS), now)


def _next(local: datetime) -> datetime:
    """The next seven o'clock in Switzerland, also across a change of the clock."""
    day = local.date() if local.time() < AT else local.date() + timedelta(days=1)
    return datetime.combine(day, AT, tzinfo=ZURICH)
