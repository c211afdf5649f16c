"""Single statements on connections of their own: reused while they answer, given up when they do not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import pytest
from sqlalchemy import URL, text

from app.db.statements import Statements

_ME = text("select pg_backend_pid() as pid")
_SLEEP = text("select pg_sleep(cast(:seconds as float8))")
_FAIL = text("select 1 / cast(:zero as integer)")
_END = text("select pg_terminate_backend(cast(:pid as integer)) as ended")


@pytest.fixture
async def statements(postgres: URL) -> AsyncGenerator[Statements]:
    made = Statements(postgres.render_as_string(hide_password=False), size=2, server_settings={})
    yield made
    await made.close()


async def _pid(statements: Statements) -> int:
    row = await statements.first(_ME, {})
    assert row is not None
    return row.pid


async def test_one_connection_serves_one_statement_after_the_other(statements: Statements) -> None:
    assert await _pid(statements) == await _pid(statements)


async def test_a_statement_that_postgres_refuses_costs_no_connection(statements: Statements) -> None:
    before = await _pid(statements)
    with pytest.raises(asyncpg.PostgresError):
        await statements.first(_FAIL, {"zero": 0})
    assert await _pid(statements) == before


async def test_what_was_cancelled_halfway_is_never_used_again(statements: Statements) -> None:
    before = await _pid(statements)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await statements.first(_SLEEP, {"seconds": 30.0})
    assert await _pid(statements) != before


async def test_a_connection_that_the_server_ended_is_replaced(statements: Statements, postgres: URL) -> None:
    before = await _pid(statements)
    other = Statements(postgres.render_as_string(hide_password=False), size=1, server_settings={})
    await other.first(_END, {"pid": before})
    await other.close()
    await asyncio.sleep(0.1)
    assert await _pid(statements) != before


async def test_what_lay_idle_for_long_is_not_trusted(postgres: URL) -> None:
    url = postgres.render_as_string(hide_password=False)
    forgetful = Statements(url, size=1, server_settings={}, idle_seconds=0)
    assert await _pid(forgetful) != await _pid(forgetful)
    await forgetful.close()


async def test_no_more_than_its_size_run_at_once(statements: Statements) -> None:
    pids: list[int] = []

    async def ask() -> None:
        pids.append(await _pid(statements))

    async with asyncio.TaskGroup() as group:
        for _ in range(2):
            group.create_task(statements.first(_SLEEP, {"seconds": 0.3}))
        await asyncio.sleep(0.1)
        group.create_task(ask())
        await asyncio.sleep(0.1)
        assert pids == []
    assert len(pids) == 1
