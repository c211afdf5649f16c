from __future__ import annotations

import asyncio
from uuid import uuid4

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db import migrate


async def test_two_databases_are_migrated_at_once_by_one_process(postgres: URL) -> None:
    names = [f"t_{uuid4().hex[:12]}" for _ in range(3)]
    admin = create_async_engine(postgres, isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        for name in names:
            await connection.execute(text(f"create database {name}"))
    urls = [postgres.set(database=name).render_as_string(hide_password=False) for name in names]
    await asyncio.gather(*(migrate.upgrade(url) for url in urls))
    for url in urls:
        await migrate.check(url)
    async with admin.connect() as connection:
        for name in names:
            await connection.execute(text(f"drop database {name} with (force)"))
    await admin.dispose()
