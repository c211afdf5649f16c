"""What a benchmark found, as a table for people and as JSON for scripts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.rounds import Series


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured or counted value. `gate` must be met, `aim` is where we want to be; `more` is better or worse."""

    name: str
    value: float
    unit: str = "x"
    gate: float | None = None
    aim: float | None = None
    more_is_better: bool = False

    @property
    def passed(self) -> bool:
        """Whether the gate is met; without a gate it is."""
        return self.gate is None or self._meets(self.gate)

    def _meets(self, bound: float) -> bool:
        return self.value >= bound if self.more_is_better else self.value <= bound

    @property
    def verdict(self) -> str:
        if self.gate is None:
            return ""
        if not self.passed:
            return "[red]no[/red]"
        return "[green]yes, aim[/green]" if self.aim is not None and self._meets(self.aim) else "[green]yes[/green]"

    def bound(self, value: float | None) -> str:
        return "" if value is None else f"{'>=' if self.more_is_better else '<='} {value:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark found, and in a series how good its conditions were."""

    name: str
    figures: Sequence[Figure]
    notes: Sequence[str] = ()
    conditions: Mapping[str, Mapping[str, float]] = field(default_factory=dict[str, Mapping[str, float]])
    """By the name of the series, which is empty when there is one."""

    @property
    def passed(self) -> bool:
        return all(figure.passed for figure in self.figures)


def conditions(series: Series) -> dict[str, float]:
    """A/A, rounds kept and run, and the part of the machine that others used in the kept ones."""
    return {
        "a_a": round(series.a_a, 3),
        "kept": len(series.rounds),
        "ran": series.ran,
        "foreign_cpu": round(series.foreign, 3),
    }


def show(results: Sequence[Result], machine: Mapping[str, str]) -> None:
    """Prints the table."""
    table = Table("benchmark", "figure", title="Benchmarks", title_justify="left")
    for column in ("value", "gate", "aim", "pass"):
        table.add_column(column, justify="right")
    for result in results:
        for at, one in enumerate(result.figures):
            first = result.name if at == 0 else ""
            shown = f"{one.value:,.4g} {one.unit}" if one.value < 10_000 else f"{one.value:,.0f} {one.unit}"
            table.add_row(first, one.name, shown, one.bound(one.gate), one.bound(one.aim), one.verdict)
        table.add_section()
    console = Console(width=None if Console().is_terminal else 150, highlight=False)
    console.print(table)
    for result in results:
        for series, told in result.conditions.items():
            console.print(
                f"{result.name}{series}: A/A {told['a_a']:.2f}, {told['kept']:.0f} of {told['ran']:.0f} rounds kept,"
                f" others used {told['foreign_cpu']:.0%} of the machine"
            )
        for note in result.notes:
            console.print(f"{result.name}: {note}")
    console.print(", ".join(f"{name} {told}" for name, told in machine.items()))


def as_json(results: Sequence[Result], machine: Mapping[str, str]) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "machine": dict(machine),
        "results": [
            {**asdict(result), "figures": [{**asdict(one), "passed": one.passed} for one in result.figures]}
            for result in results
        ],
        "passed": all(result.passed for result in results),
    }
