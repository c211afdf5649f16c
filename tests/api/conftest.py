from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator
from io import BytesIO
from uuid import uuid4

import httpx
import pytest
import structlog
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.core import log
from app.db import migrate
from app.db.session import Database
from tests.api.tiny import Bench


@pytest.fixture(scope="session")
async def api_url(postgres: URL) -> AsyncGenerator[URL]:
    """A migrated database of its own for these tests."""
    name = f"api_{uuid4().hex[:12]}"
    server = create_async_engine(postgres, isolation_level="AUTOCOMMIT")
    async with server.connect() as connection:
        await connection.execute(text(f"create database {name}"))
    url = postgres.set(database=name)
    await migrate.upgrade(url.render_as_string(hide_password=False))
    yield url
    async with server.connect() as connection:
        await connection.execute(text(f"drop database {name} with (force)"))
    await server.dispose()


@pytest.fixture(scope="session")
async def api_db(api_url: URL) -> AsyncGenerator[Database]:
    db = Database(api_url.render_as_string(hide_password=False))
    yield db
    await db.close()


@pytest.fixture
def bench(api_db: Database) -> Bench:
    return Bench(api_db)


@pytest.fixture
async def client(bench: Bench) -> AsyncGenerator[httpx.AsyncClient]:
    async with bench.client() as opened:
        yield opened


@pytest.fixture
def written() -> Generator[BytesIO]:
    """What the process logs, as bytes."""
    stream = BytesIO()
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    log.configure("info", json=True, stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level
