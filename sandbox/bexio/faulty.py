"""The simulated API as clients meet it: a pure ASGI application that adds outages and faults, and logs requests."""

import re
from dataclasses import replace
from typing import cast

import orjson
from starlette.types import Receive, Scope, Send

from sandbox.bexio.api import Api, Inbound, Reply, as_json, bearer_of
from sandbox.bexio.company import Company
from sandbox.bexio.faults import Mode, Rule
from sandbox.bexio.requests import LoggedRequest
from sandbox.bexio.values import Record

_CDN_PAGE = (
    b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head>"
    b"<body><h1>502 Bad Gateway</h1><p>cloudflare</p></body></html>"
)
_CHUNKS = 10
_OFFSET = re.compile(r"(\boffset=)(\d{1,18})")
_REFUSES = frozenset({Mode.ERROR_BEFORE, Mode.STORM_429, Mode.UNAVAILABLE_503, Mode.HTML, Mode.FORBIDDEN_403})


class ConnectionBroken(ConnectionResetError):
    """In-process only: the connection broke without an answer. Over a socket it is cut instead."""


class FaultyApi:
    """The API as clients meet it.

    Args:
        api: what does the work.
        served: whether a socket server runs it; a broken connection is then cut, instead of raising
            `ConnectionBroken` to the caller in the same process.
    """

    def __init__(self, api: Api, *, served: bool) -> None:
        self._api = api
        self._world = api.world
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        inbound = await read_inbound(scope, receive)
        self._world.settle()
        company = self._company(inbound)
        logged = self._log(inbound, company)
        outage = self._world.outage or (company.outage if company else None)
        if outage is not None:
            logged.fault = f"outage_{outage}"
            if outage == "refused":
                return await self._break(send)
            return await self._send(send, _unavailable(), logged, company)
        rule = self._world.faults.take(inbound.method, inbound.path, logged.company_id, inbound.body)
        if rule is None:
            return await self._send(send, self._api.perform(inbound), logged, company)
        logged.fault = rule.mode.value
        return await self._strike(rule, inbound, send, logged, company)

    async def _strike(
        self, rule: Rule, inbound: Inbound, send: Send, logged: LoggedRequest, company: Company | None
    ) -> None:
        if rule.mode is Mode.RESET:
            self._api.perform(inbound)
            return await self._break(send)
        if rule.mode is Mode.SLOW_BODY:
            return await self._drip(send, self._api.perform(inbound), rule.seconds, logged, company)
        reply = await self._struck(rule, inbound)
        return await self._send(send, reply, logged, company)

    async def _struck(self, rule: Rule, inbound: Inbound) -> Reply:
        if rule.mode in _REFUSES:
            return _refusal(rule)
        if rule.mode is Mode.LATE_LANDING:
            return await self._land_late(inbound, rule.seconds)
        if rule.mode is Mode.LATENCY:
            await self._world.sleep(rule.seconds)
            self._world.settle()
        reply = self._api.perform(_altered(inbound, rule.mode))
        if rule.mode is Mode.TIMEOUT_AFTER_WRITE:
            await self._world.sleep(rule.seconds)
        if rule.mode in {Mode.ERROR_AFTER_WRITE, Mode.PARTIAL_500}:
            return _failed()
        if rule.mode is Mode.HALF_PAGE:
            return Reply(reply.status, reply.headers, reply.body[: len(reply.body) // 2])
        return reply

    async def _land_late(self, inbound: Inbound, seconds: float) -> Reply:
        replies: list[Reply] = []
        late = self._world.land_later(seconds, lambda: replies.append(self._api.perform(inbound)))
        await self._world.sleep(seconds)
        self._world.land(late)
        return replies[0]

    def _company(self, inbound: Inbound) -> Company | None:
        token = self._world.tokens.get(bearer_of(inbound))
        return None if token is None else self._world.companies.get(token.company_id)

    def _log(self, inbound: Inbound, company: Company | None) -> LoggedRequest:
        logged = LoggedRequest(
            self._world.next_number(),
            self._world.now(),
            None if company is None else company.id,
            inbound.method,
            inbound.path,
            inbound.route,
        )
        self._world.requests.add(logged)
        if company is not None:
            company.requests.add(logged)
        return logged

    async def _send(self, send: Send, reply: Reply, logged: LoggedRequest, company: Company | None) -> None:
        self._answered(reply, logged, company)
        await send_reply(send, reply)

    def _answered(self, reply: Reply, logged: LoggedRequest, company: Company | None) -> None:
        logged.status = reply.status
        self._world.requests.answered(reply.status)
        if company is not None:
            company.requests.answered(reply.status)

    async def _drip(
        self, send: Send, reply: Reply, seconds: float, logged: LoggedRequest, company: Company | None
    ) -> None:
        self._answered(reply, logged, company)
        await send(_start(reply, len(reply.body)))
        step = max(1, -(-len(reply.body) // _CHUNKS))
        for begin in range(0, len(reply.body), step):
            await self._world.sleep(seconds / _CHUNKS)
            chunk = reply.body[begin : begin + step]
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _break(self, send: Send) -> None:
        if not self._served:
            raise ConnectionBroken("the connection was reset")
        # A server closes a connection whose promised body never comes.
        await send(_start(_failed(), 1))


async def read_inbound(scope: Scope, receive: Receive) -> Inbound:
    """The request with its whole body."""
    body, is_more = b"", True
    while is_more:
        message = await receive()
        body += message.get("body", b"")
        is_more = message.get("more_body", False)
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Inbound(
        scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, body, scope["scheme"]
    )


async def send_reply(send: Send, reply: Reply) -> None:
    """Send an answer whole."""
    await send(_start(reply, len(reply.body)))
    await send({"type": "http.response.body", "body": reply.body})


def _start(reply: Reply, length: int) -> dict[str, object]:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    return {
        "type": "http.response.start",
        "status": reply.status,
        "headers": [*headers, (b"content-length", b"%d" % length)],
    }


def _altered(inbound: Inbound, mode: Mode) -> Inbound:
    match mode:
        case Mode.PARTIAL_500:
            return _halved(inbound)
        case Mode.REPEATED_ROW:
            query = _OFFSET.sub(lambda found: f"{found[1]}{max(int(found[2]) - 1, 0)}", inbound.query)
            return replace(inbound, query=query)
        case _:
            return inbound


def _halved(inbound: Inbound) -> Inbound:
    try:
        given: object = orjson.loads(inbound.body)
    except orjson.JSONDecodeError:
        return inbound
    if isinstance(given, list):
        rows = cast("list[object]", given)
        return replace(inbound, body=orjson.dumps(rows[: len(rows) // 2]))
    if not isinstance(given, dict) or not isinstance(cast("Record", given).get("positions"), list):
        return inbound
    record = cast("Record", given)
    lines = cast("list[object]", record["positions"])
    return replace(inbound, body=orjson.dumps({**record, "positions": lines[: len(lines) // 2]}))


def _refusal(rule: Rule) -> Reply:
    match rule.mode:
        case Mode.STORM_429:
            reset = str(max(1, round(rule.seconds)))
            headers = {"RateLimit-Limit": "1000", "RateLimit-Remaining": "0", "RateLimit-Reset": reset}
            return as_json({"error_code": 429, "message": "API rate limit exceeded"}, 429, headers)
        case Mode.UNAVAILABLE_503:
            return _unavailable()
        case Mode.FORBIDDEN_403:
            return as_json({"error_code": 403, "message": "Forbidden"}, 403)
        case Mode.HTML:
            return Reply(502, {"content-type": "text/html; charset=UTF-8"}, _CDN_PAGE)
        case _:
            return _failed()


def _failed() -> Reply:
    return as_json({"error_code": 500, "message": "Internal Server Error"}, 500)


def _unavailable() -> Reply:
    return as_json({"error_code": 503, "message": "Service Unavailable"}, 503)
