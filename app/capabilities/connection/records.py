"""Rows of the two connections."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

_BEXIO = text(
    "select kind, state, reason, company_id, company_name, user_id, user_name, connected_at, expires_at, scopes,"
    " renewal_failures, renewal_reason from bexio_connection"
)
_ARCAVIS = text("select state, reason, base_url, username, connected_at from arcavis_connection")
# The refresh token stays until bexio was told that nobody needs it any more.
_UNLINK_BEXIO = text(
    "update bexio_connection set state = 'disconnected', reason = null, secret = :secret, previous_secret = null,"
    " expires_at = null, renew_from = null, access_until = null, generation = generation + 1, renewal_lease = null,"
    " updated_at = :now where state <> 'disconnected' returning company_id"
)
_UNREVOKED = text(
    "select refresh_secret, subject, generation from bexio_connection"
    " where state = 'disconnected' and refresh_secret is not null"
)
_REVOKED = text(
    "update bexio_connection set refresh_secret = null, subject = null"
    " where state = 'disconnected' and generation = :generation"
)
_SHARED = text(
    "select 1 from bexio_connection where subject = :subject and tenant_id <> :tenant and kind = 'oauth'"
    " and state <> 'disconnected' limit 1"
)
_FORGET_BEXIO = text(
    "delete from bexio_connection where state = 'disconnected' and refresh_secret is null"
    " and not exists (select from document) and not exists (select from payment)"
    " and not exists (select from contact_link) and not exists (select from article_link)"
    " and not exists (select from booking_group where state <> 'planned') returning company_id"
)
_LINK_ARCAVIS = text(
    "insert into arcavis_connection (tenant_id, base_url, username, secret, state, reason, connected_at, updated_at)"
    " values (:tenant, :base_url, :username, :secret, 'connected', null, :now, :now)"
    " on conflict (tenant_id) do update set base_url = excluded.base_url, username = excluded.username,"
    " secret = excluded.secret, state = excluded.state, reason = null, connected_at = excluded.connected_at,"
    " updated_at = excluded.updated_at where arcavis_connection.base_url = excluded.base_url"
    " or not (exists (select from contact_link where bexio_id is not null or sent_at is not null)"
    " or exists (select from article_link)) returning tenant_id"
)


async def bexio(session: AsyncConnection) -> Row[Any] | None:
    """The connection to bexio of the transaction's tenant, without its secret."""
    return (await session.execute(_BEXIO)).first()


async def arcavis(session: AsyncConnection) -> Row[Any] | None:
    """The connection to Arcavis, likewise."""
    return (await session.execute(_ARCAVIS)).first()


async def unlink_bexio(session: AsyncConnection, empty_secret: bytes, now: datetime) -> str | None:
    """Forgets the token and keeps the company; the company's id, or None when there was nothing to disconnect."""
    return (await session.execute(_UNLINK_BEXIO, {"secret": empty_secret, "now": now})).scalar_one_or_none()


async def unrevoked(session: AsyncConnection) -> Row[Any] | None:
    """The refresh token of a connection that was ended, while bexio does not know that."""
    return (await session.execute(_UNREVOKED)).first()


async def revoked(session: AsyncConnection, generation: int) -> None:
    """Forgets it."""
    await session.execute(_REVOKED, {"generation": generation})


async def is_shared(session: AsyncConnection, tenant: UUID, subject: str) -> bool:
    """Whether the same person's login also keeps another tenant connected; asks across tenants."""
    return (await session.execute(_SHARED, {"subject": subject, "tenant": tenant})).first() is not None


async def forget_bexio(session: AsyncConnection) -> str | None:
    """Gives the disconnected company up when nothing was ever handed in or posted for it; its id then."""
    return (await session.execute(_FORGET_BEXIO)).scalar_one_or_none()


async def link_arcavis(
    session: AsyncConnection, tenant: UUID, *, base_url: str, username: str, secret: bytes, now: datetime
) -> bool:
    """Stores the connection to Arcavis; False for another environment once links lead to records of the known one."""
    values = {"tenant": tenant, "base_url": base_url, "username": username, "secret": secret, "now": now}
    return (await session.execute(_LINK_ARCAVIS, values)).first() is not None
