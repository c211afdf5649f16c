"""Whose work comes next, and what finding it costs."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from statistics import median
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import SystemClock
from app.core.priority import Priority
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import Worker
from app.jobs.operations import LEASE, TENANT_CAP
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
_ANALYZE = text("analyze operation")
_UNCLAIM = text("update operation set state = 'waiting', lease_until = null where state = 'running'")


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


async def test_what_dead_workers_held_is_taken_up_in_spite_of_the_cap(db: Database) -> None:
    tenant = await add_tenant(db)
    await add_many(db, tenant, TENANT_CAP)
    dead = {(await claimed(db)).id for _ in range(TENANT_CAP)}
    assert {(await claimed(db, START + LEASE)).id for _ in range(TENANT_CAP)} == dead


async def cost(db: Database, owner: AsyncEngine, times: int = 40) -> float:
    """The median milliseconds of a claim; what was claimed waits again afterwards."""
    took: list[float] = []
    for _ in range(times):
        started = time.perf_counter()
        await operations.claim(db, START)
        took.append(time.perf_counter() - started)
        async with db.begin_system() as session:
            await session.execute(_UNCLAIM)
    return median(took) * 1000


@pytest.mark.parametrize("due", [True, False], ids=["due", "deferred"])
async def test_a_long_queue_makes_a_claim_no_slower_even_on_plans_made_when_it_was_empty(
    db: Database, owner: AsyncEngine, *, due: bool
) -> None:
    tenant = await add_tenant(db)
    async with owner.connect() as connection:
        await connection.execute(_ANALYZE)
    await add_many(db, tenant, 1)
    idle = await cost(db, owner)
    await add_many(db, tenant, BACKLOG, due=START if due else START + timedelta(hours=1))
    assert await cost(db, owner) < 5 * idle + 10


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
