"""Beginning a contact run: one at a time for each tenant, whoever asks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import progress
from app.capabilities.contacts.progress import Progress
from app.core.ids import uuid7
from app.core.priority import Priority
from app.jobs import runs


async def start(
    session: AsyncConnection,
    tenant: UUID,
    asked: Progress,
    priority: Priority,
    now: datetime,
    *,
    periodic: bool = False,
) -> UUID | None:
    """Makes the run with its work; None when another one is under way, which `progress.active` names."""
    active = await progress.active(session, tenant, uuid7(now))
    if active is not None:
        return None
    detail = {"mode": asked.mode, "dry_run": asked.dry_run, "full": asked.full, "periodic": periodic}
    kind = f"contacts.{asked.mode}"
    run = await runs.create(session, tenant=tenant, kind=kind, priority=priority, now=now, detail=detail)
    if not await progress.claim(session, tenant, run, asked, now):
        raise progress.Overtaken
    return run
