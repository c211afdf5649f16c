"""Rows of the two connections."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.connection.company import Owner
from app.core.errors import Conflict

_BEXIO = text(
    "select kind, state, reason, company_id, company_name, user_id, user_name, connected_at, expires_at"
    " from bexio_connection"
)
_ARCAVIS = text("select state, reason, base_url, username, connected_at from arcavis_connection")
_LINK_BEXIO = text(
    "insert into bexio_connection as c (tenant_id, kind, state, reason, company_id, company_name, user_id, user_name,"
    " secret, expires_at, connected_at, updated_at) values (:tenant, 'token', 'connected', null, :company_id,"
    " :company_name, :user_id, :user_name, :secret, :expires_at, :now, :now)"
    " on conflict (tenant_id) do update set kind = excluded.kind, state = excluded.state, reason = null,"
    " company_name = excluded.company_name, user_id = excluded.user_id, user_name = excluded.user_name,"
    " secret = excluded.secret, expires_at = excluded.expires_at, connected_at = excluded.connected_at,"
    " updated_at = excluded.updated_at where c.company_id = excluded.company_id returning c.company_id"
)
_UNLINK_BEXIO = text(
    "update bexio_connection set state = 'disconnected', reason = null, secret = :secret, expires_at = null,"
    " updated_at = :now where state <> 'disconnected' returning company_id"
)
_FORGET_BEXIO = text(
    "delete from bexio_connection where state = 'disconnected' and not exists (select from document)"
    " and not exists (select from payment) and not exists (select from contact_link)"
    " and not exists (select from article_link) returning company_id"
)
_LINK_ARCAVIS = text(
    "insert into arcavis_connection (tenant_id, base_url, username, secret, state, reason, connected_at, updated_at)"
    " values (:tenant, :base_url, :username, :secret, 'connected', null, :now, :now)"
    " on conflict (tenant_id) do update set base_url = excluded.base_url, username = excluded.username,"
    " secret = excluded.secret, state = excluded.state, reason = null, connected_at = excluded.connected_at,"
    " updated_at = excluded.updated_at"
)


async def bexio(session: AsyncConnection) -> Row[Any] | None:
    """The connection to bexio of the transaction's tenant, without its secret."""
    return (await session.execute(_BEXIO)).first()


async def arcavis(session: AsyncConnection) -> Row[Any] | None:
    """The connection to Arcavis, likewise."""
    return (await session.execute(_ARCAVIS)).first()


async def link_bexio(session: AsyncConnection, tenant: UUID, owner: Owner, secret: bytes, now: datetime) -> None:
    """Stores the connection. The table's unique company keeps two tenants from having the same one.

    Raises:
        Conflict: `bexio-company-differs`: the tenant belongs to another company.
        IntegrityError: the company belongs to another tenant.
    """
    values = {
        "tenant": tenant,
        "company_id": owner.company_id,
        "company_name": owner.company_name,
        "user_id": owner.user_id,
        "user_name": owner.user_name,
        "secret": secret,
        "expires_at": owner.expires_at,
        "now": now,
    }
    if (await session.execute(_LINK_BEXIO, values)).first() is None:
        known = await bexio(session)
        raise Conflict("bexio-company-differs", company=known.company_name if known else "", other=owner.company_name)


async def unlink_bexio(session: AsyncConnection, empty_secret: bytes, now: datetime) -> str | None:
    """Forgets the token and keeps the company; its id, or None when there was nothing to disconnect."""
    return (await session.execute(_UNLINK_BEXIO, {"secret": empty_secret, "now": now})).scalar_one_or_none()


async def forget_bexio(session: AsyncConnection) -> str | None:
    """Gives the disconnected company up when nothing was ever handed in for it; its id then."""
    return (await session.execute(_FORGET_BEXIO)).scalar_one_or_none()


async def link_arcavis(
    session: AsyncConnection, tenant: UUID, *, base_url: str, username: str, secret: bytes, now: datetime
) -> None:
    """Stores the connection to Arcavis."""
    values = {"tenant": tenant, "base_url": base_url, "username": username, "secret": secret, "now": now}
    await session.execute(_LINK_ARCAVIS, values)
