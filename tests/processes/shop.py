"""A shop for tests with processes: a database, a tenant, a bexio company of its own, and what its tills send."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import httpx
import orjson
from sqlalchemy import Row, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.api.auth import MintedKey, Role, mint
from app.connectors.access import BEXIO_SECRET
from app.core.clock import SystemClock
from app.core.vault import Vault, generate_key
from app.db import migrate
from app.db.embedded import start
from app.db.session import Database
from sandbox import till
from sandbox.basket import Shape
from tests.processes.spawning import sandbox_command

INVOICE_TYPE = "7"
TILL_TYPES = ("1", "2", "3", "4")
KEYS = generate_key("processes")
CONNECTIONS = 300

_ZURICH = ZoneInfo("Europe/Zurich")
_SET_UP = [
    text(
        "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
        " values (:tenant, :slug, 'Trial', 'de', '{orders}', :now, :now)"
    ),
    text(
        "insert into api_key (id, tenant_id, role, label, prefix, hash, created_at)"
        " values (:key, :tenant, 'backoffice', 'trial', 'abx_backoffice_', :hash, :now)"
    ),
    text(
        "insert into bexio_connection (tenant_id, kind, state, company_id, company_name, user_id, user_name, secret,"
        " connected_at, updated_at) values (:tenant, 'token', 'connected', :company, 'Trial', 1, 'Trial', :secret,"
        " :now, :now)"
    ),
]
_SETTINGS = text(
    "insert into tenant_settings (tenant_id, values, version, updated_at)"
    " values (:tenant, cast(:settings as jsonb), 1, :now)"
)
_WORK = text(
    "select o.kind, o.state, o.step, o.reason, o.starts, o.attempts, d.status, d.bexio_id, d.transaction_id"
    " from operation o left join document d on d.id = o.subject_id where o.tenant_id = :tenant"
)
_ITEMS = text("select code from attention where tenant_id = :tenant and state = 'open'")
_DOCUMENTS = text("select count(*) from document where tenant_id = :tenant")


@dataclass
class Stage:
    """What the tests share: a Postgres with a migrated template, and the sandbox."""

    server: str
    template: str
    access: Mapping[str, str]
    bexio: httpx.AsyncClient
    folder: Path
    _cloning: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def database(self) -> AsyncGenerator[str]:
        """A migrated database, dropped afterwards."""
        name = f"s_{uuid4().hex[:12]}"
        admin = create_async_engine(self.server, isolation_level="AUTOCOMMIT")
        try:
            async with self._cloning, admin.connect() as connection:
                await connection.execute(text(f"create database {name} template {self.template}"))
            yield make_url(self.server).set(database=name).render_as_string(hide_password=False)
            async with admin.connect() as connection:
                await connection.execute(text(f"drop database {name} with (force)"))
        finally:
            await admin.dispose()

    async def control(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON
        """One request to the simulated bexio's control API."""
        given: dict[str, Any] = {"params": body} if method == "GET" else {"json": body}
        response = await self.bexio.request(method, f"/_sandbox/{path}", **given)
        assert response.status_code == 200, response.text
        return response.json()


@asynccontextmanager
async def opened_stage() -> AsyncGenerator[Stage]:
    """A Postgres of its own, since dozens of processes need many connections, and the sandbox beside it."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="connector-processes-")))
        server = await start(folder / "postgres", fast=True)
        await server.stop()
        with (folder / "postgres" / "cluster" / "postgresql.conf").open("a") as configuration:
            configuration.write(f"max_connections = {CONNECTIONS}\n")
        server = await start(folder / "postgres", fast=True)
        stack.push_async_callback(server.stop)
        admin = create_async_engine(server.url, isolation_level="AUTOCOMMIT")
        async with admin.connect() as connection:
            await connection.execute(text("create database template_s"))
        await admin.dispose()
        await migrate.upgrade(server.url_of("template_s"))
        access = await stack.enter_async_context(sandbox_command())
        bexio = await stack.enter_async_context(httpx.AsyncClient(base_url=access["bexio_url"], timeout=30))
        stage = Stage(server.url, "template_s", access, bexio, folder)
        await stage.control("POST", "limits", {"enabled": False})
        yield stage


@dataclass
class Shop:
    """One tenant with a bexio company of its own."""

    stage: Stage
    database: str
    db: Database
    tenant: UUID
    company: str
    token: str
    key: MintedKey
    options: dict[str, Any]

    @property
    def slug(self) -> str:
        return f"s{self.tenant.hex[:10]}"

    @property
    def headers(self) -> dict[str, str]:
        """What its tills send along."""
        return {"Authorization": f"Bearer {self.key.text}"}

    async def bexio(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """What a person, or another program, does in this company."""
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        response = await self.stage.bexio.request(method, path, headers=headers, json=body)
        assert response.is_success, response.text
        return response.json()

    async def fault(self, mode: str, method: str, path: str, *, times: int = 1, seconds: float = 0.0) -> None:
        """What goes wrong with this company's next requests."""
        rule = {"mode": mode, "method": method, "path": path, "times": times, "seconds": seconds}
        await self.stage.control("POST", "faults", {**rule, "company_id": self.company})

    async def invoices(self) -> list[dict[str, Any]]:
        """Every invoice of the company, with positions and payments."""
        return await self.stage.control("GET", "invoices", {"company": self.company})

    async def summary(self) -> dict[str, Any]:
        """The company's figures."""
        state = await self.stage.control("GET", "state")
        return next(one for one in state["companies"] if one["id"] == self.company)

    async def writes(self) -> int:
        """How many requests that change something the company has seen."""
        return (await self.stage.control("GET", "requests", {"company": self.company}))["writes"]

    async def work(self) -> list[Row[Any]]:
        """Every operation of the tenant."""
        async with self.db.begin(self.tenant) as session:
            return list((await session.execute(_WORK, {"tenant": self.tenant})).all())

    async def documents(self) -> int:
        """How many documents the tenant has."""
        async with self.db.begin(self.tenant) as session:
            return (await session.execute(_DOCUMENTS, {"tenant": self.tenant})).scalar_one()

    async def attention(self) -> list[str]:
        """The codes of what waits for a person."""
        async with self.db.begin(self.tenant) as session:
            return list((await session.execute(_ITEMS, {"tenant": self.tenant})).scalars())


@asynccontextmanager
async def opened_shop(
    stage: Stage, *, database: str | None = None, settle: float = 0.2, **settings: object
) -> AsyncGenerator[Shop]:
    """A shop that is connected, in a database of its own unless one is named; `settings` are the tenant's."""
    async with AsyncExitStack() as stack:
        url = database or await stack.enter_async_context(stage.database())
        db = Database(url, pool_size=2)
        stack.push_async_callback(db.close)
        tenant = uuid4()
        company, token = f"c{tenant.hex[:12]}", f"token-{tenant.hex}"
        await stage.control("POST", "companies", {"company": company, "name": "Trial", "token": token})
        options = {
            "database_url": url,
            "encryption_keys": KEYS,
            "bexio_api_url": stage.access["bexio_url"],
            "allow_private_hosts": True,
            "settle_seconds": settle,
            "requests_per_minute": 1_000_000,
            "port": 0,
        }
        shop = Shop(stage, url, db, tenant, company, token, mint(Role.BACKOFFICE), options)
        await _set_up(shop, settings)
        yield shop


async def _set_up(shop: Shop, settings: Mapping[str, object]) -> None:
    banks = [one["id"] for one in await shop.bexio("GET", "/3.0/banking/accounts")]
    chosen = {
        "invoice_payment_type_id": INVOICE_TYPE,
        "invoice_bexio_payment_type_id": 4,
        "invoice_account_no": "3200",
        "bexio_user_id": 1,
        "payment_bank_accounts": dict(zip(TILL_TYPES, banks, strict=True)),
        **settings,
    }
    values = {
        "tenant": shop.tenant,
        "slug": shop.slug,
        "now": SystemClock().now(),
        "key": uuid4(),
        "hash": shop.key.hash,
        "settings": orjson.dumps(chosen).decode(),
        "company": shop.company,
        "secret": Vault(KEYS).seal(shop.tenant, BEXIO_SECRET, shop.token),
    }
    async with shop.db.begin_system() as session:
        for statement in _SET_UP:
            await session.execute(statement, values)
    async with shop.db.begin(shop.tenant) as session:
        await session.execute(_SETTINGS, values)


@cache
def _assortment() -> till.Assortment:
    """The demo's, without the one woman who is there twice: a sale to her waits for a person, as it should."""
    shop = till.demo_assortment()
    told_by = {row["Id"]: (row["Firstname"], row["Name"], row["Street"], row["Zip"]) for row in shop.customers}
    times = Counter(told_by.values())
    return replace(shop, customers=tuple(row for row in shop.customers if times[told_by[row["Id"]]] == 1))


def sale(seed: int, number: int, shape: Shape, *, stranger: bool = False) -> dict[str, Any]:
    """What a till sends: drawn from the seed; `stranger` buys somebody whom bexio does not know."""
    assortment = _assortment()
    sold_at = SystemClock().now().astimezone(_ZURICH).replace(tzinfo=None)
    transaction = till.generate_sale(Random(seed), assortment, 1, number, sold_at, shape)
    body = till.sale_body(transaction, assortment)
    if stranger:
        body["customer"] = {
            "arcavis_id": f"9{seed}{number}",
            "last_name": f"Zürcher-Nr{seed}x{number}",
            "first_name": "Anaïs",
            "street": "Feldweg",
            "house_number": str(number),
            "postcode": "8400",
            "city": "Winterthur",
            "country": "CH",
            "email": f"anais{seed}x{number}@zuercher.example",
            "language": "de",
        }
    return body
