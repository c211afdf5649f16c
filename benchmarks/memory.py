"""What the processes hold after ten thousand sales, against what they held when they were warm."""

from __future__ import annotations

import asyncio
import time

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks import machine, sales
from benchmarks.load import fire
from benchmarks.report import Figure, Result
from benchmarks.stage import Running, Stage

SALES, WARM = 10_000, 1_000
CONCURRENCY = 8
PATIENCE = 900.0
LOOK_SECONDS = 1.0

# Without it the fence shows no rows at all.
_AS_SYSTEM = text("select set_config('connector.scope', 'system', true)")
_WAITING = text("select count(*) from operation where state <> 'done'")


async def measure(stage: Stage) -> Result:
    """Resident memory of server and worker; every sale is accepted and issued."""
    await stage.bexio()
    processes = {"serve": await stage.serve(), "worker": await stage.worker()}
    # The worker tells nobody when it is ready.
    idle = machine.rss_mib(processes["serve"].pid)
    await _sell(stage, processes["serve"], WARM)
    warm = _resident(processes)
    took = await _sell(stage, processes["serve"], SALES)
    full = _resident(processes)
    figures: list[Figure] = []
    for name in processes:
        figures += [
            Figure(f"{name}: growth over {SALES:,} sales", full[name] - warm[name], "MiB", 8, 3),
            Figure(f"{name}: resident after them", full[name], "MiB", 160, 100),
        ]
    figures.append(Figure("serve: resident when it starts", idle, "MiB", 160, 120))
    figures.append(Figure("sales taken in and issued per second", SALES / took, "/s", more_is_better=True))
    return Result("memory", figures, [f"warm after {WARM:,} sales"])


def _resident(processes: dict[str, Running]) -> dict[str, float]:
    return {name: machine.rss_mib(running.pid) for name, running in processes.items()}


async def _sell(stage: Stage, server: Running, count: int) -> float:
    """Sells, and returns the seconds until the last invoice is issued."""
    began = time.monotonic()
    request = sales.requests("/invoices", stage.shop.key, most=count)
    (await fire(server.address, request, concurrency=CONCURRENCY, seconds=PATIENCE)).expect(202)
    owner = create_async_engine(stage.database)
    try:
        while time.monotonic() - began < PATIENCE:
            async with owner.begin() as connection:
                await connection.execute(_AS_SYSTEM)
                if (await connection.execute(_WAITING)).scalar_one() == 0:
                    return time.monotonic() - began
            await asyncio.sleep(LOOK_SECONDS)
    finally:
        await owner.dispose()
    raise RuntimeError("The worker did not work off the sales.")
