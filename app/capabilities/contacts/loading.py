"""From records that changed to cases: their links, their partners, and who on the other side could be one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import pairs, records
from app.capabilities.contacts.cases import Case, is_grouped, kinds_to_look_for
from app.capabilities.contacts.fields import KINDS, Kind
from app.capabilities.contacts.matching import Alone, Ask, Held, Link, Neighbourhood, for_arcavis, for_bexio
from app.capabilities.contacts.pairs import Pair
from app.capabilities.contacts.records import Found, Place, Record
from app.capabilities.parties.evidence import Candidate, keys

T = TypeVar("T")

# What many strangers may share. Under a name or a number, too many are too many to be sure.
_SHARED = ("m:", "p:", "a:")


@dataclass(frozen=True, slots=True)
class Question:
    """An Arcavis contact of which a person must say which bexio contact it is."""

    kind: Kind
    record: Record
    candidates: tuple[Candidate, ...]


@dataclass(slots=True)
class Batch:
    """Changed records of one side, sorted by what is to be done.

    `linked` have a partner, `alone` nobody who could be one, `held` wait for a person to answer the `questions`, `idle`
    need nothing.
    """

    linked: list[Case] = field(default_factory=list[Case])
    alone: list[Case] = field(default_factory=list[Case])
    questions: list[Question] = field(default_factory=list[Question])
    held: list[Record] = field(default_factory=list[Record])
    idle: list[Record] = field(default_factory=list[Record])


async def of_arcavis(session: AsyncConnection, tenant: UUID, kind: Kind, rows: Sequence[Record]) -> Batch:
    """Changed Arcavis contacts."""
    known = await pairs.by_arcavis(session, tenant, kind, [row.id for row in rows])
    bexio = Place(tenant, "bexio")
    partners = await records.by_id(session, bexio, [pair.bexio_id for pair in known.values() if pair.bexio_id])
    batch, lonely = Batch(), list[Record]()
    for row in rows:
        pair = known.get(row.id)
        if pair is None or pair.state == "resolving":
            (batch.idle if row.gone else lonely).append(row)
        elif pair.alias or pair.bexio_id is None:
            batch.idle.append(row)
        else:
            batch.linked.append(Case(kind, row, partners.get(pair.bexio_id), pair))
    near = await around_arcavis(session, tenant, kind, lonely)
    decisions = {row.id: for_arcavis(row.id, near) for row in lonely}
    links = [decision for decision in decisions.values() if isinstance(decision, Link)]
    partners = await records.by_id(session, bexio, [link.bexio_id for link in links])
    for row in lonely:
        match decisions[row.id]:
            case Link(bexio_id=bexio_id, reasons=reasons):
                batch.linked.append(Case(kind, row, partners[bexio_id], None, reasons))
            case Ask(candidates=candidates):
                batch.questions.append(Question(kind, row, candidates))
                batch.held.append(row)
            case Alone():
                batch.alone.append(Case(kind, row))
    return batch


async def of_bexio(session: AsyncConnection, tenant: UUID, rows: Sequence[Record], groups: Mapping[Kind, int]) -> Batch:
    """Changed bexio contacts, for each kind that they are or shall be in Arcavis."""
    known = await pairs.by_bexio(session, tenant, [row.id for row in rows])
    batch = Batch()
    unlinked: dict[Kind, list[Record]] = {kind: [] for kind in KINDS}
    for kind in KINDS:
        arcavis_ids = [pair.arcavis_id for (one, _), pair in known.items() if one == kind]
        partners = await records.by_id(session, Place(tenant, "arcavis", kind), arcavis_ids)
        for row in rows:
            pair = known.get((kind, row.id))
            if pair is not None:
                batch.linked.append(Case(kind, partners.get(pair.arcavis_id), row, pair))
    for row in rows:
        linked: list[Kind] = [kind for kind in KINDS if (kind, row.id) in known]
        open_: list[Kind] = [kind for kind in kinds_to_look_for(row, groups, linked) if kind not in linked]
        if row.gone:
            open_ = []
        for kind in open_:
            unlinked[kind].append(row)
        if not linked and not open_:
            batch.idle.append(row)
    await _find_partners(session, tenant, batch, unlinked, groups)
    return batch


async def _find_partners(
    session: AsyncConnection,
    tenant: UUID,
    batch: Batch,
    unlinked: Mapping[Kind, Sequence[Record]],
    groups: Mapping[Kind, int],
) -> None:
    """Sorts bexio contacts that lack a link of a kind. One in no group becomes a customer unless it is a supplier."""
    decided: dict[int, dict[Kind, Link | Held | Alone]] = {}
    found: dict[Kind, dict[int, Record]] = {}
    rows: dict[int, Record] = {}
    for kind, lonely in unlinked.items():
        near = await around_bexio(session, tenant, kind, lonely)
        for row in lonely:
            rows[row.id] = row
            decided.setdefault(row.id, {})[kind] = for_bexio(row.id, near)
        found[kind] = await records.by_id(session, Place(tenant, "arcavis", kind), near.arcavis)
    for identity, decisions in decided.items():
        row = rows[identity]
        for kind, decision in decisions.items():
            if isinstance(decision, Link):
                batch.linked.append(Case(kind, found[kind][decision.arcavis_id], row, None, decision.reasons))
            elif isinstance(decision, Held):
                asked = [Question(kind, found[kind][one], some) for one, some in decision.asked.items()]
                batch.questions += asked
        if any(isinstance(decision, Held) for decision in decisions.values()):
            batch.held.append(row)
        lacking: list[Kind] = [kind for kind, decision in decisions.items() if isinstance(decision, Alone)]
        if not is_grouped(row, groups):
            lacking = lacking[:1] if len(lacking) == len(decisions) else []
        batch.alone += [Case(kind, None, row) for kind in lacking]


async def around_arcavis(session: AsyncConnection, tenant: UUID, kind: Kind, rows: Iterable[Record]) -> Neighbourhood:
    """Everybody who could be one of these Arcavis contacts, and who else could be them."""
    own = {row.id: row for row in rows}
    own_keys = {one: keys(row.party) for one, row in own.items()}
    found = await records.by_key(session, Place(tenant, "bexio"), _all(own_keys.values()))
    near_arcavis = {one: _under(found, some) for one, some in own_keys.items()}
    bexio = await _living(session, Place(tenant, "bexio"), _all(near_arcavis.values()))
    bexio_keys = {one: keys(row.party) for one, row in bexio.items()}
    others = await records.by_key(session, Place(tenant, "arcavis", kind), _all(bexio_keys.values()))
    near_bexio = {one: _under(others, some) for one, some in bexio_keys.items()}
    arcavis = own | await unlinked(session, tenant, kind, _all(near_bexio.values()) - own.keys())
    taken = await pairs.by_bexio(session, tenant, bexio)
    return Neighbourhood(
        arcavis={one: row.party for one, row in arcavis.items()},
        bexio={one: row.party for one, row in bexio.items()},
        near_arcavis={one: ids & bexio.keys() for one, ids in near_arcavis.items()},
        near_bexio={one: ids & arcavis.keys() for one, ids in near_bexio.items()},
        taken={one for (of_kind, one), pair in taken.items() if of_kind == kind and pair.linked},
        crowded={one for one, some in own_keys.items() if _telling(some) & found.crowded},
    )


async def around_bexio(session: AsyncConnection, tenant: UUID, kind: Kind, rows: Sequence[Record]) -> Neighbourhood:
    """Everybody of a kind who could be one of these bexio contacts, and who else could be them."""
    wanted = _all(keys(row.party) for row in rows)
    found = await records.by_key(session, Place(tenant, "arcavis", kind), wanted)
    ids = {one for ids in found.ids.values() for one in ids}
    return await around_arcavis(session, tenant, kind, (await unlinked(session, tenant, kind, ids)).values())


async def unlinked(session: AsyncConnection, tenant: UUID, kind: Kind, ids: Iterable[int]) -> dict[int, Record]:
    """The living Arcavis contacts among these that have no link."""
    wanted = set(ids)
    known = await pairs.by_arcavis(session, tenant, kind, wanted) if wanted else dict[int, Pair]()
    free = {one for one in wanted if one not in known or known[one].state == "resolving"}
    return await _living(session, Place(tenant, "arcavis", kind), free)


async def _living(session: AsyncConnection, place: Place, ids: Iterable[int]) -> dict[int, Record]:
    found = await records.by_id(session, place, ids)
    return {one: row for one, row in found.items() if not row.gone}


def _under(found: Found, some: frozenset[str]) -> set[int]:
    """The ids under these keys, but for keys that many strangers share."""
    ids: defaultdict[str, tuple[int, ...]] = defaultdict(tuple, found.ids)
    told = [key for key in some if key not in found.crowded or not key.startswith(_SHARED)]
    return {one for key in told for one in ids[key]}


def _telling(some: frozenset[str]) -> frozenset[str]:
    return frozenset(key for key in some if not key.startswith(_SHARED))


def _all(sets: Iterable[Iterable[T]]) -> set[T]:
    return {one for some in sets for one in some}
