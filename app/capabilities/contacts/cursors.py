"""How far each list was read, by whom: a cursor of another company or environment is none."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_READ = text("select value from cursor where tenant_id = :tenant and name = :name")
_MOVE = text(
    "insert into cursor (tenant_id, name, value, updated_at) values (:tenant, :name, :value, :now)"
    " on conflict (tenant_id, name) do update set value = excluded.value, updated_at = excluded.updated_at"
)


async def read(session: AsyncConnection, tenant: UUID, name: str) -> tuple[str | None, str | None]:
    """The owner that was read last, and how far."""
    value = (await session.execute(_READ, {"tenant": tenant, "name": name})).scalar_one_or_none()
    if value is None:
        return None, None
    kept = orjson.loads(value)
    return kept["owner"], kept["value"]


async def move(session: AsyncConnection, tenant: UUID, name: str, owner: str, value: str, now: datetime) -> None:
    """Belongs in the transaction that stores the page which the cursor covers."""
    kept = orjson.dumps({"owner": owner, "value": value}).decode()
    await session.execute(_MOVE, {"tenant": tenant, "name": name, "value": kept, "now": now})
