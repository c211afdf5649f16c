"""A tenant with very many records on both simulators, and the service that imports them, each a process of its own.

Everything is set up over HTTP, as people do it, on a database that is fresh and is never analysed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg  # pyright: ignore[reportMissingTypeStubs]
import httpx
from sqlalchemy import URL

from app.core.vault import generate_key
from benchmarks import database, machine
from benchmarks.database import plain
from benchmarks.stage import CONNECTOR, HOST, Stage

SLUG = "bench"
TOKEN = "token-of-the-imports"  # noqa: S105 - of the simulator
OPERATOR_KEY = "operator-key-of-the-benchmarks"
PASSWORD = "webapi-bench"  # noqa: S105 - opens the simulator only
MONTH_DAYS = 30
START_SECONDS, SET_UP_SECONDS = 30.0, 600.0

_TABLES = (
    "select format('alter table %I.%I set (autovacuum_enabled = false)', schemaname, tablename) as statement"
    " from pg_tables where schemaname = 'public'"
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Requests that bexio got, by route, and what could have written on either side."""

    bexio: Mapping[str, int]
    bexio_writes: int
    arcavis: int
    arcavis_writes: int

    def pages(self, resource: str) -> int:
        """Reads of bexio's list of a resource, by list or by search."""
        return self.bexio.get(f"GET /2.0/{resource}", 0) + self.bexio.get(f"POST /2.0/{resource}/search", 0)


@dataclass(frozen=True, slots=True)
class Field:
    """The simulators and the service, as their clients see them."""

    stage: Stage
    pid: int
    service: httpx.AsyncClient
    bexio: httpx.AsyncClient
    arcavis: httpx.AsyncClient
    bexio_url: str
    arcavis_url: str
    database: URL

    async def counts(self) -> Counts:
        """What was asked since the counts were cleared."""
        bexio = (await self.bexio.get("/_sandbox/requests")).json()
        arcavis = (await self.arcavis.get("/_sandbox/requests")).json()
        writes = arcavis["writes_by_tenant"].get(SLUG, {})
        return Counts(bexio["by_route"], bexio["writes"], arcavis["total"], sum(writes.values()))

    async def clear_counts(self) -> None:
        await self.bexio.delete("/_sandbox/requests")
        await self.arcavis.delete("/_sandbox/requests")

    async def slow_down(self, seconds: float) -> None:
        """Every answer of both simulators takes so long."""
        await self.bexio.post("/_sandbox/faults", json={"mode": "latency", "seconds": seconds})
        await self.arcavis.post("/_sandbox/faults", json={"kind": "latency", "seconds": seconds, "times": None})

    def cpu_seconds(self) -> float:
        """What the service and Postgres have spent."""
        return machine.cpu_seconds({self.pid} | machine.family(self.stage.postmaster))

    def peak_mib(self) -> float:
        """The most resident memory that the service ever had."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), 0.0)


@asynccontextmanager
async def open_field(stage: Stage) -> AsyncGenerator[Field]:
    """Simulators, service and tenant, without records; ended when the block is left."""
    async with database.fresh_database(stage.server) as made, simulators() as access:
        await never_analyse(made)
        bexio_url, arcavis_url = access["bexio_url"], access["arcavis_url"].rpartition("/")[0]
        async with (
            service(stage, made, bexio_url) as (pid, url),
            httpx.AsyncClient(base_url=url, timeout=60) as client,
            httpx.AsyncClient(base_url=bexio_url, timeout=SET_UP_SECONDS) as bexio,
            httpx.AsyncClient(base_url=arcavis_url, timeout=SET_UP_SECONDS) as arcavis,
        ):
            field = Field(stage, pid, client, bexio, arcavis, bexio_url, arcavis_url, made)
            await _set_up(field)
            yield field


@asynccontextmanager
async def simulators() -> AsyncGenerator[dict[str, Any]]:
    """The whole sandbox; gives its addresses and keys."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "sandbox", stdout=PIPE)
    assert process.stdout is not None
    try:
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), START_SECONDS))
    finally:
        await _end(process)


@asynccontextmanager
async def service(
    stage: Stage, made: URL, bexio_url: str, more: Mapping[str, str] | None = None
) -> AsyncGenerator[tuple[int, str]]:
    """Service and worker in one process, with `more` variables; gives its pid and address."""
    environment = {
        "CONNECTOR_DATABASE_URL": plain(made),
        "CONNECTOR_BEXIO_API_URL": bexio_url,
        "CONNECTOR_ENCRYPTION_KEYS": generate_key("imports"),
        "CONNECTOR_OPERATOR_KEY": OPERATOR_KEY,
        "CONNECTOR_ALLOW_PRIVATE_HOSTS": "true",
        "CONNECTOR_REQUESTS_PER_MINUTE": "100000000",
        **(more or {}),
    }
    address = (HOST, stage.free_port())
    log = stage.folder / f"import-{address[1]}.log"
    with log.open("ab") as output:
        command = [*CONNECTOR, "serve", "--all-in-one", "--port", str(address[1])]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    url = f"http://{address[0]}:{address[1]}"
    try:
        await _ready(url, log)
        yield process.pid, url
    finally:
        await _end(process)


async def _ready(url: str, log: Path) -> None:
    async with httpx.AsyncClient(base_url=url) as client:
        for _ in range(int(START_SECONDS / 0.1)):
            with suppress(httpx.TransportError):
                if (await client.get("/health/ready")).is_success:
                    return
            await asyncio.sleep(0.1)
    raise RuntimeError(f"The service did not get ready:\n{log.read_text()[-2000:]}")


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    await process.wait()


async def never_analyse(made: URL) -> None:
    """The plans of a table's first minutes, for the whole measurement."""
    connect: Any = getattr(asyncpg, "connect")  # noqa: B009 - untyped
    connection = await connect(plain(made))
    try:
        for row in await connection.fetch(_TABLES):
            await connection.execute(row["statement"])
    finally:
        await connection.close()


async def _set_up(field: Field) -> None:
    company = {"company": SLUG, "name": "Bench AG", "token": TOKEN, "seed": "shop"}
    tenant = {"slug": SLUG, "username": "webapi", "password": PASSWORD, "has_articles": False, "has_contacts": False}
    limits = {"enabled": False}
    for client, path, body in (
        (field.bexio, "/_sandbox/companies", company),
        (field.bexio, "/_sandbox/limits", limits),
        (field.arcavis, "/_sandbox/tenants", tenant),
    ):
        (await client.post(path, json=body)).raise_for_status()
    operator = {"Authorization": f"Bearer {OPERATOR_KEY}"}
    arcavis = {"base_url": f"{field.arcavis_url}/{SLUG}", "username": "webapi", "password": PASSWORD}
    body: dict[str, Any] = {"slug": SLUG, "name": "Bench AG", "language": "de", "arcavis": arcavis, "modules": []}
    (await field.service.post("/tenants", json=body, headers=operator)).raise_for_status()
    role = {"role": "backoffice", "label": "bench"}
    key = await field.service.post(f"/tenants/{SLUG}/api-keys", json=role, headers=operator)
    key.raise_for_status()
    field.service.headers["Authorization"] = f"Bearer {key.json()['key']}"
    token = {"personal_access_token": TOKEN}
    (await field.service.put("/connection/bexio", json=token)).raise_for_status()
