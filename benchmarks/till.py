"""How long a till waits for its invoice while an import takes all of bexio's budget that it may have, against idle."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from random import Random

from benchmarks import sales
from benchmarks.importer import SATURATED, TOLD
from benchmarks.load import fire
from benchmarks.report import Figure, Result, conditions
from benchmarks.rounds import AGAIN, FLOOR, Run, Sample, interleave
from benchmarks.stage import Running, Stage

LATENCY = 0.04
LIMIT = 600
"""bexio's general limit per minute."""
PAUSE = 1.0
SHORTEST_RUN = 8.0
PATIENCE = 60.0
LOOK_SECONDS = 0.1
WAIT_SECONDS = 10
IMPORTING = "while an import saturates the budget"

_TOLD = re.compile(rf"read (\d+), {TOLD} (\d+)")


async def measure(stage: Stage, *, rounds: int, seconds: float, random: Random) -> Result:
    """The median wait, as a ratio to idle; each run begins when the import has to wait for its turn."""
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
        before = len(_lines(importer))
        os.kill(importer.pid, signal.SIGUSR1)
        try:
            await _until_told(importer, before, SATURATED)
            sample = await selling()
        finally:
            os.kill(importer.pid, signal.SIGUSR2)
        read, held_back = map(int, _TOLD.findall(await _until_told(importer, before, TOLD))[-1])
        return {**sample, "read": read, "held_back": held_back}

    return run


def _lines(importer: Running) -> list[str]:
    return importer.log.read_text().splitlines()


async def _until_told(importer: Running, before: int, told: str) -> str:
    """The line that says so, among those after the first `before`."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = [line for line in _lines(importer)[before:] if told in line]
            if found:
                return found[-1]
            await asyncio.sleep(LOOK_SECONDS)
