"""What keeps a new shop besides its own steps: a connection that works no longer, or lacks a right.

Guarded work waits for a connection without failing, so no run and no item of the shop says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.explanation import Explanation, explained
from app.capabilities.provisioning.intake import KIND
from app.capabilities.tenancy import guard
from app.core.catalogue import translate
from app.jobs import operations
from app.jobs.runs import Run

_AGAIN = "Activate Arcavis in bexio Apps once more. What was done stays, and the set-up goes on where it stood."
_RIGHT = (
    "Give the person who activated Arcavis this right in bexio (Settings > All settings > General > User management) "
    "and press “Try again”, or have somebody with all rights activate Arcavis in bexio Apps once more."
)
_NEW_ARCAVIS = "Ask your support partner to look at the new Arcavis, then press “Try again”."
# Whoever comes from bexio Apps has no Arcavis yet in which anything could be connected.
REMEDIES: Mapping[str, str] = {
    "bexio-unauthorized": _AGAIN,
    "bexio-not-connected": _AGAIN,
    "bexio-reconnect-required": _AGAIN,
    "bexio-refresh-refused": _AGAIN,
    "bexio-forbidden": _RIGHT,
    "arcavis-unauthorized": _NEW_ARCAVIS,
    "arcavis-not-connected": _NEW_ARCAVIS,
    "arcavis-reconnect-required": _NEW_ARCAVIS,
    "arcavis-forbidden": _NEW_ARCAVIS,
}

# The item holds what fills the text; who put it aside is still told here, because the work still waits.
_WAITING = text(
    "select o.kind, o.subject_id, o.reason, coalesce(a.params, '{}') as params from operation o"
    " left join lateral (select params from attention where tenant_id = o.tenant_id and subject_kind = 'connection'"
    " and code = o.reason order by created_at desc limit 1) a on true"
    " where (o.kind, o.subject_id) in (select * from unnest(cast(:kinds as text[]), cast(:subjects as uuid[])))"
    " and o.state = 'waiting' and o.reason = any(cast(:codes as text[])) order by o.created_at"
)
_CODES: Mapping[str, guard.System] = {
    code: system for system in ("bexio", "arcavis") for code in guard.wait_codes(system)
}


@dataclass(frozen=True, slots=True)
class Stuck:
    """One piece of a shop's work that waits for a connection."""

    kind: str
    subject: UUID
    code: str
    params: Mapping[str, str]


async def stuck(session: AsyncConnection, tenant: UUID, found: Iterable[Run]) -> list[Stuck]:
    """What of the shop's work waits for a connection: its saga, and those of its runs."""
    work = [(KIND, tenant), *((run.kind, run.id) for run in found)]
    kinds, subjects = zip(*work, strict=True)
    values = {"kinds": list(kinds), "subjects": list(subjects), "codes": list(_CODES)}
    rows = await session.execute(_WAITING, values)
    return [Stuck(row.kind, row.subject_id, row.reason, row.params) for row in rows]


async def free(session: AsyncConnection, tenant: UUID, waiting: Iterable[Stuck], now: datetime) -> None:
    """Asks for that work again. If the connection is as it was, a new item says so."""
    systems: set[guard.System] = {_CODES[one.code] for one in waiting}
    for one in waiting:
        await operations.rearm(session, kind=one.kind, subject=one.subject, now=now)
    for system in sorted(systems):
        await guard.connection_works(session, tenant, system, actor="page", now=now)


def told(code: str, params: Mapping[str, str], language: str) -> Explanation:
    """The texts of `code` for somebody who has no Arcavis yet."""
    said = explained(code, params, language)
    remedy = REMEDIES.get(code)
    return said if remedy is None else said.model_copy(update={"remedy": translate(remedy, language)})
