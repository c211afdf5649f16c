from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import event, text

from app.connectors.bexio.client import Bexio
from app.connectors.bexio.reference import (
    MAX_AGE,
    MEMORY_AGE,
    MOST_COMPANIES,
    SETTLED,
    CompanyReference,
    ReferenceData,
)
from app.connectors.bexio.reference_kinds import ACCOUNTS, KINDS, TAXES
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import RemoteRejected, RemoteUnavailable
from app.db.session import Database
from tests.connectors.conftest import ManualClock
from tests.connectors.remote import API

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "recorded" / "bexio.json").read_bytes())
TODAY = date(2026, 11, 20)


@dataclass
class Company:
    """A bexio company that counts what it is asked."""

    clock: ManualClock
    name: str = field(default_factory=lambda: uuid4().hex)
    asked: Counter[str] = field(default_factory=Counter[str])
    rows: dict[str, list[Any]] = field(default_factory=lambda: json.loads(json.dumps(RECORDED)))
    down: bool = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked[request.url.path] += 1
        if self.down:
            return httpx.Response(503)
        return httpx.Response(200, json=self.rows[f"GET {request.url.path}"])

    @property
    def bexio(self) -> Bexio:
        clients = HttpClients(lambda _: httpx.MockTransport(self.answer))
        upstream = Upstream("bexio", self.name, API)
        return Bexio(Transport(upstream, clients, self.clock, "Bearer token", jitter=lambda: 0.0))


@pytest.fixture
async def tenant(limits_db: Database, clock: ManualClock) -> UUID:
    tenant = uuid4()
    insert = text(
        "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
        " values (:id, :slug, 'Laden', 'de', '{}', :now, :now)"
    )
    async with limits_db.begin_system() as session:
        await session.execute(insert, {"id": tenant, "slug": tenant.hex, "now": clock.now()})
    return tenant


@pytest.fixture
def company(clock: ManualClock) -> Company:
    return Company(clock)


@pytest.fixture
def reference(limits_db: Database, clock: ManualClock, tenant: UUID, company: Company) -> CompanyReference:
    return ReferenceData(limits_db, clock).of(tenant, company.bexio)


class Statements:
    """Counts the statements that reach Postgres while it is open."""

    def __init__(self, db: Database) -> None:
        self._engine = db.engine.sync_engine
        self.seen: list[str] = []

    def __enter__(self) -> list[str]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self.seen

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self.seen.append(statement)


async def look_everything_up(reference: CompanyReference) -> None:
    await reference.account("3200")
    await reference.sales_tax(Decimal("8.1"), TODAY)
    await reference.currency("CHF")
    await reference.bank_account(1)
    await reference.user(1)
    await reference.payment_type(4)
    await reference.item_setting("KbInvoice")
    await reference.business_year(TODAY)
    await reference.language_id("fr")
    await reference.country_id("US")


async def test_look_ups_find_what_the_company_has(reference: CompanyReference) -> None:
    assert (await reference.account("3200")).id == 101
    assert (await reference.sales_tax(Decimal("2.6"), TODAY)).id == 15
    currency = await reference.currency()
    assert (currency.id, currency.round_factor) == (1, Decimal("0.05"))
    assert (await reference.bank_account(1)).account_id == 116
    assert await reference.language_id("FR") == 2
    assert await reference.country_id("us") == 15
    year = await reference.business_year(date(2025, 12, 31))
    assert year is not None
    assert year.status == "closed"
    setting = await reference.item_setting("KbInvoice")
    assert setting is not None
    assert setting.default_time_period_in_days == 14


async def test_every_kind_is_read_kept_and_found_again(
    limits_db: Database, clock: ManualClock, tenant: UUID, company: Company, reference: CompanyReference
) -> None:
    first = {name: await reference.rows(kind) for name, kind in KINDS.items()}
    again = ReferenceData(limits_db, clock).of(tenant, company.bexio)
    assert {name: await again.rows(kind) for name, kind in KINDS.items()} == first
    assert set(company.asked.values()) == {1}


async def test_a_look_up_on_the_hot_path_asks_nobody(
    limits_db: Database, company: Company, reference: CompanyReference
) -> None:
    await look_everything_up(reference)
    asked = company.asked.total()
    with Statements(limits_db) as statements:
        await look_everything_up(reference)
    assert (statements, company.asked.total()) == ([], asked)


async def test_another_process_needs_one_query_and_no_request(
    limits_db: Database, clock: ManualClock, tenant: UUID, company: Company, reference: CompanyReference
) -> None:
    await look_everything_up(reference)
    asked = company.asked.total()
    another = ReferenceData(limits_db, clock).of(tenant, company.bexio)
    with Statements(limits_db) as statements:
        await look_everything_up(another)
    assert company.asked.total() == asked
    assert len([one for one in statements if "reference_data" in one]) == 1


async def test_what_is_too_old_is_read_again(clock: ManualClock, company: Company, reference: CompanyReference) -> None:
    await reference.rows(ACCOUNTS)
    clock.pass_time((MAX_AGE - MEMORY_AGE).total_seconds())
    await reference.rows(ACCOUNTS)
    assert company.asked["/2.0/accounts"] == 1
    clock.pass_time(MEMORY_AGE.total_seconds())
    await reference.rows(ACCOUNTS)
    assert company.asked["/2.0/accounts"] == 2


async def test_a_refresh_reaches_other_processes_within_the_age_of_their_memory(
    limits_db: Database, clock: ManualClock, tenant: UUID, company: Company, reference: CompanyReference
) -> None:
    another = ReferenceData(limits_db, clock).of(tenant, company.bexio)
    await reference.rows(ACCOUNTS)
    await another.rows(ACCOUNTS)
    clock.pass_time(SETTLED.total_seconds())
    company.rows["GET /2.0/accounts"] = company.rows["GET /2.0/accounts"][:1]
    assert len(await reference.refresh(ACCOUNTS)) == 1
    clock.pass_time(MEMORY_AGE.total_seconds())
    assert len(await another.rows(ACCOUNTS)) == 1
    assert company.asked["/2.0/accounts"] == 2


async def test_what_was_just_created_in_bexio_is_found(
    clock: ManualClock, company: Company, reference: CompanyReference
) -> None:
    with pytest.raises(RemoteRejected, match="account-missing"):
        await reference.account("1000")
    template = company.rows["GET /2.0/accounts"][0]
    company.rows["GET /2.0/accounts"].append({**template, "id": 200, "account_no": "1000"})
    clock.pass_time(SETTLED.total_seconds())
    assert (await reference.account("1000")).id == 200


async def test_a_tax_that_was_just_activated_is_found(
    clock: ManualClock, company: Company, reference: CompanyReference
) -> None:
    with pytest.raises(RemoteRejected, match="tax-code-missing"):
        await reference.sales_tax(Decimal("3.8"), TODAY)
    for row in company.rows["GET /3.0/taxes"]:
        row["is_active"] = row["is_active"] or row["code"] == "US38"
    clock.pass_time(SETTLED.total_seconds())
    assert (await reference.sales_tax(Decimal("3.8"), TODAY)).code == "US38"


async def test_many_sales_that_miss_the_same_account_ask_bexio_once(
    clock: ManualClock, company: Company, reference: CompanyReference
) -> None:
    for asked in (1, 2):
        missed = await asyncio.gather(*(reference.account("1000") for _ in range(50)), return_exceptions=True)
        assert {getattr(error, "code", None) for error in missed} == {"account-missing"}
        assert company.asked["/2.0/accounts"] == asked
        clock.pass_time(SETTLED.total_seconds())


async def test_an_inactive_account_is_as_good_as_none(company: Company, reference: CompanyReference) -> None:
    for row in company.rows["GET /2.0/accounts"]:
        row["is_active"] = row["account_no"] != "3200"
    with pytest.raises(RemoteRejected) as refused:
        await reference.account("3200")
    assert (refused.value.code, refused.value.params["account"]) == ("account-missing", "3200")


async def test_what_is_missing_has_a_name_or_is_none(reference: CompanyReference) -> None:
    with pytest.raises(RemoteRejected, match="currency-missing"):
        await reference.currency("XAU")
    with pytest.raises(RemoteRejected, match="bank-account-missing"):
        await reference.bank_account(99)
    assert await reference.user(99) is None
    assert await reference.payment_type(99) is None
    assert await reference.item_setting("KbNothing") is None
    assert await reference.business_year(date(1999, 1, 1)) is None
    assert await reference.language_id("rm") is None
    assert await reference.country_id("XX") is None


async def test_nothing_is_kept_when_bexio_is_down(company: Company, reference: CompanyReference) -> None:
    company.down = True
    with pytest.raises(RemoteUnavailable):
        await reference.rows(TAXES)
    company.down = False
    assert (await reference.sales_tax(Decimal("8.1"), TODAY)).code == "UN81"


async def test_another_company_never_gets_the_ids_of_the_first(
    limits_db: Database, clock: ManualClock, tenant: UUID, company: Company
) -> None:
    shared = ReferenceData(limits_db, clock)
    await shared.of(tenant, company.bexio).rows(ACCOUNTS)
    other = Company(clock)
    for row in other.rows["GET /2.0/accounts"]:
        row["id"] += 1000
    for processes in (shared, ReferenceData(limits_db, clock)):
        assert (await processes.of(tenant, other.bexio).account("3200")).id == 1101
    assert (await ReferenceData(limits_db, clock).of(tenant, other.bexio).account("3200")).id == 1101
    assert other.asked["/2.0/accounts"] == 1


async def test_rows_of_an_older_version_are_read_anew(
    limits_db: Database, clock: ManualClock, tenant: UUID, company: Company
) -> None:
    stale = text(
        "insert into reference_data (tenant_id, name, rows, fetched_at) values (:tenant, 'accounts',"
        " jsonb_build_object('company', cast(:company as text), 'rows', '[{\"id\": 1}]'::jsonb), :now)"
    )
    async with limits_db.begin(tenant) as session:
        await session.execute(stale, {"tenant": tenant, "company": company.name, "now": clock.now()})
    clock.pass_time(1)
    assert (await ReferenceData(limits_db, clock).of(tenant, company.bexio).account("3200")).id == 101


async def test_memory_holds_a_bounded_number_of_companies(limits_db: Database, clock: ManualClock) -> None:
    shared = ReferenceData(limits_db, clock)
    bexio = Company(clock).bexio
    for _ in range(MOST_COMPANIES + 10):
        shared.of(uuid4(), bexio)
    assert len(shared) == MOST_COMPANIES
