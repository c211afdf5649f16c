"""Whether the process lives, whether it can serve, and its figures."""

from __future__ import annotations

import asyncio
from typing import Literal

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict
from sqlalchemy import text

from app.api.deps import Db, Resources
from app.api.problems import problems
from app.core.clock import Clock
from app.core.errors import ConnectorError, Unavailable
from app.core.metrics import Metrics
from app.db.migrate import superseded_revisions
from app.db.session import Database

BACKLOG_SECONDS = 10.0
_PATIENCE = 2.0

_REVISION = text("select version_num from alembic_version")
_BACKLOG = text("select * from backlog(:now)")
_log = structlog.get_logger("health")

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The state of this process."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok"}]})

    status: Literal["ok"]


@router.get("/health/live")
async def get_liveness() -> Health:
    """The process runs."""
    return Health(status="ok")


@router.get("/health/ready", responses=problems(Unavailable))
async def get_readiness(db: Db) -> Health:
    """The process can serve: its database answers and has this version's schema."""
    await check_schema(db)
    return Health(status="ok")


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}, "example": "# HELP …"}}}},
)
async def get_metrics(request: Request) -> Response:
    """Figures in the Prometheus text format."""
    resources: Resources = request.app.state.resources
    await request.app.state.backlog.refresh()
    return Response(resources.metrics.render(), media_type=CONTENT_TYPE_LATEST)


async def check_schema(db: Database) -> None:
    """Checks that the database's schema is this version's, or a newer one that this version does not know yet.

    Raises:
        Unavailable: the database is away, or migrations are missing.
    """
    try:
        row = await db.execute_alone(_REVISION, {})
    except asyncpg.PostgresError as error:
        # No such table, or not even our role: nothing was ever migrated.
        raise Unavailable("migrations-missing") from error
    if row is None or row.version_num in superseded_revisions():
        raise Unavailable("migrations-missing")


class Backlog:
    """Reads how late the work is and how much waits for a person, at most every `BACKLOG_SECONDS`."""

    def __init__(self, db: Database, clock: Clock, metrics: Metrics) -> None:
        self._db = db
        self._clock = clock
        self._metrics = metrics
        self._due = 0.0

    async def refresh(self) -> None:
        """Brings the gauges up to date; they keep their last value while the database is away."""
        now = self._clock.monotonic()
        if now < self._due:
            return
        self._due = now + BACKLOG_SECONDS
        try:
            async with asyncio.timeout(_PATIENCE):
                row = await self._db.execute_alone(_BACKLOG, {"now": self._clock.now()})
        except (ConnectorError, TimeoutError) as error:
            _log.warning("backlog-unknown", error=type(error).__name__)
            return
        if row is not None:
            self._metrics.overdue_seconds.set(row.overdue_seconds)
            self._metrics.attention_open.set(row.attention_open)
