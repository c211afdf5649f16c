"""Rows of tenants and their API keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import MintedKey, Role
from app.core.errors import NotFound
from app.core.ids import uuid7

_TENANT = (
    "select t.id, t.slug, t.name, t.language, t.modules, t.created_at, t.updated_at,"
    " coalesce(c.state, 'not_connected') as bexio,"
    " (select count(*) from attention a where a.tenant_id = t.id and a.state = 'open') as attention_open"
    " from tenant t left join bexio_connection c on c.tenant_id = t.id where"
)
_LIST = text(
    f"{_TENANT} (cast(:after_at as timestamptz) is null"
    " or (t.created_at, t.id) < (:after_at, cast(:after_id as uuid)))"
    " order by t.created_at desc, t.id desc limit :fetch"
)
_BY_SLUG = text(f"{_TENANT} t.slug = :slug")
_INSERT = text(
    "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
    " values (:id, :slug, :name, :language, cast(:modules as text[]), :now, :now)"
)
_CHANGE = text(
    "update tenant set name = coalesce(:name, name), language = coalesce(:language, language),"
    " modules = coalesce(cast(:modules as text[]), modules) where id = :id"
)
_ARCAVIS = text(
    "insert into arcavis_connection (tenant_id, base_url, username, secret, state, connected_at, updated_at)"
    " values (:tenant, :base_url, :username, :secret, 'connected', :now, :now)"
)
_INSERT_KEY = text(
    "insert into api_key (id, tenant_id, role, label, prefix, hash, created_at)"
    " values (:id, :tenant, :role, :label, :prefix, :hash, :now) returning id, role, label, prefix, created_at"
)
_KEYS = text(
    "select id, role, label, prefix, created_at from api_key"
    " where tenant_id is not distinct from cast(:tenant as uuid) and revoked_at is null order by created_at, id"
)
_REVOKE = text(
    "update api_key set revoked_at = :now where id = :id and tenant_id is not distinct from cast(:tenant as uuid)"
    " and revoked_at is null returning prefix"
)


async def listing(session: AsyncConnection, page: Mapping[str, Any]) -> list[Row[Any]]:
    """Tenants, newest first, in a system transaction; `page` as `Paging.values` gives it."""
    return list(await session.execute(_LIST, dict(page)))


async def by_slug(session: AsyncConnection, slug: str) -> Row[Any]:
    """One tenant, in a system transaction.

    Raises:
        NotFound: `tenant-not-found`.
    """
    row = (await session.execute(_BY_SLUG, {"slug": slug})).first()
    if row is None:
        raise NotFound("tenant-not-found")
    return row


async def insert(session: AsyncConnection, values: Mapping[str, Any], arcavis: Mapping[str, Any]) -> None:
    """A tenant with its connection to Arcavis, in its own transaction."""
    await session.execute(_INSERT, dict(values))
    await session.execute(_ARCAVIS, dict(arcavis))


async def change(
    session: AsyncConnection, tenant: UUID, *, name: str | None, language: str | None, modules: Sequence[str] | None
) -> None:
    """Changes what is not None."""
    await session.execute(_CHANGE, {"id": tenant, "name": name, "language": language, "modules": modules})


async def insert_key(
    session: AsyncConnection, tenant: UUID | None, role: Role, label: str, key: MintedKey, now: datetime
) -> Row[Any]:
    """A key of a tenant, or without one an operator's."""
    values = {
        "id": uuid7(now),
        "tenant": tenant,
        "role": role.value,
        "label": label,
        "prefix": key.prefix,
        "hash": key.hash,
        "now": now,
    }
    return (await session.execute(_INSERT_KEY, values)).one()


async def keys(session: AsyncConnection, tenant: UUID | None) -> list[Row[Any]]:
    """The keys that work, of a tenant or of operators; oldest first."""
    return list(await session.execute(_KEYS, {"tenant": tenant}))


async def revoke_key(session: AsyncConnection, tenant: UUID | None, key: UUID, now: datetime) -> str:
    """Revokes a key from this transaction's commit on; returns its prefix.

    Raises:
        NotFound: `api-key-not-found`; also for one that was revoked before.
    """
    prefix = (await session.execute(_REVOKE, {"id": key, "tenant": tenant, "now": now})).scalar_one_or_none()
    if prefix is None:
        raise NotFound("api-key-not-found")
    return prefix
