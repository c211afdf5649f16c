"""A worker that dies in the middle of an import, at every step and after every single write: nothing is done twice."""

from __future__ import annotations

import os
from datetime import timedelta
from decimal import Decimal

import pytest

from app.capabilities.articles.handler import ImportHandler
from app.capabilities.articles.importing import KIND, Stride
from app.capabilities.tenancy.guard import Guarded
from sandbox.arcavis.faults import Fault, FaultKind, RequestLog
from sandbox.bexio import articles
from sandbox.bexio.faults import Mode
from tests.capabilities.articles_shop import (
    STOCKED,
    add,
    article_shop,
    begin,
    doubled,
    every,
    imported,
    level,
    only,
    shown,
    writes,
)
from tests.fixtures.shop import SETTLE, Shop, Tenant

EVERYTHING = "CONNECTOR_TEST_EVERYTHING"
COUNT = 13
# Two pages, of which the first takes two batches.
STRIDE = Stride(rows=8, writes=4)
SALE = Decimal(1)


class Crashed(BaseException):
    """The process is gone: nothing of what follows happens."""


@pytest.fixture
async def tenant(shop: Shop) -> Tenant:
    tenant = await article_shop(shop)
    only(tenant)
    for number in range(1, COUNT + 1):
        add(tenant, f"N{number}", is_stock=True, stock_nr=number)
    shop.loop.handlers = {**shop.loop.handlers, KIND: Guarded(small_steps(shop), shop.clock)}
    return tenant


def small_steps(shop: Shop) -> ImportHandler:
    resources = shop.resources
    settle = timedelta(seconds=SETTLE)
    return ImportHandler(resources.remotes, resources.reference, shop.clock, settle, STRIDE)


class Death(RequestLog):
    """Kills the worker at the n-th milestone of its work, or when Arcavis has done what the n-th write asked for."""

    def __init__(self, *, milestone: int = 0, write: int = 0) -> None:
        super().__init__()
        self._milestone, self._write = milestone, write
        self.milestones: list[str] = []
        self.written = 0
        self.is_dead = False

    async def probe(self, milestone: str) -> None:
        self.milestones.append(milestone)
        self._die_if(len(self.milestones) == self._milestone)

    def count(self, tenant: str, route: str, status: int) -> None:
        super().count(tenant, route, status)
        self.written += not route.startswith("GET ")
        self._die_if(self.written == self._write and not route.startswith("GET "))

    def _die_if(self, now: bool) -> None:  # noqa: FBT001 - a condition
        self.is_dead = self.is_dead or now
        if self.is_dead:
            raise Crashed


async def _alive(milestone: str) -> None:
    """Nobody dies."""


async def died(tenant: Tenant, death: Death) -> bool:
    """Works until death or the end; whether it died."""
    shop, log = tenant.shop, tenant.shop.arcavis.requests
    shop.loop.probe, shop.arcavis.requests = death.probe, death
    try:
        await shop.loop.drain()
    except* Crashed:
        # Also where several requests were under way.
        pass
    shop.loop.probe, shop.arcavis.requests = _alive, log
    return death.is_dead


def sell_one_of_each(tenant: Tenant) -> dict[str, Decimal]:
    """What was sold of those whose stock Arcavis keeps by now."""
    arcavis = tenant.shop.arcavis.tenant(tenant.slug)
    sold: dict[str, Decimal] = {}
    for row in every(tenant):
        if (there := arcavis.stock_levels(row["Id"]).get(1)) is not None:
            arcavis.set_stock(row["Id"], 1, there - SALE)
            sold[row["ArticleNumber"]] = SALE
    return sold


async def check(tenant: Tenant, run: str, sold: dict[str, Decimal]) -> None:
    """All articles once, each with its stock less what was sold since; every figure right; nothing left to do."""
    await tenant.shop.later(11)
    await tenant.shop.later(SETTLE + 5)
    await tenant.shop.later(SETTLE + 5)
    found = await shown(tenant, run)
    assert found["state"] == "done", found
    assert (len(every(tenant)), doubled(tenant)) == (COUNT, [])
    for number in range(1, COUNT + 1):
        assert level(tenant, f"N{number}") == number - sold.get(f"N{number}", Decimal(0)), number
    assert found["counts"]["read"] == COUNT
    assert found["counts"]["created"] + found["counts"]["updated"] + found["counts"]["unchanged"] == COUNT
    assert found["counts"]["problems"] == 0
    before = writes(tenant)
    again = await imported(tenant)
    assert (again["counts"]["unchanged"], writes(tenant)) == (COUNT, before)
    states = await tenant.rows("select distinct stock_state from article_link")
    assert {row.stock_state for row in states} <= {"set", "kept"}


MILESTONES = 38
WRITES = 2 * COUNT
# All of them in `make soak`; CI takes every fifth.
STEP = 1 if os.environ.get(EVERYTHING) else 5


async def test_an_undisturbed_import_passes_these_milestones_and_writes_this_much(tenant: Tenant) -> None:
    run, death = await begin(tenant), Death()
    assert not await died(tenant, death)
    assert (death.milestones.count("page-done"), death.milestones.count("batch-done")) == (2, 4)
    assert (len(death.milestones), death.written) == (MILESTONES, WRITES)
    await check(tenant, run, {})


@pytest.mark.parametrize("nth", range(2, MILESTONES + 1, STEP))
async def test_a_death_at_any_step_doubles_no_article_and_sets_no_stock_twice(tenant: Tenant, nth: int) -> None:
    run, death = await begin(tenant), Death(milestone=nth)
    assert await died(tenant, death)
    await check(tenant, run, sell_one_of_each(tenant))


@pytest.mark.parametrize("nth", range(1, WRITES + 1, STEP))
async def test_a_death_after_any_write_doubles_no_article_and_sets_no_stock_twice(tenant: Tenant, nth: int) -> None:
    run, death = await begin(tenant), Death(write=nth)
    assert await died(tenant, death)
    await check(tenant, run, sell_one_of_each(tenant))


@pytest.mark.parametrize(
    ("path", "kind", "after_write"),
    [
        ("api/articles", FaultKind.ERROR, True),
        ("api/articles", FaultKind.UNAVAILABLE, False),
        ("api/articles", FaultKind.HALF_PAGE, True),
        ("articlestocks", FaultKind.HTML, True),
        ("articlestocks", FaultKind.UNAVAILABLE, False),
    ],
)
async def test_lost_answers_double_nothing(tenant: Tenant, path: str, kind: FaultKind, *, after_write: bool) -> None:
    fault = Fault(kind, method="POST", path=path, times=2, after_write=after_write)
    tenant.shop.arcavis.faults.add(fault)
    run = await begin(tenant)
    for _ in range(6):
        await tenant.shop.later(SETTLE + 5)
    assert fault.struck == 2
    await check(tenant, run, {})


async def test_after_a_lost_answer_nothing_is_written_until_the_request_can_no_longer_land(tenant: Tenant) -> None:
    fault = Fault(FaultKind.ERROR, method="POST", path="api/articles", times=1, after_write=True)
    tenant.shop.arcavis.faults.add(fault)
    run = await begin(tenant)
    await tenant.shop.work()
    before = writes(tenant)
    assert before[STOCKED] > 0
    await tenant.shop.later(SETTLE / 2)
    assert writes(tenant) == before
    await check(tenant, run, {})


async def test_a_busy_bexio_is_waited_for(tenant: Tenant) -> None:
    tenant.fault(Mode.UNAVAILABLE_503, r"/2.0/article$", times=4)
    run = await begin(tenant)
    for _ in range(4):
        await tenant.shop.later(40)
    await check(tenant, run, {})


async def test_an_article_deleted_in_bexio_while_one_reads_hides_no_other(tenant: Tenant) -> None:
    async def delete_the_first(milestone: str) -> None:
        if milestone == "page-done" and 1 in tenant.company.articles:
            for each in (1, 2, 3):
                articles.remove(tenant.company, each)

    tenant.shop.loop.probe = delete_the_first
    run = await imported(tenant)
    assert run["counts"]["created"] == COUNT
    assert len(every(tenant)) == COUNT
    tenant.shop.loop.probe = _alive
    assert (await imported(tenant))["counts"]["gone"] == 3


async def test_a_till_has_its_turn_between_two_pages_and_the_figures_go_on(tenant: Tenant) -> None:
    run, seen = await begin(tenant), [0]
    while await tenant.shop.loop.turn():
        found = await shown(tenant, run)
        seen.append(found["counts"].get("done", 0))
        # bexio does not say how many articles there are.
        assert found["total"] == (COUNT if found["state"] == "done" else None)
        if found["state"] == "running" and seen[-1] == STRIDE.rows:
            document = await tenant.accepted()
            assert await tenant.shop.loop.turn()
            assert (await tenant.shown(document))["status"] != "accepted"
            assert (await shown(tenant, run))["state"] == "running"
    assert (seen, (await shown(tenant, run))["state"]) == (sorted(seen), "done")
    assert {STRIDE.rows, COUNT} <= set(seen)
    await check(tenant, run, {})


async def test_rows_that_come_twice_over_a_page_border_are_one_article(tenant: Tenant) -> None:
    tenant.fault(Mode.REPEATED_ROW, r"/2.0/article$")
    run = await imported(tenant)
    assert (run["counts"]["read"], len(every(tenant)), writes(tenant)[STOCKED]) == (COUNT, COUNT, COUNT)


async def test_a_run_that_is_retried_waits_for_the_one_that_is_under_way(tenant: Tenant) -> None:
    first = await begin(tenant)
    await tenant.post(f"/runs/{first}/cancel")
    await tenant.shop.work()
    second = await begin(tenant)
    assert (await tenant.post(f"/runs/{first}/retry")).status_code == 200
    for _ in range(3):
        await tenant.shop.later(20)
    assert [(await shown(tenant, run))["state"] for run in (first, second)] == ["done", "done"]
    assert (len(every(tenant)), writes(tenant)[STOCKED]) == (COUNT, COUNT)
