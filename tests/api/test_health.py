from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import URL, insert, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.api import health
from app.api.problems import MEDIA_TYPE
from app.db.migrate import superseded_revisions
from app.db.session import Database
from app.db.tables import foundation as tables
from tests.api.tiny import START, Bench


async def test_a_running_process_lives_and_is_ready(client: httpx.AsyncClient) -> None:
    for url in ("/health/live", "/health/ready"):
        answer = await client.get(url)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_without_a_database_the_process_lives_and_is_not_ready() -> None:
    db = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    async with Bench(db).client() as client:
        assert (await client.get("/health/live")).status_code == 200
        answer = await client.get("/health/ready")
        assert answer.status_code == 503
        assert answer.headers["content-type"] == MEDIA_TYPE
        assert answer.headers["retry-after"]
        assert answer.json()["code"] == "database-unavailable"
        assert (await client.get("/metrics")).status_code == 200
    await db.close()


async def test_without_migrations_it_is_not_ready(postgres: URL) -> None:
    name = f"empty_{uuid4().hex[:12]}"
    server = create_async_engine(postgres, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"create database {name}"))
    db = Database(postgres.set(database=name).render_as_string(hide_password=False))
    async with Bench(db).client() as client:
        answer = await client.get("/health/ready")
    await db.close()
    async with server.connect() as connection:
        await connection.execute(text(f"drop database {name} with (force)"))
    await server.dispose()
    assert answer.status_code == 503
    assert answer.json()["code"] == "migrations-missing"


async def test_a_newer_schema_than_ours_is_good_enough(client: httpx.AsyncClient, api_url: URL) -> None:
    owner = create_async_engine(api_url, isolation_level="AUTOCOMMIT")
    async with owner.connect() as connection:
        ours = (await connection.execute(text("select version_num from alembic_version"))).scalar_one()
        await connection.execute(text("update alembic_version set version_num = 'from-the-future'"))
        answer = await client.get("/health/ready")
        await connection.execute(text("update alembic_version set version_num = :ours"), {"ours": ours})
    await owner.dispose()
    assert answer.status_code == 200
    assert ours not in superseded_revisions()


async def fill(bench: Bench) -> None:
    tenant = await bench.tenant()
    common = {"tenant_id": tenant, "created_at": START, "updated_at": START}
    overdue = START - timedelta(seconds=90)
    operation: dict[str, object] = {
        "id": uuid4(),
        "kind": "document",
        "subject_id": uuid4(),
        "state": "waiting",
        "step": "new",
        "memo": {},
        "priority": 30,
        "next_attempt_at": overdue,
    }
    item: dict[str, object] = {
        "id": uuid4(),
        "tenant_id": tenant,
        "code": "total-differs",
        "params": {},
        "subject_kind": "document",
        "subject_id": uuid4(),
        "state": "open",
        "created_at": START,
    }
    async with bench.db.begin(tenant) as session:
        await session.execute(insert(tables.operation), operation | common)
        await session.execute(insert(tables.attention), item)


async def test_metrics_tell_how_late_work_is_and_what_waits(client: httpx.AsyncClient, bench: Bench) -> None:
    await fill(bench)
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "connector_operation_overdue_seconds 90.0" in answer.text
    assert "connector_attention_open 1.0" in answer.text


async def test_metrics_ask_the_database_only_now_and_then(client: httpx.AsyncClient, bench: Bench) -> None:
    before = (await client.get("/metrics")).text
    bench.clock.advance(health.BACKLOG_SECONDS - 1)
    assert overdue((await client.get("/metrics")).text) == overdue(before)
    bench.clock.advance(2)
    assert overdue((await client.get("/metrics")).text) == pytest.approx(overdue(before) + 11)


def overdue(figures: str) -> float:
    line = next(line for line in figures.splitlines() if line.startswith("connector_operation_overdue_seconds "))
    return float(line.split()[1])
