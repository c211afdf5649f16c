"""How long a till waits for its invoice while an import takes all of bexio's budget that it may have, against idle."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from random import Random

from benchmarks import sales
from benchmarks.importer import TOLD
from benchmarks.load import fire
from benchmarks.report import Figure, Result, conditions
from benchmarks.rounds import AGAIN, FLOOR, Run, Sample, interleave
from benchmarks.stage import Running, Stage

LATENCY = 0.04
LIMIT = 1000
"""bexio's general limit per minute."""
PAUSE = 0.5
SHORTEST_RUN = 8.0
BEGIN_SECONDS = 2.0
WAIT_SECONDS = 10
IMPORTING = "while an import saturates the budget"

_TOLD = re.compile(rf"read (\d+), {TOLD} (\d+)")


async def measure(stage: Stage, *, rounds: int, seconds: float, random: Random) -> Result:
    """The median wait, as a ratio to idle; the import must have been held back in every run, or it proves nothing."""
    await stage.bexio(latency=LATENCY, limit=LIMIT)
    importer, server = await stage.importer(), await stage.serve()
    lasting = max(seconds, SHORTEST_RUN)
    idle = _selling(stage, server, lasting)
    await idle()
    variants: dict[str, Run] = {FLOOR: idle, AGAIN: idle, IMPORTING: _importing(importer, idle)}
    series = await interleave(variants, stage.meter(), rounds=rounds, by="p50", random=random)
    series.check()
    figures = [
        Figure(f"a till's p50 {IMPORTING}, against idle", series.ratio(IMPORTING, "p50"), "x", 2.0, 1.3),
        Figure("idle: p50", series.value(FLOOR, "p50"), "ms"),
        Figure(f"{IMPORTING}: p50", series.value(IMPORTING, "p50"), "ms"),
        Figure(f"{IMPORTING}: p99", series.value(IMPORTING, "p99"), "ms"),
        Figure(f"{IMPORTING}: pages read per run", series.value(IMPORTING, "read"), ""),
        Figure(f"{IMPORTING}: times held back per run", series.value(IMPORTING, "held_back"), ""),
    ]
    note = f"{LIMIT} requests a minute, an answer takes {1000 * LATENCY:g} ms, a sale every {PAUSE:g} s"
    return Result("till", figures, [note], {"": conditions(series)})


def _selling(stage: Stage, server: Running, seconds: float) -> Run:
    request = sales.requests("/invoices", stage.shop.key, {"Prefer": f"wait={WAIT_SECONDS}"})

    async def run() -> Sample:
        shots = await fire(server.address, request, concurrency=1, seconds=seconds, pause=PAUSE)
        shots.expect(201)
        return {"p50": shots.percentile(50), "p99": shots.percentile(99)}

    return run


def _importing(importer: Running, selling: Run) -> Run:
    async def run() -> Sample:
        os.kill(importer.pid, signal.SIGUSR1)
        await asyncio.sleep(BEGIN_SECONDS)
        try:
            sample = await selling()
        finally:
            os.kill(importer.pid, signal.SIGUSR2)
        await asyncio.sleep(BEGIN_SECONDS)
        read, held_back = map(int, _TOLD.findall(importer.log.read_text())[-1])
        if not held_back:
            raise RuntimeError("The import was never held back: it did not saturate the budget.")
        return {**sample, "read": read, "held_back": held_back}

    return run
