"""Accepting a sale through the full stack, against F-A and against Postgres alone."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import time
from asyncio.subprocess import PIPE
from random import Random
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs]

from app.api.auth import hash_key
from app.db.session import RUNTIME_ROLE
from benchmarks import machine, sales
from benchmarks.database import plain
from benchmarks.load import fire
from benchmarks.report import Figure, Result, conditions
from benchmarks.rounds import AGAIN, FLOOR, Run, Sample, interleave
from benchmarks.sales import DAY, TOTAL
from benchmarks.stage import Running, Stage

CONCURRENCY = 8
SERVICE, POSTGRES = "service", "postgres alone"
WARM_UP_SECONDS = 1.0
SERVER_CORE, OTHER_CORE = 0, 1


async def measure(stage: Stage, *, rounds: int, seconds: float, random: Random) -> Result:
    """Requests per second, latency and CPU per request, as ratios."""
    servers = {FLOOR: await stage.floor(), AGAIN: await stage.floor(AGAIN), SERVICE: await stage.serve()}
    machine.pin(machine.family(stage.postmaster) | {os.getpid()}, OTHER_CORE)
    variants: dict[str, Run] = {}
    for name, running in servers.items():
        machine.pin([running.pid], SERVER_CORE)
        variants[name] = _over_http(stage, running, seconds)
        await _over_http(stage, running, min(WARM_UP_SECONDS, seconds))()
    pgbench = _pgbench()
    variants[POSTGRES] = _alone(stage, pgbench, seconds)
    series = await interleave(variants, stage.meter(), rounds=rounds, by="per_second", random=random)
    machine.unpin([os.getpid(), *machine.family(stage.postmaster)])
    series.check()
    ratio = series.ratio
    figures = [
        Figure("accepted sales/s against F-A, c=8", ratio(SERVICE, "per_second"), "x", 0.45, 0.65, more_is_better=True),
        Figure("p50 against F-A", ratio(SERVICE, "p50"), "x", 2.2, 1.5),
        Figure("p99 against F-A", ratio(SERVICE, "p99"), "x", 4.0, 2.0),
        Figure("server CPU per sale against F-A", ratio(SERVICE, "cpu"), "x", 2.1, 1.4),
        Figure(
            "sales/s against the same statement in Postgres alone",
            ratio(SERVICE, "per_second", against=POSTGRES),
            "x",
            0.22,
            0.45,
            more_is_better=True,
        ),
    ]
    for name in (SERVICE, FLOOR, POSTGRES):
        figures.append(Figure(f"{name}: per second", series.value(name, "per_second"), "/s", more_is_better=True))
    for name in (SERVICE, FLOOR):
        figures.append(Figure(f"{name}: p50", series.value(name, "p50"), "ms"))
        figures.append(Figure(f"{name}: p99", series.value(name, "p99"), "ms"))
        figures.append(Figure(f"{name}: CPU per sale", series.value(name, "cpu"), "us"))
    told = pgbench or "no pgbench here: an asyncpg loop instead, whose client is dearer"
    return Result("accept", figures, [f"Postgres alone: {told}"], {"": conditions(series)})


def _over_http(stage: Stage, running: Running, seconds: float) -> Run:
    request = sales.requests("/invoices", stage.shop.key)

    async def run() -> Sample:
        before = machine.cpu_seconds([running.pid])
        shots = await fire(running.address, request, concurrency=CONCURRENCY, seconds=seconds)
        spent = machine.cpu_seconds([running.pid]) - before
        shots.expect(202)
        return {
            "per_second": shots.per_second,
            "p50": shots.percentile(50),
            "p99": shots.percentile(99),
            "cpu": 1e6 * spent / len(shots.latencies),
        }

    return run


def _alone(stage: Stage, pgbench: str | None, seconds: float) -> Run:
    statement = _statement(stage)

    async def run() -> Sample:
        if pgbench is None:
            return {"per_second": await _loop(stage, statement, seconds)}
        return {"per_second": await _bench(stage, pgbench, statement, seconds)}

    return run


def _statement(stage: Stage) -> str:
    """What the service sends for a sale, as one text without parameters."""
    # A colon without a space would be a variable of pgbench.
    content = json.dumps(sales.sale("pgbench"), ensure_ascii=False).replace("'", "''")
    return (
        f"select outcome from accept_document('{stage.shop.tenant}', '\\x{hash_key(stage.shop.key).hex()}',"
        f" {stage.shop.config_version}, gen_random_uuid(), gen_random_uuid(), 'sale', gen_random_uuid()::text, '2/815',"
        f" '{DAY}', '{content}', sha256('sale'), {TOTAL}, 30, now())"
    )


def _pgbench() -> str | None:
    return shutil.which("pgbench")


async def _bench(stage: Stage, pgbench: str, statement: str, seconds: float) -> float:
    script = stage.folder / "accept.sql"
    script.write_text(statement + ";\n")
    arguments = ["-n", "-M", "prepared", "-c", str(CONCURRENCY), "-T", str(max(1, round(seconds))), "-f", str(script)]
    process = await asyncio.create_subprocess_exec(
        pgbench,
        *arguments,
        plain(stage.database),
        env={**os.environ, "PGOPTIONS": f"-c role={RUNTIME_ROLE}"},
        stdout=PIPE,
        stderr=PIPE,
    )
    machine.pin([process.pid], SERVER_CORE)
    output, errors = await process.communicate()
    found = re.search(r"tps = ([0-9.]+)", output.decode())
    if process.returncode or found is None:
        raise RuntimeError(f"pgbench failed: {errors.decode()[-1000:]}")
    return float(found[1])


async def _loop(stage: Stage, statement: str, seconds: float) -> float:
    connect: Any = getattr(asyncpg, "connect")  # noqa: B009 - untyped
    connections = [
        await connect(plain(stage.database), server_settings={"role": RUNTIME_ROLE}) for _ in range(CONCURRENCY)
    ]
    until = time.monotonic() + seconds

    async def repeat(connection: Any) -> int:
        done = 0
        while time.monotonic() < until:
            await connection.fetchrow(statement)
            done += 1
        await connection.close()
        return done

    return sum(await asyncio.gather(*map(repeat, connections))) / seconds
