"""`Prefer: wait`: a durable job, worked off while the till waits, against the same two calls inline in a handler."""

from __future__ import annotations

from random import Random

from benchmarks import sales
from benchmarks.load import fire
from benchmarks.report import Figure, Result, conditions
from benchmarks.rounds import AGAIN, FLOOR, Run, Sample, interleave
from benchmarks.stage import Running, Stage, open_stage

LATENCY = 0.04
SECONDS = 5
CONCURRENCIES = (1, 8)
TWO_PROCESSES, ALL_IN_ONE = "serve and worker", "serve --all-in-one"


async def measure(stage: Stage, *, rounds: int, seconds: float, random: Random) -> Result:
    """The median wait, as a ratio to inline. The two set-ups have a database each, or they would share the work."""
    async with open_stage(stage.server) as other:
        for each in (stage, other):
            await each.bexio(latency=LATENCY)
        await stage.worker()
        servers = {
            FLOOR: (stage, await stage.floor(), "/inline"),
            AGAIN: (stage, await stage.floor(AGAIN), "/inline"),
            TWO_PROCESSES: (stage, await stage.serve(), "/invoices"),
            ALL_IN_ONE: (other, await other.serve(all_in_one=True), "/invoices"),
        }
        figures: list[Figure] = []
        told: dict[str, dict[str, float]] = {}
        for concurrency in CONCURRENCIES:
            variants = {name: _waiting(*server, concurrency, seconds) for name, server in servers.items()}
            for run in variants.values():
                await run()
            series = await interleave(variants, stage.meter(), rounds=rounds, by="p50", random=random)
            series.check()
            told[f", c={concurrency}"] = conditions(series)
            for name in (TWO_PROCESSES, ALL_IN_ONE):
                figures.append(
                    Figure(f"{name}: p50 against inline, c={concurrency}", series.ratio(name, "p50"), "x", 1.1, 1.05)
                )
            for name in (FLOOR, TWO_PROCESSES, ALL_IN_ONE):
                shown = "inline" if name == FLOOR else name
                figures.append(Figure(f"{shown}: p50, c={concurrency}", series.value(name, "p50"), "ms"))
        return Result("wait", figures, (), told)


def _waiting(stage: Stage, running: Running, path: str, concurrency: int, seconds: float) -> Run:
    request = sales.requests(path, stage.shop.key, {"Prefer": f"wait={SECONDS}"})

    async def run() -> Sample:
        shots = await fire(running.address, request, concurrency=concurrency, seconds=seconds)
        shots.expect(201)
        return {"p50": shots.percentile(50), "p99": shots.percentile(99)}

    return run
