"""The button on the progress page: whoever mended the cause says so."""

from __future__ import annotations

from uuid import UUID

from app.capabilities.provisioning import records
from app.capabilities.provisioning.intake import KIND
from app.capabilities.provisioning.stuck import free, stuck
from app.capabilities.provisioning.views import Progress
from app.core.errors import Conflict, NotFound
from app.core.priority import Priority
from app.db import audit
from app.db.attention import Subject, close_items
from app.jobs import operations, runs
from app.jobs.engine import wake


async def retry(progress: Progress, identity: UUID) -> None:
    """Asks for the saga again; its step that waits is tried at once.

    Raises:
        NotFound: `provision-not-found`.
        Conflict: `provision-not-retryable`: only another activation helps.
    """
    found = await progress.read(identity, "en")
    tenant = await progress.tenant_of(identity)
    if tenant is None and found.finished:
        raise Conflict("provision-not-retryable")
    if tenant is None:
        # Not accepted yet: that goes on by itself.
        return
    now = progress.clock.now()
    async with progress.db.begin(tenant) as session:
        shop = await records.shop(session, tenant)
        waiting = await stuck(session, tenant, [await runs.read(session, UUID(run)) for run in shop.runs.values()])
        if not await operations.rearm(session, kind=KIND, subject=tenant, now=now):
            raise NotFound("provision-not-found")
        await free(session, tenant, waiting, now)
        subject = Subject(tenant, KIND, tenant)
        await close_items(session, subject, state="resolved", actor="page", now=now)
        await wake(session, Priority.BACKOFFICE)
        await audit.append(
            session,
            tenant=tenant,
            now=now,
            actor="page",
            action="provision.retry",
            subject_kind=KIND,
            subject_id=identity,
        )
