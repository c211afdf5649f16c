from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest

from app.api import idempotency
from app.api.auth import MintedKey, Role
from app.core.errors import Conflict, NotFound, Unavailable
from tests.api.tiny import OPERATOR_KEY, Bench, bearer

APPLE = {"name": "Apfel", "price": "1.20"}


@pytest.fixture
async def key(bench: Bench) -> MintedKey:
    return await bench.key(Role.BACKOFFICE, await bench.tenant())


@pytest.fixture
def headers(key: MintedKey) -> dict[str, str]:
    return bearer(key) | {"Idempotency-Key": uuid4().hex}


async def test_a_repeat_gets_the_first_answer_byte_for_byte(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]
) -> None:
    first = await client.post("/things", json=APPLE, headers=headers | {"Prefer": "wait=3"})
    second = await client.post("/things", json=APPLE, headers=headers)
    assert bench.made == ["Apfel"]
    assert (first.status_code, first.content) == (second.status_code, second.content) == (201, first.content)
    for name in ("location", "content-type", "preference-applied"):
        assert first.headers[name] == second.headers[name]
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


async def test_without_the_header_each_request_works(client: httpx.AsyncClient, bench: Bench, key: MintedKey) -> None:
    for _ in range(2):
        assert (await client.post("/things", json=APPLE, headers=bearer(key))).status_code == 201
    assert len(bench.made) == 2


async def test_another_body_is_a_conflict(client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]) -> None:
    await client.post("/things", json=APPLE, headers=headers)
    answer = await client.post("/things", json=APPLE | {"price": "1.30"}, headers=headers)
    assert answer.status_code == 409
    assert answer.json()["code"] == "idempotency-conflict"
    assert bench.made == ["Apfel"]


async def test_another_api_key_of_the_same_tenant_is_a_conflict(client: httpx.AsyncClient, bench: Bench) -> None:
    tenant = await bench.tenant()
    name = {"Idempotency-Key": uuid4().hex}
    keys = [await bench.key(Role.BACKOFFICE, tenant) for _ in range(2)]
    answers = [await client.post("/things", json=APPLE, headers=bearer(key) | name) for key in keys]
    assert [answer.status_code for answer in answers] == [201, 409]


async def test_tenants_do_not_share_their_keys(client: httpx.AsyncClient, bench: Bench) -> None:
    name = {"Idempotency-Key": uuid4().hex}
    for _ in range(2):
        key = await bench.key(Role.BACKOFFICE, await bench.tenant())
        assert (await client.post("/things", json=APPLE, headers=bearer(key) | name)).status_code == 201
    assert len(bench.made) == 2


async def test_operators_have_idempotency_too(client: httpx.AsyncClient, bench: Bench) -> None:
    headers = bearer(OPERATOR_KEY) | {"Idempotency-Key": uuid4().hex}
    answers = [await client.post("/things/by-operator", json=APPLE, headers=headers) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert bench.made == ["Apfel"]


async def test_a_repeat_during_the_first_request_is_told_to_wait(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]
) -> None:
    slow = APPLE | {"name": "slow"}
    async with asyncio.TaskGroup() as group:
        first = group.create_task(client.post("/things", json=slow, headers=headers))
        await bench.reached(1)
        second = await client.post("/things", json=slow, headers=headers)
        bench.gate.set()
    assert second.status_code == 409
    assert second.json()["code"] == "idempotency-in-progress"
    assert second.headers["retry-after"] == "1"
    third = await client.post("/things", json=slow, headers=headers)
    assert third.content == first.result().content
    assert bench.made == ["slow"]


async def test_of_many_requests_at_once_one_works(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]
) -> None:
    answers = await asyncio.gather(*(client.post("/things", json=APPLE, headers=headers) for _ in range(20)))
    assert bench.made == ["Apfel"]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


@pytest.mark.parametrize("error", [NotFound("document-not-found"), Conflict("tenant-changing")])
async def test_a_refusal_is_an_answer_that_is_kept(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str], error: Exception
) -> None:
    bench.failing = error
    first = await client.post("/things", json=APPLE, headers=headers)
    bench.failing = None
    second = await client.post("/things", json=APPLE, headers=headers)
    assert first.content == second.content
    assert len(bench.made) == 1


@pytest.mark.parametrize("error", [Unavailable("database-unavailable"), RuntimeError("defect")])
async def test_a_failure_of_ours_is_not_kept(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str], error: Exception
) -> None:
    bench.failing = error
    assert (await client.post("/things", json=APPLE, headers=headers)).status_code >= 500
    bench.failing = None
    assert (await client.post("/things", json=APPLE, headers=headers)).status_code == 201
    assert len(bench.made) == 2


async def test_a_wrong_body_is_an_answer_too(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answers = [await client.post("/things", json={"name": 1}, headers=headers) for _ in range(2)]
    assert answers[0].status_code == 422
    assert answers[0].content == answers[1].content


async def test_a_forbidden_request_claims_nothing(client: httpx.AsyncClient, bench: Bench) -> None:
    key = await bench.key(Role.POS, await bench.tenant())
    name = uuid4().hex
    answer = await client.post("/things", json=APPLE, headers=bearer(key) | {"Idempotency-Key": name})
    assert answer.status_code == 403
    assert await bench.count(f"select count(*) from idempotency where key = '{name}'") == 0  # noqa: S608


@pytest.mark.parametrize("name", ["", "a b", "x" * 256, "ä"])
async def test_the_key_is_visible_ascii(client: httpx.AsyncClient, key: MintedKey, name: str) -> None:
    given = [(b"Authorization", f"Bearer {key.text}".encode()), (b"Idempotency-Key", name.encode("latin-1"))]
    answer = await client.post("/things", json=APPLE, headers=given)
    assert answer.status_code == 422
    assert answer.json()["code"] == "idempotency-key-invalid"
    assert answer.json()["errors"][0]["pointer"] == "/header/Idempotency-Key"


async def claim_and_crash(bench: Bench, headers: dict[str, str]) -> None:
    """Leaves a claim behind as a killed process does."""
    slow = APPLE | {"name": "slow"}
    async with bench.client() as client, asyncio.TaskGroup() as group:
        pending = group.create_task(client.post("/things", json=slow, headers=headers))
        await bench.reached(1)
        pending.cancel()


async def test_the_claim_of_a_dead_process_is_taken_over_after_a_while(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]
) -> None:
    await claim_and_crash(bench, headers)
    bench.gate.set()
    slow = APPLE | {"name": "slow"}
    assert (await client.post("/things", json=slow, headers=headers)).status_code == 409
    bench.clock.advance(idempotency.TAKEN_OVER_AFTER.total_seconds() + 1)
    assert (await client.post("/things", json=slow, headers=headers)).status_code == 201
    assert len(bench.made) == 2


async def test_who_was_taken_over_keeps_no_answer(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]
) -> None:
    slow = APPLE | {"name": "slow"}
    async with asyncio.TaskGroup() as group:
        paused = group.create_task(client.post("/things", json=slow, headers=headers))
        await bench.reached(1)
        bench.clock.advance(idempotency.TAKEN_OVER_AFTER.total_seconds() + 1)
        successor = group.create_task(client.post("/things", json=slow, headers=headers))
        await bench.reached(2)
        bench.gate.set()
    third = await client.post("/things", json=slow, headers=headers)
    assert third.content == successor.result().content
    assert paused.result().status_code == 201


async def test_nothing_readable_is_kept(client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]) -> None:
    await client.post("/things", json=APPLE | {"name": "geheim"}, headers=headers)
    name = headers["Idempotency-Key"]
    async with bench.db.begin_system() as session:
        rows = await session.exec_driver_sql("select * from idempotency where key = $1", (name,))
        row = rows.one()
    assert row.state == "done"
    assert b"geheim" not in bytes(row.body)


async def test_after_seven_days_a_key_is_new_and_then_purged(
    client: httpx.AsyncClient, bench: Bench, headers: dict[str, str]
) -> None:
    await client.post("/things", json=APPLE, headers=headers)
    bench.clock.advance((idempotency.KEPT_FOR + timedelta(minutes=1)).total_seconds())
    assert (await client.post("/things", json=APPLE, headers=headers)).status_code == 201
    assert len(bench.made) == 2
    bench.clock.advance((idempotency.KEPT_FOR + timedelta(minutes=1)).total_seconds())
    assert await idempotency.purge(bench.db, bench.clock.now()) >= 1
    assert await bench.count("select count(*) from idempotency") == 0
