from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from app.capabilities.tenancy.guard import ConnectionWatch
from app.connectors.access import ARCAVIS_SECRET, BEXIO_SECRET, RemoteAccess
from app.connectors.budget import Budgets
from app.connectors.circuit import Circuits
from app.connectors.clients import HttpClients, Upstream
from app.connectors.oidc.client import oidc_client
from app.connectors.renewals import Renewals
from app.core.errors import ConnectionRefused, InvalidInput, RemoteRejected, Unavailable
from app.core.ids import uuid7
from app.core.priority import Priority
from app.core.vault import Vault, generate_key
from app.db.session import Database
from tests.connectors.conftest import ManualClock
from tests.fixtures.wire import watched

BEXIO = "https://api.bexio.test"


@dataclass
class Shop:
    """A tenant with an access whose wire only records."""

    tenant: UUID
    access: RemoteAccess
    db: Database
    clock: ManualClock
    vault: Vault
    seen: list[tuple[Upstream, httpx.Request]] = field(default_factory=list[tuple[Upstream, httpx.Request]])

    async def connect_bexio(self, company: str, token: str, state: str = "connected") -> None:
        statement = text(
            "insert into bexio_connection (tenant_id, kind, state, company_id, company_name, user_id, user_name,"
            " secret, connected_at, updated_at) values (:tenant, 'token', :state, :company, 'Muster AG', 1, 'Max',"
            " :secret, :now, :now) on conflict (tenant_id) do update set company_id = excluded.company_id,"
            " secret = excluded.secret, state = excluded.state"
        )
        sealed = self.vault.seal(self.tenant, BEXIO_SECRET, token)
        values = {"tenant": self.tenant, "state": state, "company": company, "secret": sealed, "now": self.clock.now()}
        async with self.db.begin(self.tenant) as session:
            await session.execute(statement, values)

    async def connect_arcavis(self, url: str, username: str, password: str) -> None:
        statement = text(
            "insert into arcavis_connection (tenant_id, base_url, username, secret, state, connected_at, updated_at)"
            " values (:tenant, :url, :username, :secret, 'connected', :now, :now)"
        )
        sealed = self.vault.seal(self.tenant, ARCAVIS_SECRET, password)
        values = {"tenant": self.tenant, "url": url, "username": username, "secret": sealed, "now": self.clock.now()}
        async with self.db.begin(self.tenant) as session:
            await session.execute(statement, values)

    async def disconnect(self) -> None:
        async with self.db.begin(self.tenant) as session:
            await session.execute(text("delete from bexio_connection where tenant_id = :t"), {"t": self.tenant})


@pytest.fixture
async def shop(limits_db: Database, clock: ManualClock) -> AsyncIterator[Shop]:
    tenant, vault = uuid7(clock.now()), Vault(generate_key("k1"))
    async with limits_db.begin(tenant) as session:
        await session.execute(
            text(
                "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
                " values (:id, :slug, 'Laden', 'de', '{}', :now, :now)"
            ),
            {"id": tenant, "slug": str(tenant), "now": clock.now()},
        )
    seen: list[tuple[Upstream, httpx.Request]] = []

    def connect(upstream: Upstream) -> httpx.MockTransport:
        def answer(request: httpx.Request) -> httpx.Response:
            seen.append((upstream, request))
            return httpx.Response(404, json={"message": "none"})

        return httpx.MockTransport(answer)

    clients = HttpClients(connect)
    circuits = Circuits(limits_db, clock)
    oidc = oidc_client(f"{BEXIO}/realms/bexio", None, clients, circuits, clock)
    renewals = Renewals(limits_db, vault, clock, oidc, ConnectionWatch())
    access = RemoteAccess(limits_db, vault, clients, Budgets(limits_db, clock), circuits, clock, BEXIO, renewals)
    yield Shop(tenant, access, limits_db, clock, vault, seen)
    await clients.close()


async def sent_by(shop: Shop, priority: Priority) -> tuple[Upstream, httpx.Request]:
    bexio = await shop.access.bexio(shop.tenant, priority)
    with pytest.raises(RemoteRejected):
        await bexio.invoices.get(42)
    return shop.seen[-1]


async def test_a_tenants_token_goes_to_its_own_company_and_tills_have_their_own_lane(shop: Shop) -> None:
    company = f"company-of-{shop.tenant}"
    await shop.connect_bexio(company, "token-1")
    upstream, request = await sent_by(shop, Priority.BULK)
    assert upstream == Upstream("bexio", company, BEXIO, urgent=False)
    assert request.headers["authorization"] == "Bearer token-1"
    upstream, _ = await sent_by(shop, Priority.TILL)
    assert upstream.urgent


async def test_connecting_another_company_counts_from_the_next_operation(shop: Shop) -> None:
    await shop.connect_bexio(f"first-{shop.tenant}", "token-1")
    await sent_by(shop, Priority.TILL)
    await shop.connect_bexio(f"second-{shop.tenant}", "token-2")
    upstream, request = await sent_by(shop, Priority.TILL)
    assert upstream.owner == f"second-{shop.tenant}"
    assert request.headers["authorization"] == "Bearer token-2"


async def test_without_a_working_connection_nothing_is_sent(shop: Shop) -> None:
    for code, prepare in (
        ("bexio-not-connected", shop.disconnect()),
        ("bexio-reconnect-required", shop.connect_bexio(f"c-{shop.tenant}", "t", state="reconnect_required")),
        ("bexio-not-connected", shop.disconnect()),
    ):
        await prepare
        with pytest.raises(ConnectionRefused) as caught:
            await shop.access.bexio(shop.tenant, Priority.TILL)
        assert caught.value.code == code
    with pytest.raises(ConnectionRefused) as caught:
        await shop.access.arcavis(shop.tenant)
    assert caught.value.code == "arcavis-not-connected"
    assert shop.seen == []


async def test_opening_a_connection_is_one_round_trip(shop: Shop) -> None:
    await shop.connect_bexio(f"c-{shop.tenant}", "token")
    async with watched(shop.db.url) as (db, wire):
        access = replace(shop.access, db=db)
        for _ in range(2):
            wire.clear()
            await access.bexio(shop.tenant, Priority.TILL)
        assert wire.round_trips == 1


async def test_a_secret_sealed_for_another_place_is_not_sent_anywhere(shop: Shop) -> None:
    await shop.connect_bexio(f"c-{shop.tenant}", "token")
    stolen = shop.vault.seal(UUID(int=7), BEXIO_SECRET, "token of another tenant")
    async with shop.db.begin(shop.tenant) as session:
        await session.execute(
            text("update bexio_connection set secret = :s where tenant_id = :t"), {"s": stolen, "t": shop.tenant}
        )
    with pytest.raises(Unavailable):
        await shop.access.bexio(shop.tenant, Priority.TILL)


async def test_arcavis_is_asked_at_the_tenants_host_with_its_credentials(shop: Shop) -> None:
    await shop.connect_arcavis("https://shop.arcavis.ch", "webapi", "pässword")
    arcavis = await shop.access.arcavis(shop.tenant)
    with pytest.raises(RemoteRejected):
        await arcavis.customers.get(501)
    upstream, request = shop.seen[-1]
    assert upstream == Upstream("arcavis", str(shop.tenant), "https://shop.arcavis.ch")
    assert request.url.host == "shop.arcavis.ch"
    scheme, _, encoded = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(encoded).decode() == "webapi:pässword"


async def test_a_token_is_tried_before_it_is_stored(shop: Shop) -> None:
    with pytest.raises(RemoteRejected):
        await shop.access.bexio_with_token("a-new-token").invoices.get(1)
    upstream, request = shop.seen[-1]
    assert request.headers["authorization"] == "Bearer a-new-token"
    assert "a-new-token" not in str(upstream)
    with pytest.raises(RemoteRejected):
        await shop.access.arcavis_with("https://shop.arcavis.ch", "webapi", "123456").customers.get(1)
    assert "123456" not in str(shop.seen[-1][0])


@pytest.mark.parametrize("token", ["", "short", "with space in it", "line\nbreak-token", "ümlaut-token", "x" * 9000])
def test_what_cannot_be_a_token_is_refused_unsent(shop: Shop, token: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        shop.access.bexio_with_token(token)
    assert caught.value.code == "bexio-token-malformed"
    assert shop.seen == []
