"""The durable job of an import, and the one that starts an import every night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.articles import place, results
from app.capabilities.articles.importing import KIND, WHOLE_PAGES, Import, Stride
from app.capabilities.tenancy.config import load
from app.connectors.access import RemoteAccess
from app.connectors.bexio.reference import ReferenceData
from app.core.clock import Clock
from app.core.priority import Priority
from app.core.swiss_time import ZURICH
from app.jobs import operations, runs
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, Later, NeedsAttention, Outcome
from app.jobs.work import Work

NIGHTLY = "articles.nightly"
# After the shops have closed, before bookings are exported, and over before the hour that October has twice.
NIGHT_BEGINS = time(0, 15)
NIGHT_MINUTES = 100
_DUE = "due"
NEXT = Later(timedelta(0), "articles-next-page", succeeded=True)


@dataclass(frozen=True, slots=True)
class ImportHandler:
    """Does the imports of all tenants, a page each turn."""

    remotes: RemoteAccess
    reference: ReferenceData
    clock: Clock
    settle: timedelta
    stride: Stride = WHOLE_PAGES

    async def run(self, work: Work) -> Outcome:
        """The next page; see `app.jobs.work.Handler`."""
        async with work.db.begin(work.tenant) as session:
            config = await load(session, work.tenant)
        bexio = await self.remotes.bexio(work.tenant, work.priority)
        reference = self.reference.of(work.tenant, bexio)
        arcavis = await self.remotes.arcavis(work.tenant)
        turn = Import(work, bexio, arcavis, reference, config.settings, self.settle, self.stride)
        ended = await turn.go_on()
        if ended is None:
            return NEXT
        work.note(ended=ended, sent_at=None)
        return Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Ends the run with what came of it. A run that waits stays as it is."""
        if isinstance(outcome, Later):
            return
        now, run = self.clock.now(), await runs.read(session, operation.subject_id)
        found = await results.detail(session, operation.tenant_id, run, operation.memo)
        await place.leave(session, run.id)
        if isinstance(outcome, NeedsAttention):
            await runs.finish(session, run.id, "failed", now, reason=outcome.code, params=outcome.params, detail=found)
            return
        if not run.detail.get("dry_run"):
            await runs.progress(session, run.id, {**run.counts, "stock": found["stock"]["taken"]}, now)
        is_cancelled = operation.memo.get("ended") == "cancelled"
        await runs.finish(session, run.id, "cancelled" if is_cancelled else "done", now, detail=found)


@dataclass(frozen=True, slots=True)
class NightlyHandler:
    """The standing work of a connected tenant: starts an import each night while the tenant wants that."""

    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """Starts an import when its time has come; see `app.jobs.work.Handler`."""
        now = self.clock.now()
        due = datetime.fromisoformat(work.memo[_DUE]) if work.memo.get(_DUE) else None
        upcoming = night_after(now, work.tenant.int)
        if due is not None and due <= now:
            # The date moves first: a crash in between costs one night, and never makes two imports of it.
            await work.advance("starting", **{_DUE: upcoming.isoformat()})
            await self._start(work, now)
        else:
            work.note(**{_DUE: min(due or upcoming, upcoming).isoformat()})
            upcoming = min(due or upcoming, upcoming)
        return Later(upcoming - now, "next-night", succeeded=True)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Has nothing to record: the run speaks for itself."""

    async def _start(self, work: Work, now: datetime) -> None:
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            config = await load(session, work.tenant)
            if not config.settings.article_import_daily:
                return
            if await place.under_way(session, work.tenant, KIND) is not None:
                return
            await runs.create(
                session,
                tenant=work.tenant,
                kind=KIND,
                priority=Priority.BULK,
                now=now,
                detail={"dry_run": False, "nightly": True},
            )


def night_after(now: datetime, seed: int) -> datetime:
    """The tenant's own minute of the next night, in Swiss time, so that not all imports begin at once."""
    local = now.astimezone(ZURICH)
    begins = datetime.combine(local.date(), NIGHT_BEGINS, ZURICH) + timedelta(minutes=seed % NIGHT_MINUTES)
    return begins if begins > local else begins + timedelta(days=1)
