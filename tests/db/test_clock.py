"""Hosts whose clocks differ agree on the time: the database's."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import URL, text

from app.core.ids import uuid7
from app.core.priority import Priority
from app.db.clock import NEGLIGIBLE, DatabaseClock
from app.db.session import Database
from app.jobs import operations
from app.jobs.operations import LEASE
from tests.fixtures.database import fresh_database
from tests.jobs.stock import KIND, add_tenant

_NOW = text("select clock_timestamp() as now")
NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nowhere"


@pytest.fixture(scope="module")
async def db(postgres: URL) -> AsyncGenerator[Database]:
    async with fresh_database(postgres) as url:
        database = Database(url.render_as_string(hide_password=False))
        yield database
        await database.close()


class OffClock(DatabaseClock):
    """On a machine whose clock is off."""

    def __init__(self, db: Database, off: timedelta) -> None:
        super().__init__(db)
        self.off = off

    def machine(self) -> datetime:
        return super().machine() + self.off


async def database_time(db: Database) -> datetime:
    row = await db.execute_alone(_NOW, {})
    assert row is not None
    return row.now


@pytest.mark.parametrize("off", [timedelta(minutes=-7), timedelta(seconds=-2), timedelta(seconds=12)])
async def test_a_machine_that_is_off_goes_by_the_database(db: Database, off: timedelta) -> None:
    clock = OffClock(db, off)
    assert abs(clock.now() - await database_time(db)) > timedelta(seconds=1)
    await clock.align()
    assert abs(clock.now() - await database_time(db)) < timedelta(milliseconds=500)
    assert abs(clock.difference + off) < timedelta(milliseconds=500)


async def test_what_cannot_be_measured_is_no_difference(db: Database) -> None:
    clock = OffClock(db, NEGLIGIBLE / 10)
    await clock.align()
    assert clock.difference == timedelta(0)


async def test_a_machine_that_was_set_right_is_believed_again(db: Database) -> None:
    clock = OffClock(db, timedelta(seconds=30))
    await clock.align()
    clock.off = timedelta(0)
    await clock.align()
    assert clock.difference == timedelta(0)


async def test_a_database_that_is_away_leaves_the_clock_as_it_was(db: Database) -> None:
    clock = OffClock(db, timedelta(seconds=30))
    await clock.align()
    before = clock.difference
    away = OffClock(Database(NOWHERE), timedelta(seconds=30))
    await away.align()
    assert (away.difference, clock.difference) == (timedelta(0), before)


async def test_a_worker_whose_clock_is_ahead_takes_nobodys_lease(db: Database) -> None:
    true, ahead = OffClock(db, timedelta(0)), OffClock(db, LEASE * 2)
    for clock in (true, ahead):
        await clock.align()
    tenant = await add_tenant(db)
    async with db.begin(tenant) as session:
        now = true.now()
        await operations.add(session, tenant=tenant, kind=KIND, subject=uuid7(now), priority=Priority.TILL, now=now)
    held = await operations.claim(db, true.now() + NEGLIGIBLE)
    assert held is not None
    # By its machine's own clock the lease would have run out long ago.
    assert await operations.claim(db, ahead.now()) is None
    stolen = await operations.claim(db, ahead.machine())
    assert stolen is not None
    assert stolen.fence == held.fence + 1
