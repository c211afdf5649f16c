"""The marketplace repeats its webhook: what it hears then is true, and 202 is a promise that somebody keeps."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.capabilities.provisioning.schemas import Activation
from app.db.session import Database
from tests.fixtures.marketplace import Marketplace, open_marketplace
from tests.fixtures.ruin import Killed, Killer, assert_one_shop, dying
from tests.fixtures.ruins import SPENT


@pytest.mark.parametrize("point", ["activation-taken", "activation-exchanged"])
async def test_while_nobody_knows_whether_the_first_call_lives_a_repeat_is_not_accepted(
    marketplace: Marketplace, point: str
) -> None:
    body = marketplace.activation(marketplace.company())
    with pytest.raises(Killed):
        await dying(marketplace, Killer(point)).webhook("msg_1", Activation.model_validate(body))
    marketplace.shop.clock.moved += 5
    early = await marketplace.post(body)
    assert (early.status_code, early.json()["code"]) == (503, "provision-in-other-hands")
    assert int(early.headers["retry-after"]) > 0
    marketplace.shop.clock.moved += 56
    late = await marketplace.post(body)
    assert (late.status_code, late.json()["code"]) == (422, "provision-authorization-lost")
    (row,) = await marketplace.rows("select id from activation")
    assert (await marketplace.shown(str(row.id)))["status"] == "failed"
    again = marketplace.activation(marketplace.shop.world.companies["q69vysq7fkzl"])
    assert (await marketplace.post(again, name="msg_2")).status_code == 202
    await marketplace.work()
    await assert_one_shop(marketplace)


async def test_a_repeat_hears_the_outcome_once_the_first_call_has_one(marketplace: Marketplace) -> None:
    body = marketplace.activation(marketplace.company())
    taken, go_on = asyncio.Event(), asyncio.Event()

    async def slow(milestone: str) -> None:
        if milestone == "activation-taken":
            taken.set()
            await go_on.wait()

    async with asyncio.TaskGroup() as group:
        first = group.create_task(dying(marketplace, slow).webhook("msg_1", Activation.model_validate(body)))
        await taken.wait()
        assert (await marketplace.post(body)).status_code == 503
        go_on.set()
    again = await marketplace.post(body)
    assert (again.status_code, again.json()["provision_id"]) == (202, str(first.result()))
    assert marketplace.shop.losses.calls.count(SPENT) == 1


async def test_without_an_app_each_repeat_hears_that_the_app_is_missing(
    shop_database: tuple[AsyncEngine, Database],
) -> None:
    async with open_marketplace(*shop_database, bexio_client_id=None, bexio_client_secret=None) as place:
        body = place.activation(place.company())
        for _ in range(3):
            answer = await place.post(body)
            assert (answer.status_code, answer.json()["code"]) == (409, "bexio-app-not-set-up")


async def test_a_call_that_breaks_off_lets_the_next_one_try_at_once(marketplace: Marketplace) -> None:
    body = marketplace.activation(marketplace.company())

    async def broken(milestone: str) -> None:
        if milestone == "activation-taken":
            return
        raise RuntimeError(milestone)

    with pytest.raises(RuntimeError, match="activation-exchanged"):
        await dying(marketplace, broken).webhook("msg_1", Activation.model_validate(body))
    answer = await marketplace.post(body)
    assert (answer.status_code, answer.json()["code"]) == (422, "provision-authorization-lost")


async def test_what_was_refused_is_answered_alike_under_every_name_and_asks_bexio_once(
    marketplace: Marketplace,
) -> None:
    tenant = await marketplace.shop.tenant("existing")
    body = marketplace.activation(tenant.company)
    for name in ("msg_1", "msg_2", "msg_1", "msg_3"):
        answer = await marketplace.post(body, name=name)
        assert (answer.status_code, answer.json()["code"]) == (409, "provision-company-connected")
    assert marketplace.shop.losses.calls.count(SPENT) == 1


async def test_a_late_repeat_of_an_older_code_does_not_undo_the_newer_answer(marketplace: Marketplace) -> None:
    tenant = await marketplace.shop.tenant("existing")
    first, second = marketplace.activation(tenant.company), marketplace.activation(tenant.company)
    for name, body in (("msg_1", first), ("msg_2", second), ("msg_1", first), ("msg_3", first), ("msg_2", second)):
        answer = await marketplace.post(body, name=name)
        assert (answer.status_code, answer.json()["code"]) == (409, "provision-company-connected")
    assert marketplace.shop.losses.calls.count(SPENT) == 2
    (row,) = await marketplace.rows("select webhook_id, codes from activation")
    assert row.webhook_id == "msg_2"
    assert not any(body["authorization"]["code"].encode() in row.codes for body in (first, second))
