"""The client against the simulated Arcavis, in process: what one reads, the other really says."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import httpx
import pytest

from app.connectors.arcavis import envelope
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import Transaction
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import ConnectionRefused, RemoteNotFound, RemoteUnavailable
from sandbox.arcavis import tills, transactions
from sandbox.arcavis.app import create_app
from sandbox.arcavis.faults import Fault, FaultKind
from sandbox.basket import demo_assortment
from sandbox.trade import Habits, Trade
from tests.connectors.conftest import ManualClock
from tests.sandbox.arcavis_shop import WEBSHOP_CART, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def arcavis(shop: Shop, clock: ManualClock) -> Arcavis:
    return client(shop, clock, shop.headers["Authorization"])


def client(shop: Shop, clock: ManualClock, authorization: str) -> Arcavis:
    clients = HttpClients(lambda _: httpx.ASGITransport(create_app(shop.world)))
    upstream = Upstream("arcavis", "tenant", "http://arcavis/demo")
    return Arcavis(Transport(upstream, clients, clock, authorization, jitter=lambda: 0.0))


async def test_every_list_of_the_demo_shop_is_read(arcavis: Arcavis) -> None:
    await arcavis.ping()
    payment_types = {row.id: row.title for row in await arcavis.payment_types.list()}
    assert payment_types[7] == "Bexio Rechnung"
    assert {row.title for row in await arcavis.stores.list()} == {"Zürich", "Winterthur"}
    assert {row.store_id for row in await arcavis.points_of_sale.list()} == {1, 2}
    assert Decimal("0.081") in {row.tax_rate for row in await arcavis.taxes.list()}
    assert "Verkauf" in {row.title for row in await arcavis.transaction_types.list()}
    assert {row.title for row in await arcavis.transaction_purposes.list()} == {"Porto", "Reinigung", "Kleinmaterial"}


async def test_a_till_says_when_it_was_heard_last(arcavis: Arcavis, shop: Shop) -> None:
    tills.go_offline(shop.tenant, 2)
    shop.wait(hours=5)
    heard = {row.id: row.synched_time for row in await arcavis.points_of_sale.list() if row.is_active}
    assert heard[1] == shop.moment
    assert heard[2] == shop.moment - timedelta(hours=5)


async def test_changes_come_page_by_page_with_the_cursor_of_the_first(
    arcavis: Arcavis, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envelope, "ROWS_PER_PAGE", 3)
    began = await arcavis.transactions.now()
    for row in Trade(demo_assortment(), 1, Habits(receipts=4)).day(date(2026, 11, 20)):
        transactions.receive(shop.tenant, row)
    pages = [page async for page in arcavis.transactions.changes(began)]
    assert len(pages) > 1
    assert {row.id for page in pages for row in page.result} == {
        row["Id"] for row in shop.tenant.transactions.visible()
    }
    cursor = pages[0].data_age_ticks or 0
    assert [page.result async for page in arcavis.transactions.changes(cursor)] == [()]


async def test_a_change_during_reading_hides_no_other(
    arcavis: Arcavis, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envelope, "ROWS_PER_PAGE", 3)
    for row in Trade(demo_assortment(), 1, Habits(receipts=4)).day(date(2026, 11, 20)):
        transactions.receive(shop.tenant, row)
    everything = {row["Id"] for row in shop.tenant.transactions.visible()}
    seen: set[int] = set()
    async for page in arcavis.transactions.changes(1):
        if not seen:
            shop.tenant.transactions.touch(page.result[0].id)
        seen |= {row.id for row in page.result}
    assert seen == everything


async def test_a_list_that_never_holds_still_is_given_up_for_now(
    arcavis: Arcavis, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(envelope, "ROWS_PER_PAGE", 3)
    for row in Trade(demo_assortment(), 1, Habits(receipts=4)).day(date(2026, 11, 20)):
        transactions.receive(shop.tenant, row)

    async def read() -> None:
        async for page in arcavis.transactions.changes(1):
            shop.tenant.transactions.touch(page.result[0].id)

    with pytest.raises(RemoteUnavailable):
        await read()


async def test_every_customer_is_read_once_and_changes_come_alone(arcavis: Arcavis, shop: Shop) -> None:
    pages = [page async for page in arcavis.customers.pages()]
    ids = [row.id for page in pages for row in page.result]
    assert sorted(ids) == sorted(row["Id"] for row in shop.tenant.customers.visible())
    cursor = pages[0].data_age_ticks
    assert cursor is not None
    assert (await arcavis.customers.changed_since(cursor)).result == ()
    await shop.call("PUT", "customers/501", {"City": "Bülach"})
    await shop.call("DELETE", "customers/502")
    changes = await arcavis.customers.changed_since(cursor)
    assert [(row.id, row.city) for row in changes.result] == [(501, "Bülach")]
    assert changes.deleted_ids == (502,)


async def test_a_booked_sale_is_read_by_id_and_by_day(arcavis: Arcavis, shop: Shop) -> None:
    await shop.call("POST", "transactions", WEBSHOP_CART)
    day = date(2026, 11, 20)
    pages = [page async for page in arcavis.transactions.pages(day, day)]
    (sale,) = [row for page in pages for row in page.result]
    assert isinstance(sale, Transaction)
    assert (sale.amount, sale.sale_day.date()) == (Decimal("31.5"), day)
    assert sum(line.price for line in sale.transaction_articles) == sale.amount
    assert (await arcavis.transactions.get(sale.id)) == sale
    none = [page async for page in arcavis.transactions.pages(date(2026, 11, 21), date(2026, 11, 30))]
    assert [row for page in none for row in page.result] == []


@pytest.mark.parametrize("status", [404, 200])
async def test_an_unknown_transaction_is_not_found(arcavis: Arcavis, shop: Shop, status: int) -> None:
    shop.tenant.missing_status = status
    with pytest.raises(RemoteNotFound):
        await arcavis.transactions.get(99)


async def test_a_wrong_password_is_refused(shop: Shop, clock: ManualClock) -> None:
    with pytest.raises(ConnectionRefused):
        await client(shop, clock, "Basic bm9ib2R5Om5vdGhpbmc=").ping()


async def test_a_read_survives_a_short_failure_and_reports_a_long_one(arcavis: Arcavis, shop: Shop) -> None:
    shop.world.faults.add(Fault(FaultKind.UNAVAILABLE, times=1))
    await arcavis.ping()
    shop.world.faults.add(Fault(FaultKind.HALF_PAGE, times=None))
    with pytest.raises(RemoteUnavailable):
        await arcavis.ping()
