"""Which contacts of the two systems are the same, seen from both sides at once. Pure.

A contact may be linked only when each of the two is the other's one candidate. Two Arcavis customers that both look
like one bexio contact, or the other way round, are for a person to tell apart.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from app.capabilities.parties.evidence import CERTAIN, Candidate, Party, Unclear, Unknown, decide, weigh

MOST_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class Link:
    """These two are the same, and why."""

    arcavis_id: int
    bexio_id: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ask:
    """A person must say which of these bexio contacts the Arcavis contact is, if any. None: too many to look at."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """These Arcavis contacts could be it, each with all its candidates: until that is decided it stays where it is."""

    asked: Mapping[int, tuple[Candidate, ...]]


@dataclass(frozen=True, slots=True)
class Alone:
    """Nobody on the other side could be it."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Arcavis contacts of one kind that have no link, bexio contacts, and who of them shares a key with whom.

    `taken` are bexio contacts that have a link of this kind; `crowded` Arcavis contacts with more candidates than
    can be looked at.
    """

    arcavis: Mapping[int, Party]
    bexio: Mapping[int, Party]
    near_arcavis: Mapping[int, Collection[int]]
    near_bexio: Mapping[int, Collection[int]]
    taken: Collection[int] = frozenset()
    crowded: Collection[int] = frozenset()


def for_arcavis(arcavis_id: int, near: Neighbourhood) -> Link | Ask | Alone:
    """What becomes of an Arcavis contact without a link."""
    me = near.arcavis[arcavis_id]
    decision = decide(me, [(one, near.bexio[one]) for one in sorted(near.near_arcavis.get(arcavis_id, ()))])
    if isinstance(decision, Unclear):
        return Ask(best(decision.candidates))
    if isinstance(decision, Unknown):
        return Ask(()) if arcavis_id in near.crowded else Alone()
    chosen = decision.candidate
    sure = chosen.bexio_id not in near.taken and arcavis_id not in near.crowded
    if sure and not _has_rivals(chosen, arcavis_id, near):
        return Link(arcavis_id, chosen.bexio_id, chosen.reasons)
    return Ask((chosen,))


def for_bexio(bexio_id: int, near: Neighbourhood) -> Link | Held | Alone:
    """What becomes of a bexio contact without a link of this kind."""
    asked: dict[int, tuple[Candidate, ...]] = {}
    for arcavis_id in sorted(near.near_bexio.get(bexio_id, ())):
        decision = for_arcavis(arcavis_id, near)
        if isinstance(decision, Link) and decision.bexio_id == bexio_id:
            return decision
        if isinstance(decision, Ask) and any(one.bexio_id == bexio_id for one in decision.candidates):
            asked[arcavis_id] = decision.candidates
    return Held(asked) if asked else Alone()


def _has_rivals(chosen: Candidate, arcavis_id: int, near: Neighbourhood) -> bool:
    """Whether another Arcavis contact could be the chosen bexio contact with as much right."""
    contact = near.bexio[chosen.bexio_id]
    for other in near.near_bexio.get(chosen.bexio_id, ()):
        candidate = weigh(near.arcavis[other], contact, chosen.bexio_id) if other != arcavis_id else None
        if candidate is not None and (candidate.strong or (candidate.facts >= chosen.facts and chosen.facts < CERTAIN)):
            return True
    return False


def best(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """The candidates to show, the likeliest first."""
    ranked = sorted(candidates, key=lambda one: (not one.strong, -one.facts, one.bexio_id))
    return tuple(ranked[:MOST_CANDIDATES])
