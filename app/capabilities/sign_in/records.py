"""Rows of sign-ins: the invitation that a backoffice got, and each way to bexio that a browser began with it.

Nothing in them opens anything: of ticket, state and browser only hashes are kept.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connectors.oidc.scopes import NEEDED
from app.core.ids import uuid7
from app.db.session import Database

LIFE = timedelta(minutes=10)
KEPT = timedelta(days=1)

_ADD = text(
    "insert into sign_in (id, tenant_id, purpose, actor, scopes, detail, ticket_hash, state_hash, browser_hash,"
    " created_at, expires_at) values (:id, :tenant, :purpose, :actor, cast(:scopes as text[]), :detail, :ticket,"
    " :state, :browser, :now, :expires_at)"
).bindparams(bindparam("detail", type_=JSONB))
_COLUMNS = "id, tenant_id, purpose, actor, scopes, detail, ticket_hash, browser_hash, expires_at, used_at"
_BY_TICKET = text(f"select {_COLUMNS} from sign_in where ticket_hash = :hash and state_hash is null")  # noqa: S608
_BY_STATE = text(f"select {_COLUMNS} from sign_in where state_hash = :hash")  # noqa: S608 - names of ours
# Whoever gets the row uses up the invitation with every way that was begun with it.
_USE = text("update sign_in set used_at = :now where id = :id and used_at is null returning ticket_hash")
_USE_KIN = text("update sign_in set used_at = :now where ticket_hash = :ticket and used_at is null")
_PURGE = text("delete from sign_in where expires_at < :before")


@dataclass(frozen=True, slots=True)
class Intent:
    """What a sign-in is for. `tenant` None: for one that does not exist yet. `detail` is whatever the purpose needs."""

    purpose: str
    tenant: UUID | None
    actor: str
    scopes: tuple[str, ...] = NEEDED
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class SignIn:
    """One of them, with what it is known again by."""

    id: UUID
    intent: Intent
    ticket_hash: bytes = field(repr=False)
    browser_hash: bytes | None = field(repr=False)
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hashes:
    """What a row is known by; an invitation has a ticket only."""

    ticket: bytes = field(repr=False)
    state: bytes | None = field(default=None, repr=False)
    browser: bytes | None = field(default=None, repr=False)


def hash_of(secret: str) -> bytes:
    """What is kept of a random secret: there is no dictionary to try."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


async def add(session: AsyncConnection, intent: Intent, hashes: Hashes, now: datetime) -> None:
    """Writes one, which lasts for `LIFE`."""
    values = {
        "id": uuid7(now),
        "tenant": intent.tenant,
        "purpose": intent.purpose,
        "actor": intent.actor,
        "scopes": list(intent.scopes),
        "detail": dict(intent.detail),
        "ticket": hashes.ticket,
        "state": hashes.state,
        "browser": hashes.browser,
        "now": now,
        "expires_at": now + LIFE,
    }
    await session.execute(_ADD, values)


async def by_ticket(session: AsyncConnection, ticket: str) -> SignIn | None:
    """The invitation."""
    return _read((await session.execute(_BY_TICKET, {"hash": hash_of(ticket)})).first())


async def by_state(session: AsyncConnection, state: str) -> SignIn | None:
    """The way that came back."""
    return _read((await session.execute(_BY_STATE, {"hash": hash_of(state)})).first())


async def use(session: AsyncConnection, sign_in: SignIn, now: datetime) -> bool:
    """Uses it up, once; False when somebody else did."""
    used = (await session.execute(_USE, {"id": sign_in.id, "now": now})).first()
    if used is None:
        return False
    await session.execute(_USE_KIN, {"ticket": sign_in.ticket_hash, "now": now})
    return True


async def purge(db: Database, now: datetime) -> None:
    """Forgets what ended a day ago."""
    async with db.begin_system() as session:
        await session.execute(_PURGE, {"before": now - KEPT})


def _read(row: Row[Any] | None) -> SignIn | None:
    if row is None:
        return None
    intent = Intent(row.purpose, row.tenant_id, row.actor, tuple(row.scopes), row.detail)
    return SignIn(row.id, intent, row.ticket_hash, row.browser_hash, row.expires_at, row.used_at)
