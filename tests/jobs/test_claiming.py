"""Whose work comes next, and what finding it costs."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.clock import SystemClock
from app.core.priority import Priority
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import Worker
from app.jobs.operations import LEASE, TENANT_CAP, TILL_PLACES
from app.jobs.outcomes import Done, Outcome
from app.jobs.work import Work
from tests.jobs.stock import (
    START,
    Trial,
    add_many,
    add_tenant,
    add_work,
    claimed,
    loop_over,
    until,
    working,
)

BACKLOG = 10_000
FEW = 64
# After this many runs Postgres may keep one plan for ever.
PLANS = 12
_ANALYZE = text("analyze operation")
_CLAIM = text("select * from claim_operation(:now, :lease, :cap, :reserved, :till, :least)")
_ROWS_READ = text(
    "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables"
    " where relname = 'operation'"
)


async def test_a_till_goes_before_the_backoffice_before_bulk_whoever_came_first(db: Database) -> None:
    tenant = await add_tenant(db)
    wanted = [Priority.BULK, Priority.BACKOFFICE, Priority.TILL]
    for seconds, priority in enumerate(wanted):
        await add_work(db, tenant, now=START + timedelta(seconds=seconds), due=START, priority=priority)
    order = [Priority.of_rank((await claimed(db)).priority) for _ in wanted]
    assert order == [Priority.TILL, Priority.BACKOFFICE, Priority.BULK]


async def test_equal_work_goes_in_the_order_it_came(db: Database) -> None:
    tenant = await add_tenant(db)
    subjects = [
        await add_work(db, tenant, now=START + timedelta(milliseconds=number), due=START) for number in range(6)
    ]
    assert [(await claimed(db)).subject_id for _ in subjects] == subjects


async def test_tenants_take_turns(db: Database) -> None:
    tenants = [await add_tenant(db) for _ in range(3)]
    for tenant in tenants:
        await add_many(db, tenant, 4)
    order = [(await claimed(db)).tenant_id for _ in range(9)]
    assert all({*order[turn : turn + 3]} == {*tenants} for turn in (0, 3, 6))


async def test_a_tenant_holds_no_more_than_its_cap_and_others_go_on(db: Database) -> None:
    big, small = await add_tenant(db), await add_tenant(db)
    await add_many(db, big, TENANT_CAP + 5)
    held = [await claimed(db) for _ in range(TENANT_CAP)]
    assert {operation.tenant_id for operation in held} == {big}
    assert await operations.claim(db, START) is None
    await add_work(db, small, priority=Priority.BULK)
    assert (await claimed(db)).tenant_id == small


async def test_the_last_places_of_a_tenant_are_for_its_tills(db: Database) -> None:
    tenant = await add_tenant(db)
    await add_many(db, tenant, TENANT_CAP + 5, priority=Priority.BACKOFFICE)
    for _ in range(TENANT_CAP - TILL_PLACES):
        await claimed(db)
    assert await operations.claim(db, START) is None
    sale = await add_work(db, tenant, priority=Priority.TILL)
    assert (await claimed(db)).subject_id == sale


async def test_a_worker_full_of_imports_still_takes_a_sale(db: Database) -> None:
    gate, clock = asyncio.Event(), SystemClock()

    async def act(work: Work) -> Outcome:
        if work.priority is not Priority.TILL:
            await gate.wait()
        return Done()

    handler = Trial(act)
    for _ in range(6):
        await add_work(db, await add_tenant(db), now=clock.now(), priority=Priority.BULK)
    async with working(Worker(db, loop_over(db, handler), sweep_seconds=0.1, concurrency=6)):
        await until(lambda: len(handler.runs) >= 4)
        await asyncio.sleep(0.5)
        assert len(handler.runs) == 4
        sale = await add_work(db, await add_tenant(db), now=clock.now(), priority=Priority.TILL, bell=True)
        await until(lambda: sale in {operation.subject_id for operation in handler.runs}, 5)
        gate.set()
        await until(lambda: len(handler.runs) == 7, 5)


async def test_what_dead_workers_held_is_taken_up_in_spite_of_the_cap(db: Database) -> None:
    tenant = await add_tenant(db)
    await add_many(db, tenant, TENANT_CAP)
    dead = {(await claimed(db)).id for _ in range(TENANT_CAP)}
    assert {(await claimed(db, START + LEASE)).id for _ in range(TENANT_CAP)} == dead


async def rows_read(session: AsyncConnection) -> int:
    """Rows of operations that this transaction fetched from the table, whether or not they were of use."""
    return (await session.execute(_ROWS_READ)).scalar_one()


async def cost(db: Database) -> int:
    """How many rows one claim reads; nothing is claimed for good."""
    async with db.engine.connect() as session:
        before = await rows_read(session)
        assert (await session.execute(_CLAIM, operations.claiming(START))).first() is not None
        read = await rows_read(session) - before
        await session.rollback()
    return read


@pytest.mark.parametrize("priority", Priority)
@pytest.mark.parametrize("due", [True, False], ids=["due", "deferred"])
@pytest.mark.parametrize("analyzed", [True, False], ids=["analyzed", "never analyzed"])
async def test_a_claim_reads_a_few_rows_however_long_the_queue(
    db: Database, owner: AsyncEngine, *, due: bool, priority: Priority, analyzed: bool
) -> None:
    tenant, other = await add_tenant(db), await add_tenant(db)
    # What is deferred came first, so no order by age may lead through it.
    await add_many(
        db,
        tenant,
        BACKLOG,
        now=START - timedelta(hours=1),
        due=START if due else START + timedelta(hours=1),
        priority=priority,
    )
    wanted = [await add_work(db, each, priority=Priority.TILL) for each in (tenant, other)]
    if analyzed:
        async with owner.connect() as connection:
            await connection.execute(_ANALYZE)
    assert await cost(db) <= FEW
    if not due:
        assert {(await claimed(db)).subject_id for _ in wanted} == {*wanted}


async def test_a_claim_reads_no_more_when_its_plan_was_made_while_nothing_waited(
    db: Database, owner: AsyncEngine
) -> None:
    tenant = await add_tenant(db)
    async with owner.connect() as connection:
        await connection.execute(_ANALYZE)
    await add_work(db, tenant)
    async with db.engine.connect() as session:
        for _ in range(PLANS):
            await session.execute(_CLAIM, operations.claiming(START))
            await session.rollback()
        await add_many(db, tenant, BACKLOG, due=START + timedelta(hours=1))
        before = await rows_read(session)
        assert (await session.execute(_CLAIM, operations.claiming(START))).first() is not None
        assert await rows_read(session) - before <= FEW
        await session.rollback()


async def test_deferred_work_that_is_due_goes_by_priority_then_in_its_old_order(db: Database) -> None:
    tenant = await add_tenant(db)
    later = START + timedelta(hours=1)
    came = [
        await add_work(db, tenant, now=START + timedelta(seconds=number), due=later, priority=priority)
        for number, priority in enumerate([Priority.BULK, Priority.TILL, Priority.BACKOFFICE, Priority.TILL])
    ]
    assert await operations.claim(db, START) is None
    order = [(await claimed(db, later)).subject_id for _ in came]
    assert order == [came[1], came[3], came[2], came[0]]


async def test_a_priority_without_due_work_hides_none_below_it(db: Database) -> None:
    tenant, other = await add_tenant(db), await add_tenant(db)
    await add_many(db, tenant, 20, due=START + timedelta(hours=1), priority=Priority.TILL)
    bulk = [await add_work(db, each, priority=Priority.BULK) for each in (tenant, other)]
    assert {(await claimed(db)).subject_id for _ in bulk} == {*bulk}


async def test_one_tenants_ten_thousand_do_not_delay_anothers_till(db: Database) -> None:
    big, small = await add_tenant(db), await add_tenant(db)
    clock = SystemClock()
    await add_many(db, big, BACKLOG, now=clock.now())
    started: dict[UUID, float] = {}

    async def act(work: Work) -> Outcome:
        started.setdefault(work.subject, time.perf_counter())
        await asyncio.sleep(0.02)
        return Done()

    handler = Trial(act)
    worker = Worker(db, loop_over(db, handler))
    async with working(worker):
        await until(lambda: len(handler.runs) > 20)
        added = time.perf_counter()
        subjects = [await add_work(db, small, now=clock.now(), bell=True) for _ in range(3)]
        await until(lambda: all(subject in started for subject in subjects))
    assert started[subjects[0]] - added < 2
    assert max(started[subject] for subject in subjects) - added < 2
    assert len(handler.runs) < BACKLOG
