"""Attention items: what waits for a person. One open item for a subject and code, however often it fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.ids import uuid7

_RAISE = text(
    "insert into attention (id, tenant_id, code, params, subject_kind, subject_id, state, created_at)"
    " values (:id, :tenant, :code, :params, :subject_kind, :subject, 'open', :now)"
    " on conflict (tenant_id, subject_kind, subject_id, code) where state = 'open'"
    " do update set params = excluded.params returning id"
).bindparams(bindparam("params", type_=JSONB))
_CLOSE = text(
    "update attention set state = :state, closed_at = :now, closed_by = :actor, closed_reason = :reason"
    " where tenant_id = :tenant and subject_kind = :subject_kind and subject_id = :subject and state = 'open'"
    " and (cast(:keep as text) is null or code <> :keep)"
)
_CLOSE_CODES = text(
    "update attention set state = 'resolved', closed_at = :now, closed_by = :actor where tenant_id = :tenant"
    " and subject_kind = :subject_kind and subject_id = :subject and state = 'open'"
    " and code = any(cast(:codes as text[]))"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an item is about: `document`, `payment`, `connection`, ... and its id."""

    tenant: UUID
    kind: str
    id: UUID


async def raise_item(
    session: AsyncConnection,
    subject: Subject,
    *,
    code: str,
    params: Mapping[str, str],
    now: datetime,
) -> UUID:
    """Opens an item, or refreshes the open one with the same code; returns its id."""
    values: dict[str, Any] = {
        "id": uuid7(now),
        "tenant": subject.tenant,
        "code": code,
        "params": dict(params),
        "subject_kind": subject.kind,
        "subject": subject.id,
        "now": now,
    }
    return (await session.execute(_RAISE, values)).scalar_one()


async def close_items(
    session: AsyncConnection,
    subject: Subject,
    *,
    state: str,
    actor: str,
    now: datetime,
    reason: str | None = None,
    keep: str | None = None,
) -> None:
    """Closes every open item of a subject, but for the code to `keep`. `state` is `resolved` or `dismissed`."""
    values = {
        "tenant": subject.tenant,
        "subject_kind": subject.kind,
        "subject": subject.id,
        "state": state,
        "actor": actor,
        "reason": reason,
        "keep": keep,
        "now": now,
    }
    await session.execute(_CLOSE, values)


async def close_codes(
    session: AsyncConnection, subject: Subject, codes: Sequence[str], *, actor: str, now: datetime
) -> None:
    """Closes, as resolved, the open items of a subject that have one of these codes."""
    values = {
        "tenant": subject.tenant,
        "subject_kind": subject.kind,
        "subject": subject.id,
        "codes": list(codes),
        "actor": actor,
        "now": now,
    }
    await session.execute(_CLOSE_CODES, values)
