"""A connection that no longer works is one thing for a person to do, not one for every document behind it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import ConnectionRefused
from app.db.attention import Subject, close_items, raise_item
from app.jobs.outcomes import Later

RECONNECT_PAUSE = timedelta(minutes=15)

_BREAK = {
    "bexio": text(
        "update bexio_connection set state = 'reconnect_required', reason = :code, updated_at = :now"
        " where tenant_id = :tenant and state = 'connected'"
    ),
    "arcavis": text(
        "update arcavis_connection set state = 'reconnect_required', reason = :code, updated_at = :now"
        " where tenant_id = :tenant and state = 'connected'"
    ),
}
_RELEASE = text(
    "update operation set next_attempt_at = :now, attempts = 0 where tenant_id = :tenant and state = 'waiting'"
    " and reason = any(cast(:codes as text[]))"
)
# A connection that refused its credentials stays broken until it is made anew; a missing right may be granted in
# bexio at any time, so that connection is simply tried again.
NEEDS_RECONNECT = {"bexio-unauthorized": "bexio", "arcavis-unauthorized": "arcavis"}
WAIT_CODES = (
    "bexio-unauthorized",
    "bexio-forbidden",
    "bexio-not-connected",
    "bexio-reconnect-required",
    "arcavis-unauthorized",
    "arcavis-forbidden",
    "arcavis-not-connected",
    "arcavis-reconnect-required",
)


async def wait_for_connection(session: AsyncConnection, tenant: UUID, error: ConnectionRefused, now: datetime) -> Later:
    """Marks the connection, opens its one attention item, and lets the work wait until it is mended."""
    system = NEEDS_RECONNECT.get(error.code)
    if system is not None:
        await session.execute(_BREAK[system], {"tenant": tenant, "code": error.code, "now": now})
    subject = Subject(tenant, "connection", tenant)
    await raise_item(session, subject, code=error.code, params=error.params, now=now)
    return Later(RECONNECT_PAUSE, error.code)


async def connection_works(session: AsyncConnection, tenant: UUID, actor: str, now: datetime) -> None:
    """Closes the connection's items and releases the work that waited for it, in its old order."""
    await close_items(session, Subject(tenant, "connection", tenant), state="resolved", actor=actor, now=now)
    await session.execute(_RELEASE, {"tenant": tenant, "now": now, "codes": list(WAIT_CODES)})
