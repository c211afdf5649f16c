"""Importing very many contacts and articles: what it asks of bexio, costs in CPU and keeps in memory.

At two sizes, on databases that were never analysed, so that whatever grows faster than the rows do shows. Beside it a
loop that does one request for each record, as interfaces of this kind often do.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import naive
from benchmarks.report import Figure, Result
from benchmarks.shops import MONTH_DAYS, SLUG, Counts, Field, open_field
from benchmarks.stage import Stage

POLL_SECONDS = 0.25
MOST_SECONDS = 3600.0
SAMPLE = 1000
"""How many records the naive loop and ours do, when both answer slowly."""
SLOWNESS = 0.02
ROWS_PER_PAGE = 2000
DECREASING = "figures that went back while it ran"


@dataclass(frozen=True, slots=True)
class Kind:
    """What is imported: the path of the API, bexio's name for it, and how the simulator makes many."""

    name: str
    resource: str
    seed: str
    body: Mapping[str, Any]
    already: int
    """how many the shop has before"""


CONTACTS = Kind("contacts", "contact", "seed-people", {"seed": 1, "age_days": MONTH_DAYS}, 66)
ARTICLES = Kind("articles", "article", "seed-articles", {"seed": 1}, 42)


@dataclass(frozen=True, slots=True)
class Run:
    """One import: seconds, CPU microseconds for each row, requests, and how often its figures went back."""

    seconds: float
    cpu: float
    counts: Counts
    figures: Mapping[str, int]
    went_back: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A first and a second import of so many rows, and the most memory that they took, in MiB."""

    rows: int
    first: Run
    second: Run
    peak: float


async def measure(stage: Stage, kind: Kind, sizes: Sequence[int]) -> Result:
    """The import at each size, the smallest against the largest, and against the naive loop."""
    measured = [await _at(stage, kind, size) for size in sizes]
    small, large = measured[0], measured[-1]
    ours, theirs = await _against_naive(stage, kind)
    growth, more = large.first.cpu / small.first.cpu, large.peak - small.peak
    slower, asked = theirs.seconds / ours.seconds, theirs.bexio / max(ours.bexio, 1)
    figures = [
        Figure("CPU per row (service + Postgres), largest against smallest", growth, "x", 1.15, 1.0),
        Figure("peak memory, largest less smallest", more, "MiB", 50, 8),
        Figure("naive loop, seconds against ours, 20 ms a request", slower, "x", 6, 7.5, more_is_better=True),
        Figure("naive loop, requests to bexio against ours", asked, "x", more_is_better=True),
    ]
    for one in measured:
        figures += _figures(kind, one)
    return Result(kind.name, figures, [f"{one.rows:,} rows: {dict(one.first.figures)}" for one in measured])


def _figures(kind: Kind, one: Measured) -> list[Figure]:
    rows = one.rows + kind.already
    pages = rows // ROWS_PER_PAGE + 1
    told = f"{one.rows:,}:"
    again = one.second.counts.bexio_writes + one.second.counts.arcavis_writes
    return [
        Figure(f"{told} reads of bexio's list", one.first.counts.pages(kind.resource), "", pages + 1, pages),
        Figure(f"{told} requests to bexio per 10,000 rows", sum(one.first.counts.bexio.values()) * 10_000 / rows, ""),
        Figure(f"{told} writes to bexio", one.first.counts.bexio_writes, "", 0),
        Figure(f"{told} writes to Arcavis per row", one.first.counts.arcavis_writes / rows, "", 2.0, 1.0),
        Figure(f"{told} {DECREASING}", one.first.went_back + one.second.went_back, "", 0),
        Figure(f"{told} CPU per row", one.first.cpu, "us"),
        Figure(f"{told} rows per second", rows / one.first.seconds, "/s", more_is_better=True),
        Figure(f"{told} peak memory", one.peak, "MiB"),
        Figure(f"{told} second run, writes on both sides", again, "", 0),
        Figure(f"{told} second run, reads of bexio's list", one.second.counts.pages(kind.resource), ""),
        Figure(f"{told} second run, CPU per row", one.second.cpu, "us"),
    ]


async def _at(stage: Stage, kind: Kind, rows: int) -> Measured:
    async with open_field(stage) as field:
        await _fill(field, kind, rows)
        first = await _import(field, kind, rows)
        second = await _import(field, kind, rows)
        return Measured(rows, first, second, field.peak_mib())


async def _fill(field: Field, kind: Kind, rows: int) -> None:
    body = {"company": SLUG, "count": rows, **kind.body}
    (await field.bexio.post(f"/_sandbox/actions/{kind.seed}", json=body)).raise_for_status()


async def _import(field: Field, kind: Kind, rows: int) -> Run:
    await field.clear_counts()
    cpu, began = field.cpu_seconds(), time.monotonic()
    started = await field.service.post(f"/{kind.name}/import", json={})
    started.raise_for_status()
    run, went_back = await _finished(field, started.json()["id"])
    spent = (field.cpu_seconds() - cpu) * 1e6 / (rows + kind.already)
    return Run(time.monotonic() - began, spent, await field.counts(), run["counts"], went_back)


async def _finished(field: Field, run: str) -> tuple[dict[str, Any], int]:
    """The run when it is over, and how often one of its figures was smaller than before."""
    before: dict[str, int] = {}
    went_back = 0
    until = time.monotonic() + MOST_SECONDS
    while time.monotonic() < until:
        found = (await field.service.get(f"/runs/{run}")).raise_for_status().json()
        went_back += any(found["counts"].get(name, 0) < value for name, value in before.items())
        before = found["counts"]
        if found["state"] in {"done", "failed", "cancelled"}:
            if found["state"] != "done":
                raise RuntimeError(f"the run {found['state']}: {found['reason']}")
            return found, went_back
        await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError(f"the run did not end: {before}")


async def _against_naive(stage: Stage, kind: Kind) -> tuple[naive.Spent, naive.Spent]:
    """Ours and the naive loop, each on a field of its own that answers slowly."""
    async with open_field(stage) as field:
        await _fill(field, kind, SAMPLE)
        await field.slow_down(SLOWNESS)
        run = await _import(field, kind, SAMPLE)
        ours = naive.Spent(run.seconds, sum(run.counts.bexio.values()))
    async with open_field(stage) as field:
        await _fill(field, kind, SAMPLE)
        await field.slow_down(SLOWNESS)
        await field.clear_counts()
        seconds = await naive.import_all(field, kind.name, kind.resource)
        theirs = naive.Spent(seconds, sum((await field.counts()).bexio.values()))
    return ours, theirs
