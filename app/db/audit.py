"""Who did what: append-only, the runtime role can neither change nor delete a row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

_APPEND = text(
    "insert into audit (tenant_id, at, actor, action, subject_kind, subject_id, detail)"
    " values (:tenant, :at, :actor, :action, :subject_kind, :subject_id, :detail)"
).bindparams(bindparam("detail", type_=JSONB))


async def append(
    session: AsyncConnection,
    *,
    tenant: UUID,
    now: datetime,
    actor: str,
    action: str,
    subject_kind: str,
    subject_id: object,
    detail: Mapping[str, str] | None = None,
) -> None:
    """Writes one line. `actor` is a key's prefix, `system` or `operator`; details hold no personal data."""
    values = {
        "tenant": tenant,
        "at": now,
        "actor": actor,
        "action": action,
        "subject_kind": subject_kind,
        "subject_id": str(subject_id),
        "detail": dict(detail or {}),
    }
    await session.execute(_APPEND, values)
