"""Hearing the bell: a new job starts work at once; the engine itself comes after, once a second at most.

The engine asks the database five times after every change of its table, those it makes itself included, before it
runs a job: some milliseconds, for which a till would wait. So its notification is acted upon directly. The job stays
what it is, the durable trace of a bell that nobody may have heard, and costs a busy worker next to nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from pgqueuer.db import AsyncpgDriver
from pgqueuer.ports.driver import NotifyCallback

ENGINE_PAUSE = 1.0


class BellDriver(AsyncpgDriver):
    """The engine's driver in a worker. `ring` is called for each new job when its transaction has committed."""

    # asyncpg ships no types.
    def __init__(self, connection: Any, ring: Callable[[], None]) -> None:  # noqa: ANN401
        super().__init__(connection)
        self._ring = ring
        self._waiting: asyncio.TimerHandle | None = None

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Listens on the engine's behalf."""
        await super().add_listener(channel, partial(self._heard, callback))

    def _heard(self, callback: NotifyCallback, payload: str | bytes | bytearray) -> None:
        operation = _table_operation(payload)
        if operation is None:
            # A health check or a cancellation is nothing that comes a hundred times a second.
            callback(payload)
            return
        if operation == "insert":
            self._ring()
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(ENGINE_PAUSE, self._pass_on, callback, payload)

    def _pass_on(self, callback: NotifyCallback, payload: str | bytes | bytearray) -> None:
        self._waiting = None
        callback(payload)

    async def __aexit__(self, *_: object) -> None:
        """What waits to be passed on has nobody to go to any more."""
        if self._waiting is not None:
            self._waiting.cancel()


def _table_operation(payload: str | bytes | bytearray) -> str | None:
    """What happened to the engine's table; None for every other event, and for what is unreadable."""
    try:
        event = orjson.loads(payload)
        return str(event["operation"]) if event["type"] == "table_changed_event" else None
    except (ValueError, KeyError, TypeError):
        return None
