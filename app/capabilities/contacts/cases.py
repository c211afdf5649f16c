"""One contact in both systems, and what is to be done about it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from app.capabilities.contacts.fields import KINDS, Fields, Kind, Side
from app.capabilities.contacts.mapping import Problem, Vocabulary, apart, problem_in_arcavis, problem_in_bexio
from app.capabilities.contacts.merge import Base, Clash, Merged, Policy, merge
from app.capabilities.contacts.pairs import GROUP, Pair
from app.capabilities.contacts.records import Record

SIDES: tuple[Side, ...] = ("arcavis", "bexio")
DELETED, ARCHIVED, LEFT = "deleted-in-arcavis", "archived-in-bexio", "left-its-group"


@dataclass(frozen=True, slots=True)
class Case:
    """A linked contact with its record on each side, or one that has no partner (yet)."""

    kind: Kind
    arcavis: Record | None = None
    bexio: Record | None = None
    pair: Pair | None = None
    reasons: tuple[str, ...] = ()

    @property
    def is_first(self) -> bool:
        """Whether the two never agreed on anything."""
        return self.pair is None or not self.pair.base.arcavis


@dataclass(frozen=True, slots=True)
class Leave:
    """The link no longer counts; the other side is left alone."""

    reason: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a merge comes to. `groups` are all groups of the contact in bexio when they are to be changed."""

    merged: Merged
    arcavis_after: Fields
    bexio_after: Fields
    base: Base
    groups: tuple[int, ...] | None = None
    problem: Problem | None = None

    def with_base(self, base: Base) -> Step:
        """The same with the base as the answers told it."""
        return replace(self, base=base)

    @property
    def to_bexio(self) -> bool:
        """Whether something is to be written there."""
        return bool(self.merged.to_bexio) or self.groups is not None

    @property
    def writes(self) -> bool:
        """Whether something is to be written anywhere."""
        return self.to_bexio or bool(self.merged.to_arcavis)

    @property
    def postponed(self) -> frozenset[Side]:
        """Sides whose changes wait for a run that may copy them."""
        if self.problem is not None:
            return frozenset()
        return frozenset(side for name in self.merged.postponed for side in _changed_sides(name, self))


def kinds_to_look_for(record: Record, groups: Mapping[Kind, int], linked: Collection[Kind]) -> tuple[Kind, ...]:
    """As what a bexio contact may be in Arcavis: as its groups say, else as what it is linked, else as either."""
    told: tuple[Kind, ...] = tuple(kind for kind in KINDS if groups.get(kind) in record.groups)
    return told or tuple(kind for kind in KINDS if kind in linked) or KINDS


def is_grouped(record: Record, groups: Mapping[Kind, int]) -> bool:
    """Whether somebody said in bexio as what the contact counts."""
    return any(identity in record.groups for identity in groups.values())


def parting(case: Case, groups: Mapping[Kind, int]) -> str | None:
    """Why the two no longer belong together, or None."""
    if case.arcavis is None or case.arcavis.gone:
        return DELETED
    if case.bexio is None or case.bexio.gone:
        return ARCHIVED
    group = groups.get(case.kind)
    was_in = case.pair.base.bexio.get(GROUP) if case.pair else None
    if group is not None and was_in == str(group) and group not in case.bexio.groups:
        return LEFT
    return None


def step(case: Case, policy: Policy, writable: Collection[Side], vocabulary: Vocabulary) -> Step:
    """Merges the two sides of a case. What one system would refuse is not sent there: it becomes a problem."""
    if case.arcavis is None or case.bexio is None:
        raise ValueError("there is nothing to merge")
    planned = _merged(case, policy, writable, vocabulary)
    problem, refusing = _problem(planned, vocabulary)
    if problem is None or refusing is None:
        return planned
    rest = _merged(case, policy, tuple(side for side in writable if side != refusing), vocabulary)
    return replace(rest, problem=problem)


def _merged(case: Case, policy: Policy, writable: Collection[Side], vocabulary: Vocabulary) -> Step:
    arcavis, bexio = _records(case)
    base = case.pair.base if case.pair else Base()
    unlike = apart(arcavis.fields, vocabulary)
    merged = merge(base, arcavis.fields, bexio.fields, policy, writable=writable, apart=unlike)
    groups = _groups(case, vocabulary.groups) if "bexio" in writable else None
    group = vocabulary.groups.get(case.kind)
    is_in = group in (groups if groups is not None else bexio.groups)
    kept = {GROUP: str(group) if group is not None and is_in else ""}
    return Step(
        merged=merged,
        arcavis_after=arcavis.fields.with_values(merged.to_arcavis),
        bexio_after=bexio.fields.with_values(merged.to_bexio),
        base=Base(merged.base.arcavis, {**merged.base.bexio, **kept}),
        groups=groups,
    )


def _records(case: Case) -> tuple[Record, Record]:
    if case.arcavis is None or case.bexio is None:
        raise ValueError("there is nothing to merge")
    return case.arcavis, case.bexio


def _groups(case: Case, groups: Mapping[Kind, int]) -> tuple[int, ...] | None:
    """All groups that a bexio contact shall have once it is linked; None when they are right already.

    A contact in no group counts as a customer: thousands of contacts are not written just to say so.
    """
    _, bexio = _records(case)
    group = groups.get(case.kind)
    told_before = case.pair is not None and GROUP in case.pair.base.bexio
    if group is None or group in bexio.groups or told_before:
        return None
    if case.kind == "customer" and not is_grouped(bexio, groups):
        return None
    return (*bexio.groups, group)


def _problem(planned: Step, vocabulary: Vocabulary) -> tuple[Problem | None, Side | None]:
    if planned.merged.to_bexio and (problem := problem_in_bexio(planned.bexio_after, vocabulary)):
        return problem, "bexio"
    if planned.merged.to_arcavis and (problem := problem_in_arcavis(planned.arcavis_after)):
        return problem, "arcavis"
    return None, None


def _changed_sides(name: str, planned: Step) -> tuple[Side, ...]:
    """On which sides a field was changed that could not be copied: the other one was not writable.

    Without a base nobody knows who changed it, but an empty value is none that waits to be copied.
    """
    base = planned.merged.base
    here, there = getattr(planned.arcavis_after, name), getattr(planned.bexio_after, name)
    if name in base.arcavis and name in base.bexio:
        told = {"arcavis": here != base.arcavis[name], "bexio": there != base.bexio[name]}
    else:
        told = {"arcavis": bool(here), "bexio": bool(there)}
    return tuple(side for side in SIDES if told[side])


def clashes(conflicts: Mapping[str, Clash]) -> dict[str, dict[str, str]]:
    """Conflicts as they are stored and shown."""
    return {name: {"arcavis": clash.arcavis, "bexio": clash.bexio} for name, clash in conflicts.items()}
