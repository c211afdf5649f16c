"""Keeping contacts in sync: every few minutes a sync is begun where a tenant wants it and none is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import starting
from app.capabilities.contacts.progress import Progress
from app.capabilities.contacts.running import PERIODIC
from app.capabilities.tenancy.config import load
from app.core.clock import Clock
from app.core.priority import Priority
from app.jobs.operations import Operation
from app.jobs.outcomes import Later, Outcome
from app.jobs.work import Work

OFF_PAUSE = timedelta(hours=6)
# So that the syncs of many tenants do not all begin at once.
SPREAD = 0.2
KEPT_FOR = timedelta(days=2)

# A person looks at the runs that somebody asked for; of those that came by themselves the latest are enough.
_TIDY = text(
    "with old as (delete from run where tenant_id = :tenant and kind = 'contacts.sync' and finished_at < :before"
    " and detail @> '{\"periodic\": true}' and state <> 'failed' returning id),"
    " work as (delete from operation o using old where o.kind = 'contacts.sync' and o.subject_id = old.id)"
    " delete from contact_run c using old where c.run_id = old.id"
)


@dataclass(frozen=True, slots=True)
class PeriodicHandler:
    """The standing work of a connected tenant: it is never done, only due again. `jitter` gives [0, 1)."""

    clock: Clock
    jitter: Callable[[], float]

    async def run(self, work: Work) -> Outcome:
        """Begins a sync, unless one is under way; see `app.jobs.work.Handler`."""
        now = self.clock.now()
        async with work.db.begin(work.tenant) as session:
            settings = (await load(session, work.tenant)).settings
            if not settings.contact_sync_enabled:
                return Later(OFF_PAUSE, "next-poll", succeeded=True)
            asked = Progress(mode="sync")
            await starting.start(session, work.tenant, asked, Priority.BULK, now, periodic=True)
            await session.execute(_TIDY, {"tenant": work.tenant, "before": now - KEPT_FOR})
        pause = settings.contact_sync_minutes * 60 * (1 + SPREAD * (self.jitter() - 0.5))
        return Later(timedelta(seconds=pause), "next-poll", succeeded=True)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """The run that was begun tells how it went."""


KIND = PERIODIC
