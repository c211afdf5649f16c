"""What a person must decide or mend about contacts: who is who, which value holds, why one cannot be brought over.

At most one is open for an Arcavis contact, or for a bexio contact that Arcavis does not have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts.fields import Kind
from app.core.ids import uuid7
from app.db.attention import Subject, close_codes, raise_item

ConflictKind = Literal["match", "field", "problem"]
WAITING = "contacts-wait-for-a-person"

_COLUMNS = (
    "id, kind, contact_kind, arcavis_id, bexio_id, detail, state, resolution, resolved_by, created_at, updated_at,"
    " closed_at"
)
_OPEN_ARCAVIS = text(
    "insert into contact_conflict (id, tenant_id, kind, contact_kind, arcavis_id, bexio_id, detail, state, created_at,"
    " updated_at) select n.id, :tenant, n.kind, n.contact_kind, n.arcavis_id, n.bexio_id, cast(n.detail as jsonb),"
    " 'open', :now, :now from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:contact_kinds as text[]),"
    " cast(:arcavis_ids as text[]), cast(:bexio_ids as bigint[]), cast(:details as text[]))"
    " as n(id, kind, contact_kind, arcavis_id, bexio_id, detail) where n.arcavis_id is not null"
    " on conflict (tenant_id, contact_kind, arcavis_id) where state <> 'closed' and arcavis_id is not null"
    " do update set kind = excluded.kind, bexio_id = excluded.bexio_id, detail = excluded.detail, state = 'open',"
    " resolution = null, updated_at = excluded.updated_at"
)
_OPEN_BEXIO = text(
    "insert into contact_conflict (id, tenant_id, kind, contact_kind, bexio_id, detail, state, created_at,"
    " updated_at) select n.id, :tenant, n.kind, n.contact_kind, n.bexio_id, cast(n.detail as jsonb), 'open', :now,"
    " :now from unnest(cast(:ids as uuid[]), cast(:kinds as text[]), cast(:contact_kinds as text[]),"
    " cast(:arcavis_ids as text[]), cast(:bexio_ids as bigint[]), cast(:details as text[]))"
    " as n(id, kind, contact_kind, arcavis_id, bexio_id, detail) where n.arcavis_id is null"
    " on conflict (tenant_id, contact_kind, bexio_id) where state <> 'closed' and arcavis_id is null"
    " do update set kind = excluded.kind, detail = excluded.detail, updated_at = excluded.updated_at"
)
_CLOSE_ARCAVIS = text(
    "update contact_conflict c set state = 'closed', closed_at = :now, updated_at = :now,"
    " resolution = coalesce(resolution, 'agreed') from unnest(cast(:ids as text[])) as n(id)"
    " where c.tenant_id = :tenant and c.contact_kind = :kind and c.arcavis_id = n.id and c.state <> 'closed'"
    " returning c.detail"
)
_CLOSE_BEXIO = text(
    "update contact_conflict c set state = 'closed', closed_at = :now, updated_at = :now, resolution = 'agreed'"
    " from unnest(cast(:ids as bigint[])) as n(id) where c.tenant_id = :tenant and c.contact_kind = :kind"
    " and c.bexio_id = n.id and c.arcavis_id is null and c.state <> 'closed'"
)
_READ = text(f"select {_COLUMNS} from contact_conflict where id = :id")  # noqa: S608 - columns
_LOCK = text(f"select {_COLUMNS} from contact_conflict where id = :id for update")  # noqa: S608 - columns
_OF_ARCAVIS = text(
    f"select {_COLUMNS} from contact_conflict where tenant_id = :tenant and contact_kind = :kind"  # noqa: S608 - columns
    " and arcavis_id = :id and state <> 'closed'"
)
_REOPEN = text("update contact_conflict set state = 'open', updated_at = :now where id = :id and state = 'resolving'")
_RESOLVE = text(
    "update contact_conflict set state = 'resolving', resolution = :resolution, resolved_by = :actor,"
    " updated_at = :now where id = :id"
)
_LIST = text(
    f"select {_COLUMNS} from contact_conflict where tenant_id = :tenant"  # noqa: S608 - columns
    " and (cast(:kind as text) is null or kind = :kind) and (cast(:state as text) is null or state = :state)"
    " and (cast(:after_at as timestamptz) is null or (created_at, id) < (:after_at, cast(:after_id as uuid)))"
    " order by created_at desc, id desc limit :fetch"
)
_NAMING = text(
    "select contact_kind, arcavis_id from contact_conflict where tenant_id = :tenant and state = 'open'"
    " and kind = 'match' and exists (select from jsonb_array_elements(detail->'candidates') e"
    " where cast(e->>'bexio_id' as bigint) = any(cast(:ids as bigint[])))"
)
_COUNT = text("select count(*) from contact_conflict where tenant_id = :tenant and state <> 'closed'")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conflict to open. `detail` holds the candidates, the fields, or the code with its parameters."""

    kind: ConflictKind
    contact_kind: Kind
    arcavis_id: int | None
    bexio_id: int | None
    detail: Mapping[str, Any]


async def open_all(session: AsyncConnection, tenant: UUID, waiting: Sequence[Waiting], now: datetime) -> None:
    """Opens conflicts, or brings the open ones up to date."""
    if not waiting:
        return
    values = {
        "tenant": tenant,
        "now": now,
        "ids": [uuid7(now) for _ in waiting],
        "kinds": [one.kind for one in waiting],
        "contact_kinds": [one.contact_kind for one in waiting],
        "arcavis_ids": [None if one.arcavis_id is None else str(one.arcavis_id) for one in waiting],
        "bexio_ids": [one.bexio_id for one in waiting],
        "details": [orjson.dumps(one.detail).decode() for one in waiting],
    }
    for statement in (_OPEN_ARCAVIS, _OPEN_BEXIO):
        await session.execute(statement, values)


async def close(
    session: AsyncConnection,
    tenant: UUID,
    kind: Kind,
    *,
    arcavis_ids: Iterable[int],
    bexio_ids: Iterable[int],
    now: datetime,
) -> set[int]:
    """Closes what is open about these contacts: nothing is left to decide. Returns the candidates that it named."""
    values = {"tenant": tenant, "kind": kind, "now": now}
    named = set[int]()
    if ids := [str(one) for one in arcavis_ids]:
        for row in await session.execute(_CLOSE_ARCAVIS, {**values, "ids": ids}):
            named |= {candidate["bexio_id"] for candidate in row.detail.get("candidates", ())}
    if numbers := list(bexio_ids):
        await session.execute(_CLOSE_BEXIO, {**values, "ids": numbers})
    return named


async def naming(session: AsyncConnection, tenant: UUID, bexio_ids: Iterable[int]) -> dict[Kind, list[int]]:
    """The Arcavis contacts that wait for a person and have one of these as a candidate, by kind."""
    found: dict[Kind, list[int]] = {}
    for row in await session.execute(_NAMING, {"tenant": tenant, "ids": list(bexio_ids)}):
        found.setdefault(row.contact_kind, []).append(int(row.arcavis_id))
    return found


async def read(session: AsyncConnection, conflict: UUID) -> Row[Any] | None:
    """One conflict."""
    return (await session.execute(_READ, {"id": conflict})).first()


async def lock(session: AsyncConnection, conflict: UUID) -> Row[Any] | None:
    """One conflict, for whoever resolves it."""
    return (await session.execute(_LOCK, {"id": conflict})).first()


async def of_arcavis(session: AsyncConnection, tenant: UUID, kind: Kind, arcavis_id: int) -> Row[Any] | None:
    """What is open about an Arcavis contact."""
    values = {"tenant": tenant, "kind": kind, "id": str(arcavis_id)}
    return (await session.execute(_OF_ARCAVIS, values)).first()


async def reopen(session: AsyncConnection, conflict: UUID, now: datetime) -> None:
    """A decision that could not be carried out: a person must look at it again."""
    await session.execute(_REOPEN, {"id": conflict, "now": now})


async def resolve(session: AsyncConnection, conflict: UUID, resolution: str, actor: str, now: datetime) -> None:
    """Notes what a person decided."""
    values = {"id": conflict, "resolution": resolution, "actor": actor, "now": now}
    await session.execute(_RESOLVE, values)


async def listing(
    session: AsyncConnection, tenant: UUID, kind: str | None, state: str | None, page: Mapping[str, Any]
) -> Sequence[Row[Any]]:
    """Conflicts, the latest first."""
    values = {**page, "tenant": tenant, "kind": kind, "state": state}
    return (await session.execute(_LIST, values)).all()


async def tell(session: AsyncConnection, tenant: UUID, subject_kind: str, now: datetime, *, new: bool) -> None:
    """Keeps the one attention item that tells of all open conflicts; a dismissed one comes back for `new` ones."""
    number: int = (await session.execute(_COUNT, {"tenant": tenant})).scalar_one()
    subject = Subject(tenant, subject_kind, tenant)
    if number and new:
        await raise_item(session, subject, code=WAITING, params={"number": str(number)}, now=now)
    elif not number:
        await close_codes(session, subject, [WAITING], actor="system", now=now)
