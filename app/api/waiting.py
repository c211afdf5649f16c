"""`Prefer: wait=N` (RFC 7240): the answer waits for work that a worker does, for at most 20 seconds.

The worker notifies `connector_settled` with the subject's id when a turn of its work ends. One connection per process
listens. Whoever waits looks at the record itself each time it is woken, and also every now and then without being
woken: a lost notification costs half a second, never the answer.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import structlog

from app.core.clock import Clock
from app.db.session import Database
from app.jobs.engine import engine_connection

CHANNEL = "connector_settled"
LONGEST_WAIT = 20
POLL_SECONDS = 0.5
POLL_SECONDS_LISTENING = 2.0
PING_SECONDS = 15.0
LONGEST_PAUSE = 5.0
# More than can settle between the moment that a sale is recorded and the moment that somebody waits for it.
MOST_LATELY = 1024

_WAIT = re.compile(r'(?:^|,)\s*wait\s*=\s*"?(\d{1,6})"?\s*(?:$|[,;])', re.IGNORECASE)
_log = structlog.get_logger("waiting")

T = TypeVar("T")


def parse_wait(headers: Sequence[str]) -> int | None:
    """The seconds that the `Prefer` headers ask for, at most `LONGEST_WAIT`; None when they do not ask."""
    match = _WAIT.search(",".join(headers))
    return min(int(match[1]), LONGEST_WAIT) if match else None


class Signal:
    """Wakes one waiting request."""

    def __init__(self, settled: Settled) -> None:
        self._settled = settled
        self._event = asyncio.Event()

    def fire(self) -> None:
        """The subject settled."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Returns when it is time to look again: on a notification, after a poll interval, or after `seconds`."""
        try:
            await asyncio.wait_for(self._event.wait(), min(seconds, self._settled.poll_seconds))
        except TimeoutError:
            return
        self._event.clear()


class Settled:
    """Tells waiting requests when the work on their subject came to an end. `run` listens; without it, all poll."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._signals: defaultdict[UUID, set[Signal]] = defaultdict(set)
        self._lately: OrderedDict[UUID, None] = OrderedDict()
        self._listening = False

    @property
    def listening(self) -> bool:
        """True while notifications arrive."""
        return self._listening

    @property
    def watched(self) -> frozenset[UUID]:
        """The subjects that somebody waits for."""
        return frozenset(self._signals)

    @property
    def poll_seconds(self) -> float:
        """How long a waiting request may go without looking."""
        return POLL_SECONDS_LISTENING if self._listening else POLL_SECONDS

    @asynccontextmanager
    async def watch(self, subject: UUID) -> AsyncGenerator[Signal]:
        """A signal for one subject. Enter before the last look, so that no notification falls between."""
        signal = Signal(self)
        self._signals[subject].add(signal)
        try:
            yield signal
        finally:
            watching = self._signals[subject]
            watching.discard(signal)
            if not watching:
                del self._signals[subject]

    async def until(
        self, subject: UUID, seconds: float, look: Callable[[], Awaitable[T | None]], *, new: bool = False
    ) -> T | None:
        """What `look` answers as soon as it is not None, or None after `seconds`. `look` reads the record anew.

        `new`: the caller has only just made the subject. Then there is nothing to see before a notification came.
        """
        deadline = self._clock.monotonic() + seconds
        async with self.watch(subject) as signal:
            if new and self._listening and subject not in self._lately:
                await signal.wait(seconds)
            while (found := await look()) is None:
                remaining = deadline - self._clock.monotonic()
                if remaining <= 0:
                    return None
                await signal.wait(remaining)
            return found

    async def run(self) -> None:
        """Listens until cancelled, through every outage of the database."""
        pause = POLL_SECONDS
        while True:
            started = self._clock.monotonic()
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever ended it, it listens again
                _log.warning("listening-restarts", error=type(error).__name__)
            finally:
                self._listening = False
            lasted = self._clock.monotonic() - started
            pause = POLL_SECONDS if lasted > PING_SECONDS else min(pause * 2, LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _listen(self) -> None:
        gone = asyncio.Event()
        async with engine_connection(self._db) as opened:
            # asyncpg types its methods only in part.
            connection: Any = opened
            connection.add_termination_listener(partial(_set, gone))
            await connection.add_listener(CHANNEL, self._on_notification)
            self._listening = True
            self._wake_all()
            while not gone.is_set():
                # A connection that died without a word looks like one with nothing to say.
                await connection.execute("select 1", timeout=LONGEST_PAUSE)
                try:
                    await asyncio.wait_for(gone.wait(), PING_SECONDS)
                except TimeoutError:
                    continue

    def _on_notification(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        try:
            subject = UUID(str(payload))
        except ValueError:
            _log.warning("notification-unreadable")
            return
        self._lately[subject] = None
        if len(self._lately) > MOST_LATELY:
            self._lately.popitem(last=False)
        for signal in self._signals.get(subject, ()):
            signal.fire()

    def _wake_all(self) -> None:
        for signals in self._signals.values():
            for signal in signals:
                signal.fire()


def _set(event: asyncio.Event, _connection: object) -> None:
    event.set()
