"""The engine as the bell: what it loses, repeats or leaves changes nothing about the work."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import SystemClock
from app.core.priority import Priority
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import Worker
from app.jobs.operations import LEASE
from app.jobs.outcomes import Done, Later, Outcome
from app.jobs.work import Work
from tests.jobs.stock import Trial, add_tenant, add_work, bells, loop_over, ring, stored, until, working

# So rarely that only a bell can have been the cause.
NEVER = 3600.0

_HANG_UP = text("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'connector-jobs'")
_LISTENING = text("select count(*) from pg_stat_activity where application_name = 'connector-jobs'")
_FORBID = text("revoke execute on all functions in schema public from public")
_ALLOW = text("grant execute on all functions in schema public to public")
_DROP_INDEX = text("drop index pgqueuer_log_status")
_MAKE_INDEX = text("create index pgqueuer_log_status on pgqueuer_log using btree (status)")
_ALONE = text("select count(*) from pgqueuer where status <> 'failed'")


@dataclass
class Gate(Trial):
    """A handler that waits at a gate."""

    def __post_init__(self) -> None:
        self.gate = asyncio.Event()
        self.act = self.wait

    async def wait(self, work: Work) -> Outcome:
        await self.gate.wait()
        return Done()


async def state(db: Database, subject: object) -> str:
    return (await stored(db, subject)).state  # pyright: ignore[reportArgumentType]


async def listening(owner: AsyncEngine) -> bool:
    async with owner.connect() as connection:
        return (await connection.execute(_LISTENING)).scalar_one() > 0


async def test_a_bell_is_heard_at_once(db: Database, owner: AsyncEngine) -> None:
    tenant, handler, clock = await add_tenant(db), Trial(), SystemClock()
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=NEVER)):
        await until(lambda: listening(owner))
        await asyncio.sleep(0.3)
        heard: list[float] = []
        for _ in range(5):
            runs = len(handler.runs)
            rung = time.perf_counter()
            await add_work(db, tenant, now=clock.now(), bell=True)
            await until(lambda runs=runs: len(handler.runs) > runs)
            heard.append(time.perf_counter() - rung)
        # The engine comes after and finds that there is nothing left to do.
        await until(lambda: emptied(db))
    assert sorted(heard)[2] < 0.5


async def emptied(db: Database) -> bool:
    return await bells(db) == []


async def test_deferred_work_is_found_when_it_is_due_without_any_bell(db: Database) -> None:
    clock = SystemClock()

    async def act(work: Work) -> Outcome:
        return Later(timedelta(seconds=0.3), "next-poll") if work.step == "new" and len(handler.runs) < 3 else Done()

    handler = Trial(act)
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=0.1)):
        due = clock.now() + timedelta(seconds=0.4)
        subject = await add_work(db, await add_tenant(db), now=clock.now(), due=due)
        await until(lambda: is_done(db, subject), 5)
    assert len(handler.runs) == 3
    assert clock.now() >= due + timedelta(seconds=0.6)


async def is_done(db: Database, subject: object) -> bool:
    return await state(db, subject) == "done"


async def test_what_a_dead_worker_held_is_found_without_any_bell(db: Database) -> None:
    clock, handler = SystemClock(), Trial()
    subject = await add_work(db, await add_tenant(db), now=clock.now() - timedelta(minutes=1))
    # Claimed by a worker that died long enough ago.
    assert await operations.claim(db, clock.now() - LEASE - timedelta(seconds=1)) is not None
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=0.1)):
        await until(lambda: is_done(db, subject), 5)
    assert (len(handler.runs), handler.runs[0].fence) == (1, 2)


async def test_a_job_delivered_twice_runs_its_operation_once(db: Database, owner: AsyncEngine) -> None:
    clock, first, second, tenant = SystemClock(), Gate(), Trial(), await add_tenant(db)
    async with working(Worker(db, loop_over(db, first), sweep_seconds=NEVER)):
        await until(lambda: listening(owner))
        await asyncio.sleep(0.3)
        subject = await add_work(db, tenant, now=clock.now(), bell=True)
        await until(lambda: len(first.runs) == 1)
        async with working(Worker(db, loop_over(db, second), sweep_seconds=NEVER)):
            await until(lambda: both_listen(owner))
            # As when the first worker's heartbeats got lost: the engine takes it for dead and gives the job away.
            await ring(db, 1)
            await until(lambda: emptied(db))
            assert (second.runs, await state(db, subject)) == ([], "running")
            first.gate.set()
            await until(lambda: is_done(db, subject))
    assert (len(first.runs), second.runs, first.outcomes) == (1, [], [Done()])


async def both_listen(owner: AsyncEngine) -> bool:
    async with owner.connect() as connection:
        return (await connection.execute(_LISTENING)).scalar_one() == 2


async def test_a_bell_that_rang_while_nobody_listened_is_heard_by_whoever_comes(db: Database) -> None:
    clock, handler = SystemClock(), Trial()
    subjects = [await add_work(db, await add_tenant(db), now=clock.now(), bell=True) for _ in range(3)]
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=NEVER)):
        await until(lambda: len(handler.runs) == len(subjects))
    assert sorted(operation.subject_id for operation in handler.runs) == sorted(subjects)


async def test_more_bells_than_hands_are_all_answered(db: Database) -> None:
    clock, handler = SystemClock(), Trial(slowly)
    tenants = [await add_tenant(db) for _ in range(8)]
    async with working(Worker(db, loop_over(db, handler), concurrency=1, sweep_seconds=NEVER)):
        subjects = [await add_work(db, tenant, now=clock.now(), bell=True) for tenant in tenants for _ in range(3)]
        await until(lambda: len(handler.outcomes) == len(subjects), 5)
    assert sorted(operation.subject_id for operation in handler.runs) == sorted(subjects)


async def slowly(_work: Work) -> Outcome:
    await asyncio.sleep(0.005)
    return Done()


async def test_extra_deliveries_change_nothing(db: Database) -> None:
    clock, handler = SystemClock(), Trial()
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=NEVER)):
        subject = await add_work(db, await add_tenant(db), now=clock.now(), bell=True)
        await until(lambda: is_done(db, subject))
        before = await stored(db, subject)
        await ring(db, 50)
        await until(lambda: emptied(db))
    assert (len(handler.runs), await stored(db, subject)) == (1, before)


async def test_a_failed_job_is_held_and_the_worker_goes_on(db: Database, owner: AsyncEngine) -> None:
    clock, handler, tenant = SystemClock(), Trial(), await add_tenant(db)
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=0.2)) as running:
        await until(lambda: listening(owner))
        async with owner.connect() as connection:
            await connection.execute(_FORBID)
            try:
                subject = await add_work(db, tenant, now=clock.now(), bell=True)
                await until(lambda: held(db))
            finally:
                await connection.execute(_ALLOW)
        await until(lambda: is_done(db, subject))
        assert not running.done()
    assert await bells(db) == ["failed"]


async def held(db: Database) -> bool:
    return await bells(db) == ["failed"]


async def test_a_listener_that_was_hung_up_on_listens_again(db: Database, owner: AsyncEngine) -> None:
    clock, handler, tenant = SystemClock(), Trial(), await add_tenant(db)
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=NEVER)) as running:
        await until(lambda: listening(owner))
        for _ in range(2):
            async with owner.connect() as connection:
                await connection.execute(_HANG_UP)
            subject = await add_work(db, tenant, now=clock.now(), bell=True)
            assert await until(lambda subject=subject: is_done(db, subject)) < 5
        assert not running.done()
    assert len(handler.runs) == 2


async def test_stopping_finishes_what_runs_and_takes_nothing_new(db: Database) -> None:
    clock, handler, tenant = SystemClock(), Gate(), await add_tenant(db)
    running = await add_work(db, tenant, now=clock.now(), bell=True)
    worker = Worker(db, loop_over(db, handler), sweep_seconds=0.1)
    async with working(worker) as task:
        await until(lambda: len(handler.runs) == 1)
        worker.stop()
        waiting = await add_work(db, tenant, now=clock.now(), priority=Priority.TILL, bell=True)
        await asyncio.sleep(0.3)
        assert not task.done()
        handler.gate.set()
    assert (await state(db, running), await state(db, waiting)) == ("done", "waiting")
    assert (await stored(db, waiting)).fence == 0
    assert len(handler.runs) == 1


async def test_our_migration_leaves_the_engine_nothing_to_upgrade(db: Database, owner: AsyncEngine) -> None:
    async def plan() -> list[str]:
        async with owner.connect() as connection:
            bare = await connection.get_raw_connection()
            driver = AsyncpgDriver(bare.driver_connection)  # pyright: ignore[reportArgumentType]
            return [str(statement) for statement in (await Queries(driver).plan_upgrade()).statements]

    assert await plan() == []
    async with owner.connect() as connection:
        await connection.execute(_DROP_INDEX)
        try:
            missing = await plan()
        finally:
            await connection.execute(_MAKE_INDEX)
    assert any("pgqueuer_log_status" in statement for statement in missing)


@pytest.mark.parametrize("workers", [1, 3])
async def test_five_hundred_operations_on_several_workers_run_once_each(db: Database, workers: int) -> None:
    clock, handler = SystemClock(), Trial()
    tenants = [await add_tenant(db) for _ in range(10)]
    subjects = [await add_work(db, tenant, now=clock.now(), bell=True) for tenant in tenants for _ in range(50)]
    async with asyncio.TaskGroup() as group:
        crew = [Worker(db, loop_over(db, handler), sweep_seconds=0.5) for _ in range(workers)]
        for worker in crew:
            group.create_task(worker.run())
        await until(lambda: len(handler.outcomes) >= len(subjects), 30)
        for worker in crew:
            worker.stop()
    assert sorted(operation.subject_id for operation in handler.runs) == sorted(subjects)
