"""Runs: long work that a person may watch. A run is the subject of one operation, whose kind is the run's.

The operation says what is left to do and survives every crash; the run says how far it came. Whoever does the work
starts the run, reports progress, looks now and then whether it shall be cancelled, and finishes it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import RowMapping, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import Clock
from app.core.errors import Conflict, NotFound
from app.core.ids import uuid7
from app.core.priority import Priority
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import wake

Ending = Literal["done", "failed", "cancelled"]
FINISHED = frozenset({"done", "failed", "cancelled"})
WATCHED_FOR = 600.0
HEARTBEAT_SECONDS = 15.0
SHORTEST_STEP = 0.25
# Where the detail keeps what fills the reason's texts.
REASON_PARAMS = "reason_params"


@dataclass(frozen=True, slots=True)
class Run:
    """How far a run came. `counts` are the work's own figures, `total` what they run up to where that is known.

    `reason` is a code of the catalogue once it failed; `detail` what was asked for and what came of it.
    """

    id: UUID
    kind: str
    state: str
    counts: Mapping[str, int]
    total: int | None
    reason: str | None
    cancel_requested: bool
    detail: Mapping[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime

    @property
    def finished(self) -> bool:
        """True when nothing changes any more, unless somebody retries it."""
        return self.state in FINISHED


_RUN = (
    "select id, kind, state, counts, total, reason, cancel_requested, detail, created_at, started_at, finished_at,"
    " updated_at from run where"
)
_CREATE = text(
    "insert into run (id, tenant_id, kind, state, counts, total, detail, created_at, updated_at)"
    " values (:id, :tenant, :kind, 'waiting', '{}', :total, :detail, :now, :now)"
).bindparams(bindparam("detail", type_=JSONB))
_START = text(
    "update run set state = 'running', started_at = coalesce(started_at, :now), reason = null, finished_at = null,"
    " updated_at = :now where id = :id and state in ('waiting', 'running', 'failed')"
)
_PROGRESS = text(
    "update run set counts = :counts, total = coalesce(:total, total), updated_at = :now"
    " where id = :id and state = 'running' returning cancel_requested"
).bindparams(bindparam("counts", type_=JSONB))
_FINISH = text(
    "update run set state = :state, reason = :reason, detail = detail || :detail, finished_at = :now,"
    " updated_at = :now where id = :id and finished_at is null"
).bindparams(bindparam("detail", type_=JSONB))
_CANCEL_REQUESTED = text("select cancel_requested from run where id = :id")
_LOCK = text(f"{_RUN} id = :id for update")
_READ = text(f"{_RUN} id = :id")
_LIST = text(
    f"{_RUN} (cast(:kind as text) is null or kind = :kind)"
    " and (cast(:after_at as timestamptz) is null or (created_at, id) < (:after_at, cast(:after_id as uuid)))"
    " order by created_at desc, id desc limit :fetch"
)
_ASK_CANCEL = text("update run set cancel_requested = true, updated_at = :now where id = :id")
_AGAIN = text(
    "update run set state = 'waiting', cancel_requested = false, reason = null, finished_at = null, updated_at = :now"
    " where id = :id"
)
_ANNOUNCE = text("select pg_notify('connector_settled', :subject)")


async def create(
    session: AsyncConnection,
    *,
    tenant: UUID,
    kind: str,
    priority: Priority,
    now: datetime,
    total: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> UUID:
    """A new run with the operation that does it, in the caller's transaction. Returns its id."""
    run = uuid7(now)
    values = {"id": run, "tenant": tenant, "kind": kind, "total": total, "detail": dict(detail or {}), "now": now}
    await session.execute(_CREATE, values)
    await operations.add(session, tenant=tenant, kind=kind, subject=run, priority=priority, now=now)
    await wake(session, priority)
    return run


async def start(session: AsyncConnection, run: UUID, now: datetime) -> None:
    """The work begins, or goes on after a crash or a failure that a person has mended."""
    await session.execute(_START, {"id": run, "now": now})
    await _announce(session, run)


async def progress(
    session: AsyncConnection, run: UUID, counts: Mapping[str, int], now: datetime, *, total: int | None = None
) -> bool:
    """Reports the figures so far, in the transaction that did what they count. True when it shall be cancelled."""
    values = {"id": run, "counts": dict(counts), "total": total, "now": now}
    asked = (await session.execute(_PROGRESS, values)).scalar_one_or_none()
    await _announce(session, run)
    return bool(asked)


async def cancel_requested(session: AsyncConnection, run: UUID) -> bool:
    """Whether somebody wants it to stop; what was done stays done."""
    return bool((await session.execute(_CANCEL_REQUESTED, {"id": run})).scalar_one_or_none())


async def finish(
    session: AsyncConnection,
    run: UUID,
    state: Ending,
    now: datetime,
    *,
    reason: str | None = None,
    params: Mapping[str, str] | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Ends the run. `reason` is a code of the catalogue that `params` fill in; `detail` is added to what is there."""
    more = {**(detail or {}), REASON_PARAMS: dict(params or {})}
    values = {"id": run, "state": state, "reason": reason, "detail": more, "now": now}
    await session.execute(_FINISH, values)
    await _announce(session, run)


async def read(session: AsyncConnection, run: UUID) -> Run:
    """One run of the transaction's tenant.

    Raises:
        NotFound: `run-not-found`.
    """
    return _found((await session.execute(_READ, {"id": run})).mappings().first())


async def listing(session: AsyncConnection, kind: str | None, page: Mapping[str, Any]) -> list[Run]:
    """Runs, newest first; `page` as `Paging.values` gives it."""
    return [_run(row) for row in (await session.execute(_LIST, {**page, "kind": kind})).mappings()]


async def ask_to_cancel(session: AsyncConnection, run: UUID, now: datetime) -> Run:
    """Asks the work to stop at its next step. Asking twice is asking once.

    Raises:
        NotFound: `run-not-found`.
        Conflict: `run-finished`.
    """
    found = await _locked_with_work(session, run, now)
    if found.finished:
        raise Conflict("run-finished", state=found.state)
    await session.execute(_ASK_CANCEL, {"id": run, "now": now})
    await _announce(session, run)
    return await read(session, run)


async def again(session: AsyncConnection, run: UUID, now: datetime) -> Run:
    """Goes on with a run that failed or was cancelled, from where it stood.

    Raises:
        NotFound: `run-not-found`.
        Conflict: `run-not-failed`.
    """
    found = await _locked_with_work(session, run, now)
    if found.state not in {"failed", "cancelled"}:
        raise Conflict("run-not-failed", state=found.state)
    await session.execute(_AGAIN, {"id": run, "now": now})
    await _announce(session, run)
    return await read(session, run)


async def watch(
    db: Database, clock: Clock, tenant: UUID, run: UUID, pause: Callable[[float], Awaitable[None]]
) -> AsyncGenerator[Run | None]:
    """The run as it is now and after every change until it is finished, for ten minutes at most.

    None now and then while nothing changes, so that nobody takes the connection for dead. `pause` waits at most
    the seconds it is given, less when something happened.
    """
    began = spoken = clock.monotonic()
    seen: Run | None = None
    while True:
        async with db.begin(tenant) as session:
            found = await read(session, run)
        if found != seen:
            seen, spoken = found, clock.monotonic()
            yield found
        elif clock.monotonic() - spoken >= HEARTBEAT_SECONDS:
            spoken = clock.monotonic()
            yield None
        if found.finished or clock.monotonic() - began >= WATCHED_FOR:
            return
        await clock.sleep(SHORTEST_STEP)
        await pause(HEARTBEAT_SECONDS)


async def _locked_with_work(session: AsyncConnection, run: UUID, now: datetime) -> Run:
    """The run, with its work asked for again. The operation is locked first, as the worker does when it settles."""
    kind = (await read(session, run)).kind
    await operations.rearm(session, kind=kind, subject=run, now=now)
    return _found((await session.execute(_LOCK, {"id": run})).mappings().first())


def _found(row: RowMapping | None) -> Run:
    if row is None:
        raise NotFound("run-not-found")
    return _run(row)


def _run(row: RowMapping) -> Run:
    return Run(**row)


async def _announce(session: AsyncConnection, run: UUID) -> None:
    await session.execute(_ANNOUNCE, {"subject": str(run)})
