"""The three-way merge of one contact, field by field. Pure.

The base is what both sides held when they last agreed on a field. Changed on one side: copied to the other, also when
it was emptied, for that is what the person did. Changed on both to different values: the policy decides, or a person.
Without a base, which is the first time two contacts meet, an empty field is filled and never empties a filled one.
Two different addresses are one thing to decide: the number of one is nothing to fill into the other.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Literal

from app.capabilities.contacts.fields import ADDRESS, NAME, NAMES, Fields, Side, canonical, same

Policy = Literal["arcavis", "bexio", "ask"]
NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Base:
    """What each side held of a field when they last agreed on it. A field that is missing here has no base yet."""

    arcavis: Mapping[str, str] = field(default_factory=dict[str, str])
    bexio: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Clash:
    """One field with the values that exclude each other."""

    arcavis: str
    bexio: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What to write on each side, what a person must decide, and the base once the writes are done.

    `postponed` are fields whose copying the caller did not allow now: their base stays as it was.
    """

    to_arcavis: Mapping[str, str]
    to_bexio: Mapping[str, str]
    conflicts: Mapping[str, Clash]
    postponed: frozenset[str]
    base: Base

    @property
    def writes(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.to_arcavis or self.to_bexio)


@dataclass(slots=True)
class _Merging:
    base: Base
    writable: Collection[Side]
    to_arcavis: dict[str, str] = field(default_factory=dict[str, str])
    to_bexio: dict[str, str] = field(default_factory=dict[str, str])
    conflicts: dict[str, Clash] = field(default_factory=dict[str, Clash])
    postponed: set[str] = field(default_factory=set[str])
    new_arcavis: dict[str, str] = field(default_factory=dict[str, str])
    new_bexio: dict[str, str] = field(default_factory=dict[str, str])

    def agree(self, name: str, arcavis: str, bexio: str) -> None:
        self.new_arcavis[name], self.new_bexio[name] = arcavis, bexio

    def copy(self, name: str, side: Side, value: str) -> None:
        """To the side that shall have the value."""
        if side not in self.writable:
            self.postpone(name)
            return
        target = self.to_arcavis if side == "arcavis" else self.to_bexio
        target[name] = value
        self.agree(name, value, value)

    def postpone(self, name: str) -> None:
        self.postponed.add(name)
        self.keep_base(name)

    def keep_base(self, name: str) -> None:
        for old, new in ((self.base.arcavis, self.new_arcavis), (self.base.bexio, self.new_bexio)):
            new.pop(name, None)
            if name in old:
                new[name] = old[name]

    def clash(self, name: str, clash: Clash, policy: Policy) -> None:
        if policy == "ask":
            self.conflicts[name] = clash
            self.keep_base(name)
        elif policy == "arcavis":
            self.copy(name, "bexio", clash.arcavis)
        else:
            self.copy(name, "arcavis", clash.bexio)


def merge(
    base: Base,
    arcavis: Fields,
    bexio: Fields,
    policy: Policy,
    *,
    writable: Collection[Side] = ("arcavis", "bexio"),
    apart: Collection[str] = NOTHING,
) -> Merged:
    """Merges two contacts. `apart` are fields that one side cannot hold as they are: each keeps its own."""
    work = _Merging(base, writable)
    mine, theirs = arcavis.values(), bexio.values()
    whole = _addresses_exclude_each_other(base, mine, theirs)
    for name in NAMES:
        now = Clash(mine[name], theirs[name])
        if name in apart:
            work.agree(name, now.arcavis, now.bexio)
        elif whole and name in ADDRESS:
            _as_a_whole(work, name, now, policy)
        else:
            _one(work, name, now, policy)
    for group in (NAME, ADDRESS):
        if group.isdisjoint(work.conflicts.keys() | work.postponed):
            _bring_in_form(work, group, arcavis, bexio)
    _hold_half_an_address_back(work, arcavis, bexio)
    return Merged(
        work.to_arcavis,
        work.to_bexio,
        work.conflicts,
        frozenset(work.postponed),
        Base(work.new_arcavis, work.new_bexio),
    )


def _bring_in_form(work: _Merging, group: frozenset[str], arcavis: Fields, bexio: Fields) -> None:
    """Fields that hang together end in a form that both systems take: each side may have given a part of them."""
    if group.isdisjoint(work.to_arcavis.keys() | work.to_bexio.keys()):
        return
    sides: tuple[tuple[Side, Fields, dict[str, str], dict[str, str]], ...] = (
        ("arcavis", arcavis, work.to_arcavis, work.new_arcavis),
        ("bexio", bexio, work.to_bexio, work.new_bexio),
    )
    for side, before, writes, base in sides:
        if side in work.writable:
            formed = canonical(before.with_values(writes)).values()
            for name in group:
                base[name] = formed[name]
                writes.pop(name, None)
                if formed[name] != getattr(before, name):
                    writes[name] = formed[name]


def _hold_half_an_address_back(work: _Merging, arcavis: Fields, bexio: Fields) -> None:
    """What would leave an address that bexio refuses waits with the rest of it: a number without its street."""
    for before, writes in ((arcavis, work.to_arcavis), (bexio, work.to_bexio)):
        after = before.with_values(writes)
        formed = canonical(after)
        if any(getattr(after, name) != getattr(formed, name) for name in ADDRESS):
            for name in ADDRESS & writes.keys():
                del writes[name]
                work.postpone(name)


def _addresses_exclude_each_other(base: Base, mine: Mapping[str, str], theirs: Mapping[str, str]) -> bool:
    """Whether a part of the address excludes the other side's, and they are not in the same street anyway."""
    if same("street", mine["street"], theirs["street"]):
        return False
    return any(_clashes(base, name, Clash(mine[name], theirs[name])) for name in ADDRESS)


def _clashes(base: Base, name: str, now: Clash) -> bool:
    asked = _Merging(base, ())
    _one(asked, name, now, "ask")
    return name in asked.conflicts


def _as_a_whole(work: _Merging, name: str, now: Clash, policy: Policy) -> None:
    if same(name, now.arcavis, now.bexio):
        work.agree(name, now.arcavis, now.bexio)
    else:
        work.clash(name, now, policy)


def _one(work: _Merging, name: str, now: Clash, policy: Policy) -> None:
    if name in work.base.arcavis and name in work.base.bexio:
        _with_base(work, name, now, policy)
    else:
        _first(work, name, now, policy)


def _with_base(work: _Merging, name: str, now: Clash, policy: Policy) -> None:
    here = now.arcavis != work.base.arcavis[name]
    there = now.bexio != work.base.bexio[name]
    if not (here or there):
        work.keep_base(name)
    elif now.arcavis == now.bexio or (here and there and same(name, now.arcavis, now.bexio)):
        work.agree(name, now.arcavis, now.bexio)
    elif here and there:
        work.clash(name, now, policy)
    elif here:
        work.copy(name, "bexio", now.arcavis)
    else:
        work.copy(name, "arcavis", now.bexio)


def _first(work: _Merging, name: str, now: Clash, policy: Policy) -> None:
    if same(name, now.arcavis, now.bexio):
        work.agree(name, now.arcavis, now.bexio)
    elif not now.bexio:
        work.copy(name, "bexio", now.arcavis)
    elif not now.arcavis:
        work.copy(name, "arcavis", now.bexio)
    else:
        work.clash(name, now, policy)
