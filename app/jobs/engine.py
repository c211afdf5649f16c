"""pgqueuer as the bell: a job says only that something is due, and the work loop finds what.

The engine neither fences nor counts attempts (a job that kills its worker is picked again for ever), and it leaves
when the database goes. So the truth is in the operations, a supervisor starts it again, and a sweep finds what no
job announced: deferred work, and what a dead worker held. A bell is answered when it rings (`app.jobs.bells`), not
when the engine has come round to its job.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, Self

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import structlog
from pgqueuer.core.tm import TaskManager
from pgqueuer.db import Driver
from pgqueuer.models import Job
from pgqueuer.ports.driver import NotifyCallback
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import ConnectorError
from app.core.priority import Priority
from app.db.session import RUNTIME_ROLE, Database
from app.jobs.bells import BellDriver
from app.jobs.operations import TILL_PLACES
from app.jobs.work import WorkLoop

ENTRYPOINT = "work"
CONCURRENCY = 16
HEARTBEAT = timedelta(seconds=8)
SWEEP_SECONDS = 1.0
# A sweeper works off what it finds by itself, so after an outage some of them share the backlog.
SWEEPERS = 4
DRAIN_SECONDS = 25.0
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
POSTGRES_PORT = 5432

_log = structlog.get_logger("jobs")


class SessionDriver(Driver):
    """The engine's driver over our own transaction: what it enqueues commits or rolls back with everything else.

    It goes through SQLAlchemy on purpose. SQLAlchemy opens the transaction with its first statement: a job enqueued
    on the bare asyncpg connection before that would commit by itself and survive the rollback.
    """

    def __init__(self, session: AsyncConnection) -> None:
        self._session = session
        self._shutdown = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """Runs a query in our transaction."""
        result = await self._session.exec_driver_sql(query, args)
        return [dict(row) for row in result.mappings()]

    async def execute(self, query: str, *args: object) -> str:
        """Runs a statement in our transaction."""
        result = await self._session.exec_driver_sql(query, args)
        return str(result.rowcount)

    async def notify(self, channel: str, payload: str) -> None:
        """Notifies when our transaction commits."""
        await self._session.exec_driver_sql("select pg_notify($1, $2)", (channel, payload))

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:  # noqa: ARG002 - the engine's protocol
        """Not here.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("A transaction cannot listen.")

    @property
    def shutdown(self) -> asyncio.Event:
        """Never set: the transaction ends by itself."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """No tasks are kept."""
        return TaskManager()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is ours to close."""


async def wake(session: AsyncConnection, priority: Priority) -> None:
    """Rings the bell when this transaction commits, and not when it rolls back."""
    await Queries(SessionDriver(session)).enqueue(ENTRYPOINT, None, priority=priority.rank)


@dataclass(frozen=True, slots=True)
class Chore:
    """Housekeeping that any worker may do, now and then; doing it twice changes nothing."""

    name: str
    every: float
    do: Callable[[], Awaitable[object]]


@dataclass
class Worker:
    """One process's share of the work: engine, sweep, lease beat and chores under one supervisor."""

    db: Database
    loop: WorkLoop
    chores: Sequence[Chore] = ()
    concurrency: int = CONCURRENCY
    sweep_seconds: float = SWEEP_SECONDS
    _stop: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    _rung: asyncio.Queue[None] = field(init=False, default_factory=asyncio.Queue[None])
    _catching_up: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _looks: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Keeps places for tills."""
        self.loop.most_others = max(1, self.concurrency - TILL_PLACES)

    @property
    def answering(self) -> int:
        """How many answer bells; sweepers and the engine's own turn are part of `concurrency`, too."""
        return max(1, self.concurrency - SWEEPERS - 1)

    def stop(self) -> None:
        """Takes no new work; what runs is finished."""
        self.loop.stopping = True
        self._stop.set()
        # Whoever waits for a bell leaves.
        for _ in range(self.answering):
            self._rung.put_nowait(None)

    def ring(self) -> None:
        """Something may be due: somebody looks at once, or as soon as anybody is free."""
        if self._rung.qsize() < self.answering:
            self._rung.put_nowait(None)

    async def run(self) -> None:
        """Works until `stop`, through every outage of the database, then waits for running turns, bounded."""
        async with asyncio.TaskGroup() as parts:
            beside = [parts.create_task(self.loop.beat())]
            beside += [parts.create_task(self._keep_house(chore)) for chore in self.chores]
            working = [
                parts.create_task(self._supervise(self._listen)),
                *(parts.create_task(self._supervise(self._answer)) for _ in range(self.answering)),
                *(parts.create_task(self._supervise(self._sweep)) for _ in range(SWEEPERS)),
            ]
            await self._stop.wait()
            _, late = await asyncio.wait(working, timeout=DRAIN_SECONDS)
            for part in (*late, *beside):
                part.cancel()

    async def _supervise(self, part: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE
        while not self._stop.is_set():
            started = self.loop.clock.monotonic()
            try:
                await part()
            except Exception as error:  # noqa: BLE001 - whatever took it down, it starts again
                _log.warning("worker-part-restarts", error=type(error).__name__)
            lasted = self.loop.clock.monotonic() - started
            pause = FIRST_PAUSE if lasted > LONGEST_PAUSE else min(pause * 2, LONGEST_PAUSE)
            await self._pause(pause)

    async def _keep_house(self, chore: Chore) -> None:
        while True:
            try:
                await chore.do()
            except Exception as error:  # noqa: BLE001 - it is done again later
                _log.warning("chore-failed", chore=chore.name, error=type(error).__name__)
            await self.loop.clock.sleep(chore.every)

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    async def _listen(self) -> None:
        async with engine_connection(self.db) as connection, asyncio.TaskGroup() as parts:
            engine = QueueManager(Queries(BellDriver(connection, self.ring)))
            connection.add_termination_listener(lambda _: engine.shutdown.set())
            engine.entrypoint(ENTRYPOINT, on_failure="hold", accepts_context=False)(self._on_bell)
            stopper = parts.create_task(self._shut_down(engine))
            try:
                await engine.run(
                    dequeue_timeout=timedelta(seconds=30),
                    batch_size=max(1, self.concurrency // 2),
                    max_concurrent_tasks=max(2, self.concurrency),
                    heartbeat_timeout=HEARTBEAT,
                    shutdown_on_listener_failure=True,
                )
            finally:
                stopper.cancel()

    async def _shut_down(self, engine: QueueManager) -> None:
        await self._stop.wait()
        engine.shutdown.set()

    async def _on_bell(self, _job: Job) -> None:
        """Looks whether the bell was heard. One look serves all bells that rang before it began."""
        before = self._looks
        async with self._catching_up:
            if self._looks > before:
                return
            self._looks += 1
            try:
                while not self.loop.stopping and await self.loop.turn():
                    # It was not heard, and where one was not there may be many: everybody lends a hand.
                    self.ring()
            except ConnectorError as error:
                _log.warning("drain-stopped", code=error.code)

    async def _answer(self) -> None:
        while not self._stop.is_set():
            await self._rung.get()
            await self.loop.look()

    async def _sweep(self) -> None:
        while not self._stop.is_set():
            await self.loop.look()
            await self._pause(self.sweep_seconds)


_FORGET_JOBS = text("delete from pgqueuer_log where created < :before")
_FORGET_FAILED = text("delete from pgqueuer where status = 'failed' and updated < :before")
_FORGET_COUNTS = text("delete from pgqueuer_statistics where created < :before")
LOG_LIFE = timedelta(days=7)


async def forget_old_jobs(db: Database, now: datetime) -> None:
    """The engine keeps a line of every job for ever; a week is enough to look back."""
    async with db.begin_system() as session:
        for statement in (_FORGET_JOBS, _FORGET_FAILED, _FORGET_COUNTS):
            await session.execute(statement, {"before": now - LOG_LIFE})


class EngineConnection(Protocol):
    """What is used of an asyncpg connection, which ships no types."""

    async def execute(self, query: str, *args: object, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """Runs a statement."""
        ...

    async def add_listener(self, channel: str, callback: Callable[[object, int, str, object], None]) -> None:
        """Has `callback(connection, pid, channel, payload)` called for each notification."""
        ...

    def add_termination_listener(self, callback: Callable[[object], None]) -> None:
        """Has `callback` called when the connection ends."""
        ...

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """Ends the connection."""
        ...


@asynccontextmanager
async def engine_connection(db: Database) -> AsyncGenerator[EngineConnection]:
    """A connection of the engine's own: it listens, so it must be a session, not a pooled transaction."""
    url = make_url(db.url)
    host, port = url.query.get("host"), url.query.get("port")
    connect: Callable[..., Awaitable[EngineConnection]] = getattr(asyncpg, "connect")  # noqa: B009 - untyped
    connection = await connect(
        host=host if isinstance(host, str) else url.host,
        port=int(port) if isinstance(port, str) else url.port or POSTGRES_PORT,
        user=url.username,
        password=url.password,
        database=url.database,
        timeout=5,
        server_settings={"role": RUNTIME_ROLE, "application_name": "connector-jobs"},
    )
    try:
        yield connection
    finally:
        await connection.close(timeout=2)
