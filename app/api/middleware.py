"""The outermost layer, pure ASGI: request id, trace, headers, the last resort for errors, log line and metrics."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

import structlog
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.auth import Caller, TenantCaller
from app.api.problems import problem
from app.core.clock import Clock
from app.core.metrics import Metrics

_REQUEST_ID = re.compile(rb"[\w.:+/=-]{1,128}", re.ASCII)
_TRACE_PARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_QUIET = ("/health/", "/metrics")
_CLIENT_LEFT = 499
_POLICY = b"content-security-policy"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
    (_POLICY, b"default-src 'none'; frame-ancestors 'none'"),
)
_log = structlog.get_logger("http")


class Edge:
    """Every request gets an id and every answer carries it; every request is one line in the log."""

    def __init__(self, app: ASGIApp, *, clock: Clock, metrics: Metrics) -> None:
        self._app = app
        self._clock = clock
        self._metrics = metrics
        self._meters: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; see ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()
        answer = _Marked(scope, send)
        with structlog.contextvars.bound_contextvars(**_identify(scope)):
            try:
                await self._app(scope, receive, answer.send)
            except Exception:
                _log.exception("request-crashed")
                if answer.started:
                    # Half an answer is out; only a cut connection tells the client that the rest is missing.
                    raise
                last_resort = problem(scope, "internal-error", HTTPStatus.INTERNAL_SERVER_ERROR)
                await last_resort(scope, receive, answer.send)
            finally:
                self._report(scope, answer.status, self._clock.monotonic() - began)

    def _report(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = getattr(scope.get("route"), "path_format", "unknown")
        label = (method, route, status // 100)
        if label not in self._meters:
            names = (method, route, f"{status // 100}xx")
            self._meters[label] = (
                self._metrics.requests.labels(*names),
                self._metrics.request_seconds.labels(*names),
            )
        counter, histogram = self._meters[label]
        counter.inc()
        histogram.observe(seconds)
        tell = _log.debug if scope["path"].startswith(_QUIET) else _log.info
        caller: Caller | None = scope.get("connector.caller")
        tell(
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            key=caller.prefix if caller else None,
            tenant=caller.tenant_slug if isinstance(caller, TenantCaller) else None,
        )


class _Marked:
    """Adds our headers to an answer and remembers its status."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self.started = False
        self.status = _CLIENT_LEFT

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self.status = message["status"]
            given: list[tuple[bytes, bytes]] = list(message.get("headers", ()))
            headers = _HEADERS
            if any(name == _POLICY for name, _ in given):
                # Two policies would both hold: a page that needs its own style brings its own.
                headers = tuple(header for header in _HEADERS if header[0] != _POLICY)
            ours = [*headers, *self._scope.get("connector.headers", ())]
            ours.append((b"x-request-id", self._scope["connector.request_id"].encode()))
            if not any(name == b"cache-control" for name, _ in given):
                ours.append((b"cache-control", b"no-store"))
            message["headers"] = given + ours
        await self._send(message)


def _identify(scope: Scope) -> dict[str, str]:
    """What every log line of this request carries; the request id also goes into the scope."""
    marks: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            marks["request_id"] = value.decode()
        elif name == b"traceparent" and (trace := _TRACE_PARENT.fullmatch(value)):
            marks["trace_id"], marks["parent_id"] = trace[1].decode(), trace[2].decode()
    scope["connector.request_id"] = marks.setdefault("request_id", secrets.token_hex(16))
    return marks
