"""A backoffice, a person with a browser and bexio's realm: connecting a tenant by sign-in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company
from sandbox.bexio.seed import seed_shop
from tests.fixtures.person import Person
from tests.fixtures.shop import BEXIO, Shop, Tenant

SECRETS = (
    "select secret, refresh_secret, previous_secret, scopes, kind, state, company_id, generation from bexio_connection"
)


@dataclass
class Office:
    """The people of one tenant: its backoffice asks for an address, a person opens it."""

    tenant: Tenant
    person: Person

    @property
    def shop(self) -> Shop:
        return self.tenant.shop

    async def invited(self, **query: Any) -> str:  # noqa: ANN401 - of the route
        """The address that the backoffice got."""
        response = await self.tenant.post("/connection/bexio/authorize", params=query)
        assert response.status_code == 200, response.text
        return response.json()["authorization_url"]

    async def at_bexio(self, **query: Any) -> str:  # noqa: ANN401 - of the route
        """Where the browser stands after the first hop: bexio's page."""
        response = await self.person.open(await self.invited(**query))
        assert response.status_code == 303, response.text
        return response.headers["location"]

    async def back(self, company: Company | None = None, decision: str = "allow") -> str:
        """The callback with which bexio sends the browser home."""
        member = f"{(company or self.tenant.company).id}/1"
        return await self.person.decide(await self.at_bexio(), member, decision)

    async def connected(self, company: Company | None = None) -> httpx.Response:
        """The whole way; the page it ends at."""
        return await self.person.open(await self.back(company))

    async def state(self) -> dict[str, Any]:
        """The connection as the backoffice sees it."""
        return (await self.tenant.get("/connection")).json()["bexio"]

    async def row(self) -> Any:  # noqa: ANN401 - a row
        """The connection as it is stored; None without."""
        rows = await self.tenant.rows(SECRETS)
        return rows[0] if rows else None


@asynccontextmanager
async def office(tenant: Tenant, language: str = "de-CH,de;q=0.9") -> AsyncGenerator[Office]:
    """The people of a tenant, with a browser of their own."""
    transport = httpx.ASGITransport(create_app(tenant.shop.world))
    async with httpx.AsyncClient(transport=transport, base_url=BEXIO) as bexio:
        yield Office(tenant, Person(bexio, tenant.shop.client, language))


def another_company(shop: Shop, name: str = "Andere AG") -> Company:
    """A company that no tenant is connected to."""
    return seed_shop(shop.world, company_id=f"company-{len(shop.world.companies)}", name=name)
