from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Generator
from io import BytesIO

import pytest
import structlog
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.core import log
from app.db.session import Database
from tests.fixtures.database import fresh_database


@pytest.fixture(autouse=True)
def logged() -> Generator[BytesIO]:
    """What is logged, as in service: tracebacks made for a terminal take a second each."""
    root, stream = logging.getLogger(), BytesIO()
    handlers, level = root.handlers, root.level
    log.configure("info", json=True, stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture(scope="session")
async def jobs_url(postgres: URL) -> AsyncGenerator[str]:
    """One migrated database for these tests: claiming looks at all tenants of a database."""
    async with fresh_database(postgres) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
async def owner(jobs_url: str) -> AsyncGenerator[AsyncEngine]:
    """The database as its owner sees it, who may do what the service may not."""
    engine = create_async_engine(jobs_url, isolation_level="AUTOCOMMIT")
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session")
async def jobs_db(jobs_url: str) -> AsyncGenerator[Database]:
    db = Database(jobs_url)
    yield db
    await db.close()


@pytest.fixture
async def db(jobs_db: Database, owner: AsyncEngine) -> Database:
    """The database, empty."""
    async with owner.connect() as connection:
        await connection.execute(text("truncate tenant, pgqueuer, pgqueuer_log restart identity cascade"))
    return jobs_db
