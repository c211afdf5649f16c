"""Requests to one remote party: reads are repeated, writes never, and every outcome has a name."""

from __future__ import annotations

import asyncio
import json
import random
import re
import secrets
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http import HTTPStatus
from urllib.parse import urlencode

import httpx
import structlog

from app.connectors.budget import Bucket, CompanyBudget
from app.connectors.circuit import Circuit
from app.connectors.clients import HttpClients, Upstream
from app.connectors.credentials import Credentials, Fixed
from app.connectors.refusals import BUSY_SECONDS, Answer, refusal, silence, told_to_wait, unreadable
from app.core.clock import Clock
from app.core.errors import ConnectorError, RemoteError, RemoteRejected, RemoteUnavailable, Unavailable
from app.db.session import inside_transaction

__all__ = ["Answer", "Bucket", "Form", "Transport"]

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
TRIES = 3
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
LARGEST_ANSWER = 16 * 1024 * 1024
# A remote that drips byte by byte stays within every time-out of a single read.
LONGEST_EXCHANGE = 60.0

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_log = structlog.get_logger("remote")


@dataclass(frozen=True, slots=True)
class Form:
    """A body of form fields, as the endpoints of OAuth take it."""

    fields: Mapping[str, str] = field(repr=False)


class _TooLarge(httpx.RequestError):
    """The answer is larger than anything that was agreed."""


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    url: str
    query: Mapping[str, str | int] | None
    headers: dict[str, str] = field(repr=False)
    content: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Transport:
    """One remote party as one caller sees it. Cheap to make; clients and limits are shared.

    Paths are appended to the upstream's base URL. Bodies are JSON-able values, bytes of JSON, or a `Form`.
    An exchange takes at most `longest` seconds and gives at most `largest` bytes.
    """

    upstream: Upstream
    clients: HttpClients
    clock: Clock
    authorization: str | Credentials = field(repr=False)
    budget: CompanyBudget | None = None
    circuit: Circuit | None = None
    jitter: Callable[[], float] = random.random
    not_after: datetime | None = None
    longest: float = LONGEST_EXCHANGE
    largest: int = LARGEST_ANSWER

    @property
    def system(self) -> str:
        """`bexio` or `arcavis`."""
        return self.upstream.system

    def until(self, moment: datetime) -> Transport:
        """The same party, for a write whose intent was committed and counts until `moment`.

        A worker that was frozen between its intent and its write must not write when it thaws: others may have
        taken over since. Also the time spent waiting for the budget counts.
        """
        return replace(self, not_after=moment)

    def under(self, authorization: str) -> Transport:
        """The same party, under other credentials."""
        return replace(self, authorization=authorization)

    async def read(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object | None = None,
        bucket: Bucket = Bucket.GENERAL,
        accept: str = JSON,
    ) -> Answer:
        """A request that changes nothing there: a GET, or a search by POST. Tried up to three times.

        Raises:
            RemoteUnavailable: away or busy; `retry_after` says when to come back.
            RemoteRejected: refused (also `RemoteNotFound`, `ConnectionRefused`).
        """
        call = self._call(method, path, query, body, accept)
        attempt = 1
        while True:
            try:
                return await self._exchange(call, bucket, wrote=False)
            except RemoteUnavailable as error:
                pause = max(error.retry_after, self.jitter() * FIRST_PAUSE * 2**attempt)
                waited_already = error.code.endswith(("-budget-spent", "-circuit-open"))
                if waited_already or attempt == TRIES or pause > LONGEST_PAUSE:
                    raise
            await self.clock.sleep(pause)
            attempt += 1

    async def write(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object | None = None,
        bucket: Bucket = Bucket.GENERAL,
        understood: Collection[int] = (),
    ) -> Answer:
        """A request that changes something there. Sent at most once. Statuses that are `understood` are no errors.

        Raises:
            RemoteUnavailable: it surely was not accepted.
            RemoteRejected: refused (also `RemoteNotFound`, `ConnectionRefused`).
            OutcomeUnknown: it may or may not have happened.
        """
        call = self._call(method, path, query, body, JSON)
        return await self._exchange(call, bucket, wrote=True, understood=understood)

    def unsteady(self) -> RemoteUnavailable:
        """The error to raise for a list that changes faster than it can be read."""
        return RemoteUnavailable(f"{self.system}-busy", self.system, BUSY_SECONDS)

    def unreadable(self, answer: Answer, *, wrote: bool) -> RemoteError:
        """The error to raise for a 2xx whose body is not what was agreed."""
        return unreadable(self.system, answer, wrote=wrote)

    def _call(
        self, method: str, path: str, query: Mapping[str, str | int] | None, body: object | None, accept: str
    ) -> _Call:
        headers = {"Accept": accept}
        content = None
        if body is not None:
            headers["Content-Type"] = FORM if isinstance(body, Form) else JSON
            content = body if isinstance(body, bytes) else encoded(body)
        parent = _TRACEPARENT.fullmatch(str(structlog.contextvars.get_contextvars().get("traceparent", "")))
        if parent:
            headers["traceparent"] = f"00-{parent[1]}-{secrets.token_hex(8)}-{parent[2]}"
        return _Call(method, self.upstream.base_url.rstrip("/") + path, query, headers, content)

    async def _exchange(self, call: _Call, bucket: Bucket, *, wrote: bool, understood: Collection[int] = ()) -> Answer:
        if inside_transaction():
            raise RuntimeError("No network inside a transaction: leave the block first.")
        credentials = Fixed(self.authorization) if isinstance(self.authorization, str) else self.authorization
        answer = await self._attempt(call, await credentials.header(), bucket, wrote=wrote)
        if answer.status == HTTPStatus.UNAUTHORIZED and await credentials.refused():
            # What was refused for its token was not done, so also a write may be sent under another one.
            answer = await self._attempt(call, await credentials.header(), bucket, wrote=wrote)
        if not httpx.codes.is_success(answer.status) and answer.status not in understood:
            raise refusal(self.system, answer, wrote=wrote)
        return answer

    async def _attempt(self, call: _Call, authorization: str, bucket: Bucket, *, wrote: bool) -> Answer:
        probe = await self._admit(bucket)
        sent_at = self.clock.now()
        if wrote and self.not_after is not None and sent_at > self.not_after:
            await self._report(None, probe=probe)
            raise RemoteUnavailable("intent-too-old", self.system)
        try:
            answer = await self._send(call, authorization)
        except (httpx.RequestError, TimeoutError) as error:
            # Waiting for one of our own connections says nothing about the remote.
            await self._report(None if isinstance(error, httpx.PoolTimeout) else False, probe=probe)
            if isinstance(error, _TooLarge) and not wrote:
                raise RemoteRejected(f"{self.system}-answer-unreadable", self.system, HTTPStatus.OK) from error
            raise silence(self.system, error, wrote=wrote) from error
        except ConnectorError:
            await self._report(None, probe=probe)
            raise
        await self._report(answer.status < HTTPStatus.INTERNAL_SERVER_ERROR, probe=probe)
        await self._learn(bucket, answer, sent_at)
        return answer

    async def _admit(self, bucket: Bucket) -> bool:
        probe = await self.circuit.enter() if self.circuit is not None else False
        if self.budget is not None:
            try:
                await self.budget.acquire(bucket)
            except ConnectorError:
                await self._report(None, probe=probe)
                raise
        return probe

    async def _send(self, call: _Call, authorization: str) -> Answer:
        async with self.clients.lease(self.upstream) as client, asyncio.timeout(self.longest):
            headers = {**call.headers, "Authorization": authorization} if authorization else call.headers
            response = await client.send(call.method, call.url, query=call.query, headers=headers, content=call.content)
            try:
                content = bytearray()
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > self.largest:
                        raise _TooLarge("The answer is too large.")
            finally:
                await response.aclose()
            return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(content))

    async def _report(self, alive: bool | None, *, probe: bool) -> None:  # noqa: FBT001 - yes, no, nothing learned
        if self.circuit is not None:
            with _kept_quiet("circuit-not-noted"):
                await self.circuit.report(alive=alive, probe=probe)

    async def _learn(self, bucket: Bucket, answer: Answer, sent_at: datetime) -> None:
        if self.budget is None:
            return
        if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
            self.budget.heard(bucket, answer.headers, sent_at)
            return
        # Its counters may be those of another limit than the minute's: what counts is how long it says to wait.
        with _kept_quiet("refusal-not-noted"):
            await self.budget.refused(bucket, told_to_wait(answer.headers) or BUSY_SECONDS)


def encoded(body: object) -> bytes:
    """A form, or JSON, as it is sent."""
    if isinstance(body, Form):
        return urlencode(body.fields).encode()
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


@contextmanager
def _kept_quiet(event: str) -> Generator[None]:
    """What happened to a request that was sent must reach the caller even when our own database is away."""
    try:
        yield
    except Unavailable:
        _log.warning(event)
