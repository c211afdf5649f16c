"""Contacts and articles: runs that others do. Both are started at once, and watched until both are done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.provisioning import records
from app.capabilities.provisioning.steps import IMPORTS, Share, Step, percent
from app.core.clock import Clock
from app.db.attention import Subject, close_items, raise_item
from app.jobs import operations, runs
from app.jobs.outcomes import Later, Outcome
from app.jobs.runs import REASON_PARAMS, Run
from app.jobs.work import Work

# Makes a run in the caller's transaction and returns its id.
StartRun = Callable[[AsyncConnection, UUID, datetime], Awaitable[UUID]]

LOOK_AGAIN = timedelta(seconds=2)
FAILED_PAUSE = timedelta(seconds=30)
DONE_COUNT = "done"
# ... as articles call it.
READ_COUNT = "read"
# In the memo: which failure a person was told about, and how often the work had been asked for then.
TOLD = "told"
ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Imports:
    """Starts the runs of the imports, once each, and waits for them."""

    clock: Clock
    start: Mapping[Step, StartRun]

    async def go_on(self, work: Work, shop: Row[Any]) -> Outcome | None:
        """None when both are done. A run that failed is told of once, and tried again when somebody asks."""
        started = await self._started(work, shop)
        await work.reached("provision-imports-started")
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            # Read here, under the lock: another worker may have gone on.
            shop = await records.shop(session, work.tenant)
            found = {step: await runs.read(session, run) for step, run in started.items() if step not in shop.done}
            over = {step: run for step, run in found.items() if run.state in {"done", "cancelled"}}
            shares = {step: share_of(run) for step, run in found.items()}
            now = self.clock.now()
            for step, run in over.items():
                await self._note(session, work, shop, step, run, now)
            done: dict[str, object] = {**shop.done, **{step.value: True for step in over}}
            await records.progressed(session, work.tenant, percent(done, shares), now)
            failed = [run for run in found.values() if run.state == "failed"]
            if failed:
                return await self._failed(session, work, failed[0], now)
            await _tell_no_more(session, work, now)
        if len(over) == len(found):
            return None
        return Later(LOOK_AGAIN, "provision-imports-run")

    async def _started(self, work: Work, shop: Row[Any]) -> dict[Step, UUID]:
        missing = [step for step in IMPORTS if step not in shop.runs]
        if not missing:
            return {step: UUID(shop.runs[step]) for step in IMPORTS}
        await work.reached("provision-imports-before-start")
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            known: Mapping[str, str] = (await records.shop(session, work.tenant)).runs
            now = self.clock.now()
            started = {step: UUID(known[step]) for step in IMPORTS if step in known}
            for step in IMPORTS:
                if step not in started:
                    started[step] = await self.start[step](session, work.tenant, now)
                    await records.run_started(session, work.tenant, step, started[step], now)
        return started

    async def _note(
        self, session: AsyncConnection, work: Work, shop: Row[Any], step: Step, run: Run, now: datetime
    ) -> None:
        detail = {"counts": figures(run), "total": run.total, "skipped": run.state == "cancelled"}
        progress = percent({**shop.done, step.value: True}, {})
        await records.step_done(session, work.tenant, step, detail, progress, now)

    async def _failed(self, session: AsyncConnection, work: Work, run: Run, now: datetime) -> Outcome:
        failure = f"{run.id} {run.finished_at}"
        asked_since = work.memo.get(TOLD) == failure and work.memo.get(ASKED) != work.operation.wanted
        if asked_since:
            await runs.again(session, run.id, now)
            return Later(timedelta(0), "asked-again")
        work.note(**{TOLD: failure, ASKED: work.operation.wanted})
        params: Mapping[str, str] = run.detail.get(REASON_PARAMS, {})
        code = run.reason or "internal-error"
        await raise_item(session, _subject(work), code=code, params=params, now=now)
        return Later(FAILED_PAUSE, "provision-import-failed")


def share_of(run: Run) -> Share:
    """How much of a run is done. A run that is over counts as a whole."""
    if run.state in {"done", "cancelled"}:
        return Share(1, 1)
    return Share(figures(run)[DONE_COUNT], run.total)


def figures(run: Run) -> dict[str, int]:
    """A run's own counts, with how many records it is through under one name."""
    return {**run.counts, DONE_COUNT: run.counts.get(DONE_COUNT, run.counts.get(READ_COUNT, 0))}


async def _tell_no_more(session: AsyncConnection, work: Work, now: datetime) -> None:
    """What had failed goes on: whether by the item, the run, or the progress page."""
    if work.memo.get(TOLD) is not None:
        await close_items(session, _subject(work), state="resolved", actor="system", now=now)


def _subject(work: Work) -> Subject:
    return Subject(work.tenant, work.operation.kind, work.subject)
