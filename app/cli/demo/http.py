"""Requests of the demo, which stands outside like a till or a backoffice does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import urlsplit

from app.cli.failures import CommandFailed

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is its JSON, with Decimals for figures."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody with an address to call and perhaps a key."""

    url: str
    key: str | None = field(default=None, repr=False)
    language: str = "en"

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> Reply:
        """Sends one request; `If_Match="x"` becomes the header `If-Match: x`."""
        return await asyncio.to_thread(self._call, method, path, body, headers)

    async def get(self, path: str) -> Any:  # noqa: ANN401 - any JSON value
        """What is there.

        Raises:
            CommandFailed: another answer than 2xx.
        """
        return _expected(await self.call("GET", path), "GET", path).body

    async def send(self, method: str, path: str, body: object = None, **headers: str) -> Any:  # noqa: ANN401
        """What was answered.

        Raises:
            CommandFailed: another answer than 2xx.
        """
        return _expected(await self.call(method, path, body, **headers), method, path).body

    def _call(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Reply:
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=TIMEOUT)
        sent = {"Accept-Language": self.language, **{name.replace("_", "-"): text for name, text in headers.items()}}
        if self.key is not None:
            sent["Authorization"] = f"Bearer {self.key}"
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        try:
            connection.request(method, where.path + path, content, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, found, json.loads(text, parse_float=Decimal) if text else None)


def _expected(reply: Reply, method: str, path: str) -> Reply:
    if reply.status // 100 == 2:  # noqa: PLR2004 - a success
        return reply
    body: object = reply.body
    said = cast("dict[str, object]", body) if isinstance(body, dict) else {}
    told = " ".join(str(said[name]) for name in ("detail", "remedy", "error") if name in said)
    raise CommandFailed(f"{method} {path} was answered with {reply.status}. {told}")
