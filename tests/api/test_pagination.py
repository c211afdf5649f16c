from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.auth import MintedKey, Role
from app.api.pagination import Position, decode, encode
from app.core.errors import InvalidInput
from tests.api.tiny import START, Bench, bearer


@pytest.fixture
async def key(bench: Bench) -> MintedKey:
    return await bench.key(Role.BACKOFFICE, await bench.tenant())


@given(
    at=st.datetimes(timezones=st.just(UTC), min_value=datetime(1900, 1, 1), max_value=datetime(2200, 1, 1)),  # noqa: DTZ001
    identity=st.uuids() | st.integers(-(2**63), 2**63 - 1),
)
def test_a_cursor_returns_to_its_position(at: datetime, identity: UUID | int) -> None:
    assert decode(encode(Position(at, identity))) == Position(at, identity)


@given(st.text(max_size=60))
def test_made_up_cursors_are_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        decode(cursor)


@given(position=st.integers(0, 37), character=st.sampled_from("Aaz09-_"))
def test_a_changed_cursor_is_refused(position: int, character: str) -> None:
    cursor = encode(Position(START, UUID(int=1)))
    changed = cursor[:position] + character + cursor[position + 1 :]
    if changed == cursor:
        assert decode(changed) == Position(START, UUID(int=1))
    else:
        with pytest.raises(InvalidInput):
            decode(changed)


async def test_pages_follow_each_other_to_the_end(client: httpx.AsyncClient, key: MintedKey) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        body = (await client.get("/things", params=query, headers=bearer(key))).json()
        seen += [item["id"] for item in body["items"]]
        cursor = body["next_cursor"]
        pages += 1
    assert seen == [5, 4, 3, 2, 1]
    assert pages == 3


async def test_a_full_last_page_has_no_successor(client: httpx.AsyncClient, key: MintedKey) -> None:
    body = (await client.get("/things?limit=5", headers=bearer(key))).json()
    assert len(body["items"]) == 5
    assert body["next_cursor"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "cursor=" + "x" * 201])
async def test_a_page_has_bounds(client: httpx.AsyncClient, key: MintedKey, query: str) -> None:
    assert (await client.get(f"/things?{query}", headers=bearer(key))).status_code == 422


async def test_a_wrong_cursor_is_named(client: httpx.AsyncClient, key: MintedKey) -> None:
    answer = await client.get("/things?cursor=abc", headers=bearer(key))
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid-cursor"
