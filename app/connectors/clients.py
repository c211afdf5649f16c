"""One set of connections per remote party, kept while it is used.

Connections per request cost 27 ms, one set shared by all collapses with 50 requests in flight; so each party has
its own, with few connections and one TLS context for all of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

CONNECTIONS = httpx.Limits(max_connections=8, max_keepalive_connections=8, keepalive_expiry=15.0)
TIMEOUTS = httpx.Timeout(connect=5.0, read=20.0, write=10.0, pool=10.0)
_TIMEOUTS = TIMEOUTS.as_dict()
MOST_CLIENTS = 128


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where requests go, and for whom: connections are never shared between owners.

    `system` is `bexio` or `arcavis`; `owner` the bexio company or our tenant. `urgent` work has connections
    of its own, so that bulk work cannot fill those that a till needs.
    """

    system: str
    owner: str
    base_url: str
    urgent: bool = False


Connect = Callable[[Upstream], httpx.AsyncBaseTransport]


class Client:
    """One party's connections, and what every request over them has.

    `httpx.AsyncClient` would add what must not be here: proxies and .netrc of the environment, which bypass the checked
    connections, a load balancer's cookie, which must not travel with another user's token, and redirects. It also costs
    a quarter of the CPU that a request takes.
    """

    def __init__(self, transport: httpx.AsyncBaseTransport, user_agent: str) -> None:
        self._transport = transport
        self._headers = {"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate"}
        self.is_closed = False

    async def send(
        self,
        method: str,
        url: str,
        *,
        query: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer with its body still to be read; whoever asks closes it."""
        request = httpx.Request(
            method,
            url,
            params=query,
            headers={**self._headers, **(headers or {})},
            content=content,
            extensions={"timeout": _TIMEOUTS},
        )
        return await self._transport.handle_async_request(request)

    async def close(self) -> None:
        """Closes the connections."""
        self.is_closed = True
        await self._transport.aclose()


@dataclass(slots=True)
class _Kept:
    client: Client
    users: int = 0


class HttpClients:
    """A bounded set of clients; the least recently used idle ones are closed.

    `connect` makes the connections of an upstream: the network in service, a simulator in tests.
    """

    def __init__(
        self, connect: Connect, *, user_agent: str = "arcavis-bexio-connector", limit: int = MOST_CLIENTS
    ) -> None:
        self._connect = connect
        self._user_agent = user_agent
        self._limit = limit
        self._kept: OrderedDict[Upstream, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @asynccontextmanager
    async def lease(self, upstream: Upstream) -> AsyncGenerator[Client]:
        """The upstream's client, kept open at least while the block runs."""
        kept = self._kept.get(upstream)
        if kept is None:
            kept = self._kept[upstream] = _Kept(self._open(upstream))
        self._kept.move_to_end(upstream)
        kept.users += 1
        try:
            await self._close_surplus()
            yield kept.client
        finally:
            kept.users -= 1

    async def close(self) -> None:
        """Closes every client."""
        while self._kept:
            _, kept = self._kept.popitem()
            await kept.client.close()

    def _open(self, upstream: Upstream) -> Client:
        return Client(self._connect(upstream), self._user_agent)

    async def _close_surplus(self) -> None:
        while len(self._kept) > self._limit:
            idle = next((upstream for upstream, kept in self._kept.items() if kept.users == 0), None)
            if idle is None:
                return
            await self._kept.pop(idle).client.close()
