"""A job is there exactly when its transaction committed, whichever comes first in it (the autocommit trap)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.errors import Unavailable
from app.core.priority import Priority
from app.db.session import Database
from app.jobs.engine import ENTRYPOINT, wake
from tests.jobs.stock import bells

ROUNDS = 20

_ROW = text("insert into circuit (name, failures, updated_at) values (:name, 0, now())")
_ROWS = text("select count(*) from circuit where name like 'round-%'")
_CLEAR = text("delete from circuit where name like 'round-%'")
_TERMINATE = text("select pg_terminate_backend(:pid)")
_PID = text("select pg_backend_pid()")


class RolledBack(Exception):
    pass


async def write(session: AsyncConnection, order: str, name: str) -> None:
    if order == "bell first":
        await wake(session, Priority.TILL)
        await session.execute(_ROW, {"name": name})
    else:
        await session.execute(_ROW, {"name": name})
        await wake(session, Priority.TILL)


async def rows(db: Database) -> int:
    async with db.begin_system() as session:
        return (await session.execute(_ROWS)).scalar_one()


@pytest.fixture(params=["bell first", "row first"])
async def order(request: pytest.FixtureRequest, db: Database) -> str:
    async with db.begin_system() as session:
        await session.execute(_CLEAR)
    return request.param


async def test_a_commit_leaves_the_job_and_the_row(db: Database, order: str) -> None:
    for number in range(ROUNDS):
        # Nothing is sent before: `engine.begin` opens no transaction in the database until a statement comes.
        async with db.engine.begin() as session:
            await write(session, order, f"round-{number}")
    assert (await rows(db), await bells(db)) == (ROUNDS, ["queued"] * ROUNDS)


async def test_a_rollback_leaves_neither(db: Database, order: str) -> None:
    for number in range(ROUNDS):
        with suppress(RolledBack):
            async with db.engine.begin() as session:
                await write(session, order, f"round-{number}")
                raise RolledBack
    assert (await rows(db), await bells(db)) == (0, [])


async def test_a_connection_killed_before_the_commit_leaves_neither(
    db: Database, owner: AsyncEngine, order: str
) -> None:
    for number in range(5):
        with suppress(SQLAlchemyError, OSError, Unavailable):
            async with db.begin_system() as session:
                await write(session, order, f"round-{number}")
                pid = (await session.execute(_PID)).scalar_one()
                async with owner.connect() as other:
                    await other.execute(_TERMINATE, {"pid": pid})
    assert (await rows(db), await bells(db)) == (0, [])


async def test_the_engines_own_driver_would_commit_by_itself_which_is_why_ours_exists(db: Database) -> None:
    with suppress(RolledBack):
        async with db.engine.begin() as session:
            bare = await session.get_raw_connection()
            assert bare.driver_connection is not None
            await Queries(AsyncpgDriver(bare.driver_connection)).enqueue(ENTRYPOINT, None)
            raise RolledBack
    assert await bells(db) == ["queued"]
