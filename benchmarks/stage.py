"""The processes that are measured: started once, used by several benchmarks, ended together."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from sqlalchemy import URL

from benchmarks import bexio, database
from benchmarks.database import Shop
from benchmarks.machine import Meter

START_SECONDS = 90.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.01
HOST = "127.0.0.1"
CONNECTOR = [sys.executable, "-m", "app.cli"]


@dataclass(frozen=True, slots=True)
class Running:
    """A process that listens on `address`; `started` is how many seconds that took."""

    process: asyncio.subprocess.Process
    address: tuple[str, int]
    log: Path
    started: float

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def url(self) -> str:
        return f"http://{self.address[0]}:{self.address[1]}"


@dataclass
class Stage:
    """A database with a shop in it, and a folder for logs."""

    server: URL
    database: URL
    shop: Shop
    folder: Path
    postmaster: int
    _running: dict[str, Running] = field(default_factory=dict[str, Running])

    @staticmethod
    def free_port() -> int:
        """A port that nobody listens on."""
        return _free_port()

    def meter(self) -> Meter:
        """Watches for other people's work; processes of other stages are ours, too."""
        return Meter((os.getpid(), self.postmaster) if self.postmaster else (os.getpid(),))

    async def bexio(self, *, latency: float = 0.0, limit: int = bexio.PLENTY) -> Running:
        """The simulated bexio; every answer takes `latency` seconds, `limit` requests a minute are allowed."""
        running = await self._once("bexio", [sys.executable, "-m", "benchmarks.bexio"], {})
        async with httpx.AsyncClient(base_url=f"{running.url}/_sandbox") as control:
            limits = {"general": limit, "search": limit, "article": limit}
            answers = [
                await control.delete("/faults"),
                await control.post("/limits", json=limits),
                await control.post("/faults", json={"mode": "latency", "seconds": latency}),
            ]
        for answer in answers:
            answer.raise_for_status()
        return running

    async def floor(self, name: str = "floor") -> Running:
        """F-A; another name is another process of the same."""
        upstream = self._running.get("bexio") or await self.bexio()
        command = [sys.executable, "-m", "benchmarks.floor", database.plain(self.database)]
        return await self._once(name, command, {}, after=[upstream.url])

    async def serve(self, name: str = "serve", *, all_in_one: bool = False) -> Running:
        """The service as it is run in production; its log goes to a file."""
        command = [*CONNECTOR, "serve", *(["--all-in-one"] if all_in_one else []), "--port"]
        return await self._once(name, command, await self._environment(), path="/health/ready")

    async def worker(self, name: str = "worker") -> Running:
        """A worker process; it is ready when it works off a sale."""
        command = [*CONNECTOR, "worker"]
        return await self._once(name, command, await self._environment(), listens=False)

    async def importer(self, name: str = "importer") -> Running:
        """A worker process that imports as well, while it is told to."""
        command = [sys.executable, "-m", "benchmarks.importer", str(self.shop.tenant)]
        return await self._once(name, command, await self._environment(), listens=False)

    async def end(self, *names: str) -> None:
        """Ends processes; all without a name."""
        chosen = [self._running.pop(name) for name in names or tuple(self._running) if name in self._running]
        for running in chosen:
            with suppress(ProcessLookupError):
                running.process.send_signal(signal.SIGTERM)
        for running in chosen:
            try:
                await asyncio.wait_for(running.process.wait(), STOP_SECONDS)
            except TimeoutError:
                running.process.kill()
                await running.process.wait()

    def last_words(self) -> str:
        """What the processes logged last."""
        told = (
            f"--- {name} ({running.process.returncode})\n{running.log.read_text()[-1000:]}"
            for name, running in self._running.items()
        )
        return "\n".join(told)

    async def _environment(self) -> dict[str, str]:
        upstream = self._running.get("bexio") or await self.bexio()
        return {
            "CONNECTOR_DATABASE_URL": database.plain(self.database),
            "CONNECTOR_BEXIO_API_URL": upstream.url,
            "CONNECTOR_ENCRYPTION_KEYS": self.shop.encryption_keys,
            "CONNECTOR_REQUESTS_PER_MINUTE": "100000000",
        }

    async def _once(
        self,
        name: str,
        command: list[str],
        environment: Mapping[str, str],
        *,
        after: list[str] | None = None,
        path: str | None = None,
        listens: bool = True,
    ) -> Running:
        if name not in self._running:
            address = (HOST, _free_port())
            arguments = [str(address[1]), *(after or [])] if listens else []
            log = self.folder / f"{name}.log"
            began = time.monotonic()
            with log.open("ab") as output:
                process = await asyncio.create_subprocess_exec(
                    *command, *arguments, stdout=output, stderr=output, env={**os.environ, **environment}
                )
            running = Running(process, address, log, 0.0)
            self._running[name] = running
            if listens:
                await _until_ready(running, path)
            self._running[name] = Running(process, address, log, time.monotonic() - began)
        return self._running[name]


async def _until_ready(running: Running, path: str | None) -> None:
    until = time.monotonic() + START_SECONDS
    async with httpx.AsyncClient(base_url=running.url) as client:
        while time.monotonic() < until:
            if running.process.returncode is not None:
                break
            with suppress(httpx.TransportError):
                answer = await client.get(path or "/")
                if path is None or answer.is_success:
                    return
            await asyncio.sleep(POLL_SECONDS)
    raise RuntimeError(f"A process did not get ready:\n{running.log.read_text()[-2000:]}")


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as found:
        return found.getsockname()[1]


@asynccontextmanager
async def open_stage(server: URL) -> AsyncGenerator[Stage]:
    """A stage on a fresh database of this server; everything that was started on it is ended."""
    async with database.fresh_database(server) as made:
        shop = await database.add_shop(made)
        with TemporaryDirectory(prefix="connector-bench-logs-") as folder:
            stage = Stage(server, made, shop, Path(folder), await database.postmaster(made))
            try:
                yield stage
            except Exception as error:
                error.add_note(stage.last_words())
                raise
            finally:
                await stage.end()
