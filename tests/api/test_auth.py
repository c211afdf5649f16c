from __future__ import annotations

import re

import httpx
import pytest
from sqlalchemy import URL

from app.api.auth import CACHE_SECONDS, Authenticator, MintedKey, Role, hash_key, mint
from tests.api.tiny import OPERATOR_KEY, Bench, bearer
from tests.fixtures.wire import watched


@pytest.fixture
async def pos_key(bench: Bench) -> MintedKey:
    return await bench.key(Role.POS, await bench.tenant(modules=("orders",)))


def test_a_key_names_its_role_and_never_repeats() -> None:
    keys = {mint(Role.BACKOFFICE).text for _ in range(200)}
    assert len(keys) == 200
    assert all(re.fullmatch(r"abx_backoffice_[0-9A-Za-z]{43}", key) for key in keys)


def test_a_key_shows_only_its_prefix() -> None:
    key = mint(Role.POS)
    assert key.text.startswith(key.prefix)
    assert len(key.prefix) == len("abx_pos_") + 6
    assert key.hash == hash_key(key.text)
    assert key.text not in repr(key)


async def test_without_a_key_the_answer_says_how_to_send_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/things/sold")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "key-missing"


@pytest.mark.parametrize(
    "header", ["Bearer abx_pos_unknown", "Bearer " + "x" * 5000, "Basic YTpi", "Bearer", "Bearer  "]
)
async def test_an_unknown_key_is_refused(client: httpx.AsyncClient, header: str) -> None:
    answer = await client.get("/things/sold", headers={"Authorization": header})
    assert answer.status_code == 401


async def test_a_till_key_opens_what_tills_do_and_nothing_else(client: httpx.AsyncClient, pos_key: MintedKey) -> None:
    sold = await client.get("/things/sold", headers=bearer(pos_key))
    assert sold.json() == {"prefix": pos_key.prefix, "modules": ["orders"]}
    refused = await client.get("/things", headers=bearer(pos_key))
    assert refused.status_code == 403
    assert refused.json()["code"] == "role-forbidden"


async def test_a_backoffice_key_may_do_what_a_till_may(client: httpx.AsyncClient, bench: Bench) -> None:
    key = await bench.key(Role.BACKOFFICE, await bench.tenant())
    assert (await client.get("/things/sold", headers=bearer(key))).status_code == 200
    assert (await client.get("/things", headers=bearer(key))).status_code == 200


async def test_a_missing_module_is_named(client: httpx.AsyncClient, bench: Bench) -> None:
    key = await bench.key(Role.BACKOFFICE, await bench.tenant())
    answer = await client.get("/things/module", headers=bearer(key) | {"Accept-Language": "en"})
    assert answer.status_code == 403
    assert "orders" in answer.json()["detail"]


@pytest.mark.parametrize("stored", [False, True])
async def test_operators_have_no_tenant(client: httpx.AsyncClient, bench: Bench, stored: bool) -> None:  # noqa: FBT001
    key = await bench.key(Role.OPERATOR, None) if stored else OPERATOR_KEY
    thing = {"name": "Apfel", "price": "1"}
    assert (await client.post("/things/by-operator", json=thing, headers=bearer(key))).status_code == 201
    assert (await client.get("/things/sold", headers=bearer(key))).status_code == 403


async def test_a_revoked_key_is_refused_at_once(client: httpx.AsyncClient, bench: Bench, pos_key: MintedKey) -> None:
    assert (await client.get("/things/sold", headers=bearer(pos_key))).status_code == 200
    await bench.revoke(pos_key)
    answer = await client.get("/things/sold", headers=bearer(pos_key))
    assert answer.status_code == 401
    assert answer.json()["code"] == "key-invalid"


async def test_a_remembered_caller_is_forgotten_when_asked_or_after_a_minute(
    client: httpx.AsyncClient, bench: Bench, pos_key: MintedKey
) -> None:
    headers = bearer(pos_key)
    assert (await client.get("/things/remembered", headers=headers)).status_code == 200
    await bench.revoke(pos_key)
    assert (await client.get("/things/remembered", headers=headers)).status_code == 200
    assert (await client.get("/things/remembered-no-more", headers=headers)).status_code == 401
    assert (await client.get("/things/remembered", headers=headers)).status_code == 401


async def test_memory_of_a_caller_ends_by_itself(client: httpx.AsyncClient, bench: Bench, pos_key: MintedKey) -> None:
    assert (await client.get("/things/remembered", headers=bearer(pos_key))).status_code == 200
    await bench.revoke(pos_key)
    bench.clock.advance(CACHE_SECONDS + 1)
    assert (await client.get("/things/remembered", headers=bearer(pos_key))).status_code == 401


async def test_a_caller_costs_one_round_trip_and_a_remembered_one_none(
    bench: Bench, api_url: URL, pos_key: MintedKey
) -> None:
    async with watched(api_url.render_as_string(hide_password=False)) as (db, wire):
        authenticator = Authenticator(db, bench.clock, None)
        for _ in range(2):
            wire.clear()
            assert (await authenticator.verify(pos_key.hash)).prefix == pos_key.prefix
        assert wire.round_trips == 1
        await authenticator.recall(pos_key.hash)
        wire.clear()
        assert (await authenticator.recall(pos_key.hash)).prefix == pos_key.prefix
        assert wire.round_trips == 0
