"""What a till waits for is counted on the wire, where nothing can hide it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import create_async_engine

from benchmarks.wire import Wire
from tests.fixtures.shop import Tenant, open_shop
from tests.fixtures.wire import watched


@pytest.fixture
async def on_the_wire(migrated: URL) -> AsyncGenerator[tuple[Tenant, Wire]]:
    """A tenant whose service speaks to Postgres through a counter, warmed up."""
    owner = create_async_engine(migrated)
    async with watched(migrated.render_as_string(hide_password=False)) as (db, wire), open_shop(owner, db) as shop:
        tenant = await shop.tenant()
        await tenant.shown(await tenant.accepted())
        yield tenant, wire
    await owner.dispose()


async def test_taking_a_sale_in_is_one_round_trip(on_the_wire: tuple[Tenant, Wire]) -> None:
    tenant, wire = on_the_wire
    for to in ("/invoices", "/orders"):
        await tenant.accepted(to=to)
        wire.clear()
        await tenant.accepted(to=to)
        assert wire.round_trips == 1, wire.statements


async def test_the_same_sale_again_is_one_round_trip_whatever_became_of_it(on_the_wire: tuple[Tenant, Wire]) -> None:
    tenant, wire = on_the_wire
    sale = tenant.sale()
    document = (await tenant.post("/invoices", sale)).json()
    for status in ("accepted", "issued"):
        wire.clear()
        again = await tenant.post("/invoices", sale)
        assert wire.round_trips == 1, wire.statements
        assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, document["id"], status)
        await tenant.shop.work()


async def test_looking_at_a_sale_is_one_round_trip_beside_the_key(on_the_wire: tuple[Tenant, Wire]) -> None:
    tenant, wire = on_the_wire
    document = await tenant.accepted()
    wire.clear()
    await tenant.shown(document)
    assert wire.round_trips == 2, wire.statements
