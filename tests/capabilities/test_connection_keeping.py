"""`connection.keep`: no connection ends without somebody having been told, and none for want of use."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.capabilities.connection.keeping import EVERY, KEEP
from sandbox.server import personal_access_token
from tests.capabilities.signing import office
from tests.fixtures.service import opened
from tests.fixtures.shop import Shop, Tenant

_DUE = "update operation set next_attempt_at = :now where kind = :kind"
READER = "chef@muster.ch"


async def with_token(shop: Shop, days: float) -> Tenant:
    """A tenant with a personal token that ends in so many days."""
    tenant = await opened(shop, f"t{days:.0f}".replace("-", "m"))
    ends = shop.clock.now() + timedelta(days=days)
    token = personal_access_token(tenant.company.id, ends)
    shop.world.add_token(tenant.company.id, token, expires_at=ends)
    answer = await tenant.call("PUT", "/connection/bexio", json={"personal_access_token": token})
    assert answer.status_code == 200, answer.text
    etag = (await tenant.get("/settings")).headers["etag"]
    changed = await tenant.call(
        "PATCH", "/settings", json={"notification_emails": [READER]}, headers={"If-Match": etag}
    )
    assert changed.status_code == 200, changed.text
    return tenant


async def keep(shop: Shop, tenant: Tenant, passed: timedelta = timedelta(0)) -> None:
    """Time passes, and the connection is looked after."""
    shop.clock.moved += passed.total_seconds()
    await tenant.execute(
        "update operation set next_attempt_at = :now where kind = :kind", now=shop.clock.now(), kind=KEEP
    )
    await shop.work()


async def told(tenant: Tenant) -> dict[str, dict[str, Any]]:
    """The open items about the connection, by code."""
    items = (await tenant.get("/attention?state=open")).json()["items"]
    return {item["code"]: item for item in items if item["code"].startswith("bexio-token")}


async def mailed(tenant: Tenant) -> list[str]:
    rows = await tenant.rows("select event from mail where template = 'mail-token-expires' order by created_at")
    return [row.event for row in rows]


async def test_a_token_that_ends_is_announced_two_weeks_ahead_once_by_item_and_mail(shop: Shop) -> None:
    tenant = await with_token(shop, 20)
    await keep(shop, tenant)
    assert (await told(tenant), await mailed(tenant)) == ({}, [])
    for _ in range(3):
        await keep(shop, tenant, timedelta(days=2.4))
    items = await told(tenant)
    assert list(items) == ["bexio-token-expires"]
    assert "12" in items["bexio-token-expires"]["detail"]
    assert await mailed(tenant) == ["token-expires/2026-12-10"]


async def test_a_token_that_has_ended_is_another_item_and_a_new_one_closes_both(shop: Shop) -> None:
    tenant = await with_token(shop, 10)
    await keep(shop, tenant)
    assert list(await told(tenant)) == ["bexio-token-expires"]
    await keep(shop, tenant, timedelta(days=11))
    assert list(await told(tenant)) == ["bexio-token-expired"]
    body = {"personal_access_token": tenant.token}
    assert (await tenant.call("PUT", "/connection/bexio", json=body)).status_code == 200
    assert await told(tenant) == {}


async def test_who_put_the_warning_aside_is_told_again_only_when_the_token_has_ended(shop: Shop) -> None:
    tenant = await with_token(shop, 10)
    await keep(shop, tenant)
    item = (await told(tenant))["bexio-token-expires"]
    await tenant.post(f"/attention/{item['id']}/dismiss", {"reason": "Weiss ich."})
    await keep(shop, tenant, timedelta(days=1))
    assert (await told(tenant), len(await mailed(tenant))) == ({}, 1)
    await keep(shop, tenant, timedelta(days=10))
    assert list(await told(tenant)) == ["bexio-token-expired"]


async def test_a_connection_that_nobody_used_for_a_month_is_used_before_it_dies(shop: Shop) -> None:
    tenant = await opened(shop, "quiet")
    async with office(tenant) as people:
        await people.connected()
    session = shop.world.realm.latest(tenant.company.id)
    # Nothing else uses the connection.
    await tenant.execute("delete from operation where kind <> :kind", kind=KEEP)
    await keep(shop, tenant, timedelta(days=29))
    assert session.refreshes == 0
    await keep(shop, tenant, timedelta(days=2))
    assert session.refreshes == 1
    await keep(shop, tenant, timedelta(days=1))
    assert session.refreshes == 1


async def test_a_refresh_token_that_says_when_it_dies_is_used_at_half_time(shop: Shop) -> None:
    tenant = await opened(shop, "short")
    shop.world.realm.rules.refresh_expires_in = 10 * 86400
    async with office(tenant) as people:
        await people.connected()
    session = shop.world.realm.latest(tenant.company.id)
    await tenant.execute("delete from operation where kind <> :kind", kind=KEEP)
    await keep(shop, tenant, timedelta(days=4))
    assert session.refreshes == 0
    await keep(shop, tenant, timedelta(days=1.5))
    assert session.refreshes == 1


async def test_a_refresh_token_that_dies_before_the_next_round_is_used_in_time(shop: Shop) -> None:
    tenant = await opened(shop, "hasty")
    shop.world.realm.rules.refresh_expires_in = 4 * 3600
    async with office(tenant) as people:
        await people.connected()
    session = shop.world.realm.latest(tenant.company.id)
    await tenant.execute("delete from operation where kind <> :kind", kind=KEEP)
    await shop.work()
    await shop.later(timedelta(hours=1.9).total_seconds())
    assert session.refreshes == 0
    for times in (1, 2, 3):
        await shop.later(timedelta(hours=2.1).total_seconds())
        assert session.refreshes == times


async def test_it_comes_round_by_itself_and_never_asks_for_a_person(shop: Shop) -> None:
    tenant = await opened(shop, "steady")
    async with office(tenant) as people:
        await people.connected()
    await shop.work()
    for _ in range(3):
        await shop.later(EVERY.total_seconds() + 1)
    [operation] = await tenant.rows("select state, reason, attempts from operation where kind = :kind", kind=KEEP)
    assert tuple(operation) == ("waiting", "next-poll", 0)
