"""The client against the simulated Arcavis, in process: what one reads, the other really says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import httpx
import pytest

from app.connectors.arcavis.client import Arcavis
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import ConnectionRefused, RemoteNotFound, RemoteUnavailable
from sandbox.arcavis.app import create_app
from sandbox.arcavis.faults import Fault, FaultKind
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
