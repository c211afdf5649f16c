from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from urllib.parse import parse_qs
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import text

from app.connectors.bexio.client import Bexio
from app.connectors.bexio.criteria import equal
from app.connectors.bexio.resource import PAGE_SIZE
from app.connectors.budget import Budgets
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import RemoteRejected
from app.core.priority import Priority
from app.db.session import Database
from tests.connectors.conftest import ManualClock
from tests.connectors.remote import API, Wire

Read = Callable[[Bexio], Awaitable[object]]

PLAIN = "limit=2000&offset=0"
ORDERED = f"order_by=id&{PLAIN}"
LISTS: list[tuple[Read, str]] = [
    (lambda bexio: bexio.accounts.list(), f"/2.0/accounts?{PLAIN}"),
    (lambda bexio: bexio.taxes.list(), f"/3.0/taxes?{PLAIN}"),
    (
        lambda bexio: bexio.taxes.active_sales(date(2026, 11, 20)),
        f"/3.0/taxes?scope=active&types=sales_tax&date=2026-11-20&{PLAIN}",
    ),
    (lambda bexio: bexio.currencies.list(), f"/3.0/currencies?{PLAIN}"),
    (lambda bexio: bexio.users.list(), f"/3.0/users?{PLAIN}"),
    (lambda bexio: bexio.company_profile.list(), "/2.0/company_profile"),
    (lambda bexio: bexio.payment_types.list(), f"/2.0/payment_type?{ORDERED}"),
    (lambda bexio: bexio.units.list(), f"/2.0/unit?{PLAIN}"),
    (lambda bexio: bexio.countries.list(), f"/2.0/country?{ORDERED}"),
    (lambda bexio: bexio.languages.list(), f"/2.0/language?{ORDERED}"),
    (lambda bexio: bexio.salutations.list(), f"/2.0/salutation?{ORDERED}"),
    (lambda bexio: bexio.banking_accounts.list(), f"/3.0/banking/accounts?{PLAIN}"),
    (lambda bexio: bexio.item_settings.list(), "/2.0/kb_item_setting?order_by=id"),
    (lambda bexio: bexio.business_years.list(), f"/3.0/accounting/business_years?{PLAIN}"),
    (lambda bexio: bexio.calendar_years.list(), f"/3.0/accounting/calendar_years?{PLAIN}"),
    (lambda bexio: bexio.vat_periods.list(), f"/3.0/accounting/vat_periods?{PLAIN}"),
    (lambda bexio: bexio.articles.list(), f"/2.0/article?{ORDERED}"),
]


@pytest.mark.parametrize(("read", "address"), LISTS)
async def test_a_list_is_asked_for_where_bexio_has_it(read: Read, address: str) -> None:
    wire = Wire()
    wire.get(url__startswith=API).respond(200, json=[])
    assert await read(wire.bexio) == ()
    assert wire.sent() == [f"GET {address}"]
    sent = wire.calls.last.request
    assert (sent.headers["Accept"], sent.headers["Authorization"]) == ("application/json", "Bearer token")
    assert not sent.content


def of_units(count: int) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        query = parse_qs(request.url.query.decode())
        start, limit = int(query["offset"][0]), int(query["limit"][0])
        rows = [{"id": one, "name": f"Stk {one}"} for one in range(start, min(start + limit, count))]
        return httpx.Response(200, json=rows)

    return answer


@pytest.mark.parametrize(("count", "requests"), [(0, 1), (PAGE_SIZE - 1, 1), (PAGE_SIZE, 2), (2 * PAGE_SIZE + 1, 3)])
async def test_pages_are_read_until_one_is_not_full(count: int, requests: int) -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/unit").mock(side_effect=of_units(count))
    assert [unit.id for unit in await wire.bexio.units.list()] == list(range(count))
    assert len(wire.calls) == requests


async def test_a_search_is_paged_like_a_list() -> None:
    wire = Wire()
    account = {"account_no": "1", "name": "A", "account_type": 1, "is_active": True, "is_locked": False}
    full = [{**account, "id": one} for one in range(PAGE_SIZE)]
    wire.post(f"{API}/2.0/accounts/search").mock(
        side_effect=[httpx.Response(200, json=full), httpx.Response(200, json=full[:3])]
    )
    found = await wire.bexio.accounts.search(equal("account_type", 1))
    assert len(found) == PAGE_SIZE + 3
    assert wire.sent() == [
        "POST /2.0/accounts/search?limit=2000&offset=0",
        "POST /2.0/accounts/search?limit=2000&offset=2000",
    ]


async def test_a_page_comes_before_the_next_is_asked_for() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/unit").mock(side_effect=of_units(PAGE_SIZE + 1))
    assert [len(wire.calls) async for _ in wire.bexio.units.pages()] == [1, 2]


async def test_the_users_own_record_and_rights_are_read() -> None:
    wire = Wire()
    me = {"id": 4, "firstname": "Zoë", "lastname": "Müller", "is_superadmin": True, "is_accountant": False}
    rights = {"components": ["kb_invoice"], "permissions": {"contact": {"edit": "all"}}}
    wire.get(f"{API}/3.0/users/me").respond(200, json=me)
    wire.get(f"{API}/3.0/permissions").respond(200, json=rights)
    assert (await wire.bexio.users.me()).lastname == "Müller"
    assert (await wire.bexio.permissions()).permissions == {"contact": {"edit": "all"}}


async def test_one_row_of_another_shape_makes_the_list_unreadable() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/unit").respond(200, json=[{"id": 1, "name": "Stk"}, {"id": None, "name": "h"}])
    with pytest.raises(RemoteRejected, match="bexio-answer-unreadable"):
        await wire.bexio.units.list()


async def test_articles_are_read_and_searched() -> None:
    wire = Wire()
    article = {
        "id": 12,
        "article_type_id": 1,
        "intern_code": "100234",
        "intern_name": "Dressing",
        "sale_price": "5.040000",
        "purchase_price": "",
        "is_stock": True,
        "stock_nr": 14,
        "stock_available_nr": "13",
    }
    wire.get(f"{API}/2.0/article/12").respond(200, json=article)
    wire.post(f"{API}/2.0/article/search").respond(200, json=[article])
    shown = await wire.bexio.articles.get(12)
    assert (str(shown.sale_price), shown.purchase_price, shown.stock_nr) == ("5.040000", None, 14)
    assert await wire.bexio.articles.search(equal("intern_code", "100234")) == (shown,)


BUCKETS: list[tuple[Read, str, object]] = [
    (lambda bexio: bexio.contacts.search(equal("id", 1)), "search", []),
    (lambda bexio: bexio.invoices.pdf(1), "search", {"content": ""}),
    (lambda bexio: bexio.articles.search(equal("intern_code", "1")), "search", []),
    (lambda bexio: bexio.articles.list(), "articles", []),
    (lambda bexio: bexio.accounts.list(), "general", []),
    (lambda bexio: bexio.payments(1).list(), "general", []),
    (lambda bexio: bexio.invoices.issue(1), "general", {"success": True}),
]


@pytest.mark.parametrize(("ask", "bucket", "answer"), BUCKETS)
async def test_a_request_counts_against_the_limit_that_bexio_counts_it_against(
    ask: Read,
    bucket: str,
    answer: object,
    clock: ManualClock,
    limits_db: Database,
) -> None:
    company = uuid4().hex
    clients = HttpClients(lambda _: httpx.MockTransport(lambda _: httpx.Response(200, json=answer)))
    budget = Budgets(limits_db, clock).of(company, Priority.TILL)
    upstream = Upstream("bexio", company, API)
    await ask(Bexio(Transport(upstream, clients, clock, "Bearer token", budget=budget)))
    async with limits_db.begin_system() as session:
        spent = text("select bucket from rate_budget where company_id = :company")
        assert (await session.execute(spent, {"company": company})).scalars().all() == [bucket]
