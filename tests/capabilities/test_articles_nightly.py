"""The nightly import: at night, once, in its own minute, and only where it is wanted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.capabilities.articles.handler import NIGHTLY, night_after
from app.core.priority import Priority
from app.core.swiss_time import ZURICH
from app.jobs import operations
from tests.capabilities.articles_shop import article_shop, begin, counts, shown
from tests.fixtures.shop import Body, Shop, Tenant

DAY = 24 * 3600.0


@pytest.fixture
async def tenant(shop: Shop) -> Tenant:
    tenant = await article_shop(shop)
    async with shop.db.begin(tenant.id) as session:
        now = shop.clock.now()
        await operations.add(
            session, tenant=tenant.id, kind=NIGHTLY, subject=tenant.id, priority=Priority.BULK, now=now
        )
    return tenant


async def runs(tenant: Tenant) -> list[Body]:
    return (await tenant.get("/runs?kind=articles.import")).json()["items"]


async def test_nothing_is_imported_where_nobody_wants_it(tenant: Tenant) -> None:
    for _ in range(3):
        await tenant.shop.later(DAY)
    assert await runs(tenant) == []


async def test_a_night_brings_one_import(tenant: Tenant) -> None:
    await tenant.set(article_import_daily=True)
    await tenant.shop.work()
    assert await runs(tenant) == []
    for nights in (1, 2, 3):
        await tenant.shop.later(DAY)
        assert len(await runs(tenant)) == nights
    first, *_ = reversed(await runs(tenant))
    assert (counts(first)["created"], first["detail"]["nightly"]) == (42, True)
    latest = (await runs(tenant))[0]
    assert counts(latest) == {"read": 42, "unchanged": 42}


async def test_changed_settings_do_not_begin_an_import_in_the_middle_of_the_day(tenant: Tenant) -> None:
    await tenant.set(article_import_daily=True)
    for _ in range(4):
        async with tenant.shop.db.begin(tenant.id) as session:
            await operations.rearm(session, kind=NIGHTLY, subject=tenant.id, now=tenant.shop.clock.now())
        await tenant.shop.work()
    assert await runs(tenant) == []
    await tenant.shop.later(DAY)
    assert len(await runs(tenant)) == 1


async def test_a_night_in_which_an_import_is_under_way_brings_no_second_one(tenant: Tenant) -> None:
    await tenant.set(article_import_daily=True)
    await tenant.shop.work()
    tenant.company.outage = "unavailable"
    run = await begin(tenant)
    await tenant.shop.later(DAY)
    assert len(await runs(tenant)) == 1
    tenant.company.outage = None
    await tenant.shop.later(600)
    assert (await shown(tenant, run))["state"] == "done"


@pytest.mark.parametrize("month", [3, 7, 10, 11])
def test_the_night_is_the_next_one_in_swiss_time_and_differs_between_tenants(month: int) -> None:
    seen: set[datetime] = set()
    for hour in range(0, 24 * 3, 5):
        now = datetime(2026, month, 24, tzinfo=UTC) + timedelta(hours=hour)
        for seed in range(0, 500, 7):
            night = night_after(now, seed)
            local = night.astimezone(ZURICH)
            assert now < night <= now + timedelta(hours=25)
            assert (0, 15) <= (local.hour, local.minute) < (2, 0)
            seen.add(night)
    assert len(seen) > 100
