"""Three replicas over one database that share a tenant whose tokens work once: rounds of sixteen callers at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from app import bootstrap
from app.bootstrap import Resources
from app.connectors.clients import HttpClients
from app.connectors.egress import Egress
from app.core.priority import Priority
from app.core.vault import Vault
from app.db.session import Database
from sandbox.bexio.app import create_app
from sandbox.bexio.realm import Session
from tests.capabilities.signing import office
from tests.fixtures.service import opened
from tests.fixtures.shop import Shop, ShopClock, Tenant, Wire

REPLICAS, CALLERS = 3, 16
LIFETIME = 3600.0


@dataclass
class PatientClock:
    """The shop's time; but sleeping really sleeps, so that who waits lets others work."""

    shop: ShopClock

    def now(self) -> datetime:
        return self.shop.now()

    def monotonic(self) -> float:
        return self.shop.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.2))

    def push(self, seconds: float) -> None:
        """Time passes."""
        self.shop.moved += seconds


@dataclass
class Replicas:
    """The processes of one installation, and the one tenant that all of them serve."""

    shop: Shop
    tenant: Tenant
    clock: PatientClock
    running: list[Resources]
    failures: list[str] = field(default_factory=list[str])

    @property
    def session(self) -> Session:
        """bexio's side of the connection."""
        return self.shop.world.realm.latest(self.tenant.company.id)

    def expire(self) -> None:
        """The access token ends; the refresh token lives on."""
        self.clock.push(LIFETIME)

    async def call(self, number: int, replica: Resources | None = None) -> None:
        """One request to bexio by one of the replicas."""
        chosen = replica or self.running[number % len(self.running)]
        bexio = await chosen.remotes.bexio(self.tenant.id, Priority.TILL if number % 2 else Priority.BULK)
        await bexio.users.me()

    async def round(self) -> int:
        """All callers at once after the token ended; how often bexio renewed it. Failures are kept."""
        self.expire()
        before = self.session.refreshes
        ended = await asyncio.gather(*(self.call(number) for number in range(CALLERS)), return_exceptions=True)
        self.failures += [repr(error) for error in ended if error is not None]
        return self.session.refreshes - before


@asynccontextmanager
async def replicas(shop: Shop, count: int = REPLICAS) -> AsyncGenerator[Replicas]:
    """A tenant that signed in, on `count` replicas with pools, caches and connections of their own."""
    shop.world.realm.rules.access_seconds = LIFETIME
    tenant = await opened(shop, "laden")
    async with office(tenant) as people:
        assert (await people.connected()).status_code == 200
    clock = PatientClock(shop.clock)
    running: list[Resources] = []
    pools = [Database(shop.resources.db.url, pool_size=4, overflow=8) for _ in range(count)]
    clients = [HttpClients(lambda _: Wire(create_app(shop.world), shop.losses)) for _ in range(count)]
    try:
        for db, client in zip(pools, clients, strict=True):
            made = bootstrap.build(shop.resources.settings, db, clock, Egress(allow_private=True), client, Random(1))
            running.append(made)
        yield Replicas(shop, tenant, clock, running)
    finally:
        for resources, client, db in zip(running, clients, pools, strict=True):
            await resources.renewals.close()
            await client.close()
            await db.close()


def with_vault(resources: Resources, vault: Vault) -> Resources:
    """A replica that was started again with another key ring."""
    renewals = replace(resources.renewals, vault=vault)
    return replace(
        resources, vault=vault, renewals=renewals, remotes=replace(resources.remotes, vault=vault, renewals=renewals)
    )


async def rotate_tokens(shop: Shop, rounds: int) -> dict[str, object]:
    """The proof of single flight: figures over `rounds` rounds."""
    async with replicas(shop) as installation:
        renewals = [await installation.round() for _ in range(rounds)]
        return {
            "rounds": rounds,
            "callers": CALLERS,
            "replicas": len(installation.running),
            "renewals": sum(renewals),
            "rounds_with_other_than_one": sum(1 for each in renewals if each != 1),
            "refused_by_bexio": installation.session.refused,
            "lost": int(installation.session.is_ended),
            "failed_calls": len(installation.failures),
            "examples": installation.failures[:3],
        }
