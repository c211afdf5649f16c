"""The database goes away under load: no process exits, nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter as Counts
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import migrate
from app.db.embedded import EmbeddedPostgres, start
from sandbox.basket import Shape
from tests.jobs.stock import until
from tests.processes.shop import Shop, Stage, opened_shop, sale
from tests.processes.spawning import served
from tests.processes.test_replicas import rest

OUTAGES = (0.0, 3.0, 8.0)
READY_SECONDS = 5.0
RUSH = 0.08
PROBLEM = "application/problem+json"


@dataclass
class Load:
    """Tills that sell without pause; each tries its sale again until it is accepted, as tills do."""

    shop: Shop
    urls: list[str]
    statuses: Counts[int] = field(default_factory=Counts[int])
    accepted: set[str] = field(default_factory=set[str])
    wrong: list[str] = field(default_factory=list[str])
    selling: bool = True

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            number = 0
            while self.selling:
                number += 1
                group.create_task(self._sell(sale(11, number, Shape(lines=2), stranger=False), number))
                await asyncio.sleep(RUSH)

    async def _sell(self, body: dict[str, Any], number: int) -> None:
        async with httpx.AsyncClient(headers=self.shop.headers, timeout=30) as client:
            for attempt in range(200):
                answer = await client.post(f"{self.urls[(number + attempt) % len(self.urls)]}/invoices", json=body)
                self.statuses[answer.status_code] += 1
                if answer.status_code in {200, 202}:
                    self.accepted.add(body["transaction_id"])
                    return
                kind = answer.headers["content-type"]
                if answer.status_code != 503 or kind != PROBLEM or answer.json()["code"] != "database-unavailable":
                    self.wrong.append(f"{answer.status_code} {kind} {answer.text[:200]}")
                await asyncio.sleep(0.25)
        self.wrong.append(f"sale {body['transaction_id']} was never accepted")


@asynccontextmanager
async def own_server(folder: Path) -> AsyncGenerator[EmbeddedPostgres]:
    server = await start(folder, fast=True)
    try:
        yield server
    finally:
        await (await start(folder, fast=True)).stop()
        await server.stop()


async def crash(server: EmbeddedPostgres) -> None:
    """An immediate stop: no goodbye to anybody."""
    pid = server.pid
    os.kill(pid, signal.SIGQUIT)
    await until(lambda: server.pid != pid)


async def readiness(urls: list[str]) -> list[int]:
    async with httpx.AsyncClient(timeout=10) as client:
        return [(await client.get(f"{url}/health/ready")).status_code for url in urls]


async def until_ready(urls: list[str]) -> float:
    """The seconds until every process says that it can serve."""
    loop = asyncio.get_running_loop()
    started = loop.time()
    while await readiness(urls) != [200] * len(urls):
        assert loop.time() - started < READY_SECONDS, "not ready in time"
        await asyncio.sleep(0.05)
    return loop.time() - started


@pytest.mark.timeout(180)
async def test_processes_outlive_an_outage_of_the_database_and_lose_nothing(stage: Stage, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(own_server(tmp_path / "postgres"))
        await migrate.upgrade(server.url)
        shop = await stack.enter_async_context(opened_shop(stage, database=server.url))
        processes = [
            await stack.enter_async_context(served(shop.options, tmp_path / f"{number}.log", all_in_one=True))
            for number in range(2)
        ]
        urls = [process.url for process in processes]
        load = Load(shop, urls)
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            try:
                await asyncio.sleep(1)
                for outage in OUTAGES:
                    await crash(server)
                    if outage:
                        assert await readiness(urls) == [503, 503]
                    await asyncio.sleep(outage)
                    assert [process.alive for process in processes] == [True, True]
                    await start(tmp_path / "postgres", fast=True)
                    await until_ready(urls)
                    await asyncio.sleep(1)
            finally:
                load.selling = False
        assert load.wrong == []
        assert load.statuses[503] > 0
        # Its connections are from before.
        await shop.db.close()
        await rest(shop, 60)
        assert [await process.stop() for process in processes] == [0, 0]
        invoices = await shop.invoices()
        assert sorted(one["api_reference"] for one in invoices) == sorted(
            f"{shop.slug}/sale/{transaction_id}" for transaction_id in load.accepted
        )
        assert {one["kb_item_status_id"] for one in invoices} <= {8, 9, 16}
        assert await shop.documents() == len(load.accepted)
