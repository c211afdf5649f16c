"""What callers ask for: runs, single contacts, decisions, and what there is to see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import TenantCaller
from app.api.waiting import Settled
from app.capabilities.contacts import conflicts, progress, pushing, resolving, starting
from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.progress import Mode, Progress
from app.capabilities.contacts.schemas import RunRequest
from app.core.clock import Clock
from app.core.errors import Conflict, NotFound
from app.core.priority import Priority
from app.db import audit
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import wake

_LINKS = text(
    "select id, kind, arcavis_id, bexio_id, state, alias, evidence, reason, synced_at, created_at, updated_at"
    " from contact_link where tenant_id = :tenant and (cast(:kind as text) is null or kind = :kind)"
    " and (cast(:state as text) is null or state = :state)"
    " and (cast(:after_at as timestamptz) is null or (updated_at, id) < (:after_at, cast(:after_id as uuid)))"
    " order by updated_at desc, id desc limit :fetch"
)


@dataclass(frozen=True, slots=True)
class ContactsService:
    """The use cases over one set of resources. Built once."""

    db: Database
    clock: Clock

    async def start(self, caller: TenantCaller, mode: Mode, asked: RunRequest) -> UUID:
        """Starts a run; its id.

        Raises:
            Conflict: `contact-run-active`: one is under way, and is named.
        """
        now = self.clock.now()
        wanted = Progress(mode=mode, dry_run=asked.dry_run, full=asked.full)
        try:
            async with self.db.begin(caller.tenant) as session:
                run = await starting.start(session, caller.tenant, wanted, Priority.BULK, now)
                if run is not None:
                    await self._note(session, caller, f"contacts.{mode}", "run", run)
                    return run
                active = await progress.active(session, caller.tenant, caller.tenant)
        except progress.Overtaken:
            async with self.db.begin(caller.tenant) as session:
                active = await progress.active(session, caller.tenant, caller.tenant)
        raise Conflict("contact-run-active", run=active)

    async def push(self, caller: TenantCaller, kind: Kind, arcavis_id: int) -> Row[Any]:
        """Asks for one contact to be brought over now."""
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            push = await pushing.ask(session, caller.tenant, kind, arcavis_id, now)
            await operations.add(
                session,
                tenant=caller.tenant,
                kind=pushing.KIND,
                subject=push,
                priority=Priority.BACKOFFICE,
                now=now,
            )
            await operations.rearm(session, kind=pushing.KIND, subject=push, now=now)
            await wake(session, Priority.BACKOFFICE)
            return await _pushed(session, push)

    async def pushed(self, settled: Settled, tenant: UUID, row: Row[Any], seconds: int) -> Row[Any]:
        """The contact once it was brought over; else as it is after `seconds`."""

        async def look() -> Row[Any] | None:
            async with self.db.begin(tenant) as session:
                found = await _pushed(session, row.id)
            return found if found.state != "accepted" else None

        return (await settled.until(row.id, seconds, look) if seconds else None) or row

    async def links(
        self, tenant: UUID, kind: str | None, state: str | None, page: Mapping[str, Any]
    ) -> Sequence[Row[Any]]:
        """Links, those that changed last first."""
        async with self.db.begin(tenant) as session:
            values = {**page, "tenant": tenant, "kind": kind, "state": state}
            return (await session.execute(_LINKS, values)).all()

    async def conflicts(
        self, tenant: UUID, kind: str | None, state: str | None, page: Mapping[str, Any]
    ) -> Sequence[Row[Any]]:
        """Conflicts, the latest first."""
        async with self.db.begin(tenant) as session:
            return await conflicts.listing(session, tenant, kind, state, page)

    async def resolve(self, caller: TenantCaller, conflict: UUID, use: str) -> Row[Any]:
        """Notes a person's decision and starts carrying it out. The same decision again changes nothing.

        Raises:
            NotFound: `contact-conflict-not-found`.
            Conflict: `contact-conflict-closed`, `contact-resolution-unfit`.
        """
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            # As the worker does when it settles: the work is locked before what it is about.
            known = await operations.rearm(session, kind=resolving.KIND, subject=conflict, now=now)
            row = await conflicts.lock(session, conflict)
            if row is None:
                raise NotFound("contact-conflict-not-found")
            if row.state == "closed":
                raise Conflict("contact-conflict-closed")
            if not resolving.is_possible(row, use):
                raise Conflict("contact-resolution-unfit", kind=row.kind)
            await conflicts.resolve(session, conflict, use, caller.actor, now)
            if not known:
                await operations.add(
                    session,
                    tenant=caller.tenant,
                    kind=resolving.KIND,
                    subject=conflict,
                    priority=Priority.BACKOFFICE,
                    now=now,
                )
            await wake(session, Priority.BACKOFFICE)
            await self._note(session, caller, "contacts.resolve", "contact_conflict", conflict, use=use)
            return await self._conflict(session, conflict)

    async def resolved(self, settled: Settled, tenant: UUID, row: Row[Any], seconds: int) -> Row[Any]:
        """The conflict once the decision is carried out; else as it is after `seconds`."""

        async def look() -> Row[Any] | None:
            async with self.db.begin(tenant) as session:
                found = await self._conflict(session, row.id)
            return found if found.state != "resolving" else None

        return (await settled.until(row.id, seconds, look) if seconds else None) or row

    async def _conflict(self, session: AsyncConnection, conflict: UUID) -> Row[Any]:
        row = await conflicts.read(session, conflict)
        if row is None:
            raise NotFound("contact-conflict-not-found")
        return row

    async def _note(
        self,
        session: AsyncConnection,
        caller: TenantCaller,
        action: str,
        subject_kind: str,
        subject: UUID,
        **detail: str,
    ) -> None:
        await audit.append(
            session,
            tenant=caller.tenant,
            now=self.clock.now(),
            actor=caller.actor,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject,
            detail=detail,
        )


async def _pushed(session: AsyncConnection, push: UUID) -> Row[Any]:
    row = await pushing.read(session, push)
    if row is None:
        raise NotFound("contact-conflict-not-found")
    return row
