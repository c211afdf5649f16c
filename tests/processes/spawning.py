"""Real processes for tests: forked from a server that has imported the service already, so that a start is quick."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from tests.processes import killable, serving
from tests.processes.killable import Trap

START_SECONDS = 30.0
STOP_SECONDS = 30.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["__main__", killable.__name__, serving.__name__])


@dataclass
class Running:
    """One process; `url` for those that serve."""

    process: ForkServerProcess
    log: Path
    url: str = ""

    @property
    def alive(self) -> bool:
        return self.process.is_alive()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    async def ended(self, seconds: float) -> int:
        """Its exit code, negative for a signal; fails when it is not over within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while self.process.exitcode is None:
            assert loop.time() < deadline, f"still running after {seconds} s: {self.log}"
            await asyncio.sleep(0.02)
        return self.process.exitcode

    async def logged(self, event: str, seconds: float = START_SECONDS) -> bool:
        """Waits until the process has logged the event; False when it did not within `seconds`."""
        for _ in range(int(seconds / 0.05)):
            if self.log.exists() and f'"{event}"'.encode() in self.log.read_bytes():
                return True
            await asyncio.sleep(0.05)
        return False

    async def stop(self) -> int:
        """Asks it to finish and returns its exit code."""
        self.process.terminate()
        return await self.ended(STOP_SECONDS)

    def kill(self) -> None:
        """Ends it at once, also when it is frozen; nothing when it is over."""
        if self.process.is_alive():
            self.process.kill()

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)


def start_worker(options: dict[str, Any], log: Path, trap: Trap | None = None) -> Running:
    """A worker process; it falls into the trap when there is one."""
    process = _context.Process(target=killable.work, args=(options, log, trap), daemon=True)
    process.start()
    return Running(process, log)


@asynccontextmanager
async def served(options: dict[str, Any], log: Path, *, all_in_one: bool = False) -> AsyncGenerator[Running]:
    """A process that answers HTTP, killed at the end when it still runs."""
    receiver, sender = _context.Pipe(duplex=False)
    process = _context.Process(
        target=serving.run, args=(options, log, sender), kwargs={"all_in_one": all_in_one}, daemon=True
    )
    process.start()
    running = Running(process, log)
    try:
        assert await asyncio.to_thread(receiver.poll, START_SECONDS), log.read_text()
        running.url = receiver.recv()
        yield running
    finally:
        running.kill()
        sender.close()
        receiver.close()


@asynccontextmanager
async def sandbox_command() -> AsyncGenerator[dict[str, str]]:
    """`python -m sandbox` in a process of its own: where it answers and with what."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
        yield json.loads(line)
    finally:
        if process.returncode is None:
            process.terminate()
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
