"""Interleaved rounds in random order, with the floor twice in each: ratios that a noisy machine cannot fake.

A round runs every variant once. Rounds in which others used the machine are run again, and the cleanest are kept.
A series whose two floors differ in the median by more than `TOLERANCE` is void.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from statistics import median

import structlog

from benchmarks.machine import QUIET, Meter

FLOOR, AGAIN = "floor", "floor again"
TOLERANCE = (0.85, 1.18)

_log = structlog.get_logger("rounds")

Sample = Mapping[str, float]
"""The figures of one run by name."""
Run = Callable[[], Awaitable[Sample]]


class Void(Exception):
    """The floor differs from itself: the machine is too noisy for any figure of this series."""


@dataclass(frozen=True, slots=True)
class Round:
    """One run of every variant, and the largest part of the machine that others used in one of them."""

    samples: Mapping[str, Sample]
    foreign: float


@dataclass(frozen=True, slots=True)
class Series:
    """The rounds that are kept, of `ran` rounds."""

    rounds: list[Round]
    ran: int
    by: str
    foreign: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "foreign", median(each.foreign for each in self.rounds))

    def value(self, variant: str, figure: str) -> float:
        """The median of a figure."""
        return median(each.samples[variant][figure] for each in self.rounds)

    def ratio(self, variant: str, figure: str, against: str = FLOOR) -> float:
        """The median over the rounds of a variant's figure to the floor's, which is the mean of its two runs."""
        return median(each.samples[variant][figure] / _base(each, figure, against) for each in self.rounds)

    @property
    def a_a(self) -> float:
        """The floor against itself."""
        return median(each.samples[AGAIN][self.by] / each.samples[FLOOR][self.by] for each in self.rounds)

    def check(self) -> None:
        """Raises `Void` when the floor differs from itself."""
        low, high = TOLERANCE
        if not low <= self.a_a <= high:
            raise Void(f"A/A of {self.by} is {self.a_a:.2f}, outside {low} to {high}.")


def _base(round_: Round, figure: str, against: str) -> float:
    if against != FLOOR:
        return round_.samples[against][figure]
    return (round_.samples[FLOOR][figure] + round_.samples[AGAIN][figure]) / 2


async def interleave(variants: Mapping[str, Run], meter: Meter, *, rounds: int, by: str, random: Random) -> Series:
    """Runs rounds until `rounds` of them were undisturbed, at most twice as many, and keeps the cleanest.

    `variants` holds the floor as FLOOR and AGAIN; `by` is the figure that A/A compares.
    """
    done: list[Round] = []
    while len(done) < 2 * rounds and sum(each.foreign <= QUIET for each in done) < rounds:
        await meter.wait_until_quiet()
        done.append(await _round(variants, meter, random))
        _log.info("round", number=len(done), foreign=round(done[-1].foreign, 2), **_told(done[-1], by))
    return Series(sorted(done, key=lambda each: each.foreign)[:rounds], len(done), by)


def _told(done: Round, by: str) -> dict[str, float]:
    return {name: round(sample[by], 2) for name, sample in done.samples.items() if by in sample}


async def _round(variants: Mapping[str, Run], meter: Meter, random: Random) -> Round:
    samples: dict[str, Sample] = {}
    foreign = 0.0
    for name in random.sample(list(variants), len(variants)):
        meter.start()
        samples[name] = await variants[name]()
        foreign = max(foreign, meter.foreign())
    return Round(samples, foreign)
