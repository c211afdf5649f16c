"""The row of a tenant's connection to Arcavis, as it is made and exchanged."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LINK = text(
    "insert into arcavis_connection (tenant_id, base_url, username, secret, state, reason, connected_at, updated_at)"
    " values (:tenant, :base_url, :username, :secret, 'connected', null, :now, :now)"
    " on conflict (tenant_id) do update set base_url = excluded.base_url, username = excluded.username,"
    " secret = excluded.secret, state = excluded.state, reason = null, connected_at = excluded.connected_at,"
    " updated_at = excluded.updated_at"
)


async def link_arcavis(
    session: AsyncConnection, tenant: UUID, *, base_url: str, username: str, secret: bytes, now: datetime
) -> None:
    """Stores the connection to Arcavis."""
    values = {"tenant": tenant, "base_url": base_url, "username": username, "secret": secret, "now": now}
    await session.execute(_LINK, values)
