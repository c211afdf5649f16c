"""A bexio and an Arcavis whose wire is respx: the real transport, and no network."""

from __future__ import annotations

import json
from typing import Any

import httpx
import respx

from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.client import Bexio
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from tests.connectors import bexio_document
from tests.connectors.conftest import ManualClock

API = "https://api.bexio.com"
TILL = "https://laden.arcavis.ch"
COMPANY = "q69vysq7fkzl"


class Wire(respx.Router):
    """The other end. Every request to bexio is held against bexio's own document, where that is at hand."""

    def __init__(self) -> None:
        super().__init__(assert_all_called=True, assert_all_mocked=True)
        self.clock = ManualClock()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(API) and bexio_document.available():
            bexio_document.check(request)
        return await self.async_handler(request)

    def transport(self, upstream: Upstream, authorization: str) -> Transport:
        clients = HttpClients(lambda _: httpx.MockTransport(self.answer))
        return Transport(upstream, clients, self.clock, authorization, jitter=lambda: 0.0)

    @property
    def bexio(self) -> Bexio:
        return Bexio(self.transport(Upstream("bexio", COMPANY, API), "Bearer token"))

    @property
    def arcavis(self) -> Arcavis:
        return Arcavis(self.transport(Upstream("arcavis", "tenant", TILL), "Basic d2ViYXBpOjEyMzQ1Ng=="))

    def sent(self) -> list[str]:
        """What was asked, in order: method, path and query."""
        calls: Any = self.calls
        return [f"{call.request.method} {call.request.url.raw_path.decode()}" for call in calls]

    def last_body(self) -> object:
        """The JSON of the last request."""
        return json.loads(self.calls.last.request.content)
