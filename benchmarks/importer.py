"""A worker process that reads bexio at bulk priority as well, as fast as the budget lets it, while it is told to.

`python -m benchmarks.importer TENANT`: SIGUSR1 begins, SIGUSR2 ends; then it tells what it got and how often it had
to hold back.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from uuid import UUID

from app import bootstrap
from app.bootstrap import Resources
from app.core import log
from app.core.errors import RemoteUnavailable
from app.core.priority import Priority
from app.settings import Settings

IN_FLIGHT = 8
TOLD, SATURATED = "held back", "saturated"
HELD_BACK = 1.0
"""Seconds for one page that only waiting for one's turn can take."""


class Importer:
    """Reads the company's contacts over and over: what a large import asks of the budget, without its writes."""

    def __init__(self, resources: Resources, tenant: UUID) -> None:
        self._resources = resources
        self._tenant = tenant
        self._wanted = asyncio.Event()
        self._read = self._held_back = 0

    def begin(self) -> None:
        self._read = self._held_back = 0
        self._wanted.set()

    def end(self) -> None:
        self._wanted.clear()
        _say(f"read {self._read}, {TOLD} {self._held_back}")

    def _note(self) -> None:
        if not self._held_back:
            _say(SATURATED)
        self._held_back += 1

    async def run(self) -> None:
        clock = self._resources.clock
        while True:
            await self._wanted.wait()
            began = clock.monotonic()
            try:
                bexio = await self._resources.remotes.bexio(self._tenant, Priority.BULK)
                async for _ in bexio.contacts.pages():
                    self._read += 1
            except RemoteUnavailable as error:
                await clock.sleep(min(error.retry_after, 1.0))
            if clock.monotonic() - began > HELD_BACK:
                self._note()


def _say(told: str) -> None:
    sys.stdout.write(told + "\n")
    sys.stdout.flush()


async def main(tenant: UUID) -> None:
    settings = Settings()
    async with bootstrap.open_resources(settings) as resources, asyncio.TaskGroup() as group:
        importer, worker = Importer(resources, tenant), bootstrap.worker(resources)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, importer.begin)
        loop.add_signal_handler(signal.SIGUSR2, importer.end)
        readers = [group.create_task(importer.run()) for _ in range(IN_FLIGHT)]
        loop.add_signal_handler(signal.SIGTERM, worker.stop)
        await worker.run()
        for reader in readers:
            reader.cancel()


if __name__ == "__main__":
    log.configure(os.environ.get("CONNECTOR_LOG_LEVEL", "WARNING"), json=True)
    asyncio.run(main(UUID(sys.argv[1])))
