"""One article that Arcavis refuses, on which it fails, or that it says nothing about: all others are taken over."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from app.capabilities.articles.importing import KIND
from app.capabilities.tenancy.guard import Guarded
from sandbox.arcavis.articles import remove, upsert
from sandbox.arcavis.faults import Fault, FaultKind, RequestLog
from tests.capabilities.articles_shop import (
    STOCKED,
    add,
    article_shop,
    begin,
    environment,
    in_till,
    level,
    only,
    problems,
    shown,
    writes,
)
from tests.capabilities.test_articles_crash import small_steps
from tests.fixtures.shop import Body, Shop, Tenant

COUNT = 12
STATES = "select bexio_id, stock_state from article_link where stock_state is distinct from 'set' order by bexio_id"


@pytest.fixture
async def tenant(shop: Shop) -> Tenant:
    tenant = await article_shop(shop)
    only(tenant)
    for number in range(1, COUNT + 1):
        add(tenant, f"N{number}", is_stock=True, stock_nr=number)
    return tenant


class Slow(RequestLog):
    """When the third stock is answered, the intent of those that are still to be sent has become too old."""

    def __init__(self, shop: Shop) -> None:
        super().__init__()
        self._shop = shop
        self._stocked = 0

    def count(self, tenant: str, route: str, status: int) -> None:
        super().count(tenant, route, status)
        self._stocked += route == STOCKED
        if route == STOCKED and self._stocked == 3:
            self._shop.clock.moved += 9


def strike(tenant: Tenant, kind: FaultKind, method: str, path: str, body: str = "") -> Fault:
    """A fault that never ends."""
    fault = Fault(kind, tenant.slug, method, path, times=None, body=body)
    tenant.shop.arcavis.faults.add(fault)
    return fault


async def imported(tenant: Tenant) -> Body:
    """An import after everything was waited for."""
    run = await begin(tenant)
    await tenant.shop.finish()
    found = await shown(tenant, run)
    assert found["state"] == "done", found
    return found


def at(tenant: Tenant, moment: str, happens: Callable[[], None]) -> None:
    """Something happens once, when the work comes to a point."""
    is_over: list[bool] = []

    async def probe(milestone: str) -> None:
        if milestone == moment and not is_over:
            is_over.append(True)
            happens()

    tenant.shop.loop.probe = probe


async def states(tenant: Tenant) -> list[tuple[int, str | None]]:
    return [(row.bexio_id, row.stock_state) for row in await tenant.rows(STATES)]


async def test_an_article_that_conflicts_in_arcavis_is_its_own_problem(tenant: Tenant) -> None:
    strike(tenant, FaultKind.CONFLICT, "POST", "api/articles", '"N3"')
    run = await imported(tenant)
    assert (problems(run), run["counts"]["created"]) == ({3: "article-refused"}, COUNT - 1)


async def test_an_article_on_which_arcavis_always_fails_ends_as_its_own_problem(tenant: Tenant) -> None:
    for number in ("N3", "N7", "N11"):
        strike(tenant, FaultKind.ERROR, "POST", "api/articles", f'"{number}"')
    run = await imported(tenant)
    assert problems(run) == dict.fromkeys((3, 7, 11), "article-outcome-unknown")
    assert (run["counts"]["created"], run["counts"]["problems"]) == (COUNT - 3, 3)
    assert (level(tenant, "N2"), level(tenant, "N12")) == (2, 12)
    tenant.shop.arcavis.faults.clear()
    run = await imported(tenant)
    assert (problems(run), level(tenant, "N3")) == ({}, 3)


async def test_stock_on_which_arcavis_always_fails_ends_as_a_problem_of_its_article(tenant: Tenant) -> None:
    await imported(tenant)
    late = add(tenant, "N99", is_stock=True, stock_nr=99)
    fault = strike(tenant, FaultKind.ERROR, "POST", "articlestocks")
    run = await imported(tenant)
    assert (problems(run), fault.struck) == ({late: "article-outcome-unknown"}, 4)
    assert await states(tenant) == [(late, "refused")]


@pytest.mark.parametrize("status", [404, 200])
async def test_an_article_removed_while_nobody_knows_of_its_stock_stops_no_import(tenant: Tenant, status: int) -> None:
    environment(tenant).missing_status = status
    fault = Fault(FaultKind.ERROR, method="POST", path="articlestocks", times=1)
    tenant.shop.arcavis.faults.add(fault)
    run = await begin(tenant)
    await tenant.shop.work()
    ((lost, state),) = await states(tenant)
    assert state == "intended"
    remove(environment(tenant), in_till(tenant, f"N{lost}")["Id"])
    await tenant.shop.finish()
    found = await shown(tenant, run)
    assert (found["state"], problems(found)) == ("done", {lost: "article-stock-refused"})
    assert await states(tenant) == [(lost, "refused")]
    assert problems(await imported(tenant)) == {lost: "article-deleted-in-arcavis"}


@pytest.mark.parametrize("kind", [FaultKind.CONFLICT, FaultKind.ERROR])
async def test_stock_that_arcavis_does_not_tell_is_left_open_and_asked_for_again(
    tenant: Tenant, kind: FaultKind
) -> None:
    existing = upsert(environment(tenant), {"ArticleNumber": "N5", "Title": "Schon da", "TaxId": 1})
    strike(tenant, kind, "GET", f"articlestocks/{existing}")
    run = await imported(tenant)
    assert problems(run) == {5: "article-stock-unread"}
    assert (await states(tenant), level(tenant, "N5"), level(tenant, "N6")) == ([(5, None)], None, 6)
    tenant.shop.arcavis.faults.clear()
    run = await imported(tenant)
    assert (problems(run), level(tenant, "N5"), await states(tenant)) == ({}, 5, [])


async def test_a_lost_stock_that_arcavis_does_not_tell_is_never_taken_for_kept(tenant: Tenant) -> None:
    tenant.shop.arcavis.faults.add(Fault(FaultKind.ERROR, method="POST", path="articlestocks", times=1))
    run = await begin(tenant)
    await tenant.shop.work()
    ((lost, _),) = await states(tenant)
    strike(tenant, FaultKind.CONFLICT, "GET", f"articlestocks/{in_till(tenant, f'N{lost}')['Id']}")
    await tenant.shop.finish()
    found = await shown(tenant, run)
    assert (found["state"], problems(found)) == ("done", {lost: "article-stock-unread"})
    assert await states(tenant) == [(lost, "intended")]
    tenant.shop.arcavis.faults.clear()
    run = await imported(tenant)
    assert (problems(run), level(tenant, f"N{lost}"), await states(tenant)) == ({}, lost, [])


async def test_stock_that_arcavis_tells_after_all_is_no_problem_any_more(tenant: Tenant) -> None:
    tenant.shop.loop.handlers = {
        **tenant.shop.loop.handlers,
        KIND: Guarded(small_steps(tenant.shop), tenant.shop.clock),
    }
    tenant.shop.arcavis.faults.add(Fault(FaultKind.ERROR, method="POST", path="articlestocks", times=1))
    run = await begin(tenant)
    await tenant.shop.work()
    ((lost, _),) = await states(tenant)
    fault = strike(tenant, FaultKind.CONFLICT, "GET", f"articlestocks/{in_till(tenant, f'N{lost}')['Id']}")
    # Untold in the turn of one page, told in that of the next.
    fault.times = 1
    await tenant.shop.finish()
    found = await shown(tenant, run)
    assert (found["state"], problems(found), fault.struck) == ("done", {}, 1)
    assert (level(tenant, f"N{lost}"), await states(tenant)) == (lost, [])


async def test_a_slow_arcavis_gets_all_stock_without_waiting_for_a_lost_one(tenant: Tenant) -> None:
    tenant.shop.arcavis.requests = Slow(tenant.shop)
    begun = tenant.shop.clock.now()
    await imported(tenant)
    assert (tenant.shop.clock.now() - begun).total_seconds() < 60
    assert (await states(tenant), writes(tenant)[STOCKED]) == ([], COUNT)


async def test_an_article_that_slips_over_a_page_border_is_not_taken_for_deleted_or_new(tenant: Tenant) -> None:
    arcavis = environment(tenant)
    first = upsert(arcavis, {"ArticleNumber": "A0", "Title": "Weg", "TaxId": 1})
    for number in range(1, 1001):
        upsert(arcavis, {"ArticleNumber": f"A{number}", "Title": "Ware", "TaxId": 1})
    # The 1001st is the first of the second page, and slips onto the first one.
    border = in_till(tenant, "A1000")["Id"]
    arcavis.set_stock(border, 1, Decimal(77))
    own = add(tenant, "A1000", is_stock=True, stock_nr=5)
    at(tenant, "till-articles-read", lambda: remove(arcavis, first))
    run = await imported(tenant)
    assert (level(tenant, "A1000"), run["counts"]["updated"]) == (77, 1)
    assert await states(tenant) == [(own, "kept")]


async def test_an_article_that_arcavis_had_without_listing_it_keeps_its_stock(tenant: Tenant) -> None:
    arcavis = environment(tenant)
    hidden = upsert(arcavis, {"ArticleNumber": "N4", "Title": "Versteckt", "TaxId": 1})
    upsert(arcavis, {"ArticleNumber": "Z1", "Title": "Später", "TaxId": 1})
    arcavis.set_stock(hidden, 1, Decimal(40))
    arcavis.articles.hide(hidden)
    await imported(tenant)
    assert (level(tenant, "N4"), await states(tenant)) == (40, [(4, "kept")])
