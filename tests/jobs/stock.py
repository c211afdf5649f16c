"""Tenants, operations and handlers to try the work loop with, and a clock that is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import Clock, SystemClock
from app.core.ids import uuid7
from app.core.milestones import log_milestone
from app.core.priority import Priority
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import Worker, wake
from app.jobs.operations import Ending, Operation
from app.jobs.outcomes import Done, Outcome
from app.jobs.work import Work, WorkLoop

START = datetime(2026, 11, 20, 9, tzinfo=UTC)
KIND = "trial"

_TENANT = text(
    "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
    " values (:id, :slug, 'Trial', 'de', '{}', :now, :now)"
)
_MANY = text(
    "insert into operation (id, tenant_id, kind, subject_id, state, step, memo, priority, next_attempt_at, created_at,"
    " updated_at) select gen_random_uuid(), :tenant, :kind, gen_random_uuid(), 'waiting', 'new', '{}', :priority, :due,"
    " cast(:now as timestamptz) + n * interval '1 microsecond', :now from generate_series(1, :count) n"
)
_READ = text("select * from operation where subject_id = :subject")
_ITEMS = text("select code, params, state from attention where subject_id = :subject order by created_at, id")
_JOBS = text("select id, status::text as status, attempts from pgqueuer order by id")


class HandClock:
    """Stands still unless moved; a sleep moves it."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> datetime:
        return self.moment

    def monotonic(self) -> float:
        return (self.moment - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        self.move(seconds)
        await asyncio.sleep(0)

    def move(self, seconds: float) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass
class Trial:
    """A handler that does what it is given, and keeps what it was asked."""

    act: Callable[[Work], Awaitable[Outcome]] | None = None
    runs: list[Operation] = field(default_factory=list[Operation])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    async def run(self, work: Work) -> Outcome:
        self.runs.append(work.operation)
        return await self.act(work) if self.act is not None else Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        self.outcomes.append(outcome)


def loop_over(db: Database, handler: Trial, clock: Clock | None = None) -> WorkLoop:
    return WorkLoop(db, clock or SystemClock(), {KIND: handler}, log_milestone, Random(1))


@asynccontextmanager
async def working(worker: Worker) -> AsyncGenerator[asyncio.Task[None]]:
    """The worker at work; told to stop at the end, and waited for."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(worker.run())
        try:
            yield task
        finally:
            worker.stop()


async def until(condition: Callable[[], Awaitable[bool] | bool], seconds: float = 10.0) -> float:
    """Waits for the condition and returns the seconds it took; fails after `seconds`."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while True:
        met = condition()
        if met if isinstance(met, bool) else await met:
            return loop.time() - started
        assert loop.time() - started < seconds, f"not within {seconds} s"
        await asyncio.sleep(0.01)


async def add_tenant(db: Database) -> UUID:
    tenant = uuid4()
    async with db.begin_system() as session:
        await session.execute(_TENANT, {"id": tenant, "slug": f"t{tenant.hex[:12]}", "now": START})
    return tenant


async def add_work(
    db: Database,
    tenant: UUID,
    *,
    now: datetime = START,
    due: datetime | None = None,
    priority: Priority = Priority.TILL,
    kind: str = KIND,
    bell: bool = False,
) -> UUID:
    """One operation, with or without the bell that announces it; returns its subject."""
    subject = uuid7(now)
    async with db.begin(tenant) as session:
        await operations.add(session, tenant=tenant, kind=kind, subject=subject, priority=priority, now=now, due=due)
        if bell:
            await wake(session, priority)
    return subject


async def add_many(
    db: Database,
    tenant: UUID,
    count: int,
    *,
    now: datetime = START,
    due: datetime | None = None,
    priority: Priority = Priority.TILL,
) -> None:
    values = {"tenant": tenant, "kind": KIND, "priority": priority.rank, "now": now, "due": due or now, "count": count}
    async with db.begin_system() as session:
        await session.execute(_MANY, values)


async def ring(db: Database, times: int = 1) -> None:
    async with db.begin_system() as session:
        for _ in range(times):
            await wake(session, Priority.TILL)


async def stored(db: Database, subject: UUID) -> Row[Any]:
    """The operation of a subject as the database has it."""
    async with db.begin_system() as session:
        return (await session.execute(_READ, {"subject": subject})).one()


async def items(db: Database, tenant: UUID, subject: UUID) -> list[tuple[str, str]]:
    """Code and state of each attention item of a subject."""
    async with db.begin(tenant) as session:
        return [(row.code, row.state) for row in await session.execute(_ITEMS, {"subject": subject})]


async def bells(db: Database) -> list[str]:
    """The status of each job that the engine holds."""
    async with db.begin_system() as session:
        return [row.status for row in await session.execute(_JOBS)]


async def claimed(db: Database, now: datetime = START) -> Operation:
    """The operation that a claim gives; fails when nothing is due."""
    operation = await operations.claim(db, now)
    assert operation is not None
    return operation


async def settle(db: Database, operation: Operation, state: str, now: datetime = START) -> str:
    """Ends a turn without further ado."""
    async with db.begin(operation.tenant_id) as session:
        return await operations.settle(
            session, operation, Ending(state, now, now, 0, None if state == "done" else "trial")
        )
