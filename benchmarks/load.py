"""The load generator: keep-alive connections that each send the next request when the answer is there.

Closed loop, about 60 us of CPU per request under uvloop, so that it measures the server and not itself.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles
from typing import cast

Request = Callable[[], bytes | None]
"""The next request as it goes over the wire; None when there is no more."""

LONGEST_ANSWER = 30.0
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass
class Shots:
    """What was fired: seconds per answered request, and answers by status."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list[float])
    statuses: Counter[int] = field(default_factory=Counter[int])

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, percent: int) -> float:
        """A latency in milliseconds."""
        if len(self.latencies) < 2:
            return 1000 * sum(self.latencies)
        return 1000 * quantiles(self.latencies, n=100, method="inclusive")[percent - 1]

    def expect(self, *statuses: int) -> None:
        """Raises `RuntimeError` when anything else was answered: a fast refusal is no good figure."""
        if not self.statuses or set(self.statuses) - set(statuses):
            raise RuntimeError(f"Expected only {statuses}, the answers were {dict(self.statuses)}.")


class _Connection(asyncio.Protocol):
    def __init__(self, shots: Shots, request: Request, until: float, pause: float) -> None:
        self._shots = shots
        self._request = request
        self._until = until
        self._pause = pause
        self._buffer = b""
        self._sent_at = 0.0
        self._wanted = 0
        self._loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._wanted:
            self._wanted = _whole_length(self._buffer)
        if not self._wanted or len(self._buffer) < self._wanted:
            return
        self._shots.latencies.append(time.perf_counter() - self._sent_at)
        self._shots.statuses[int(self._buffer[9:12])] += 1
        self._buffer, self._wanted = b"", 0
        if self._pause:
            self._loop.call_later(self._pause, self._send)
        else:
            self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("The server closed the connection."))

    def _send(self) -> None:
        request = self._request() if time.perf_counter() < self._until else None
        if request is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _whole_length(buffer: bytes) -> int:
    """Bytes of the answer, 0 while its head is incomplete."""
    end = buffer.find(_END_OF_HEAD)
    if end < 0:
        return 0
    head = buffer[:end].lower()
    at = head.index(_LENGTH) + len(_LENGTH)
    return end + len(_END_OF_HEAD) + int(head[at:].split(b"\r\n", 1)[0])


async def fire(
    address: tuple[str, int], request: Request, *, concurrency: int, seconds: float, pause: float = 0.0
) -> Shots:
    """Fires for `seconds`, or until there are no more requests; each connection pauses after an answer."""
    loop = asyncio.get_running_loop()
    shots = Shots()
    began = time.perf_counter()
    connections: list[_Connection] = []
    for _ in range(concurrency):
        _, connection = await loop.create_connection(
            lambda: _Connection(shots, request, began + seconds, pause), *address
        )
        connections.append(connection)
    async with asyncio.timeout(seconds + LONGEST_ANSWER):
        await asyncio.gather(*(connection.done for connection in connections))
    shots.seconds = time.perf_counter() - began
    return shots
