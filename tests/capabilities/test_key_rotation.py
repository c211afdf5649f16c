from __future__ import annotations

from collections.abc import AsyncGenerator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import URL, text

from app.capabilities.mailing.outbox import MAIL_SECRET
from app.capabilities.tenancy import sealed
from app.capabilities.tenancy.rotation import Rotation, count_tenants, rotate
from app.connectors.access import ARCAVIS_SECRET, BEXIO_SECRET
from app.core.vault import Vault, generate_key
from app.db.session import Database
from tests.fixtures.database import fresh_database

OLD, NEW, LOST = generate_key("old"), generate_key("new"), generate_key("lost")


@pytest.fixture
async def db(postgres: URL) -> AsyncGenerator[Database]:
    async with fresh_database(postgres) as url:
        database = Database(url.render_as_string(hide_password=False))
        yield database
        await database.close()


async def add_tenant(db: Database, slug: str, vault: Vault) -> UUID:
    tenant = uuid4()
    async with db.begin(tenant) as session:
        await session.execute(
            text(
                "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
                " values (:id, :slug, :slug, 'de', '{}', now(), now())"
            ),
            {"id": tenant, "slug": slug},
        )
        await session.execute(
            text(
                "insert into arcavis_connection (tenant_id, base_url, username, secret, state, connected_at,"
                " updated_at) values (:id, 'https://a.ch', 'webapi', :secret, 'connected', now(), now())"
            ),
            {"id": tenant, "secret": vault.seal(tenant, ARCAVIS_SECRET, f"password of {slug}")},
        )
        await session.execute(
            text(
                "insert into bexio_connection (tenant_id, kind, state, company_id, company_name, user_id, user_name,"
                " secret, connected_at, updated_at) values (:id, 'token', 'connected', :slug, :slug, 1, 'M', :secret,"
                " now(), now())"
            ),
            {"id": tenant, "slug": slug, "secret": vault.seal(tenant, BEXIO_SECRET, f"token of {slug}")},
        )
    return tenant


async def secrets_of(db: Database, tenant: UUID) -> tuple[bytes, bytes]:
    async with db.begin(tenant) as session:
        row = await session.execute(
            text("select b.secret, a.secret from bexio_connection b join arcavis_connection a using (tenant_id)")
        )
        bexio, arcavis = row.one()
    return bexio, arcavis


async def last(db: Database, vault: Vault, batch: int = 2) -> Rotation:
    return [step async for step in rotate(db, vault, batch=batch)][-1]


async def test_after_a_rotation_the_new_key_alone_opens_every_secret_of_every_tenant(db: Database) -> None:
    tenants = [await add_tenant(db, f"shop-{number}", Vault(OLD)) for number in range(5)]
    assert await count_tenants(db) == 5
    assert await last(db, Vault(f"{NEW},{OLD}")) == Rotation(tenants=5, resealed=10)
    alone = Vault(NEW)
    for number, tenant in enumerate(tenants):
        bexio, arcavis = await secrets_of(db, tenant)
        assert alone.open(tenant, BEXIO_SECRET, bexio) == f"token of shop-{number}"
        assert alone.open(tenant, ARCAVIS_SECRET, arcavis) == f"password of shop-{number}"


async def test_a_second_rotation_changes_nothing(db: Database) -> None:
    tenant = await add_tenant(db, "shop", Vault(OLD))
    ring = Vault(f"{NEW},{OLD}")
    await last(db, ring)
    before = await secrets_of(db, tenant)
    assert await last(db, ring) == Rotation(tenants=1, current=2)
    assert await secrets_of(db, tenant) == before


async def test_a_secret_that_no_key_opens_is_named_and_left_alone_while_the_others_go_on(db: Database) -> None:
    lost = await add_tenant(db, "lost", Vault(LOST))
    await add_tenant(db, "shop", Vault(OLD))
    before = await secrets_of(db, lost)
    result = await last(db, Vault(f"{NEW},{OLD}"))
    assert (result.tenants, result.resealed) == (2, 2)
    assert result.unreadable == (f"lost: {BEXIO_SECRET}", f"lost: {ARCAVIS_SECRET}")
    assert await secrets_of(db, lost) == before


async def test_progress_is_told_after_each_batch_also_when_the_last_one_is_full(db: Database) -> None:
    for number in range(4):
        await add_tenant(db, f"shop-{number}", Vault(OLD))
    seen = [step.tenants async for step in rotate(db, Vault(NEW + "," + OLD), batch=2)]
    assert seen == [2, 4, 4]


async def add_activation(db: Database, vault: Vault, name: str = "act_1") -> UUID:
    """One whose code was exchanged, and that has no tenant yet."""
    activation = uuid4()
    async with db.begin_system() as session:
        await session.execute(
            text(
                "insert into activation (id, activation_id, codes, state, params, company_name, wanted, created_at,"
                " updated_at) values (:id, :name, '{}', 'authorized', '{}', 'Muster AG', :wanted, now(), now())"
            ),
            {"id": activation, "name": name, "wanted": vault.seal(activation, sealed.WANTED, f"grant of {name}")},
        )
    return activation


async def wanted_of(db: Database, activation: UUID) -> bytes:
    async with db.begin_system() as session:
        statement = text("select wanted from activation where id = :id")
        return (await session.execute(statement, {"id": activation})).scalar_one()


async def test_what_an_activation_keeps_before_it_has_a_tenant_is_sealed_anew(db: Database) -> None:
    activation = await add_activation(db, Vault(OLD))
    ring = Vault(f"{NEW},{OLD}")
    assert await last(db, ring) == Rotation(resealed=1)
    assert Vault(NEW).open(activation, sealed.WANTED, await wanted_of(db, activation)) == "grant of act_1"
    assert await last(db, ring) == Rotation(current=1)


async def test_an_activation_that_no_key_opens_is_named_and_the_others_go_on(db: Database) -> None:
    lost = await add_activation(db, Vault(LOST), "lost")
    await add_activation(db, Vault(OLD), "found")
    await add_tenant(db, "shop", Vault(OLD))
    before = await wanted_of(db, lost)
    result = await last(db, Vault(f"{NEW},{OLD}"))
    assert result == Rotation(tenants=1, resealed=3, unreadable=(f"{lost}: {sealed.WANTED}",))
    assert await wanted_of(db, lost) == before


async def test_the_password_in_a_mail_that_waits_is_sealed_anew(db: Database) -> None:
    tenant = await add_tenant(db, "shop", Vault(OLD))
    secrets = {"with": Vault(OLD).seal(tenant, MAIL_SECRET, "initial password"), "without": None}
    async with db.begin(tenant) as session:
        for event, secret in secrets.items():
            await session.execute(
                text(
                    "insert into mail (id, tenant_id, event, template, recipient, language, params, secret, state,"
                    " created_at, expires_at) values (:id, :tenant, :event, 'mail-login-initial', 'a@b.ch', 'de', '{}',"
                    " :secret, 'waiting', now(), now())"
                ),
                {"id": uuid4(), "tenant": tenant, "event": event, "secret": secret},
            )
    assert await last(db, Vault(f"{NEW},{OLD}")) == Rotation(tenants=1, resealed=3)
    async with db.begin(tenant) as session:
        kept = (await session.execute(text("select secret from mail where event = 'with'"))).scalar_one()
    assert Vault(NEW).open(tenant, MAIL_SECRET, kept) == "initial password"
