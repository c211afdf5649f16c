"""A Postgres that keeps its promises (fsync on), a fresh database in it, and a tenant that can sell."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID, uuid4

import orjson
from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.api.auth import Role, hash_key, mint
from app.connectors.access import BEXIO_SECRET
from app.core.vault import Vault, generate_key
from app.db import embedded, migrate
from benchmarks.bexio import COMPANY, TOKEN, new_world, now
from benchmarks.sales import CASH_TYPE, INVOICE_TYPE, LINKED_CUSTOMER

_FLOOR = [
    "create schema floor",
    "create table floor.api_key (hash bytea primary key, tenant_id uuid not null)",
    "create table floor.request (tenant_id uuid not null, key text not null, hash bytea not null,"
    " created_at timestamptz not null default now(), primary key (tenant_id, key))",
    "create table floor.document (id uuid primary key, tenant_id uuid not null, transaction_id text not null,"
    " content jsonb not null, total numeric(14, 2) not null, created_at timestamptz not null default now())",
    "create table floor.job (id bigserial primary key, document_id uuid not null,"
    " state text not null default 'waiting', due timestamptz not null default now())",
]
_TENANT = [
    "insert into tenant (id, slug, name, language, modules, config_version, created_at, updated_at)"
    " values (:tenant, 'benchmark', 'Benchmark', 'de', '{orders}', :version, :now, :now)",
    "insert into api_key (id, tenant_id, role, label, prefix, hash, created_at)"
    " values (:key, :tenant, 'backoffice', 'benchmark', :prefix, :hash, :now)",
    "insert into bexio_connection (tenant_id, kind, state, company_id, company_name, user_id, user_name, secret,"
    " connected_at, updated_at) values (:tenant, 'token', 'connected', :company, 'Benchmark', 1, 'Benchmark', :secret,"
    " :now, :now)",
    "insert into tenant_settings (tenant_id, values, version, updated_at)"
    " values (:tenant, cast(:settings as jsonb), 1, :now)",
    "insert into contact_link (tenant_id, kind, arcavis_id, bexio_id, state, evidence, created_at, updated_at)"
    " values (:tenant, 'customer', :customer, :contact, 'active', '{}', :now, :now)",
    "insert into floor.api_key (hash, tenant_id) values (:hash, :tenant)",
]


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant connected to the simulated bexio; its customer `LINKED_CUSTOMER` is linked."""

    tenant: UUID
    key: str = field(repr=False)
    encryption_keys: str = field(repr=False)
    config_version: int


@asynccontextmanager
async def server() -> AsyncGenerator[URL]:
    """The Postgres that CONNECTOR_BENCH_DATABASE_URL names, or else an embedded one."""
    given = os.environ.get("CONNECTOR_BENCH_DATABASE_URL")
    if given:
        yield make_url(given).set(drivername="postgresql+asyncpg")
        return
    with TemporaryDirectory(prefix="connector-bench-") as folder:
        started = await embedded.start(Path(folder))
        try:
            yield make_url(started.url)
        finally:
            await started.stop()


@asynccontextmanager
async def fresh_database(admin: URL) -> AsyncGenerator[URL]:
    """A migrated database of its own with the floor's tables, dropped afterwards."""
    name = f"bench_{uuid4().hex[:12]}"
    engine = create_async_engine(admin, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text(f"create database {name}"))
        url = admin.set(database=name)
        await migrate.upgrade(url.render_as_string(hide_password=False))
        await _run(url, _FLOOR, {})
        yield url
        async with engine.connect() as connection:
            await connection.execute(text(f"drop database {name} with (force)"))
    finally:
        await engine.dispose()


async def add_shop(database: URL) -> Shop:
    """The tenant with everything that it needs to sell on invoice."""
    _, company = new_world()
    key = mint(Role.BACKOFFICE)
    shop = Shop(uuid4(), key.text, generate_key("benchmark"), config_version=1)
    contact = next(contact["id"] for contact in company.contacts if contact["name_1"] == "Muster AG")
    settings = {
        "invoice_payment_type_id": INVOICE_TYPE,
        "invoice_bexio_payment_type_id": 4,
        "invoice_account_no": "3200",
        "bexio_user_id": 1,
        "payment_bank_accounts": {CASH_TYPE: next(iter(company.banking_accounts))["id"]},
    }
    values = {
        "tenant": shop.tenant,
        "version": shop.config_version,
        "now": now(),
        "key": uuid4(),
        "prefix": key.prefix,
        "hash": hash_key(key.text),
        "company": COMPANY,
        "secret": Vault(shop.encryption_keys).seal(shop.tenant, BEXIO_SECRET, TOKEN),
        "settings": orjson.dumps(settings).decode(),
        "customer": LINKED_CUSTOMER,
        "contact": contact,
    }
    await _run(database, _TENANT, dict[str, object](values))
    return shop


async def postmaster(database: URL) -> int:
    """The process id of the server when it runs on this machine, else 0."""
    engine = create_async_engine(database)
    try:
        async with engine.connect() as connection:
            backend = (await connection.execute(text("select pg_backend_pid()"))).scalar_one()
            status = Path(f"/proc/{backend}/stat")
            if not status.exists() or "(postgres)" not in status.read_text():
                return 0
            return int(status.read_text().rpartition(")")[2].split()[1])
    finally:
        await engine.dispose()


def plain(database: URL) -> str:
    """As asyncpg and libpq read it."""
    return database.set(drivername="postgresql").render_as_string(hide_password=False)


async def _run(database: URL, statements: list[str], values: dict[str, object]) -> None:
    engine = create_async_engine(database)
    try:
        async with engine.begin() as connection:
            if values:
                await connection.execute(
                    text("select set_config('connector.tenant', :tenant, true)"), {"tenant": str(values["tenant"])}
                )
            for statement in statements:
                await connection.execute(text(statement), values)
    finally:
        await engine.dispose()
