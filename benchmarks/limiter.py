"""How much of bexio's window the budget uses, and how often it is told 429: the real budget, windows of 6 seconds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus

import httpx

from app.connectors.budget import PATIENCE, WINDOW, Budgets
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.clock import SystemClock
from app.core.errors import RemoteUnavailable
from app.core.priority import Priority
from app.db.session import Database
from benchmarks.bexio import COMPANY, TOKEN, new_world
from benchmarks.report import Figure, Result
from benchmarks.stage import Stage
from sandbox.bexio.app import create_app
from sandbox.bexio.limits import Bucket
from sandbox.bexio.world import World

IN_FLIGHT = 8
CAPACITY = 100
LATENCY = 0.02


@dataclass
class Windows:
    """Requests by window: granted, and refused with 429."""

    seconds: float
    granted: dict[int, int] = field(default_factory=dict[int, int])
    refused: int = 0

    def whole(self) -> list[int]:
        """What was granted in each window but the first and the last, which are cut."""
        return [self.granted[window] for window in sorted(self.granted)[1:-1]]

    def note(self, status: int, moment: float) -> None:
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            self.refused += 1
        else:
            window = int(moment // self.seconds)
            self.granted[window] = self.granted.get(window, 0) + 1


async def measure(stage: Stage, *, windows: int = 4, window_seconds: float = 6.0) -> Result:
    """All priorities at the same time, each with a company of its own that it asks as much as it may."""
    db = Database(stage.database.render_as_string(hide_password=False))
    try:
        runs = [_saturate(db, priority, windows, window_seconds) for priority in Priority]
        seen = dict(zip(Priority, await asyncio.gather(*runs), strict=True))
    finally:
        await db.close()
    figures: list[Figure] = []
    for priority, found in seen.items():
        whole = found.whole()
        used = sum(whole) / (CAPACITY * len(whole))
        share = found.refused / (found.refused + sum(found.granted.values()))
        figures.append(Figure(f"{priority}: part of the window used", used, "", 0.95, 0.98, more_is_better=True))
        figures.append(Figure(f"{priority}: answered with 429", 100 * share, "%", 0.5, 0.0))
    return Result("limiter", figures, [f"{CAPACITY} requests per {window_seconds:g} s, {IN_FLIGHT} in flight"])


async def _saturate(db: Database, priority: Priority, windows: int, seconds: float) -> Windows:
    world, _ = new_world()
    world.limits.window_seconds = seconds
    world.limits.numbers[Bucket.GENERAL] = CAPACITY
    found = Windows(seconds)
    clock = SystemClock()
    patience = {each: limit * seconds / WINDOW.total_seconds() for each, limit in PATIENCE.items()}
    budgets = Budgets(db, clock, window=timedelta(seconds=seconds), patience=patience)
    clients = HttpClients(lambda _: httpx.ASGITransport(app=create_app(world)))
    transport = Transport(
        Upstream("bexio", COMPANY, "https://bexio.test"),
        clients,
        clock,
        f"Bearer {TOKEN}",
        budget=budgets.of(f"{COMPANY}-{priority}", priority),
    )
    until = clock.monotonic() + (windows + 1) * seconds
    try:
        async with asyncio.TaskGroup() as asking:
            for _ in range(IN_FLIGHT):
                asking.create_task(_ask(transport, world, found, until))
    finally:
        await clients.close()
    return found


async def _ask(transport: Transport, world: World, found: Windows, until: float) -> None:
    clock = transport.clock
    while clock.monotonic() < until:
        before = world.requests.by_status[httpx.codes.TOO_MANY_REQUESTS]
        try:
            await transport.read("GET", "/2.0/company_profile")
            found.note(httpx.codes.OK, clock.now().timestamp())
        except RemoteUnavailable as error:
            found.refused += world.requests.by_status[httpx.codes.TOO_MANY_REQUESTS] - before
            await clock.sleep(min(error.retry_after, max(0.0, until - clock.monotonic())))
        await clock.sleep(LATENCY)
