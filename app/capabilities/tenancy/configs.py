"""Tenant configs kept in the process. Every use names the version it needs, so a stale one is never used."""

from __future__ import annotations

from collections import OrderedDict
from uuid import UUID

from app.capabilities.tenancy.config import TenantConfig, load
from app.db.session import Database

MOST = 2000


class Configs:
    """The latest config of each tenant, bounded; reads the database only for a version it does not hold."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: OrderedDict[UUID, TenantConfig] = OrderedDict()

    async def get(self, tenant: UUID, version: int) -> TenantConfig:
        """The config at `version`, or a newer one when the tenant changed meanwhile."""
        held = self._held.get(tenant)
        if held is not None and held.version >= version:
            return held
        return await self.fresh(tenant)

    async def fresh(self, tenant: UUID) -> TenantConfig:
        """The config as the database has it now."""
        async with self._db.begin(tenant) as session:
            config = await load(session, tenant)
        self.keep(config)
        return config

    def keep(self, config: TenantConfig) -> None:
        """Remembers a config that was read elsewhere."""
        self._held[config.id] = config
        self._held.move_to_end(config.id)
        while len(self._held) > MOST:
            self._held.popitem(last=False)
