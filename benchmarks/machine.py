"""What the machine is doing, read from /proc: whose CPU, how much memory, and whether others disturb.

Where there is no /proc (macOS) CPU and memory read as zero, and no round counts as disturbed.
"""

from __future__ import annotations

import asyncio
import os
import platform
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

QUIET = 0.08
PATIENCE = 30.0
"""Seconds that a series waits for a quiet machine, all in all."""
LOOK_SECONDS = 0.25
PACKAGES = ("fastapi", "starlette", "pydantic", "uvicorn", "uvloop", "httptools", "sqlalchemy", "asyncpg", "httpx")

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024


def cores() -> int:
    return os.cpu_count() or 1


def busy_seconds() -> float:
    """CPU seconds that the whole machine has spent on anything, stolen time included."""
    try:
        fields = [int(each) for each in (_PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]
    except OSError:
        return 0.0
    user, nice, system, _idle, _wait, _irq, _softirq, steal = fields
    return (user + nice + system + steal) / _TICKS


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU seconds of these processes, with those of the children that they have reaped."""
    return sum(sum(map(int, ticks)) for pid in pids if (ticks := _stat(pid)) is not None) / _TICKS


def family(*roots: int) -> set[int]:
    """The processes with everything that descends from them."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for entry in _PROC.glob("[0-9]*/stat"):
        try:
            parent = entry.read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        children[int(parent)].append(int(entry.parent.name))
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting.extend(children[pid])
    return found


def rss_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / _MIB for line in lines if line.startswith("VmRSS:")), 0.0)


def pin(pids: Iterable[int], core: int) -> None:
    """Keeps processes, and what they start from now on, on one core; where that is possible and there are two."""
    if cores() < 2 or not hasattr(os, "sched_setaffinity"):
        return
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.sched_setaffinity(pid, {core})


def unpin(pids: Iterable[int]) -> None:
    """Lets processes run on every core again."""
    if hasattr(os, "sched_setaffinity"):
        for pid in pids:
            with suppress(ProcessLookupError, PermissionError):
                os.sched_setaffinity(pid, range(cores()))


def description() -> dict[str, str]:
    """Machine and versions, for the report."""
    model = "unknown"
    try:
        lines = (_PROC / "cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        model = platform.processor() or platform.machine()
    versions = {name: version(name) for name in PACKAGES}
    return {
        "cpu": f"{cores()} x {model}",
        "system": platform.platform(),
        "python": platform.python_version(),
        **versions,
    }


@dataclass
class Meter:
    """Tells how much of the machine others used since it was started; `ours` are our processes' ancestors."""

    ours: tuple[int, ...]
    _patience: float = field(init=False, default=PATIENCE)
    _began: float = field(init=False)
    _busy: float = field(init=False)
    _own: float = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self._began, self._busy, self._own = time.monotonic(), busy_seconds(), self._spent()

    def foreign(self) -> float:
        """The part of all cores that others used, 0 to 1."""
        passed = time.monotonic() - self._began
        others = busy_seconds() - self._busy - (self._spent() - self._own)
        return max(0.0, others / (passed * cores())) if passed else 0.0

    def _spent(self) -> float:
        return cpu_seconds(family(*self.ours))

    async def wait_until_quiet(self) -> None:
        """Returns when others leave the machine alone, or when they do not for too long."""
        while self._patience > 0:
            self.start()
            await asyncio.sleep(LOOK_SECONDS)
            if self.foreign() <= QUIET:
                return
            self._patience -= LOOK_SECONDS


def _stat(pid: int) -> list[int] | None:
    try:
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return [int(each) for each in fields[11:15]]
