"""`python -m tests.soak [part ...] [--seeds N] [--first N] [--jobs N]`: the full counts of what CI runs a slice of.

`--first` goes on with a simulation where another soak ended.

Exits non-zero when anything was doubled, lost or left behind.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import json
import multiprocessing
import os
import sys
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import Progress
from sqlalchemy import make_url
from sqlalchemy.ext.asyncio import create_async_engine

from app.core import log
from app.db.embedded import start
from app.db.session import Database
from tests.capabilities.renewing import rotate_tokens
from tests.fixtures.database import fresh_database
from tests.fixtures.ruins import ruin_everything
from tests.fixtures.shop import open_shop
from tests.fixtures.sweeping import Figures, sweep, together
from tests.processes import kill, kill_renewal
from tests.simulation.mutants import BOOKING_MUTANTS, MUTANTS, RARE_MUTANTS, hunt
from tests.soak import contacts

console = Console()
PIECE = 250
FIGURES = ("seeds", "sales", "requests", "doubled", "lost", "strays", "wrong_seeds")


async def simulate(server: str, seeds: range, jobs: int) -> bool:
    """The exactly-once simulation over these seeds, shared by `jobs` processes."""
    return await _simulate(server, seeds, jobs, "simulation")


async def bookings(server: str, seeds: range, jobs: int) -> bool:
    """The same for the booking export."""
    return await _simulate(server, seeds, jobs, "bookings", "--bookings")


async def _simulate(server: str, seeds: range, jobs: int, name: str, *options: str) -> bool:
    places = asyncio.Semaphore(jobs)
    sums: Counter[str] = Counter()
    attention: Counter[str] = Counter()

    async def piece(part: range) -> None:
        async with places:
            try:
                answer = await _simulation(server, part, lambda: progress.advance(task), options)
            except _Died as death:
                # The others go on: hours of them are not lost with one.
                console.print(f"seeds {part.start} to {part.stop - 1}: {death}", style="red")
                sums["wrong_seeds"] += len(part)
                return
        sums.update({name: answer[name] for name in FIGURES})
        attention.update(answer["attention"])
        for seed, found in answer["wrong"].items():
            console.print(f"seed {seed}: {found}", style="red")
        if not console.is_terminal:
            # Whoever ends a long soak early has seen what it found until then.
            console.print(f"{name}: {dict(sums)}")

    with Progress(console=console) as progress:
        task = progress.add_task(name, total=len(seeds))
        await asyncio.gather(*(piece(seeds[begin : begin + PIECE]) for begin in range(0, len(seeds), PIECE)))
    console.print(f"{name}: {dict(sums)}; attention: {dict(attention)}")
    return sums["wrong_seeds"] == 0


class _Died(Exception):
    """A process of the simulation ended without an answer."""


async def _simulation(
    server: str, seeds: range, advance: Callable[[], None], options: tuple[str, ...]
) -> dict[str, Any]:
    async with fresh_database(make_url(server)) as url:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-W", "ignore", "-m", "tests.simulation", "--first", str(seeds.start), "--seeds", str(len(seeds))),
            *("--database", url.render_as_string(hide_password=False), *options),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output = asyncio.StreamReader() if process.stdout is None else process.stdout
        steps = asyncio.StreamReader() if process.stderr is None else process.stderr
        said = deque[str](maxlen=20)
        async for line in steps:
            if line.strip().isdigit():
                advance()
            else:
                said.append(line.decode(errors="replace"))
        lines = (await output.read()).decode().strip().splitlines()
        if await process.wait() not in {0, 1} or not lines:
            raise _Died(f"exit code {process.returncode}\n{''.join(said)}")
        return json.loads(lines[-1])


async def mutate(server: str, seeds: int, _jobs: int) -> bool:
    """Every mutant must turn the simulation red within `seeds` seeds."""
    all_red = True
    for mutant in (*MUTANTS, *BOOKING_MUTANTS, *RARE_MUTANTS):
        with TemporaryDirectory() as folder:
            figures = await hunt(mutant, Path(folder), server, seeds)
        red = figures["wrong_seeds"] > 0
        all_red &= red
        console.print(f"mutant {mutant.name}: {'red' if red else 'SURVIVED'} after {figures['seeds']} seeds")
    return all_red


async def bookings_plan(_server: str, seeds: int, jobs: int) -> bool:
    """Ten random days for every seed, planned: the ledger against the tills, to the Rappen."""
    days, step = seeds * 10, 1000
    loop = asyncio.get_running_loop()
    with ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn")) as pool, Progress(console=console) as progress:
        task = progress.add_task("bookings-plan", total=days)
        shares = [(first, min(step, days - first)) for first in range(0, days, step)]
        waiting = [loop.run_in_executor(pool, partial(sweep, *share, again_every=10)) for share in shares]
        found: list[Figures] = []
        for one in asyncio.as_completed(waiting):
            found.append(await one)
            progress.advance(task, found[-1].days)
    whole = together(found)
    for wrong in whole.wrong[:20]:
        console.print(wrong, style="red")
    console.print(f"bookings-plan: {whole}")
    return not whole.wrong and whole.difference == 0


async def killed(_server: str, seeds: int, _jobs: int) -> bool:
    """kill -9 of real processes at every named point."""
    report = await kill.run(max(1, seeds // 500))
    console.print(f"kill -9: {report}")
    return report.clean


async def refresh(server: str, seeds: int, _jobs: int) -> bool:
    """Sixteen callers on three replicas renew tokens that work once: a round for every ten seeds; then kills."""
    async with fresh_database(make_url(server)) as url:
        text_url = url.render_as_string(hide_password=False)
        owner, db = create_async_engine(text_url), Database(text_url)
        try:
            async with open_shop(owner, db) as shop:
                figures = await rotate_tokens(shop, max(1, seeds // 10))
        finally:
            await db.close()
            await owner.dispose()
    console.print(f"refresh: {figures}")
    report = await kill_renewal.run(max(1, seeds // 2000))
    console.print(f"kill -9 around a renewal: {report}")
    return not report.wrong and not (
        figures["rounds_with_other_than_one"] or figures["lost"] or figures["failed_calls"]
    )


async def fuzzed(_server: str, seeds: int, jobs: int) -> bool:
    """Many more requests to every operation of the served document."""
    return await _drawn_anew("tests/fuzzing", max(10, seeds // 50), jobs)


async def sold(_server: str, seeds: int, jobs: int) -> bool:
    """Many more random sales through the whole pipeline, compared with bexio's books."""
    return await _drawn_anew("tests/capabilities/test_random_sales.py", max(25, seeds // 10), jobs)


async def _drawn_anew(path: str, examples: int, jobs: int) -> bool:
    """The same tests as in CI with more examples, which are others each time."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-n", str(jobs), "--dist", "worksteal", "--timeout", "3600"),
        path,
        env={**os.environ, "CONNECTOR_TEST_EXAMPLES": str(examples)},
    )
    return await process.wait() == 0


async def synced(server: str, seeds: int, _jobs: int) -> bool:
    """Contacts: labelled populations, random edits between syncs, workers that die at every point."""
    report = await contacts.run(server, max(1, seeds // 100))
    console.print(f"contacts: {report}")
    return report.clean


async def provision(server: str, seeds: int, _jobs: int) -> bool:
    """A provisioning killed at every point, robbed of every remote call, and raced: a race for every hundred seeds."""
    async with fresh_database(make_url(server)) as url:
        text_url = url.render_as_string(hide_password=False)
        owner, db = create_async_engine(text_url), Database(text_url)
        try:
            with Progress(console=console) as progress:
                task = progress.add_task("provision", total=None)
                races = max(1, seeds // 100)
                ruins = await ruin_everything(owner, db, races, lambda _: progress.advance(task))
        finally:
            await db.close()
            await owner.dispose()
    for found in ruins.wrong:
        console.print(found, style="red")
    console.print(f"provision: killed {ruins.killed}, lost {ruins.lost}, raced {ruins.raced}, wrong {len(ruins.wrong)}")
    return not ruins.wrong


async def deaths(server: str, _seeds: int, _jobs: int) -> bool:
    """A worker's death at every step and after every write of an article import."""
    environment = {**os.environ, "CONNECTOR_TEST_EVERYTHING": "1", "CONNECTOR_TEST_DATABASE_URL": server}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/capabilities/test_articles_crash.py"),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    console.print(f"deaths: {output.decode().strip().splitlines()[-1]}")
    return process.returncode == 0


SIMULATIONS: dict[str, Callable[[str, range, int], Awaitable[bool]]] = {"simulation": simulate, "bookings": bookings}
PARTS: dict[str, Callable[[str, int, int], Awaitable[bool]]] = {
    "bookings-plan": bookings_plan,
    "mutants": mutate,
    "kill": killed,
    "contacts": synced,
    "deaths": deaths,
    "refresh": refresh,
    "provision": provision,
    "api": fuzzed,
    "sales": sold,
}


async def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*SIMULATIONS, *PARTS, []], help="all without a name")
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    # Thousands of rounds of what the service logs are nobody's interest.
    log.configure("error", json=True, stream=io.BytesIO())
    clean = True
    with TemporaryDirectory(prefix="connector-soak-") as folder:
        server = await start(Path(folder), fast=True)
        try:
            for name in arguments.parts or [*SIMULATIONS, *PARTS]:
                began = time.monotonic()
                if (simulation := SIMULATIONS.get(name)) is not None:
                    seeds = range(arguments.first, arguments.first + arguments.seeds)
                    clean &= await simulation(server.url, seeds, arguments.jobs)
                else:
                    clean &= await PARTS[name](server.url, arguments.seeds, arguments.jobs)
                console.print(f"{name}: {time.monotonic() - began:.0f} s")
        finally:
            await server.stop()
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
