"""Faults that can be switched on: what goes wrong, and which requests it strikes."""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import cast

from sandbox.bexio.errors import BadRequest
from sandbox.bexio.values import Record, decimal_of


class Mode(StrEnum):
    """What goes wrong."""

    LATENCY = "latency"
    """the answer comes `seconds` late"""
    TIMEOUT_AFTER_WRITE = "timeout_after_write"
    """done at once, answered only after `seconds`"""
    LATE_LANDING = "late_landing"
    """done after `seconds`, also when the client has gone by then"""
    ERROR_AFTER_WRITE = "error_after_write"
    """done, then 500"""
    ERROR_BEFORE = "error_before"
    """500, nothing done"""
    PARTIAL_500 = "partial_500"
    """a document is saved with the first half of its positions, a list of contacts up to its half, then 500;
    anything else as ERROR_AFTER_WRITE"""
    STORM_429 = "storm_429"
    """429, nothing done; `seconds` is what `RateLimit-Reset` tells"""
    UNAVAILABLE_503 = "unavailable_503"
    """503, nothing done"""
    FORBIDDEN_403 = "forbidden_403"
    """403, nothing done: as for what a record's state does not allow"""
    RESET = "reset"
    """done, then the connection breaks without an answer"""
    HTML = "html"
    """502 with the CDN's HTML page, nothing done"""
    HALF_PAGE = "half_page"
    """done; the JSON ends in its middle"""
    SLOW_BODY = "slow_body"
    """done; the body drips over `seconds`"""
    REPEATED_ROW = "repeated_row"
    """a page after the first begins with the last row of the page before, as when a row appeared while paging"""


@dataclass(slots=True)
class Rule:
    """A fault and the requests that it strikes.

    Empty `method`, `path` (a regular expression searched in the path), `company_id` and `body` (a part of the request's
    body) match everything. It strikes `times` requests, or all when None; with a `probability`, each matching request
    by chance (from `seed`).
    """

    mode: Mode
    method: str = ""
    path: str = ""
    company_id: str = ""
    times: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    seed: int = 0
    body: str = ""
    struck: int = 0
    _chance: random.Random = field(init=False, repr=False)
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._pattern = re.compile(self.path)

    def strikes(self, method: str, path: str, company_id: str | None, body: bytes = b"") -> bool:
        """Whether this request is struck; counted if so."""
        if self.times is not None and self.struck >= self.times:
            return False
        if self.method not in {"", method} or not self._pattern.search(path):
            return False
        if self.company_id not in {"", company_id} or self.body.encode() not in body:
            return False
        if self.probability < 1 and self._chance.random() >= self.probability:
            return False
        self.struck += 1
        return True

    def report(self) -> Record:
        """As the control API shows it."""
        return {
            "mode": self.mode.value,
            "method": self.method,
            "path": self.path,
            "company_id": self.company_id,
            "times": self.times,
            "probability": self.probability,
            "seconds": self.seconds,
            "seed": self.seed,
            "body": self.body,
            "struck": self.struck,
        }


def read_rule(given: Mapping[str, object]) -> Rule:
    """A rule from the control API's JSON.

    Raises:
        BadRequest: for an unknown mode or field, or a wrong value.
    """
    known = {"mode", "method", "path", "company_id", "times", "probability", "seconds", "seed", "body"}
    if set(given) - known or given.get("mode") not in set(Mode):
        raise BadRequest(f"a rule has {', '.join(sorted(known))}; mode is one of {', '.join(Mode)}")
    times = given.get("times")
    try:
        return Rule(
            Mode(cast("str", given["mode"])),
            method=str(given.get("method") or "").upper(),
            path=str(given.get("path") or ""),
            company_id=str(given.get("company_id") or ""),
            times=None if times is None else int(decimal_of(times)),
            probability=float(decimal_of(given.get("probability", 1))),
            seconds=float(decimal_of(given.get("seconds", 0))),
            seed=int(decimal_of(given.get("seed", 0))),
            body=str(given.get("body") or ""),
        )
    except (ValueError, re.error) as error:
        raise BadRequest(f"not a rule: {error}") from None


class Faults:
    """The rules that are switched on, in order; the first that strikes a request decides."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []

    def add(self, rule: Rule) -> Rule:
        """Switch a fault on."""
        self.rules.append(rule)
        return rule

    def clear(self) -> None:
        """Switch all faults off."""
        self.rules.clear()

    def take(self, method: str, path: str, company_id: str | None, body: bytes = b"") -> Rule | None:
        """The rule that strikes this request."""
        return next((rule for rule in self.rules if rule.strikes(method, path, company_id, body)), None)
