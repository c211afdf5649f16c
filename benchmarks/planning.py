"""Planning a month of bookings: CPU per receipt line at two sizes, against a plain pass over the same rows, and memory.

Each size runs in a process of its own, so that its memory is its own; `python -m benchmarks.planning LINES` is one.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice
from time import process_time
from typing import Any

from app.capabilities.bookings.book import DayBook, Matches
from app.capabilities.bookings.entries import DayPlan
from app.capabilities.bookings.facts import Receipt
from app.capabilities.bookings.plan import plan_day, plan_hash
from app.capabilities.bookings.rules import holding_on
from benchmarks.report import Figure, Result
from tests.fixtures.bookings import INVOICE, Tills, rules, terms

FIRST, DAYS = date(2026, 10, 1), 31
SMALL, LARGE = 50_000, 500_000
BATCH = 500
RUNS = 3


@dataclass(frozen=True)
class Measured:
    """Seconds of CPU for all lines, and the most memory that the process ever held."""

    lines: int
    planning: float
    plain: float
    entries: int
    peak_mib: float


async def measure() -> Result:
    """Both sizes, several times in turn; the best of each counts."""
    found: dict[int, list[Measured]] = {SMALL: [], LARGE: []}
    for _ in range(RUNS):
        for lines, runs in found.items():
            runs.append(await _apart(lines))
    small, large = (min(runs, key=lambda one: one.planning / one.lines) for runs in found.values())
    plain = min(one.plain / one.lines for one in found[LARGE])
    growth = min(one.peak_mib for one in found[LARGE]) - min(one.peak_mib for one in found[SMALL])
    figures = [
        Figure(f"CPU per line, {LARGE:,} lines against {SMALL:,}", _each(large) / _each(small), "x", 1.1, 1.0),
        Figure(f"CPU per line, {LARGE:,} lines, against a plain pass", _each(large) / plain, "x"),
        Figure(f"CPU per line, {LARGE:,} lines", _each(large) * 1e6, "us"),
        Figure(f"memory, {LARGE:,} lines against {SMALL:,}", growth, "MiB", 8, 3),
    ]
    notes = [f"{one.lines:,} lines: {one.entries} entries, {one.peak_mib:.0f} MiB" for one in (small, large)]
    return Result("planning", figures, notes)


def _each(one: Measured) -> float:
    return one.planning / one.lines


async def _apart(lines: int) -> Measured:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.planning", str(lines), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError("The measured process failed.")
    told: dict[str, Any] = json.loads(output)
    return Measured(**told)


def run(wanted: int) -> Measured:
    """Plans a month of about so many lines and payments; receipts stream by in small batches."""
    on, by = terms(rounding_limit=Decimal(100_000)), rules()
    planning = plain = 0.0
    lines = entries = 0
    kept: list[DayPlan] = []
    for place in range(DAYS):
        day = FIRST + timedelta(days=place)
        matches = Matches(holding_on(by, day), on.ledger.vat.rate_class)
        book = DayBook(day, matches, INVOICE)
        stream, share = _receipts(day), wanted * (place + 1) // DAYS
        while lines < share and (batch := list(islice(stream, BATCH))):
            lines += sum(len(one.lines) + len(one.payments) for one in batch)
            began = process_time()
            _plain(batch)
            middle = process_time()
            for one in batch:
                book.add(one)
            planning += process_time() - middle
            plain += middle - began
        began = process_time()
        plan = plan_day(book, on)
        planning += process_time() - began
        entries += len(plan.entries)
        kept.append(replace(plan, entries=(), groups=()))
    plan_hash(kept, on, by)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(lines, planning, plain, entries, peak)


def _receipts(day: date) -> Iterator[Receipt]:
    tills = Tills(day.toordinal())
    while True:
        yield from tills.day(day)


def _plain(batch: Sequence[Receipt]) -> None:
    """What any program must do at least: look at every line and payment once, and add it to a sum."""
    sums: dict[tuple[str, object], Decimal] = defaultdict(Decimal)
    for one in batch:
        for line in one.lines:
            sums[one.store, line.tax_rate] += line.gross
        for payment in one.payments:
            sums[payment.payment_type, one.transaction_type] += payment.amount


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1])).__dict__))
