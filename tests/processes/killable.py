"""A worker process that ends, or freezes, exactly at a named milestone; once."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import structlog

from app import bootstrap
from app.core import log
from app.settings import Settings


@dataclass(frozen=True)
class Trap:
    """Sends `signal` to its own process when the work passes `milestone`, unless the marker is there already."""

    milestone: str
    marker: Path
    signal: int = signal.SIGKILL

    async def __call__(self, milestone: str) -> None:
        if milestone != self.milestone:
            return
        try:
            self.marker.touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), self.signal)


async def no_trap(milestone: str) -> None:
    """Passes every milestone."""


def begin(log_file: Path) -> None:
    """What every process of these tests does first: log to a file, and not outlive the tests."""
    log.configure("info", json=True, stream=log_file.open("ab", buffering=0))
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def work(options: dict[str, Any], log_file: Path, trap: Trap | None) -> None:
    """Works until SIGTERM, or until the trap."""
    begin(log_file)
    asyncio.run(_work(Settings(**options), trap))


async def _work(settings: Settings, trap: Trap | None) -> None:
    async with bootstrap.open_resources(settings) as resources:
        resources.renewals.probe = trap or no_trap
        worker = bootstrap.worker(resources, probe=trap or no_trap)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
        structlog.get_logger("worker").info("working")
        await worker.run()
