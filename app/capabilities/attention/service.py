"""What a person does about an item: look, retry, dismiss."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import TenantCaller
from app.capabilities.attention.schemas import AttentionItem, State
from app.capabilities.tenancy import guard
from app.core import catalogue
from app.core.clock import Clock
from app.core.errors import Conflict, NotFound
from app.core.priority import Priority
from app.db import audit
from app.db.attention import Subject, close_items
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import wake

CONNECTION = "connection"

_ITEM = (
    "select id, code, params, subject_kind, subject_id, state, created_at, closed_at, closed_by, closed_reason"
    " from attention where"
)
_LIST = text(
    f"{_ITEM} (cast(:state as text) is null or state = :state)"
    " and (cast(:after_at as timestamptz) is null or (created_at, id) < (:after_at, cast(:after_id as uuid)))"
    " order by created_at desc, id desc limit :fetch"
)
_READ = text(f"{_ITEM} id = :id")
_DISMISS = text(
    "update attention set state = 'dismissed', closed_at = :now, closed_by = :actor, closed_reason = :reason"
    " where id = :id and state = 'open'"
)


async def listing(db: Database, tenant: UUID, state: State | None, page: Mapping[str, Any]) -> list[Row[Any]]:
    """Items, newest first; `page` as `Paging.values` gives it."""
    async with db.begin(tenant) as session:
        return list(await session.execute(_LIST, {**page, "state": state}))


async def retry(db: Database, clock: Clock, caller: TenantCaller, item: UUID, language: str) -> AttentionItem:
    """Takes the work behind an item up again at once. If the cause is still there, a new item says so.

    Raises:
        NotFound: `attention-not-found`.
        Conflict: `attention-closed`, or `nothing-to-retry`: there is no work behind it.
    """
    now = clock.now()
    async with db.begin(caller.tenant) as session:
        found = await _open_item(session, item)
        # The operation is locked before its item, as the worker does: in another order the two would wait in a ring.
        if found.subject_kind == CONNECTION:
            system: guard.System = "arcavis" if found.code.startswith("arcavis-") else "bexio"
            await guard.connection_works(session, caller.tenant, system, actor=caller.actor, now=now)
        elif await operations.rearm(session, kind=found.subject_kind, subject=found.subject_id, now=now):
            subject = Subject(caller.tenant, found.subject_kind, found.subject_id)
            await close_items(session, subject, state="resolved", actor=caller.actor, now=now)
        else:
            raise Conflict("nothing-to-retry")
        await wake(session, Priority.BACKOFFICE)
        await _note(session, caller, "attention.retry", found, clock)
        return view((await session.execute(_READ, {"id": item})).one(), language)


async def dismiss(
    db: Database, clock: Clock, caller: TenantCaller, item: UUID, reason: str, language: str
) -> AttentionItem:
    """Closes an item about which nothing more is to be done; the work behind it stays where it is.

    Raises:
        NotFound: `attention-not-found`.
        Conflict: `attention-closed`.
    """
    async with db.begin(caller.tenant) as session:
        found = await _open_item(session, item)
        values = {"id": item, "now": clock.now(), "actor": caller.actor, "reason": reason}
        await session.execute(_DISMISS, values)
        await _note(session, caller, "attention.dismiss", found, clock)
        return view((await session.execute(_READ, {"id": item})).one(), language)


def view(row: Row[Any], language: str) -> AttentionItem:
    """An item as callers see it."""
    said = catalogue.text(row.code, row.params, language)
    return AttentionItem(
        id=row.id,
        code=row.code,
        title=said.title,
        detail=said.detail,
        remedy=said.remedy,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        state=row.state,
        created_at=row.created_at,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        closed_reason=row.closed_reason,
    )


async def _open_item(session: AsyncConnection, item: UUID) -> Row[Any]:
    row = (await session.execute(_READ, {"id": item})).first()
    if row is None:
        raise NotFound("attention-not-found")
    if row.state != "open":
        raise Conflict("attention-closed")
    return row


async def _note(session: AsyncConnection, caller: TenantCaller, action: str, row: Row[Any], clock: Clock) -> None:
    await audit.append(
        session,
        tenant=caller.tenant,
        now=clock.now(),
        actor=caller.actor,
        action=action,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        detail={"code": row.code, "item": str(row.id)},
    )
