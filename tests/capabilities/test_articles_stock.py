"""Stock is taken over once for each article: into which store, and when it is left alone."""

from __future__ import annotations

from decimal import Decimal

import pytest

from sandbox.arcavis.articles import upsert
from sandbox.arcavis.faults import Fault, FaultKind
from sandbox.bexio import articles
from tests.capabilities.articles_shop import (
    STOCKED,
    add,
    article_shop,
    begin,
    environment,
    imported,
    in_till,
    level,
    notes,
    only,
    problems,
    shown,
    writes,
)
from tests.fixtures.shop import Shop, Tenant

STATES = "select bexio_id, stock_state from article_link order by bexio_id"


@pytest.fixture
async def tenant(shop: Shop) -> Tenant:
    """Three articles: one with stock, one that bexio keeps no stock of, one that is sold out."""
    tenant = await article_shop(shop)
    only(tenant)
    add(tenant, "N1", is_stock=True, stock_nr=14, stock_id=1)
    add(tenant, "N2")
    add(tenant, "N3", is_stock=True, stock_nr=0)
    return tenant


async def states(tenant: Tenant) -> list[str | None]:
    return [row.stock_state for row in await tenant.rows(STATES)]


async def test_stock_goes_into_the_main_store_where_bexio_keeps_some(tenant: Tenant) -> None:
    run = await imported(tenant)
    assert (level(tenant, "N1"), level(tenant, "N2"), level(tenant, "N3")) == (14, None, 0)
    assert level(tenant, "N1", store=2) is None
    assert await states(tenant) == ["set", "none", "set"]
    (note,) = [one for one in run["detail"]["notes"] if one["code"] == "stock-taken"]
    assert "Zürich" in note["detail"]


async def test_stock_goes_into_the_store_that_is_called_as_its_location(tenant: Tenant) -> None:
    tenant.company.stocks[1]["name"] = "winterthur"
    await imported(tenant)
    assert (level(tenant, "N1", store=2), level(tenant, "N1")) == (14, None)
    assert level(tenant, "N3") == 0


async def test_stock_is_never_set_again_whatever_happens_in_bexio(tenant: Tenant) -> None:
    await imported(tenant)
    environment(tenant).set_stock(in_till(tenant, "N1")["Id"], 1, Decimal(9))
    for each, stock in ((1, 99), (2, 50), (3, 70)):
        articles.edit(tenant.company, each, {"stock_nr": stock, "is_stock": True, "sale_price": f"{stock}.00"})
    tenant.shop.arcavis.requests.clear()
    run = await imported(tenant)
    assert STOCKED not in writes(tenant)
    assert (level(tenant, "N1"), level(tenant, "N2"), level(tenant, "N3")) == (9, None, 0)
    assert run["detail"]["stock"] == {"taken": 0, "kept": 0, "left_alone": 2}


async def test_an_article_that_is_new_later_gets_its_stock_once(tenant: Tenant) -> None:
    await imported(tenant)
    late = add(tenant, "N4", is_stock=True, stock_nr=5)
    run = await imported(tenant)
    assert (level(tenant, "N4"), run["detail"]["stock"]["taken"]) == (5, 1)
    articles.edit(tenant.company, late, {"stock_nr": 6, "sale_price": "1.00"})
    await imported(tenant)
    assert level(tenant, "N4") == 5


async def test_stock_that_arcavis_keeps_already_is_left_alone(tenant: Tenant) -> None:
    arcavis = environment(tenant)
    existing = upsert(arcavis, {"ArticleNumber": "N1", "Title": "Schon da", "TaxRate": Decimal("0.081")})
    arcavis.set_stock(existing, 2, Decimal(3))
    run = await imported(tenant)
    assert (level(tenant, "N1"), level(tenant, "N1", store=2)) == (None, 3)
    assert await states(tenant) == ["kept", "none", "set"]
    assert (run["detail"]["stock"]["kept"], "stock-kept-by-arcavis" in notes(run)) == (1, True)


async def test_without_the_right_stock_is_left_open_and_taken_when_the_right_is_there(tenant: Tenant) -> None:
    tenant.company.rules.has_stock_module = False
    run = await imported(tenant)
    assert "stock-right-missing" in notes(run)
    assert STOCKED not in writes(tenant)
    assert await states(tenant) == [None, None, None]
    tenant.company.rules.has_stock_module = True
    run = await imported(tenant)
    assert (level(tenant, "N1"), level(tenant, "N2"), level(tenant, "N3")) == (14, None, 0)
    assert (run["counts"]["unchanged"], run["counts"]["stock"]) == (3, 2)


async def test_a_token_without_the_scope_hides_stock_and_nothing_is_set_to_zero(tenant: Tenant) -> None:
    scopes = frozenset({"article_show", "contact_edit", "kb_invoice_edit"})
    tenant.shop.world.add_token(tenant.company.id, tenant.token, scopes=scopes)
    run = await imported(tenant)
    assert ("stock-right-missing" in notes(run), STOCKED in writes(tenant)) == (True, False)
    assert level(tenant, "N1") is None


async def test_an_arcavis_without_stores_takes_articles_and_no_stock(tenant: Tenant) -> None:
    environment(tenant).helpers["stores"].hide(1)
    environment(tenant).helpers["stores"].hide(2)
    run = await imported(tenant)
    assert ("stock-store-missing" in notes(run), run["counts"]["created"]) == (True, 3)


async def test_stock_that_arcavis_refuses_is_told_and_not_tried_again(tenant: Tenant) -> None:
    stores = environment(tenant).helpers["stores"]

    async def close_the_store(milestone: str) -> None:
        if milestone == "setting-stock-intended" and 1 in stores:
            stores.remove(1)

    tenant.shop.loop.probe = close_the_store
    run = await imported(tenant)
    assert problems(run) == {1: "article-stock-refused", 3: "article-stock-refused"}
    assert await states(tenant) == ["refused", "none", "refused"]
    tenant.shop.arcavis.requests.clear()
    await imported(tenant)
    assert STOCKED not in writes(tenant)


@pytest.mark.parametrize("sold", [0, 4])
async def test_a_lost_answer_is_looked_up_before_stock_is_set_again(tenant: Tenant, sold: int) -> None:
    fault = Fault(FaultKind.ERROR, method="POST", path="/articlestocks", times=2, after_write=True)
    tenant.shop.arcavis.faults.add(fault)
    run = await begin(tenant)
    await tenant.shop.work()
    assert (await shown(tenant, run))["state"] == "running"
    assert fault.struck == 2
    if sold:
        environment(tenant).set_stock(in_till(tenant, "N1")["Id"], 1, Decimal(14 - sold))
    await tenant.shop.later(100)
    found = await shown(tenant, run)
    assert (found["state"], writes(tenant)[STOCKED]) == ("done", 2)
    assert level(tenant, "N1") == 14 - sold
    assert found["detail"]["stock"] == {"taken": 2 - bool(sold), "kept": int(bool(sold)), "left_alone": 0}


async def test_stock_that_surely_did_not_arrive_is_set_once_the_request_can_no_longer_land(tenant: Tenant) -> None:
    fault = Fault(FaultKind.ERROR, method="POST", path="/articlestocks", times=2)
    tenant.shop.arcavis.faults.add(fault)
    run = await begin(tenant)
    await tenant.shop.work()
    await tenant.shop.later(60)
    assert (level(tenant, "N1"), fault.struck) == (None, 2)
    await tenant.shop.later(40)
    found = await shown(tenant, run)
    assert (found["state"], level(tenant, "N1"), level(tenant, "N3")) == ("done", 14, 0)
    assert found["detail"]["stock"]["taken"] == 2
