"""Virtual time for actors that share one event loop: one runs at a time, so that a seed is one exact schedule."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process died here: nothing after this line happens."""


@dataclass(order=True)
class _Due:
    at: datetime
    number: int
    future: asyncio.Future[None] = field(compare=False)


class Scheduler:
    """Actors are tasks. Each runs until it waits for virtual time; then the next due one goes on."""

    def __init__(self) -> None:
        self.now = START
        self._due: list[_Due] = []
        self._number = 0
        self._running = 0
        self._quiet = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []

    async def wait_until(self, moment: datetime) -> None:
        """Parks the calling actor until `moment`."""
        self._number += 1
        due = _Due(max(moment, self.now), self._number, asyncio.get_running_loop().create_future())
        heapq.heappush(self._due, due)
        self._parked()
        await due.future

    async def wait(self, seconds: float) -> None:
        """Parks the calling actor for so many virtual seconds."""
        await self.wait_until(self.now + timedelta(seconds=seconds))

    def start(
        self, group: asyncio.TaskGroup, actor: Coroutine[Any, Any, None], after: float = 0.0
    ) -> asyncio.Task[None]:
        """Lets an actor begin after so many virtual seconds."""
        self._running += 1
        task = group.create_task(self._act(actor, after))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _act(self, actor: Coroutine[Any, Any, None], after: float) -> None:
        try:
            await self.wait(after)
            await actor
        except Killed:
            pass
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - shown with the seed
            self.failures.append(error)
        finally:
            self._parked()

    def _parked(self) -> None:
        self._running -= 1
        if self._running == 0:
            self._quiet.set()

    async def run_until(self, end: datetime) -> None:
        """Lets everything happen that is due before `end`."""
        while True:
            if self._running:
                self._quiet.clear()
                await self._quiet.wait()
            if not self._due or self._due[0].at > end or self.failures:
                return
            due = heapq.heappop(self._due)
            self.now = due.at
            if not due.future.done():
                self._running += 1
                due.future.set_result(None)

    def drop_waiting(self) -> None:
        """Ends every actor that still waits."""
        for task in list(self.tasks):
            task.cancel()


class VirtualClock:
    """The clock of one simulated process; a frozen process wakes only when it thaws."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self.frozen_until = START

    def now(self) -> datetime:
        return self._scheduler.now

    def monotonic(self) -> float:
        return (self._scheduler.now - START).total_seconds()

    async def sleep(self, seconds: float) -> None:
        await self._scheduler.wait(seconds)
        while self._scheduler.now < self.frozen_until:
            await self._scheduler.wait_until(self.frozen_until)
