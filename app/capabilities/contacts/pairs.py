"""Links as a sync sees them: with their merge base, in bulk. `parties.links` sees the same rows one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.merge import Base

LINKED = frozenset({"active", "conflict"})
HOLD = timedelta(minutes=5)
# How the base tells whether a contact was in its kind's group.
GROUP = "group"

_ROW = (
    "l.kind, l.arcavis_id, l.bexio_id, l.state, l.alias, l.base_arcavis, l.base_bexio, l.reason, l.holder, l.sent_at,"
    " l.held_until"
)
_BY_ARCAVIS = text(
    f"select {_ROW} from unnest(cast(:ids as text[])) as n(id) cross join lateral (select * from contact_link c"  # noqa: S608 - columns
    " where c.tenant_id = :tenant and c.kind = :kind and c.arcavis_id = n.id offset 0) l"
)
_BY_BEXIO = text(
    f"select {_ROW} from unnest(cast(:ids as bigint[])) as n(id) cross join lateral (select * from contact_link c"  # noqa: S608 - columns
    " where c.tenant_id = :tenant and c.bexio_id = n.id offset 0) l"
    " where not l.alias and l.arcavis_id ~ '^[0-9]{1,18}$'"
)
_SENT = text(
    f"select {_ROW} from contact_link l where tenant_id = :tenant and state = 'resolving' and holder = :holder"  # noqa: S608 - columns
    " order by arcavis_id"
)
# The lock under which a contact is made in bexio; also taken by a sale (see `parties.links`).
_INTEND = text(
    "insert into contact_link as l (tenant_id, kind, arcavis_id, state, holder, held_until, sent_at, evidence,"
    " created_at, updated_at) select :tenant, :kind, n.id, 'resolving', :holder, :until, :now, '{}', :now, :now"
    " from unnest(cast(:ids as text[])) as n(id)"
    " on conflict (tenant_id, kind, arcavis_id) do update set holder = excluded.holder,"
    " held_until = excluded.held_until, sent_at = excluded.sent_at, updated_at = excluded.updated_at"
    " where l.state = 'resolving' and (l.sent_at is null or l.sent_at <= :settled)"
    " and (l.holder is null or l.held_until <= :now or l.holder = :holder) returning arcavis_id"
)
# Of a link whose contacts are about to be written: it must still be what the merge rests on.
_HOLD_BASE = text(
    "update contact_link l set holder = :holder, held_until = :until"
    " from unnest(cast(:kinds as text[]), cast(:ids as text[]), cast(:bexio_ids as bigint[]), cast(:states as text[]),"
    " cast(:bases_arcavis as text[]), cast(:bases_bexio as text[]))"
    " as n(kind, id, bexio_id, state, base_arcavis, base_bexio) where l.tenant_id = :tenant and l.kind = n.kind"
    " and l.arcavis_id = n.id and l.bexio_id is not distinct from n.bexio_id and l.state = n.state"
    " and l.base_arcavis = cast(n.base_arcavis as jsonb) and l.base_bexio = cast(n.base_bexio as jsonb)"
    " and (l.holder is null or l.holder = :holder or l.held_until <= :now) returning l.kind, l.arcavis_id"
)
_LET_GO = text(
    "update contact_link l set holder = null, held_until = null"
    " from unnest(cast(:kinds as text[]), cast(:ids as text[])) as n(kind, id) where l.tenant_id = :tenant"
    " and l.kind = n.kind and l.arcavis_id = n.id and l.holder = :holder and l.state <> 'resolving'"
)
_RELEASE = text(
    "delete from contact_link l using unnest(cast(:ids as text[])) as n(id) where l.tenant_id = :tenant"
    " and l.kind = :kind and l.arcavis_id = n.id and l.state = 'resolving' and l.holder = :holder"
)
# `offset 0` keeps the look-up one for each pair: as a join it would read all of a tenant's links each time.
_JOIN = text(
    "insert into contact_link as l (tenant_id, kind, arcavis_id, bexio_id, state, base_arcavis, base_bexio, evidence,"
    " synced_at, created_at, updated_at) select :tenant, :kind, n.arcavis_id, n.bexio_id, n.state,"
    " cast(n.base_arcavis as jsonb), cast(n.base_bexio as jsonb), cast(n.evidence as jsonb), :now, :now, :now"
    " from unnest(cast(:arcavis_ids as text[]), cast(:bexio_ids as bigint[]), cast(:states as text[]),"
    " cast(:bases_arcavis as text[]), cast(:bases_bexio as text[]), cast(:evidences as text[]))"
    " as n(arcavis_id, bexio_id, state, base_arcavis, base_bexio, evidence)"
    " where not exists (select from contact_link o where o.tenant_id = :tenant and o.kind = :kind"
    " and o.bexio_id = n.bexio_id and o.arcavis_id <> n.arcavis_id and not o.alias"
    " and o.state in ('active', 'conflict') offset 0)"
    " on conflict (tenant_id, kind, arcavis_id) do update set bexio_id = excluded.bexio_id, state = excluded.state,"
    " base_arcavis = excluded.base_arcavis, base_bexio = excluded.base_bexio, synced_at = excluded.synced_at,"
    " holder = null, held_until = null, sent_at = null, reason = null, updated_at = excluded.updated_at,"
    " evidence = case when l.bexio_id = excluded.bexio_id and l.evidence <> '{}' then l.evidence"
    " else excluded.evidence end"
    " where l.state not in ('active', 'conflict')"
    " or (l.bexio_id is not distinct from excluded.bexio_id and (l.holder = :holder or l.base_arcavis = '{}'))"
    " returning arcavis_id"
)
_LEAVE = text(
    "update contact_link l set state = 'inactive', reason = n.reason, updated_at = :now"
    " from unnest(cast(:ids as text[]), cast(:reasons as text[])) as n(id, reason) where l.tenant_id = :tenant"
    " and l.kind = :kind and l.arcavis_id = n.id and l.state in ('active', 'conflict')"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A link: what it joins, the base of both sides, and who is making its contact just now."""

    kind: Kind
    arcavis_id: int
    bexio_id: int | None
    state: str
    alias: bool = False
    base: Base = field(default_factory=Base)
    reason: str | None = None
    sent_at: datetime | None = None

    @property
    def linked(self) -> bool:
        """Whether it joins two contacts now."""
        return self.state in LINKED and self.bexio_id is not None


@dataclass(frozen=True, slots=True)
class Joined:
    """A pair as it is to be stored after a merge."""

    arcavis_id: int
    bexio_id: int
    base: Base
    evidence: Mapping[str, Any]
    conflict: bool = False


async def by_arcavis(session: AsyncConnection, tenant: UUID, kind: Kind, ids: Iterable[int]) -> dict[int, Pair]:
    """The links of these Arcavis contacts."""
    values = {"tenant": tenant, "kind": kind, "ids": [str(one) for one in set(ids)]}
    return {int(row.arcavis_id): _pair(row) for row in await session.execute(_BY_ARCAVIS, values)}


async def by_bexio(session: AsyncConnection, tenant: UUID, ids: Iterable[int]) -> dict[tuple[Kind, int], Pair]:
    """The links of these bexio contacts by kind; a living one before one that no longer counts."""
    values = {"tenant": tenant, "ids": list(set(ids))}
    found: dict[tuple[Kind, int], Pair] = {}
    for row in await session.execute(_BY_BEXIO, values):
        pair = _pair(row)
        if pair.bexio_id is not None and (pair.linked or (pair.kind, pair.bexio_id) not in found):
            found[pair.kind, pair.bexio_id] = pair
    return found


async def intend(
    session: AsyncConnection,
    tenant: UUID,
    kind: Kind,
    ids: Sequence[int],
    *,
    holder: UUID,
    now: datetime,
    settled: datetime,
) -> set[int]:
    """Notes that contacts are about to be made in bexio for these; those that are free for it.

    What somebody else sent before `settled` and gave up has landed by now where it could be found, or never will.
    """
    values = {
        "tenant": tenant,
        "kind": kind,
        "ids": [str(one) for one in ids],
        "holder": holder,
        "until": now + HOLD,
        "now": now,
        "settled": settled,
    }
    return {int(row.arcavis_id) for row in await session.execute(_INTEND, values)}


async def sent(session: AsyncConnection, tenant: UUID, holder: UUID) -> list[Pair]:
    """The contacts that the holder sent without knowing what became of them."""
    return [_pair(row) for row in await session.execute(_SENT, {"tenant": tenant, "holder": holder})]


async def release(session: AsyncConnection, tenant: UUID, kind: Kind, ids: Sequence[int], holder: UUID) -> None:
    """Surely nothing was made for these: others may."""
    values = {"tenant": tenant, "kind": kind, "ids": [str(one) for one in ids], "holder": holder}
    await session.execute(_RELEASE, values)


async def hold(
    session: AsyncConnection, tenant: UUID, pairs: Sequence[Pair], holder: UUID, now: datetime
) -> set[tuple[Kind, int]]:
    """Keeps others from merging these until they are joined or let go; those whose base is still the one loaded."""
    values = {
        "tenant": tenant,
        "holder": holder,
        "now": now,
        "until": now + HOLD,
        "kinds": [pair.kind for pair in pairs],
        "ids": [str(pair.arcavis_id) for pair in pairs],
        "bexio_ids": [pair.bexio_id for pair in pairs],
        "states": [pair.state for pair in pairs],
        "bases_arcavis": [orjson.dumps(pair.base.arcavis).decode() for pair in pairs],
        "bases_bexio": [orjson.dumps(pair.base.bexio).decode() for pair in pairs],
    }
    return {(row.kind, int(row.arcavis_id)) for row in await session.execute(_HOLD_BASE, values)}


async def let_go(session: AsyncConnection, tenant: UUID, keys: Sequence[tuple[Kind, int]], holder: UUID) -> None:
    """Others may merge these again."""
    if keys:
        kinds, ids = [kind for kind, _ in keys], [str(one) for _, one in keys]
        await session.execute(_LET_GO, {"tenant": tenant, "holder": holder, "kinds": kinds, "ids": ids})


async def join(
    session: AsyncConnection, tenant: UUID, kind: Kind, pairs: Sequence[Joined], holder: UUID, now: datetime
) -> set[int]:
    """Stores links with their bases; the Arcavis ids of those stored.

    One is left out when the bexio contact got another link of its kind, or the Arcavis contact another contact, or
    when the two agreed on something meanwhile and nobody held the link.
    """
    if not pairs:
        return set()
    values = {
        "tenant": tenant,
        "kind": kind,
        "now": now,
        "holder": holder,
        "arcavis_ids": [str(pair.arcavis_id) for pair in pairs],
        "bexio_ids": [pair.bexio_id for pair in pairs],
        "states": ["conflict" if pair.conflict else "active" for pair in pairs],
        "bases_arcavis": [orjson.dumps(pair.base.arcavis).decode() for pair in pairs],
        "bases_bexio": [orjson.dumps(pair.base.bexio).decode() for pair in pairs],
        "evidences": [orjson.dumps(pair.evidence).decode() for pair in pairs],
    }
    return {int(row.arcavis_id) for row in await session.execute(_JOIN, values)}


async def leave(session: AsyncConnection, tenant: UUID, kind: Kind, reasons: Mapping[int, str], now: datetime) -> None:
    """These no longer count, and why; the other side is left alone."""
    if reasons:
        values = {"tenant": tenant, "kind": kind, "now": now}
        ids, said = [str(one) for one in reasons], list(reasons.values())
        await session.execute(_LEAVE, {**values, "ids": ids, "reasons": said})


def _pair(row: Row[Any]) -> Pair:
    return Pair(
        kind=row.kind,
        arcavis_id=int(row.arcavis_id),
        bexio_id=row.bexio_id,
        state=row.state,
        alias=row.alias,
        base=Base(row.base_arcavis, row.base_bexio),
        reason=row.reason,
        sent_at=row.sent_at,
    )
