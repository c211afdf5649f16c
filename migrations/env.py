"""Runs the migrations: one at a time across replicas, and never waiting long behind the old version's work."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from app.db.tables import metadata

ADVISORY_LOCK = 7_240_119_001


def _ours(name: str | None, kind: str, _parents: object) -> bool:
    return not (kind == "table" and (name or "").startswith("pgqueuer"))


def _migrate(connection: Connection) -> None:
    connection.execute(text(f"select pg_advisory_lock({ADVISORY_LOCK})"))
    connection.execute(text("set lock_timeout = '5s'"))
    connection.execute(text("set statement_timeout = '60s'"))
    connection.commit()
    context.configure(connection=connection, target_metadata=metadata, include_name=_ours, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def _run() -> None:
    engine = create_async_engine(context.config.attributes["url"], poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
