"""What operators do: make tenants, change them, make and revoke keys. The command line does the same through this."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import Role, mint
from app.capabilities.tenancy.config import touch
from app.capabilities.tenants import records
from app.capabilities.tenants.schemas import KeyInfo, MadeKey, NewKey, NewTenant, Tenant, TenantChanges, TenantDetail
from app.connectors.access import ARCAVIS_SECRET
from app.connectors.egress import Egress
from app.core.clock import Clock
from app.core.errors import Conflict
from app.core.ids import uuid7
from app.core.vault import Vault
from app.db import audit
from app.db.session import Database

_log = structlog.get_logger("tenants")


@dataclass(frozen=True, slots=True)
class Tenants:
    """The use cases over one set of resources. `actor` is how the audit trail names the operator."""

    db: Database
    clock: Clock
    vault: Vault
    egress: Egress

    async def create(self, new: NewTenant, actor: str) -> TenantDetail:
        """Makes a tenant with its connection to Arcavis, which is tried out with the first use.

        Raises:
            InvalidInput: `arcavis-url-not-allowed`.
            Conflict: `slug-taken`.
        """
        base_url = await self.egress.check(new.arcavis.base_url)
        now = self.clock.now()
        tenant = uuid7(now)
        modules = sorted(set(new.modules))
        password = new.arcavis.password.get_secret_value()
        values = {
            "id": tenant,
            "slug": new.slug,
            "name": new.name,
            "language": new.language,
            "modules": modules,
            "now": now,
        }
        arcavis = {
            "tenant": tenant,
            "base_url": base_url,
            "username": new.arcavis.username,
            "secret": self.vault.seal(tenant, ARCAVIS_SECRET, password),
            "now": now,
        }
        try:
            async with self.db.begin(tenant) as session:
                await records.insert(session, values, arcavis)
                detail = {"slug": new.slug, "modules": ", ".join(modules)}
                await _note(session, tenant, now, actor, "tenant.create", tenant, detail)
        except IntegrityError as error:
            raise Conflict("slug-taken", slug=new.slug) from error
        return await self.get(new.slug)

    async def get(self, slug: str) -> TenantDetail:
        """One tenant with its keys.

        Raises:
            NotFound: `tenant-not-found`.
        """
        async with self.db.begin_system() as session:
            row = await records.by_slug(session, slug)
            found = await records.keys(session, row.id)
        keys = [KeyInfo.model_validate(key, from_attributes=True) for key in found]
        return TenantDetail(**view(row).model_dump(), api_keys=keys)

    async def listing(self, page: Mapping[str, Any]) -> list[Row[Any]]:
        """Tenants, newest first, for `view`; `page` as `Paging.values` gives it."""
        async with self.db.begin_system() as session:
            return await records.listing(session, page)

    async def change(self, slug: str, changes: TenantChanges, actor: str) -> TenantDetail:
        """Changes a tenant's name, language or modules, for every process at once.

        Raises:
            NotFound: `tenant-not-found`.
        """
        tenant = await self._id(slug)
        modules = None if changes.modules is None else sorted(set(changes.modules))
        given = {"name": changes.name, "language": changes.language, "modules": modules}
        detail = {name: str(value) for name, value in given.items() if value is not None}
        now = self.clock.now()
        async with self.db.begin(tenant) as session:
            await records.change(session, tenant, name=changes.name, language=changes.language, modules=modules)
            await touch(session, tenant, now)
            await _note(session, tenant, now, actor, "tenant.change", tenant, detail)
        return await self.get(slug)

    async def create_key(self, slug: str, new: NewKey, actor: str) -> MadeKey:
        """Makes a key of a tenant; its text is in this answer and nowhere else.

        Raises:
            NotFound: `tenant-not-found`.
        """
        tenant = await self._id(slug)
        role, now = Role(new.role), self.clock.now()
        minted = mint(role)
        async with self.db.begin(tenant) as session:
            row = await records.insert_key(session, tenant, role, new.label, minted, now)
            detail = {"role": new.role, "prefix": minted.prefix}
            await _note(session, tenant, now, actor, "api_key.create", row.id, detail)
        return MadeKey(**KeyInfo.model_validate(row, from_attributes=True).model_dump(), key=minted.text)

    async def revoke_key(self, slug: str, key: UUID, actor: str) -> None:
        """Revokes a key of a tenant: from now on it opens nothing.

        Raises:
            NotFound: `tenant-not-found`, `api-key-not-found`.
        """
        tenant = await self._id(slug)
        now = self.clock.now()
        async with self.db.begin(tenant) as session:
            prefix = await records.revoke_key(session, tenant, key, now)
            # Whoever remembers the caller asks again: what it remembers is of an older version.
            await touch(session, tenant, now)
            await _note(session, tenant, now, actor, "api_key.revoke", key, {"prefix": prefix})

    async def create_operator_key(self, label: str) -> MadeKey:
        """Makes an operator's key. It belongs to no tenant, so the log and not an audit trail tells of it."""
        minted = mint(Role.OPERATOR)
        async with self.db.begin_system() as session:
            row = await records.insert_key(session, None, Role.OPERATOR, label, minted, self.clock.now())
        _log.info("operator-key-created", prefix=minted.prefix)
        return MadeKey(**KeyInfo.model_validate(row, from_attributes=True).model_dump(), key=minted.text)

    async def operator_keys(self) -> list[KeyInfo]:
        """The operators' keys that work; the one of the settings is not among them."""
        async with self.db.begin_system() as session:
            return [KeyInfo.model_validate(row, from_attributes=True) for row in await records.keys(session, None)]

    async def revoke_operator_key(self, key: UUID) -> None:
        """Revokes an operator's key.

        Raises:
            NotFound: `api-key-not-found`.
        """
        async with self.db.begin_system() as session:
            prefix = await records.revoke_key(session, None, key, self.clock.now())
        _log.info("operator-key-revoked", prefix=prefix)

    async def _id(self, slug: str) -> UUID:
        async with self.db.begin_system() as session:
            return (await records.by_slug(session, slug)).id


def view(row: Row[Any]) -> Tenant:
    """A tenant as operators see it."""
    return Tenant.model_validate(row, from_attributes=True)


async def _note(
    session: AsyncConnection,
    tenant: UUID,
    now: datetime,
    actor: str,
    action: str,
    subject: UUID,
    detail: Mapping[str, str],
) -> None:
    kind = action.partition(".")[0]
    await audit.append(
        session,
        tenant=tenant,
        now=now,
        actor=actor,
        action=action,
        subject_kind=kind,
        subject_id=subject,
        detail=detail,
    )
