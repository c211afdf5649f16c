"""Fifty tills, or one till fifty times, on three replicas."""

from __future__ import annotations

import asyncio
from collections import Counter as Counts
from contextlib import AsyncExitStack
from decimal import Decimal

import httpx

from sandbox.basket import Shape
from tests.processes.judging import RESTING
from tests.processes.shop import Shop, sale
from tests.processes.spawning import served, start_worker

TIMES = 50
SALES = 3


async def test_one_sale_posted_fifty_times_at_once_on_three_replicas_is_one_invoice(shop: Shop) -> None:
    folder = shop.stage.folder
    sales = [sale(7, number, Shape(lines=4), stranger=True) for number in range(1, SALES + 1)]
    statuses: Counts[int] = Counts()
    documents: dict[str, set[str]] = {body["transaction_id"]: set() for body in sales}
    async with AsyncExitStack() as stack:
        replicas = [
            await stack.enter_async_context(served(shop.options, folder / f"replica-{number}.log"))
            for number in range(3)
        ]
        worker = start_worker(shop.options, folder / "replicas-worker.log")
        stack.callback(worker.kill)
        clients = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=replica.url, headers=shop.headers, timeout=30, limits=httpx.Limits())
            )
            for replica in replicas
        ]

        async def post(number: int, body: dict[str, object]) -> None:
            # Every other one waits for the result.
            headers = {"Prefer": "wait=10"} if number % 2 else {}
            answer = await clients[number % 3].post("/invoices", json=body, headers=headers)
            statuses[answer.status_code] += 1
            documents[str(body["transaction_id"])].add(answer.json()["id"])

        for body in sales:
            await asyncio.gather(*(post(number, body) for number in range(TIMES)))
        assert set(statuses) <= {200, 201, 202}, statuses
        assert statuses.total() == TIMES * SALES
        assert {len(ids) for ids in documents.values()} == {1}
        await rest(shop)
        assert await worker.stop() == 0
        assert [await replica.stop() for replica in replicas] == [0, 0, 0]
    assert await shop.documents() == SALES
    invoices = await shop.invoices()
    assert sorted(one["api_reference"] for one in invoices) == sorted(
        f"{shop.slug}/sale/{transaction_id}" for transaction_id in documents
    )
    assert {one["kb_item_status_id"] for one in invoices} <= {8, 9, 16}
    assert sum(Decimal(one["total"]) for one in invoices) == sum(Decimal(body["total"]) for body in sales)


async def rest(shop: Shop, seconds: float = 30) -> None:
    """Waits until no work is left."""
    for _ in range(int(seconds / 0.1)):
        if all(row.state in RESTING for row in await shop.work()):
            return
        await asyncio.sleep(0.1)
    raise AssertionError([tuple(row) for row in await shop.work()])
