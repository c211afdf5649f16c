"""Other programs that a command starts, watches and ends: the sandbox, and for the demo our own processes."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

READY_SECONDS = 60.0
STOP_SECONDS = 40.0
_TOLD_LINES = 3


class ChildFailed(Exception):
    """A program that was started did not come up, or went away."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running program; `ready` is the JSON object that it printed when it was ready, empty when it prints none."""

    name: str
    process: Process
    log: Path | None
    ready: Mapping[str, Any] = field(repr=False, default_factory=dict[str, Any])

    def check(self) -> None:
        """Raises `ChildFailed` when it has ended."""
        if self.process.returncode is not None:
            raise ChildFailed(_died(self.name, self.process.returncode, self.log))


def run_until_told(main: Coroutine[Any, Any, None]) -> bool:
    """Runs to the end, or until a signal: then what `main` started is ended in order. True when it came to its end."""

    async def watched() -> None:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(name, task.cancel if task else loop.stop)
        await main

    try:
        asyncio.run(watched())
    except asyncio.CancelledError:
        return False
    return True


def connector(*arguments: str) -> list[str]:
    """The command that runs this program again."""
    return [sys.executable, "-m", "app.cli", *arguments]


@asynccontextmanager
async def running(
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
    tells_when_ready: bool = True,
) -> AsyncGenerator[Child]:
    """Runs a program while the block runs.

    Its standard error goes to the file `log`, or to ours without one.

    Raises:
        ChildFailed: it ends, or says nothing for a minute, before it is ready.
    """
    target = log.open("ab") if log else None
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=PIPE, stderr=target, env=environment, start_new_session=log is not None
        )
    finally:
        if target:
            target.close()
    try:
        ready: Mapping[str, Any] = await _first_line(name, process, log) if tells_when_ready else {}
        yield Child(name, process, log, ready)
    finally:
        await _end(process)


async def _first_line(name: str, process: Process, log: Path | None) -> Mapping[str, Any]:
    if process.stdout is None:
        raise RuntimeError("Started without a pipe.")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), READY_SECONDS)
    except TimeoutError:
        raise ChildFailed(f"{name} was not ready after {READY_SECONDS:.0f} seconds.{_said(log)}") from None
    if not line:
        raise ChildFailed(_died(name, await process.wait(), log))
    return json.loads(line)


async def _end(process: Process) -> None:
    """Asks it to finish; after a while it is made to."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _died(name: str, code: int, log: Path | None) -> str:
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    return f"{name} {how}.{_said(log)}"


def _said(log: Path | None) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_TOLD_LINES:] if log and log.exists() else []
    return f" Its last words: {' / '.join(lines)}" if lines else ""
