"""The network between a simulated process and the simulated bexio, and what goes wrong on it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import httpx
from starlette.types import ASGIApp

from tests.simulation.scheduler import Scheduler

CLIENT_PATIENCE = 20.0


@dataclass(frozen=True)
class Weather:
    """How often what happens to a request: chances in percent, times in seconds."""

    write_lost: float = 15  # the client gives up; the write may land up to `latest` later
    write_refused: float = 8  # 500, nothing happened
    answer_lost: float = 7  # it happened, but the client sees a reset or a 500
    saved_in_part: float = 3  # an invoice with half of its lines, then 500
    too_many: float = 2  # 429
    read_fails: float = 4
    latest: float = 60
    search_lag: float = 0

    @classmethod
    def calm(cls) -> Weather:
        return cls(0, 0, 0, 0, 0, 0)


@dataclass
class Line:
    """Shared by all processes of a simulation."""

    scheduler: Scheduler
    group: asyncio.TaskGroup
    bexio: ASGIApp
    random: Random
    weather: Weather
    out: bool = False


class Connection(httpx.AsyncBaseTransport):
    """An httpx transport: each request meets its fate, decided by the seed. `living` raises in a dead process."""

    def __init__(self, line: Line, living: Callable[[], None]) -> None:
        self._line = line
        self._living = living
        self._inner = httpx.ASGITransport(app=line.bexio)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._meet(request)
        finally:
            self._living()

    async def _meet(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        line = self._line
        self._living()
        await line.scheduler.wait(line.random.uniform(0.02, 0.4))
        if line.out:
            raise httpx.ConnectError("bexio is down", request=request)
        is_write = request.method != "GET" and not request.url.path.endswith("/search")
        fate = line.random.uniform(0, 100)
        if not is_write:
            if fate < line.weather.read_fails:
                return _answer(request, 503)
            return await self._deliver(request, content)
        return await self._write(request, content, fate)

    async def _write(self, request: httpx.Request, content: bytes, fate: float) -> httpx.Response:
        line, weather = self._line, self._line.weather
        if (fate := fate - weather.write_lost) < 0:
            if line.random.random() < 0.8:
                late = line.random.uniform(0, weather.latest)
                line.scheduler.start(line.group, self._land(request, content), late)
            await line.scheduler.wait(CLIENT_PATIENCE)
            raise httpx.ReadTimeout("no answer", request=request)
        if (fate := fate - weather.write_refused) < 0:
            return _answer(request, 500)
        if (fate := fate - weather.answer_lost) < 0:
            await self._deliver(request, content)
            if line.random.random() < 0.5:
                raise httpx.ReadError("connection reset", request=request)
            return _answer(request, 500)
        if (fate := fate - weather.saved_in_part) < 0 and request.url.path.endswith("/kb_invoice"):
            await self._deliver(request, _half(content))
            return _answer(request, 500)
        if fate - weather.too_many < 0:
            return _answer(request, 429, {"RateLimit-Reset": "3"})
        return await self._deliver(request, content)

    async def _land(self, request: httpx.Request, content: bytes) -> None:
        await self._deliver(request, content)

    async def _deliver(self, request: httpx.Request, content: bytes) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        response = await self._inner.handle_async_request(copy)
        body = await response.aread()
        await self._line.scheduler.wait(self._line.random.uniform(0.02, 0.4))
        return httpx.Response(response.status_code, headers=response.headers, content=body, request=request)


def _answer(request: httpx.Request, status: int, headers: dict[str, str] | None = None) -> httpx.Response:
    return httpx.Response(status, headers=headers, json={"error_code": status, "message": "simulated"}, request=request)


def _half(content: bytes) -> bytes:
    body = json.loads(content)
    body["positions"] = body["positions"][: len(body["positions"]) // 2]
    return json.dumps(body).encode()
