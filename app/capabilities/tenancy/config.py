"""What a process knows of a tenant, read in one go and kept while its version is the database's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.tenancy.settings import TenantSettings
from app.core.errors import NotFound

_LOAD = text(
    "select t.id, t.slug, t.name, t.language, t.modules, t.config_version, s.values as settings,"
    " coalesce(s.version, 0) as settings_version"
    " from tenant t left join tenant_settings s on s.tenant_id = t.id where t.id = :tenant"
)
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


def from_row(row: Row[Any]) -> TenantConfig:
    """A row of tenant columns, `settings` and `settings_version` as a config."""
    return TenantConfig(
        id=row.id,
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
