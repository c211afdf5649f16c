"""Many seeds in a row, and what they showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from app.db.session import Database
from tests.simulation import bookings
from tests.simulation.processes import Verdict
from tests.simulation.scenario import Plan, SaleSimulation


@dataclass
class Figures:
    """Sums over seeds; `wrong` by seed."""

    seeds: int = 0
    sales: int = 0
    requests: int = 0
    wrong: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    attention: Counter[str] = field(default_factory=Counter[str])
    milestones: Counter[str] = field(default_factory=Counter[str])
    kinds: Counter[str] = field(default_factory=Counter[str])

    def add(self, verdict: Verdict, milestones: Counter[str]) -> None:
        self.seeds += 1
        self.sales += verdict.sales
        self.requests += verdict.requests
        self.attention += verdict.attention
        self.milestones += milestones
        if verdict.wrong:
            self.wrong[verdict.seed] = verdict.wrong

    def to_json(self) -> dict[str, Any]:
        """For another process."""
        return {
            "seeds": self.seeds,
            "sales": self.sales,
            "requests": self.requests,
            "doubled": self.doubled,
            "lost": self.lost,
            "strays": self.strays,
            "attention": dict(self.attention),
            "milestones": dict(self.milestones),
            "wrong": {str(seed): found[:5] for seed, found in list(self.wrong.items())[:50]},
            "wrong_seeds": len(self.wrong),
        }

    @property
    def doubled(self) -> int:
        """Sales with more than one issued invoice; exports with an entry twice."""
        return sum(
            "issued invoices" in found or "doubled" in found for all_found in self.wrong.values() for found in all_found
        )

    @property
    def lost(self) -> int:
        """Sales that nobody will ever look at again."""
        return sum("lost" in found or "unfinished" in found for all_found in self.wrong.values() for found in all_found)

    @property
    def strays(self) -> int:
        """Sales with drafts left behind."""
        return sum("stray" in found for all_found in self.wrong.values() for found in all_found)


async def run_seeds(
    db: Database, seeds: Iterable[int], plan: Plan, progress: Callable[[Figures], None] | None = None
) -> Figures:
    """Runs the seeds one after the other over one database."""
    figures = Figures()
    for seed in seeds:
        simulation = SaleSimulation(db, seed, plan)
        figures.add(await simulation.run(), simulation.milestones)
        if progress is not None:
            progress(figures)
    return figures


async def run_booking_seeds(
    db: Database,
    seeds: Iterable[int],
    plan: bookings.Plan | None = None,
    progress: Callable[[Figures], None] | None = None,
) -> Figures:
    """The same for the booking export."""
    figures = Figures()
    for seed in seeds:
        simulation = bookings.ExportSimulation(db, seed, plan or bookings.Plan())
        figures.add(await simulation.run(), simulation.milestones)
        if progress is not None:
            progress(figures)
    return figures
