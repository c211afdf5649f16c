"""Both systems' contacts as they were last read: what a sync compares, and where candidates for a link are found.

A record is pending from when it changed until a run has dealt with it, whichever run that is. Every statement looks up
by a list of ids or keys through a lateral join: on a table that was never analysed, `= any(...)` becomes a scan.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts.fields import Fields, Side, party
from app.capabilities.parties.evidence import Party, keys

# bexio's contacts have no kind of their own.
ANY_KIND = ""
# More records than this under one key tell nothing any more.
MOST_PER_KEY = 40

_STORE = text(
    "insert into contact_record as r (tenant_id, side, kind, remote_id, fields, extra, gone, pending)"
    " select :tenant, :side, :kind, n.id, cast(n.fields as jsonb), cast(n.extra as jsonb), false, :pending"
    " from unnest(cast(:ids as bigint[]), cast(:fields as text[]), cast(:extras as text[])) as n(id, fields, extra)"
    " on conflict (tenant_id, side, kind, remote_id) do update set fields = excluded.fields, extra = excluded.extra,"
    " gone = false, pending = excluded.pending, visited = null"
    " where r.gone or r.fields <> excluded.fields or r.extra <> excluded.extra or r.pending > excluded.pending"
    " returning remote_id, xmax <> 0 as known"
)
# Found one by one and deleted by their place: joined with the ids, or as a list of them, all of a tenant's keys would
# be read each time. A key is never updated, so that its place holds.
_FORGET_KEYS = text(
    "delete from contact_key where ctid = any(array(select k.ctid from unnest(cast(:ids as bigint[])) as n(id)"
    " cross join lateral (select ctid from contact_key c where c.tenant_id = :tenant and c.side = :side"
    " and c.kind = :kind and c.remote_id = n.id offset 0) k))"
)
_STORE_KEYS = text(
    "insert into contact_key (tenant_id, side, kind, key, remote_id) select :tenant, :side, :kind, n.key, n.id"
    " from unnest(cast(:ids as bigint[]), cast(:keys as text[])) as n(id, key) on conflict do nothing"
)
_GONE = text(
    "update contact_record r set gone = true, pending = true, visited = null"
    " from unnest(cast(:ids as bigint[])) as n(id) where r.tenant_id = :tenant and r.side = :side and r.kind = :kind"
    " and r.remote_id = n.id and not r.gone"
)
_GONE_BETWEEN = text(
    "update contact_record set gone = true, pending = true, visited = null where tenant_id = :tenant and side = :side"
    " and kind = :kind and remote_id > :after and (cast(:upto as bigint) is null or remote_id <= :upto) and not gone"
    " and remote_id <> all(cast(:ids as bigint[]))"
)
_EVERYTHING_PENDING = text(
    "update contact_record set pending = true, visited = null where tenant_id = :tenant and not pending"
)
_FORGET = [
    text("delete from contact_key where tenant_id = :tenant and side = :side and kind = :kind"),
    text("delete from contact_record where tenant_id = :tenant and side = :side and kind = :kind"),
]
_ROW = "r.side, r.kind, r.remote_id, r.fields, r.extra, r.gone"
_PENDING = text(
    f"select {_ROW} from contact_record r where tenant_id = :tenant and side = :side and kind = :kind and pending"  # noqa: S608 - columns
    " and visited is distinct from :run and (gone or not :only_gone) order by remote_id limit :most"
)
_COUNT = text(
    "select count(*) from contact_record where tenant_id = :tenant and side = :side and pending"
    " and visited is distinct from :run and (gone or not :only_gone)"
)
_BY_ID = text(
    f"select {_ROW} from unnest(cast(:ids as bigint[])) as n(id) cross join lateral (select * from contact_record c"  # noqa: S608 - columns
    " where c.tenant_id = :tenant and c.side = :side and c.kind = :kind and c.remote_id = n.id offset 0) r"
)
_BY_KEY = text(
    "select n.key, c.remote_id from unnest(cast(:keys as text[])) as n(key) cross join lateral"
    " (select k.remote_id from contact_key k where k.tenant_id = :tenant and k.side = :side and k.kind = :kind"
    " and k.key = n.key limit :most) c"
)
_VISITED = text(
    "update contact_record r set pending = n.pending or coalesce(r.fields <> cast(n.fields as jsonb), false),"
    " visited = case when r.fields <> cast(n.fields as jsonb) then null else cast(:run as uuid) end"
    " from unnest(cast(:ids as bigint[]), cast(:pending as boolean[]), cast(:fields as text[]))"
    " as n(id, pending, fields)"
    " where r.tenant_id = :tenant and r.side = :side and r.kind = :kind and r.remote_id = n.id"
)
_LOOKED_AT = text(
    "update contact_record r set visited = :run from unnest(cast(:ids as bigint[])) as n(id)"
    " where r.tenant_id = :tenant and r.side = :side and r.kind = :kind and r.remote_id = n.id"
)
_ASK_AGAIN = text(
    "update contact_record r set pending = true, visited = null from unnest(cast(:ids as bigint[])) as n(id)"
    " where r.tenant_id = :tenant and r.side = :side and r.kind = :kind and r.remote_id = n.id"
)
_HIGHEST = text(
    "select coalesce(max(remote_id), 0) from contact_record where tenant_id = :tenant and side = :side and kind = :kind"
)
_ANALYZE = text("select analyze_contacts()")


@dataclass(frozen=True, slots=True)
class Place:
    """Which contacts of which tenant."""

    tenant: UUID
    side: Side
    kind: str = ANY_KIND

    def values(self) -> dict[str, Any]:
        """As statement parameters."""
        return {"tenant": self.tenant, "side": self.side, "kind": self.kind}


@dataclass(frozen=True, slots=True)
class Record:
    """A contact as it was last read. `number` is what people know it by, `groups` its groups in bexio.

    `made_from` is the bexio contact that we made an Arcavis contact from.
    """

    id: int
    fields: Fields
    number: str = ""
    groups: tuple[int, ...] = ()
    made_from: int | None = None
    gone: bool = False

    @classmethod
    def only(cls, identity: int) -> Record:
        """A record of which nothing but its id is known yet."""
        return cls(identity, Fields())

    @property
    def party(self) -> Party:
        """The facts that tell it apart."""
        return party(self.fields, self.number)

    def extra(self) -> dict[str, Any]:
        """What is stored beside the fields."""
        stored = {"number": self.number, "groups": list(self.groups), "made_from": self.made_from}
        return {name: value for name, value in stored.items() if value}


@dataclass(frozen=True, slots=True)
class Found:
    """Records by key. `crowded` are keys under which there are more than can be looked at."""

    ids: Mapping[str, tuple[int, ...]]
    crowded: frozenset[str] = field(default_factory=frozenset[str])


async def store(session: AsyncConnection, place: Place, records: Iterable[Record], *, pending: bool) -> int:
    """Keeps what was read (`pending`: what differs from before is to be dealt with) or written; how many differ."""
    by_id = {record.id: record for record in records}
    if not by_id:
        return 0
    values = {
        "ids": list(by_id),
        "fields": [orjson.dumps(record.fields.filled()).decode() for record in by_id.values()],
        "extras": [orjson.dumps(record.extra()).decode() for record in by_id.values()],
        "pending": pending,
    }
    changed = {row.remote_id: row.known for row in await session.execute(_STORE, {**place.values(), **values})}
    known = [one for one, is_known in changed.items() if is_known]
    if known:
        await session.execute(_FORGET_KEYS, {**place.values(), "ids": known})
    if changed:
        await _store_keys(session, place, [by_id[one] for one in changed])
    return len(changed)


async def _store_keys(session: AsyncConnection, place: Place, records: Sequence[Record]) -> None:
    pairs = [(record.id, key) for record in records for key in keys(record.party)]
    values = {"ids": [one for one, _ in pairs], "keys": [key for _, key in pairs]}
    await session.execute(_STORE_KEYS, {**place.values(), **values})


async def mark_gone(session: AsyncConnection, place: Place, ids: Sequence[int]) -> None:
    """These are archived or deleted."""
    if ids:
        await session.execute(_GONE, {**place.values(), "ids": list(ids)})


async def mark_missing(
    session: AsyncConnection, place: Place, *, after: int, upto: int | None, present: Sequence[int]
) -> None:
    """Of a list that is sorted by id: what is known between two ids and was not shown is gone. `upto` None: the end."""
    values = {"after": after, "upto": upto, "ids": list(present)}
    await session.execute(_GONE_BETWEEN, {**place.values(), **values})


async def ask_for_all(session: AsyncConnection, tenant: UUID) -> None:
    """Everything is looked at again."""
    await session.execute(_EVERYTHING_PENDING, {"tenant": tenant})


async def ask_again(session: AsyncConnection, place: Place, ids: Sequence[int]) -> None:
    """These are looked at again, also by the run that did so already."""
    if ids:
        await session.execute(_ASK_AGAIN, {**place.values(), "ids": list(ids)})


async def highest(session: AsyncConnection, place: Place) -> int:
    """The highest id that is known; 0 when none is."""
    return (await session.execute(_HIGHEST, place.values())).scalar_one()


async def forget(session: AsyncConnection, place: Place) -> None:
    """The connection leads to another company or environment: nothing that was read holds any more."""
    for statement in _FORGET:
        await session.execute(statement, place.values())


async def pending(
    session: AsyncConnection, place: Place, run: UUID, most: int, *, only_gone: bool = False
) -> list[Record]:
    """The next records that the run has not dealt with, by id."""
    values = {"run": run, "most": most, "only_gone": only_gone}
    return [_record(row) for row in await session.execute(_PENDING, {**place.values(), **values})]


async def count_pending(session: AsyncConnection, tenant: UUID, side: Side, run: UUID, *, only_gone: bool) -> int:
    """How many there are."""
    values = {"tenant": tenant, "side": side, "run": run, "only_gone": only_gone}
    return (await session.execute(_COUNT, values)).scalar_one()


async def by_id(session: AsyncConnection, place: Place, ids: Iterable[int]) -> dict[int, Record]:
    """The records with these ids, gone ones too."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = await session.execute(_BY_ID, {**place.values(), "ids": wanted})
    return {row.remote_id: _record(row) for row in rows}


async def by_key(session: AsyncConnection, place: Place, wanted: Iterable[str]) -> Found:
    """The ids of the records that have these keys, gone ones too."""
    asked = sorted(set(wanted))
    if not asked:
        return Found({})
    found: defaultdict[str, list[int]] = defaultdict(list)
    for row in await session.execute(_BY_KEY, {**place.values(), "keys": asked, "most": MOST_PER_KEY + 1}):
        found[row.key].append(row.remote_id)
    crowded = frozenset(key for key, ids in found.items() if len(ids) > MOST_PER_KEY)
    return Found({key: tuple(ids[:MOST_PER_KEY]) for key, ids in found.items()}, crowded)


async def visited(
    session: AsyncConnection,
    place: Place,
    run: UUID,
    still_pending: Mapping[int, bool],
    seen: Mapping[int, Record] | None = None,
) -> None:
    """The run has dealt with these; those that stay pending are for another run.

    One that is no longer as it was `seen` is looked at again: somebody else read it meanwhile.
    """
    if still_pending:
        ids = list(still_pending)
        told = [(seen or {}).get(one) for one in ids]
        fields = [orjson.dumps(record.fields.filled()).decode() if record else None for record in told]
        values = {"run": run, "ids": ids, "pending": list(still_pending.values()), "fields": fields}
        await session.execute(_VISITED, {**place.values(), **values})


async def looked_at(session: AsyncConnection, place: Place, run: UUID, ids: Sequence[int]) -> None:
    """The run has looked at these and left them as they are."""
    await session.execute(_LOOKED_AT, {**place.values(), "run": run, "ids": list(ids)})


async def analyze(session: AsyncConnection) -> None:
    """Has Postgres look at tables that just grew from nothing."""
    await session.execute(_ANALYZE)


def _record(row: Row[Any]) -> Record:
    return Record(
        id=row.remote_id,
        fields=Fields.of(row.fields),
        number=row.extra.get("number", ""),
        groups=tuple(row.extra.get("groups", ())),
        made_from=row.extra.get("made_from"),
        gone=row.gone,
    )
