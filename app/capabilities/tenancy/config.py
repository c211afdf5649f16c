"""What a process knows of a tenant, read in one go and kept while its version is the database's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.tenancy.settings import TenantSettings
from app.core.errors import NotFound
from app.db.statements import Record

_LOAD = text(
    "select t.id as tenant_id, t.slug, t.name, t.language, t.modules, t.config_version, s.values as settings,"
    " coalesce(s.version, 0) as settings_version"
    " from tenant t left join tenant_settings s on s.tenant_id = t.id where t.id = :tenant"
)
_SAVE = text(
    "insert into tenant_settings as s (tenant_id, values, version, updated_at) values (:tenant, :values, 1, :now)"
    " on conflict (tenant_id) do update set values = excluded.values, version = s.version + 1,"
    " updated_at = excluded.updated_at where s.version = :seen returning version"
).bindparams(bindparam("values", type_=JSONB))
_TOUCH = text("update tenant set config_version = config_version + 1, updated_at = :now where id = :tenant")


@dataclass(frozen=True, slots=True)
class TenantConfig:
    """A tenant with its settings. `version` rises with every change of either."""

    id: UUID
    slug: str
    name: str
    language: str
    modules: frozenset[str]
    version: int
    settings: TenantSettings
    settings_version: int


def from_row(row: Row[Any] | Record) -> TenantConfig:
    """A row of tenant columns, `settings` and `settings_version` as a config."""
    return TenantConfig(
        id=row.tenant_id,
        slug=row.slug,
        name=row.name,
        language=row.language,
        modules=frozenset(row.modules),
        version=row.config_version,
        settings=TenantSettings.model_validate(row.settings or {}),
        settings_version=row.settings_version,
    )


async def load(session: AsyncConnection, tenant: UUID) -> TenantConfig:
    """The tenant of this transaction.

    Raises:
        NotFound: there is no such tenant.
    """
    row = (await session.execute(_LOAD, {"tenant": tenant})).first()
    if row is None:
        raise NotFound("tenant-not-found")
    return from_row(row)


async def touch(session: AsyncConnection, tenant: UUID, now: object) -> None:
    """Makes every process read the tenant again; belongs in each transaction that changes what a config holds."""
    await session.execute(_TOUCH, {"tenant": tenant, "now": now})


async def save_settings(
    session: AsyncConnection, tenant: UUID, settings: TenantSettings, *, seen: int, now: datetime
) -> int | None:
    """Stores what was chosen and nothing else, so that a better default reaches whoever chose none.

    Returns the new version; None when somebody else changed the settings since version `seen`: then the caller
    leaves the transaction by an error.
    """
    # First, so that whoever changes a tenant waits here for whoever does so already.
    await touch(session, tenant, now)
    values = {
        "tenant": tenant,
        "values": settings.model_dump(mode="json", exclude_unset=True),
        "seen": seen,
        "now": now,
    }
    return (await session.execute(_SAVE, values)).scalar_one_or_none()
