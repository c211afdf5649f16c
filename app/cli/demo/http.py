"""Requests of the demo, which stands outside like a till or a backoffice does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from app.cli.failures import CommandFailed

TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` is its JSON, with Decimals for figures."""

    status: int
    headers: Mapping[str, str]
    body: Any = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser shows, or where it is sent."""

    status: int
    headers: Mapping[str, str]
    text: str = field(repr=False)


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

    async def page(self, method: str, path: str, form: Mapping[str, str] | None = None) -> Page:
        """A page, as a browser gets it; `form` is what a person filled in. Redirects are not followed."""
        sent = {"Content-Type": "application/x-www-form-urlencoded"} if form is not None else {}
        content = urlencode(form).encode() if form is not None else None
        status, found, text = await asyncio.to_thread(self._exchange, method, path, content, sent)
        return Page(status, found, text.decode())

    def _call(self, method: str, path: str, body: object, headers: Mapping[str, str]) -> Reply:
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        content = None
        if body is not None:
            sent["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        status, found, text = self._exchange(method, path, content, sent)
        return Reply(status, found, json.loads(text, parse_float=Decimal) if text else None)

    def _exchange(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str], bytes]:
        where = urlsplit(self.url)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=TIMEOUT)
        sent = {"Accept-Language": self.language, **headers}
        if self.key is not None:
            sent["Authorization"] = f"Bearer {self.key}"
        try:
            connection.request(method, where.path + path, content, sent)
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        return response.status, {name.lower(): value for name, value in response.getheaders()}, text


def _expected(reply: Reply, method: str, path: str) -> Reply:
    if reply.status // 100 == 2:  # noqa: PLR2004 - a success
        return reply
    body: object = reply.body
    said = cast("dict[str, object]", body) if isinstance(body, dict) else {}
    told = " ".join(str(said[name]) for name in ("detail", "remedy", "error") if name in said)
    raise CommandFailed(f"{method} {path} was answered with {reply.status}. {told}")
