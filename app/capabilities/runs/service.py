"""Watching, cancelling and retrying runs."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import TenantCaller
from app.api.run_view import view
from app.api.waiting import Settled
from app.core.clock import Clock
from app.core.priority import Priority
from app.db import audit
from app.db.session import Database
from app.jobs import runs
from app.jobs.engine import wake
from app.jobs.runs import Run

RECONNECT_MILLISECONDS = 2000


def version(run: Run) -> str:
    """What an event is called, so that a watcher who comes back can say what it saw last."""
    return run.updated_at.isoformat()


async def get(db: Database, tenant: UUID, run: UUID) -> Run:
    """One run.

    Raises:
        NotFound: `run-not-found`.
    """
    async with db.begin(tenant) as session:
        return await runs.read(session, run)


async def listing(db: Database, tenant: UUID, kind: str | None, page: Mapping[str, Any]) -> list[Run]:
    """Runs, newest first."""
    async with db.begin(tenant) as session:
        return await runs.listing(session, kind, page)


async def cancel(db: Database, clock: Clock, caller: TenantCaller, run: UUID) -> Run:
    """Asks the work to stop at its next step.

    Raises:
        NotFound: `run-not-found`.
        Conflict: `run-finished`.
    """
    async with db.begin(caller.tenant) as session:
        asked = await runs.ask_to_cancel(session, run, clock.now())
        await _note(session, caller, "run.cancel", asked, clock)
        return asked


async def retry(db: Database, clock: Clock, caller: TenantCaller, run: UUID) -> Run:
    """Goes on with a run that failed or was cancelled.

    Raises:
        NotFound: `run-not-found`.
        Conflict: `run-not-failed`.
    """
    async with db.begin(caller.tenant) as session:
        asked = await runs.again(session, run, clock.now())
        await _note(session, caller, "run.retry", asked, clock)
        return asked


async def events(
    db: Database, clock: Clock, settled: Settled, tenant: UUID, run: UUID, language: str
) -> AsyncGenerator[bytes]:
    """The run as server-sent events: as it is now, then each change, until it is finished or ten minutes are over."""
    yield f"retry: {RECONNECT_MILLISECONDS}\n\n".encode()
    async with settled.watch(run) as signal:
        async for seen in runs.watch(db, clock, tenant, run, signal.wait):
            yield b": still here\n\n" if seen is None else _event(seen, language)


def _event(run: Run, language: str) -> bytes:
    return f"id: {version(run)}\nevent: run\ndata: {view(run, language).model_dump_json()}\n\n".encode()


async def _note(session: AsyncConnection, caller: TenantCaller, action: str, run: Run, clock: Clock) -> None:
    await wake(session, Priority.BACKOFFICE)
    await audit.append(
        session,
        tenant=caller.tenant,
        now=clock.now(),
        actor=caller.actor,
        action=action,
        subject_kind="run",
        subject_id=run.id,
        detail={"kind": run.kind},
    )
