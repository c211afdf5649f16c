"""One flight per key in this process: whoever asks meanwhile shares its outcome, and it ends though nobody waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

import structlog

Key = TypeVar("Key", bound=Hashable)
Result = TypeVar("Result")

_log = structlog.get_logger("flights")


class Flights(Generic[Key, Result]):
    """Work that must not be cut off half-way when a caller is cancelled, and not be done twice at once."""

    def __init__(self) -> None:
        self._running: dict[Key, asyncio.Task[Result]] = {}

    async def share(self, key: Key, start: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """The outcome of the flight that is on its way, or of a new one."""
        task = self._running.get(key)
        if task is None:
            # Not of a TaskGroup: it outlives the one who started it; `close` waits for it, and its error is told here.
            task = asyncio.get_running_loop().create_task(start())
            self._running[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Returns when everything has landed."""
        while self._running:
            await asyncio.wait(list(self._running.values()))

    def _landed(self, key: Key, done: asyncio.Task[Result]) -> None:
        self._running.pop(key, None)
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.info("flight-failed", error=type(error).__name__, code=getattr(error, "code", None))
