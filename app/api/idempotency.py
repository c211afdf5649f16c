"""`Idempotency-Key`: the same key and body get the first answer again, byte for byte, for seven days.

A route asks for it with the dependency `app.api.deps.IdempotencyKey`, which claims the key before the work starts.
`Replay`, an ASGI layer, keeps the answer before it leaves: who saw an answer gets the same one again. Answers that a
repeat may well change are not kept (401, 403, 408, 429, 5xx), so a repeat runs again. What is kept is encrypted under
the caller's API key and idempotency key: an answer may hold a secret that is shown once, and we store neither key's
text in the clear together with it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.auth import Authenticator, Caller, TenantCaller, bearer
from app.core.clock import Clock
from app.core.errors import Conflict, ConnectorError, FieldError, InvalidInput
from app.db.session import Database

KEPT_FOR = timedelta(days=7)
# Longer than any request takes: `Prefer: wait` ends after 20 s, remote calls after 30 s.
TAKEN_OVER_AFTER = timedelta(seconds=120)
RETRY_SECONDS = 1.0

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = frozenset({"content-type", "content-language", "location", "etag", "preference-applied"})
_NOT_KEPT = frozenset({401, 403, 408, 429})
_NONCE = 12
_TICKET = "connector.idempotency"
_log = structlog.get_logger("idempotency")

_OPEN = text(
    "insert into idempotency as i (tenant_id, scope, key, fingerprint, state, created_at)"
    " values (:tenant, :scope, :key, :fingerprint, 'running', :now)"
    " on conflict (scope, key) do update set fingerprint = excluded.fingerprint, state = 'running', status = null,"
    " headers = null, body = null, created_at = excluded.created_at"
    " where i.created_at < :expired"
    " or (i.state = 'running' and i.created_at < :stale and i.fingerprint = excluded.fingerprint)"
    " returning true"
)
_READ = text("select fingerprint, state, status, headers, body from idempotency where scope = :scope and key = :key")
_KEEP = text(
    "update idempotency set state = 'done', status = :status, headers = :headers, body = :body"
    " where scope = :scope and key = :key and state = 'running' and created_at = :opened_at"
).bindparams(bindparam("headers", type_=JSONB))
_RELEASE = text(
    "delete from idempotency where scope = :scope and key = :key and state = 'running' and created_at = :opened_at"
)
_PURGE = text(
    "delete from idempotency where (scope, key) in"
    " (select scope, key from idempotency where created_at < :before order by created_at limit 1000)"
)


class InProgress(Conflict):
    """The first request with this key is still at work."""

    def __init__(self) -> None:
        super().__init__("idempotency-in-progress")
        self.retry_after = RETRY_SECONDS


class Replayed(Exception):
    """Ends the request with the answer that the first one got."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("replayed")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered: status, the headers that belong to it, and the exact bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    @property
    def keepable(self) -> bool:
        """False when a repeat may get another answer."""
        return self.status < 500 and self.status not in _NOT_KEPT  # noqa: PLR2004 - the server errors of HTTP


@dataclass(frozen=True, slots=True)
class Ticket:
    """The claim of one request on one key."""

    tenant: UUID | None
    scope: str
    key: str
    fingerprint: bytes = field(repr=False)
    cipher_key: bytes = field(repr=False)
    opened_at: datetime

    @property
    def where(self) -> dict[str, object]:
        """Statement parameters that name this claim and no later one."""
        return {"scope": self.scope, "key": self.key, "opened_at": self.opened_at}

    def seal(self, body: bytes) -> bytes:
        """The body encrypted."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self.cipher_key).encrypt(nonce, body, self.scope.encode())

    def unseal(self, sealed: bytes) -> bytes:
        """The body that `seal` encrypted."""
        return AESGCM(self.cipher_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], self.scope.encode())


async def claim(request: Request, key: str) -> None:
    """Claims the key for this request, whose answer `Replay` then keeps.

    Raises:
        InvalidInput: the key is not 1 to 255 visible ASCII characters.
        Conflict: the key was used with another body, path or API key, or its first request still runs.
        Replayed: the key has an answer.
    """
    if not _KEY.fullmatch(key):
        message = "Send 1 to 255 visible ASCII characters."
        raise InvalidInput("idempotency-key-invalid", [FieldError("/header/Idempotency-Key", message)])
    state = request.app.state
    authenticator: Authenticator = state.authenticator
    known: Caller | None = request.scope.get("connector.caller")
    caller = known or await authenticator.verify(bearer(request.scope))
    clock: Clock = state.resources.clock
    ticket = await _ticket(request, caller, key, clock.now())
    answer = await _open(state.resources.db, ticket)
    if answer is not None:
        raise Replayed(answer)
    request.scope[_TICKET] = ticket


async def purge(db: Database, now: datetime) -> int:
    """Deletes keys older than seven days, a thousand at a time; returns how many went."""
    async with db.begin_system() as session:
        return (await session.execute(_PURGE, {"before": now - KEPT_FOR})).rowcount


async def _ticket(request: Request, caller: Caller, key: str, now: datetime) -> Ticket:
    tenant = caller.tenant if isinstance(caller, TenantCaller) else None
    url = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"connector-idempotency")
    secret = request.headers["authorization"].encode() + b"\n" + key.encode()
    return Ticket(
        tenant=tenant,
        scope=f"{tenant or 'operator'} {request.method} {request.scope['route'].path_format}",
        key=key,
        fingerprint=hashlib.sha256(caller.key_hash + url + await request.body()).digest(),
        cipher_key=derivation.derive(secret),
        opened_at=now,
    )


async def _open(db: Database, ticket: Ticket) -> Answer | None:
    values = {
        "tenant": ticket.tenant,
        "scope": ticket.scope,
        "key": ticket.key,
        "fingerprint": ticket.fingerprint,
        "now": ticket.opened_at,
        "expired": ticket.opened_at - KEPT_FOR,
        "stale": ticket.opened_at - TAKEN_OVER_AFTER,
    }
    async with db.begin(ticket.tenant) if ticket.tenant else db.begin_system() as session:
        if (await session.execute(_OPEN, values)).first() is not None:
            return None
        return await _first_answer(session, ticket)


async def _first_answer(session: AsyncConnection, ticket: Ticket) -> Answer:
    row = (await session.execute(_READ, {"scope": ticket.scope, "key": ticket.key})).first()
    if row is None:
        # Its first request ended without an answer worth keeping between our two statements.
        raise InProgress
    if bytes(row.fingerprint) != ticket.fingerprint:
        raise Conflict("idempotency-conflict")
    if row.state == "running":
        raise InProgress
    return Answer(row.status, row.headers, ticket.unseal(bytes(row.body)))


async def _close(db: Database, ticket: Ticket, answer: Answer | None) -> None:
    """Keeps the answer, or gives the key back when there is none worth keeping."""
    try:
        async with db.begin(ticket.tenant) if ticket.tenant else db.begin_system() as session:
            if answer is None or not answer.keepable:
                await session.execute(_RELEASE, ticket.where)
                return
            kept = {"status": answer.status, "headers": dict(answer.headers), "body": ticket.seal(answer.body)}
            await session.execute(_KEEP, ticket.where | kept)
    except ConnectorError as error:
        # The work is done and its answer still leaves; a repeat waits until the claim can be taken over.
        _log.warning("answer-not-kept", code=error.code)


class Replay:
    """The ASGI layer that keeps the answers of requests which claimed a key."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request; see ASGI."""
        if scope["type"] != "http" or not any(name == b"idempotency-key" for name, _ in scope["headers"]):
            await self._app(scope, receive, send)
            return
        keeper = _Keeper(scope, send)
        try:
            await self._app(scope, receive, keeper.send)
        except Exception:
            await keeper.give_back()
            raise


class _Keeper:
    """Holds an answer back until it is kept."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope = scope
        self._send = send
        self._start: Message | None = None
        self._chunks: list[bytes] = []

    async def send(self, message: Message) -> None:
        if _TICKET not in self._scope:
            await self._send(message)
            return
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._chunks.append(message.get("body", b""))
        if message.get("more_body", False) or self._start is None:
            return
        body = b"".join(self._chunks)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self._start["headers"]}
        kept = {name: value for name, value in headers.items() if name in _KEPT_HEADERS}
        await self._close(Answer(self._start["status"], kept, body))
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})

    async def give_back(self) -> None:
        if _TICKET in self._scope:
            await self._close(None)

    async def _close(self, answer: Answer | None) -> None:
        await _close(self._scope["app"].state.resources.db, self._scope.pop(_TICKET), answer)
