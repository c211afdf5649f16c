"""Killed at every point and robbed of every remote call, a provisioning still makes one shop, and makes it whole."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.capabilities.provisioning.schemas import Activation
from app.db.session import Database
from tests.fixtures.marketplace import Marketplace, open_marketplace
from tests.fixtures.ruin import Killed, Killer, assert_one_shop, assert_taken_over_once, dying, survive

Opened = tuple[AsyncEngine, Database]
# One point of each kind in CI; `make soak` kills at all of them.
POINTS = (
    "provision-environment-made",
    "provision-environment-done",
    "provision-payment-type-before-create",
    "provision-payment-type-made",
    "provision-imports-before-start",
    "provision-imports-started",
    "provision-settings-before-commit",
    "provision-login_mail-done",
    "mail-after-data",
    "before-settle",
)


@pytest.mark.parametrize("point", POINTS)
async def test_a_worker_killed_at_a_point_leaves_one_whole_shop(marketplace: Marketplace, point: str) -> None:
    await survive(marketplace, marketplace.company(), Killer(point, 2))
    await assert_one_shop(marketplace)


async def test_the_intake_killed_after_the_exchange_has_lost_the_code_and_nothing_else(
    marketplace: Marketplace,
) -> None:
    company = marketplace.company()
    intake = dying(marketplace, Killer("activation-exchanged"))
    body = marketplace.activation(company)
    with pytest.raises(Killed):
        await intake.webhook("msg_1", Activation.model_validate(body))
    (row,) = await marketplace.rows("select id from activation")
    assert (await marketplace.shown(str(row.id)))["status"] == "authorizing"
    marketplace.shop.clock.moved += 61
    lost = await marketplace.shown(str(row.id), **{"Accept-Language": "de"})
    assert (lost["status"], lost["reason"]["code"]) == ("failed", "provision-authorization-lost")
    assert "nochmals" in lost["reason"]["remedy"]
    replayed = await marketplace.post(body)
    assert (replayed.status_code, replayed.json()["code"]) == (422, "provision-authorization-lost")
    assert await marketplace.tenants() == []
    assert (await marketplace.post(marketplace.activation(company), name="msg_2")).status_code == 202
    await marketplace.work()
    await assert_one_shop(marketplace)


@pytest.mark.parametrize("point", ["activation-authorized", "activation-identified", "activation-accepted"])
async def test_the_intake_killed_after_it_kept_what_the_code_gave_is_taken_over(
    marketplace: Marketplace, point: str
) -> None:
    body = marketplace.activation(marketplace.company())
    with pytest.raises(Killed):
        await dying(marketplace, Killer(point)).webhook("msg_1", Activation.model_validate(body))
    marketplace.shop.clock.moved += 61
    answer = await marketplace.post(body)
    assert answer.status_code == 202
    await marketplace.work()
    await assert_one_shop(marketplace)


async def calls_of(shop_database: Opened) -> list[str]:
    """The remote calls of a provisioning that goes well, from the webhook to the mail."""
    async with open_marketplace(*shop_database) as place:
        await place.activated(place.company())
        await place.work()
        return list(place.shop.losses.calls)


async def test_every_remote_call_may_be_lost_once_and_the_shop_is_whole(shop_database: Opened) -> None:
    calls = await calls_of(shop_database)
    assert len(calls) > 8
    token = calls.index("POST /realms/bexio/protocol/openid-connect/token")
    # A slice in CI: every sixth call, and every write.
    chosen = [
        n for n, call in enumerate(calls) if n % 6 == 0 or call.startswith("POST /hosting") or "paymenttypes" in call
    ]
    for number in chosen:
        for fate in ("before", "after"):
            if fate == "after" and number == token:
                continue
            async with open_marketplace(*shop_database) as place:
                place.shop.losses.lost[number] = fate
                body = place.activation(place.company())
                for attempt in range(5):
                    if (await place.post(body, name=f"msg_{attempt}")).status_code == 202:
                        break
                await place.work(240)
                assert len(place.shop.losses.calls) > number
                await assert_one_shop(place)


async def test_contacts_articles_and_stock_are_taken_over_once(marketplace: Marketplace) -> None:
    """With the imports as they are: killed in the middle, and activated once more."""
    marketplace.imports = None
    company = marketplace.company()
    await survive(marketplace, company, Killer("provision-imports-started"))
    await assert_taken_over_once(marketplace, company)
    marketplace.shop.arcavis.requests.clear()
    await marketplace.activated(company, "act_again")
    await marketplace.work()
    written = marketplace.shop.arcavis.requests.report()["by_route"]
    assert [route for route in written if not route.startswith("GET")] == []


async def test_workers_that_race_make_one_shop(marketplace: Marketplace) -> None:
    company = marketplace.company()
    bodies = [marketplace.activation(company, f"act_{number}") for number in range(4)]
    await asyncio.gather(*(marketplace.post(body, name=f"msg_{n}") for n, body in enumerate(bodies)))
    for _ in range(10):
        await asyncio.gather(*(marketplace.loop().drain() for _ in range(4)), *(resume(marketplace) for _ in range(2)))
        marketplace.shop.clock.moved += 5
    (tenant,) = await marketplace.tenants()
    assert len(marketplace.environments) == 1
    assert len(marketplace.mails) == 1
    runs = await marketplace.rows("select kind from run", tenant)
    assert len(runs) == 2


async def resume(place: Marketplace) -> None:
    await place.shop.resources.intake.resume()
