"""`python -m benchmarks [names] [--rounds N] [--json]`: exit code 0 passed, 1 a gate missed, 3 void twice."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

import uvloop

from app.core import log
from benchmarks import (
    accept,
    bookings,
    counts,
    database,
    imports,
    limiter,
    machine,
    memory,
    planning,
    provision,
    report,
    till,
    wait,
)
from benchmarks.report import Result
from benchmarks.rounds import Void
from benchmarks.stage import Stage, open_stage

PASSED, MISSED, VOID = 0, 1, 3


@dataclass(frozen=True, slots=True)
class Options:
    rounds: int
    seconds: float
    random: Random
    sizes: tuple[int, ...]


BENCHMARKS: dict[str, Callable[[Stage, Options], Awaitable[Result]]] = {
    "counts": lambda stage, _: counts.measure(stage),
    "bookings": lambda stage, _: bookings.measure(stage),
    "planning": lambda _, __: planning.measure(),
    "accept": lambda stage, options: accept.measure(
        stage, rounds=options.rounds, seconds=options.seconds, random=options.random
    ),
    "wait": lambda stage, options: wait.measure(
        stage, rounds=options.rounds, seconds=options.seconds, random=options.random
    ),
    "contacts": lambda stage, options: imports.measure(stage, imports.CONTACTS, options.sizes),
    "articles": lambda stage, options: imports.measure(stage, imports.ARTICLES, options.sizes),
    "limiter": lambda stage, _: limiter.measure(stage),
    "till": lambda stage, options: till.measure(
        stage, rounds=options.rounds, seconds=options.seconds, random=options.random
    ),
    "memory": lambda stage, _: memory.measure(stage),
    "provision": lambda stage, _: provision.measure(stage),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description="Measurements against floors.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"default: all of {', '.join(BENCHMARKS)}")
    parser.add_argument("--rounds", type=int, default=7, help="rounds that count (7)")
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one run (2)")
    parser.add_argument("--seed", type=int, default=None, help="order of the runs; default: another each time")
    parser.add_argument(
        "--sizes", default="10000,100000", help="how many contacts and articles are imported (10000,100000)"
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="tell of each round")
    given = parser.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    log.configure("INFO" if given.verbose else "ERROR", json=True, stream=sys.stderr.buffer)
    sizes = tuple(sorted(int(size) for size in given.sizes.split(",")))
    options = Options(given.rounds, given.seconds, Random(given.seed), sizes)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        results, void = runner.run(_run(given.names or list(BENCHMARKS), options))
    if given.json:
        sys.stdout.write(json.dumps(report.as_json(results, machine.description()), indent=2) + "\n")
    else:
        report.show(results, machine.description())
    for told in void:
        _say(f"VOID {told}")
    if void:
        return VOID
    return PASSED if all(result.passed for result in results) else MISSED


async def _run(names: list[str], options: Options) -> tuple[list[Result], list[str]]:
    results: list[Result] = []
    void: list[str] = []
    running = asyncio.current_task()
    assert running is not None
    # What was started is ended with us.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    async with database.server() as server:
        for name in names:
            try:
                results.append(await _once_more(name, server, options))
            except Void as noise:
                void.append(f"{name}: {noise}")
    return results, void


async def _once_more(name: str, server: database.URL, options: Options) -> Result:
    for last in (False, True):
        began = time.monotonic()
        try:
            async with open_stage(server) as stage:
                return await BENCHMARKS[name](stage, options)
        except Void as noise:
            if last:
                raise
            _say(f"{name}: void, once more. {noise}")
        finally:
            _say(f"{name}: {time.monotonic() - began:.0f} s")
    raise AssertionError


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
