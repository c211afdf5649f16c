"""Reading and changing a tenant's settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from app.api.auth import TenantCaller
from app.capabilities.settings.known import Known
from app.capabilities.settings.merging import changed, differences, merged
from app.capabilities.settings.schemas import SettingsChange
from app.capabilities.tenancy import standing
from app.capabilities.tenancy.config import load, save_settings
from app.capabilities.tenancy.settings import TenantSettings
from app.core.clock import Clock
from app.core.errors import PreconditionFailed, PreconditionRequired
from app.db import audit
from app.db.session import Database

ANY = "*"


@dataclass(frozen=True, slots=True)
class Versioned:
    """Settings and their entity tag."""

    settings: TenantSettings
    etag: str


@dataclass(frozen=True, slots=True)
class SettingsService:
    """The use cases over one set of resources. `standing` is the work that looks at the settings by itself."""

    db: Database
    clock: Clock
    known: Known
    standing: Sequence[str]

    async def get(self, tenant: UUID) -> Versioned:
        """The settings with the defaults that hold where nothing was chosen."""
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
        return _versioned(config.settings, config.settings_version)

    async def change(self, caller: TenantCaller, change: SettingsChange, if_match: str | None) -> Versioned:
        """Saves a change whole or not at all.

        Raises:
            PreconditionRequired: `if_match` is missing.
            PreconditionFailed: the settings were changed since the caller read them.
            InvalidInput: a setting points to what bexio or Arcavis does not have.
        """
        if if_match is None:
            raise PreconditionRequired("if-match-missing")
        async with self.db.begin(caller.tenant) as session:
            config = await load(session, caller.tenant)
        if not _matches(if_match, config.settings_version):
            raise PreconditionFailed("settings-changed")
        before, after = config.settings, merged(config.settings, change)
        new = {name: pair[1] for name, pair in changed(before, after).items()}
        await self.known.check(caller.tenant, new)
        if before == after and before.model_fields_set == after.model_fields_set:
            return _versioned(after, config.settings_version)
        version = await self._save(caller, before, after, config.settings_version)
        return _versioned(after, version)

    async def _save(self, caller: TenantCaller, before: TenantSettings, after: TenantSettings, seen: int) -> int:
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            version = await save_settings(session, caller.tenant, after, seen=seen, now=now)
            if version is None:
                raise PreconditionFailed("settings-changed")
            await standing.settings_changed(session, caller.tenant, self.standing, now)
            await audit.append(
                session,
                tenant=caller.tenant,
                now=now,
                actor=caller.actor,
                action="settings.change",
                subject_kind="settings",
                subject_id=caller.tenant,
                detail=differences(before, after),
            )
            return version


def _versioned(settings: TenantSettings, version: int) -> Versioned:
    return Versioned(settings, f'"{version}"')


def _matches(if_match: str, version: int) -> bool:
    """RFC 9110 13.1.1: a list of strong tags, or `*`. A weak tag never matches."""
    tags = {tag.strip() for tag in if_match.split(",")}
    return ANY in tags or f'"{version}"' in tags
