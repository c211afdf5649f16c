"""Work that a tenant has once it is connected, and that is never done, only due again: following invoices, syncing.

Its subject is the tenant. A kind whose feature is switched off comes round now and then and does nothing; whatever may
switch it on asks for all of them at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.mailing import digest
from app.core.priority import Priority
from app.jobs import operations
from app.jobs.engine import wake

# What waits for a person is also told where bexio was never connected.
WITHOUT_BEXIO = frozenset({digest.KIND})
_CONNECTED = text("select 1 from bexio_connection where tenant_id = :tenant and state <> 'disconnected'")


async def start(session: AsyncConnection, tenant: UUID, kinds: Sequence[str], now: datetime) -> None:
    """Gives a tenant its standing work, due at once; what it has already is asked for again."""
    for kind in sorted(kinds):
        await operations.add(session, tenant=tenant, kind=kind, subject=tenant, priority=Priority.BULK, now=now)
        await operations.rearm(session, kind=kind, subject=tenant, now=now)
    await wake(session, Priority.BULK)


async def settings_changed(session: AsyncConnection, tenant: UUID, kinds: Sequence[str], now: datetime) -> None:
    """Lets the standing work of a tenant look at the settings now, and not when it is due."""
    connected = (await session.execute(_CONNECTED, {"tenant": tenant})).first() is not None
    await start(session, tenant, [kind for kind in kinds if connected or kind in WITHOUT_BEXIO], now)
