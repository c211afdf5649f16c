"""kill -9 and SIGSTOP of real workers at every named point: exactly one invoice, nothing lost, soon."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter as Counts
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app import bootstrap
from app.core import log
from app.jobs.operations import LEASE
from app.settings import Settings
from tests.processes.judging import RESTING, judge
from tests.processes.killable import Trap
from tests.processes.points import FREEZES, POINTS, Counter, Point
from tests.processes.shop import Shop, Stage, opened_shop, opened_stage, sale
from tests.processes.spawning import Running, start_worker

AT_ONCE = 16
REACH_SECONDS = 40.0
FINISH_SECONDS = 15.0
SETTLE = 0.2
# Drafts are looked for three times after an unclear create: after 1, 4 and 20 times the settling time.
TIDYING = 25 * SETTLE
FROZEN = 3 * LEASE.total_seconds()


@dataclass
class Report:
    """What happened: how often each point was met, what was wrong, and how long restarted workers took."""

    killed: Counts[str] = field(default_factory=Counts[str])
    frozen: Counts[str] = field(default_factory=Counts[str])
    wrong: list[str] = field(default_factory=list[str])
    seconds: list[float] = field(default_factory=list[float])

    @property
    def clean(self) -> bool:
        """True when nothing was doubled, lost, left behind or late."""
        return not self.wrong

    def __str__(self) -> str:
        took = sorted(self.seconds) or [0.0]
        return (
            f"{self.killed.total()} kills at {len(self.killed)} points, {self.frozen.total()} freezes at"
            f" {len(self.frozen)}; finished after {took[len(took) // 2]:.1f} s (median), {took[-1]:.1f} s (longest);"
            f" wrong: {self.wrong or 'nothing'}"
        )


async def run(seeds: int) -> Report:
    """Every point with `seeds` different sales, each on a database and with workers of its own."""
    async with opened_stage() as stage:
        # What the counters of the shops log is nobody's interest.
        log.configure("error", json=True, stream=(stage.folder / "counters.log").open("ab"))
        return await run_on(stage, range(seeds))


async def run_on(
    stage: Stage, seeds: Sequence[int], kills: Sequence[Point] = POINTS, freezes: Sequence[Point] = FREEZES
) -> Report:
    """The same on a stage that is open already."""
    report = Report()
    places = asyncio.Semaphore(AT_ONCE)
    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            # The frozen ones only wait: they need no place of their own.
            for point in freezes:
                group.create_task(_frozen(stage, point, seed, report, places))
            for point in kills:
                group.create_task(_killed(stage, point, seed, report, places))
    return report


@asynccontextmanager
async def _counter(stage: Stage, point: Point, seed: int) -> AsyncGenerator[Counter]:
    async with opened_shop(stage, settle=SETTLE, **point.settings) as shop:
        settings = Settings(**shop.options)
        async with bootstrap.open_resources(settings) as resources:
            transport = httpx.ASGITransport(app=bootstrap.application(resources))
            async with httpx.AsyncClient(transport=transport, base_url="http://connector") as api:
                number = POINTS.index(point) if point in POINTS else len(POINTS)
                yield Counter(shop, api, sale(seed, number + 1, point.shape, stranger=point.stranger))


async def _killed(stage: Stage, point: Point, seed: int, report: Report, places: asyncio.Semaphore) -> None:
    async with places, _counter(stage, point, seed) as counter:
        before = (await counter.shop.summary())["contacts"]
        trap = _trap(stage, counter.shop, point, signal.SIGKILL)
        first = await _until_trapped(counter, point, trap)
        name = f"{point.title} (seed {seed})"
        if first.process.exitcode != -signal.SIGKILL:
            report.wrong.append(f"{name}: never reached")
            first.kill()
            return
        report.killed[point.title] += 1
        second = _worker(counter.shop, "second")
        report.seconds.append(await _finish(counter, name, report))
        await second.logged("working")
        if await second.stop() != 0:
            report.wrong.append(f"{name}: the worker ended with {second.process.exitcode}")
        report.wrong += [f"{name}: {one}" for one in await judge(point, counter, before)]


async def _frozen(stage: Stage, point: Point, seed: int, report: Report, places: asyncio.Semaphore) -> None:
    async with places, _counter(stage, point, seed) as counter:
        before = (await counter.shop.summary())["contacts"]
        trap = _trap(stage, counter.shop, point, signal.SIGSTOP)
        first = await _until_trapped(counter, point, trap)
        name = f"frozen at {point.title} (seed {seed})"
        second = _worker(counter.shop, "second")
        try:
            loop = asyncio.get_running_loop()
            stopped = loop.time()
            if not trap.marker.exists():
                report.wrong.append(f"{name}: never reached")
                return
            report.frozen[point.title] += 1
            report.seconds.append(await _finish(counter, name, report))
            await asyncio.sleep(max(0.0, stopped + FROZEN - loop.time()))
            writes = await counter.shop.writes()
            first.resume()
            if not await first.logged("lease-lost", 10):
                report.wrong.append(f"{name}: it never noticed that it lost its lease")
            if (now := await counter.shop.writes()) != writes:
                report.wrong.append(f"{name}: {now - writes} writes after it thawed")
            await first.stop()
            await second.stop()
            report.wrong += [f"{name}: {one}" for one in await judge(point, counter, before)]
        finally:
            first.kill()
            second.kill()


def _trap(stage: Stage, shop: Shop, point: Point, number: int) -> Trap:
    return Trap(point.milestone, stage.folder / f"{shop.slug}.reached", number)


def _worker(shop: Shop, name: str, trap: Trap | None = None) -> Running:
    return start_worker(shop.options, _log(shop, name), trap)


def _log(shop: Shop, name: str) -> Path:
    return shop.stage.folder / f"{shop.slug}-{name}.log"


async def _until_trapped(counter: Counter, point: Point, trap: Trap) -> Running:
    """Sells, plays what belongs to the point, and returns the worker once it met its trap."""
    await point.before(counter)
    await counter.sell()
    worker = _worker(counter.shop, "first", trap)
    try:
        await point.beside(counter)
        for _ in range(int(REACH_SECONDS / 0.05)):
            if not worker.alive or (trap.signal == signal.SIGSTOP and trap.marker.exists()):
                break
            await asyncio.sleep(0.05)
    except BaseException:
        worker.kill()
        raise
    return worker


async def _finish(counter: Counter, name: str, report: Report) -> float:
    """Waits until all work rests; returns the seconds until there was nothing left but tidying."""
    loop = asyncio.get_running_loop()
    started, finished = loop.time(), None
    while loop.time() < started + 2 * FINISH_SECONDS + TIDYING:
        rows = await counter.shop.work()
        if finished is None and all(row.state in RESTING or row.reason == "tidying" for row in rows):
            finished = loop.time() - started
        if all(row.state in RESTING for row in rows):
            break
        await asyncio.sleep(0.1)
    if finished is None or finished > FINISH_SECONDS + SETTLE:
        report.wrong.append(f"{name}: finished after {finished} s")
    return finished or 2 * FINISH_SECONDS
