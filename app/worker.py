"""The worker process: works through the jobs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal

import structlog

from app import bootstrap
from app.settings import Settings

_log = structlog.get_logger("worker")


async def work(settings: Settings) -> None:
    """Works until SIGINT or SIGTERM; what runs is finished, bounded."""
    async with bootstrap.open_resources(settings) as resources:
        worker = bootstrap.worker(resources)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, worker.stop)
        _log.info("working")
        await worker.run()
