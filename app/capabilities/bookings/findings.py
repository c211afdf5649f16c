"""What a plan has to say to people: a code of the catalogue, the days and receipts it is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Literal

Severity = Literal["error", "warning", "info"]

MOST_EXAMPLES = 10
# What differs from day to day and tells nothing apart.
_OF_ONE_DAY = frozenset({"day", "amount", "receipts"})
_RANKS: Mapping[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass(frozen=True, slots=True)
class Example:
    """A receipt that shows what is meant."""

    id: str
    number: str


@dataclass(frozen=True, slots=True)
class Finding:
    """An `error` holds its days: nothing of them is posted. `about` names rules, settings or accounts.

    `count` is how many receipts it is about in all, of which `examples` are the first.
    """

    code: str
    severity: Severity
    days: tuple[date, ...] = ()
    about: tuple[str, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict[str, str])
    examples: tuple[Example, ...] = ()
    count: int = 0


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """The same finding of several days as one, the worst first, then by code and day.

    A text that names its day names the first one; amounts are added up, receipts listed one after the other.
    """
    known: dict[tuple[str, Severity, tuple[tuple[str, str], ...], tuple[str, ...]], Finding] = {}
    for finding in findings:
        said = tuple(sorted((name, value) for name, value in finding.params.items() if name not in _OF_ONE_DAY))
        key = (finding.code, finding.severity, said, finding.about)
        before = known.get(key)
        known[key] = finding if before is None else _together(before, finding)
    return sorted(known.values(), key=lambda one: (_RANKS[one.severity], one.code, one.days, one.about))


def _together(one: Finding, other: Finding) -> Finding:
    return replace(
        one,
        params={**one.params, **_sums(one, other)},
        days=tuple(sorted({*one.days, *other.days})),
        examples=(*one.examples, *other.examples)[:MOST_EXAMPLES],
        count=one.count + other.count,
    )


def _sums(one: Finding, other: Finding) -> dict[str, str]:
    said: dict[str, str] = {}
    if "amount" in one.params:
        said["amount"] = str(Decimal(one.params["amount"]) + Decimal(other.params["amount"]))
    if "receipts" in one.params:
        named = one.params["receipts"]
        if len(one.examples) < MOST_EXAMPLES:
            said["receipts"] = f"{named}, {other.params['receipts']}"
        elif not named.endswith("…"):
            said["receipts"] = f"{named}, …"
    return said
