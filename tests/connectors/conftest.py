from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL

from app.db.session import Database
from tests.fixtures.database import fresh_database


@dataclass
class ManualClock:
    """Time that moves only when somebody sleeps, or when the test says so."""

    at: datetime = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    slept: list[float] = field(default_factory=list[float])

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.pass_time(seconds)

    def pass_time(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
async def limits_url(postgres: URL) -> AsyncGenerator[str]:
    """A migrated database for what all replicas share."""
    async with fresh_database(postgres) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
async def limits_db(limits_url: str) -> AsyncGenerator[Database]:
    db = Database(limits_url)
    yield db
    await db.close()
