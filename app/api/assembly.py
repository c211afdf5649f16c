"""Puts the HTTP application together: routers in, production layers always on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from opentelemetry.trace import TracerProvider

from app.api import failures, health, openapi, tracing
from app.api.auth import Authenticator
from app.api.body import MEBIBYTE
from app.api.deps import Resources
from app.api.health import Backlog
from app.api.idempotency import Replay
from app.api.limits import Limits, TokenBuckets
from app.api.middleware import Edge
from app.api.waiting import Settled
from app.core import catalogue
from app.db.clock import DatabaseClock


@dataclass(frozen=True, slots=True)
class Options:
    """What an installation may choose about its HTTP side. `tracer_provider` None: no traces."""

    requests_per_minute: int = 1200
    largest_body: int = MEBIBYTE
    tracer_provider: TracerProvider | None = None


def assemble(resources: Resources, routers: Iterable[APIRouter], options: Options | None = None) -> FastAPI:
    """The application over `resources`, with every production layer. Touches neither database nor network."""
    options = options or Options()
    catalogue.load()
    app = openapi.Application(
        title=openapi.TITLE,
        version=openapi.VERSION,
        description=openapi.DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_lifespan,
        telemetry=tracing.telemetry(options.tracer_provider),
    )
    clock = resources.clock
    app.state.resources = resources
    app.state.authenticator = Authenticator(resources.db, clock, resources.operator_key_hash)
    app.state.settled = Settled(resources.db, clock)
    app.state.backlog = Backlog(resources.db, clock, resources.metrics)
    for router in (*routers, health.router):
        _add(app, router)
    failures.install(app)
    # The last one added is the outermost.
    app.add_middleware(Replay)
    buckets = TokenBuckets(clock, options.requests_per_minute)
    app.add_middleware(Limits, buckets=buckets, largest_body=options.largest_body)
    app.add_middleware(Edge, clock=clock, metrics=resources.metrics)
    return app


def _add(app: FastAPI, router: APIRouter) -> None:
    """Adds a router's own routes: an included router is matched three times per request, which costs a till 30 us."""
    for route in router.routes:
        if isinstance(route, APIRoute):
            route.operation_id = route.name
    app.router.routes.extend(router.routes)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    settled: Settled = app.state.settled
    async with asyncio.TaskGroup() as group:
        beside = [group.create_task(settled.run())]
        clock = app.state.resources.clock
        if isinstance(clock, DatabaseClock):
            beside.append(group.create_task(clock.follow()))
        yield
        for part in beside:
            part.cancel()
