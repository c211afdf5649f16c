"""One tenant's backlog does not delay another's till: told by the order of the work, not by the clock."""

from __future__ import annotations

import pytest

from app.jobs import operations
from app.jobs.operations import TENANT_CAP
from sandbox.bexio.faults import Mode
from tests.fixtures.shop import Body, Shop, Tenant

BACKLOG = 60


async def order_of_work(shop: Shop, tenants: dict[str, Tenant], turns: int) -> list[str]:
    """Whose sale each of the next turns works on."""
    names = {tenant.id: name for name, tenant in tenants.items()}
    order: list[str] = []
    for _ in range(turns):
        before = {tenant.id: len(tenant.company.invoices) for tenant in tenants.values()}
        assert await shop.loop.turn()
        order += [names[tenant.id] for tenant in tenants.values() if len(tenant.company.invoices) > before[tenant.id]]
    return order


@pytest.fixture
async def neighbours(shop: Shop) -> dict[str, Tenant]:
    """A tenant with a long backlog, and one whose till sells now and then; both sold before."""
    tenants = {"big": await shop.tenant("big"), "small": await shop.tenant("small")}
    for tenant in tenants.values():
        await tenant.issued()
    return tenants


async def test_a_sale_behind_anothers_backlog_is_worked_on_as_soon_as_somebody_is_free(
    shop: Shop, neighbours: dict[str, Tenant]
) -> None:
    for _ in range(BACKLOG):
        await neighbours["big"].accepted()
    # Workers have as much of the backlog in hand as one tenant may.
    held = [await operations.claim(shop.db, shop.clock.now()) for _ in range(TENANT_CAP - 1)]
    assert {one.tenant_id for one in held if one} == {neighbours["big"].id}
    await neighbours["small"].accepted()
    assert await order_of_work(shop, neighbours, 1) == ["small"]


async def test_a_till_goes_before_all_orders_of_every_tenant(shop: Shop, neighbours: dict[str, Tenant]) -> None:
    for tenant in neighbours.values():
        for _ in range(BACKLOG // 3):
            await tenant.accepted(to="/orders")
    document = await neighbours["big"].accepted()
    assert await order_of_work(shop, neighbours, 1) == ["big"]
    assert (await neighbours["big"].shown(document))["status"] == "issued"


async def test_a_backlog_that_an_outage_left_drains_beside_anothers_till(
    shop: Shop, neighbours: dict[str, Tenant]
) -> None:
    big, small = neighbours["big"], neighbours["small"]
    big.fault(Mode.UNAVAILABLE_503, "")
    documents: list[Body] = [await big.accepted() for _ in range(BACKLOG // 4)]
    await shop.work()
    assert await small.issued()
    shop.world.faults.clear()
    await shop.finish()
    issued = [big.invoice(one).id for one in documents]
    assert len(set(issued)) == len(documents)
    assert {(await big.shown(one))["status"] for one in documents} == {"issued"}


async def test_what_an_outage_held_up_is_issued_in_the_order_it_came(shop: Shop, neighbours: dict[str, Tenant]) -> None:
    big = neighbours["big"]
    big.fault(Mode.UNAVAILABLE_503, "")
    documents: list[Body] = []
    for _ in range(10):
        documents.append(await big.accepted())
        await shop.later(7)
    # Old enough that their delays differ by many seconds.
    for _ in range(40):
        await shop.later(11)
    shop.world.faults.clear()
    await shop.finish()
    came = [big.invoice(one).id for one in documents]
    # Whichever asked first whether bexio is back is issued at once, the others behind it as they came.
    others = [issued for issued in came if issued != min(came)]
    assert others == sorted(others)
