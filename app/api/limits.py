"""How much a caller may: so many requests a minute with one key, and bodies up to a size."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from app.api import body
from app.api.auth import bearer
from app.api.problems import respond
from app.core.clock import Clock
from app.core.errors import RateLimited, RequestError

MOST_KEYS = 20_000

_UNLIMITED = ("/health/", "/metrics")
_WITHOUT_BODY = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left after one request. `reset` and `retry_after` in seconds; `retry_after` 0 when it was granted."""

    limit: int
    remaining: int
    reset: int
    retry_after: float

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The `RateLimit-*` response headers."""
        return [
            (b"ratelimit-limit", b"%d" % self.limit),
            (b"ratelimit-remaining", b"%d" % self.remaining),
            (b"ratelimit-reset", b"%d" % self.reset),
        ]


class TokenBuckets:
    """One bucket per key, in the memory of this process: a full minute's worth at once, refilled steadily."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._capacity = per_minute
        self._per_second = per_minute / 60
        self._buckets: OrderedDict[bytes, tuple[float, float]] = OrderedDict()

    def take(self, key: bytes) -> Allowance:
        """Takes one token of a key's bucket."""
        now = self._clock.monotonic()
        tokens, filled_at = self._buckets.get(key, (float(self._capacity), now))
        tokens = min(self._capacity, tokens + (now - filled_at) * self._per_second)
        granted = tokens >= 1
        if granted:
            tokens -= 1
        self._buckets[key] = (tokens, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)
        return Allowance(
            limit=self._capacity,
            remaining=int(tokens),
            reset=math.ceil((self._capacity - tokens) / self._per_second),
            retry_after=0.0 if granted else (1 - tokens) / self._per_second,
        )


class Limits:
    """The ASGI layer that refuses too many requests, too large bodies and text that cannot be stored."""

    def __init__(self, app: ASGIApp, *, buckets: TokenBuckets, largest_body: int) -> None:
        self._app = app
        self._buckets = buckets
        self._largest_body = largest_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; see ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(_UNLIMITED):
            await self._app(scope, receive, send)
            return
        try:
            self._count(scope)
            content = b""
            if scope["method"] not in _WITHOUT_BODY:
                content = await body.read(scope, receive, self._largest_body)
                receive = body.again(content, receive)
            body.refuse_unstorable(scope, content)
        except RequestError as error:
            await respond(scope, error)(scope, receive, send)
            return
        except body.Disconnected:
            return
        await self._app(scope, receive, send)

    def _count(self, scope: Scope) -> None:
        allowance = self._buckets.take(bearer(scope) or _address(scope))
        scope["connector.headers"] = allowance.headers
        if allowance.retry_after:
            wait = max(1, math.ceil(allowance.retry_after))
            raise RateLimited("too-many-requests", wait, limit=allowance.limit, seconds=wait)


def _address(scope: Scope) -> bytes:
    client = scope.get("client")
    return f"address {client[0]}".encode() if client else b"address"
