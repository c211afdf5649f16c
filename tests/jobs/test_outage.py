"""The database goes away while a worker works, and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.clock import SystemClock
from app.core.errors import Unavailable
from app.db import migrate
from app.db.embedded import start
from app.db.session import Database
from app.jobs.engine import Worker
from app.jobs.outcomes import Done, Outcome
from app.jobs.work import Work
from tests.jobs.stock import Trial, add_tenant, add_work, loop_over, stored, until, working

_SLEEP = text("select pg_sleep(20)")
_END = text(
    "select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity"
    " where query = 'select pg_sleep(20)' and state = 'active'"
)


async def test_a_statement_that_the_server_ended_says_that_the_database_is_away(
    db: Database, owner: AsyncEngine
) -> None:
    async def end_it() -> None:
        async with owner.connect() as connection:
            while not (await connection.execute(_END)).scalar_one():
                continue

    for statement in (db.execute_alone(_SLEEP, {}), in_transaction(db)):
        async with asyncio.TaskGroup() as group:
            group.create_task(end_it())
            with pytest.raises(Unavailable):
                await statement


async def in_transaction(db: Database) -> None:
    async with db.begin_system() as session:
        await session.execute(_SLEEP)


async def test_a_worker_outlives_its_database_and_goes_on(tmp_path: Path) -> None:
    server = await start(tmp_path, fast=True)
    await migrate.upgrade(server.url)
    db, clock = Database(server.url), SystemClock()
    entered, gate = asyncio.Event(), asyncio.Event()

    async def act(work: Work) -> Outcome:
        entered.set()
        await gate.wait()
        await work.advance("halfway")
        return Done()

    async def done(subject: UUID) -> bool:
        return (await stored(db, subject)).state == "done"

    handler = Trial(act)
    try:
        tenant = await add_tenant(db)
        async with working(Worker(db, loop_over(db, handler))) as running:
            caught = await add_work(db, tenant, now=clock.now(), bell=True)
            await asyncio.wait_for(entered.wait(), 10)
            pid = server.pid
            os.kill(pid, signal.SIGQUIT)
            await until(lambda: server.pid != pid)
            gate.set()
            with pytest.raises(Unavailable):
                await add_work(db, tenant, now=clock.now())
            await asyncio.sleep(1)
            assert not running.done()
            again = await start(tmp_path, fast=True)
            new = await add_work(db, tenant, now=clock.now(), bell=True)
            assert await until(lambda: done(new), 15) < 10
            # It was in hand when the database went: its lease runs out first.
            await until(lambda: done(caught), 20)
            await again.stop()
    finally:
        await db.close()
        await server.stop()
