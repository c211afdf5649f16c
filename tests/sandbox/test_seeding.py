"""Filling both simulators with very many people and articles over their control APIs."""

import tracemalloc

import httpx
import pytest

from sandbox.arcavis.seed import seed_shop as seed_arcavis
from sandbox.bexio.seed import seed_shop as seed_bexio
from sandbox.goods import PROBLEMS, goods
from sandbox.people.identity import people
from sandbox.people.records import fill_arcavis, fill_bexio
from sandbox.server import SandboxServer
from tests.sandbox.bexio_shop import Shop


async def test_both_sides_get_the_same_people_from_the_same_seed() -> None:
    sandbox = SandboxServer()
    async with sandbox.running() as access, httpx.AsyncClient(timeout=30) as client:
        arcavis = f"{access.arcavis_url.removesuffix('/demo')}/_sandbox/tenants/demo"
        bexio = f"{access.bexio_url}/_sandbox/actions"
        body = {"count": 300, "seed": 9}
        assert (await client.post(f"{bexio}/seed-people", json=body)).json() == {"made": 300}
        assert (await client.post(f"{arcavis}/people", json=body | {"skip": 100, "count": 200})).json() == {"made": 200}
        assert (await client.post(f"{arcavis}/people", json=body | {"suppliers": True})).json() == {"made": 300}
        pairs = {"count": 20, "seed": 1, "profile": "till"}
        here = (await client.post(f"{arcavis}/pairs", json=pairs)).json()
        there = (await client.post(f"{bexio}/seed-pairs", json=pairs)).json()
        goods_body = {"count": 50, "seed": 2, "problems": 0.5, "net": True}
        assert (await client.post(f"{bexio}/seed-articles", json=goods_body)).json() == {"made": 50}
        assert (await client.post(f"{bexio}/seed-articles", json={"count": 0})).status_code == 400
        assert (await client.post(f"{arcavis}/people", json={"count": 0})).status_code == 400
    assert [(row["same"], row["case"]) for row in here] == [(row["same"], row["case"]) for row in there]
    names = [row["Name"] for row in sandbox.tenant.customers.visible()][60:260]
    contacts = list(sandbox.company.contacts)[66:366]
    shown = [row["name_1"] for row in contacts if row["contact_type_id"] == 2]
    assert [row["name_1"] for row in contacts[100:] if row["contact_type_id"] == 2][:5] == [
        name for name, who in zip(names, list(people(300, 9))[100:], strict=True) if not who.is_company
    ][:5]
    assert len(shown) > 150
    assert len(sandbox.company.articles) == 92


def test_people_are_drawn_one_by_one_and_not_kept() -> None:
    tracemalloc.start()
    for _ in people(5_000, 3):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_500_000


async def test_people_that_were_filled_in_are_as_those_that_the_api_made() -> None:
    bexio = Shop()
    [who] = people(1, 3)
    fill_bexio(bexio.company, [who])
    filled = list(bexio.company.contacts)[-1]
    names = ("name_1", "name_2", "mail", "street_name", "house_number", "city", "phone_fixed", "birthday")
    body = {name: filled[name] for name in names}
    kind = {"contact_type_id": filled["contact_type_id"], "user_id": 1, "owner_id": 1}
    made = (await bexio.post("/2.0/contact", body | kind)).json()
    listed = (await bexio.get("/2.0/contact", order_by="id", offset=66)).json()
    assert listed[0].keys() == listed[1].keys()
    assert int(made["nr"]) == int(filled["nr"]) + 1
    assert listed[0]["address"] == made["address"]


def test_customers_that_were_filled_in_are_found_by_number() -> None:
    tenant = seed_arcavis(SandboxServer().arcavis, "filled", has_contacts=False)
    assert fill_arcavis(tenant, people(10, 3)) == 10
    found = tenant.customers.by_key("K-1000003")
    assert found is not None
    assert (found["Id"], found["IsDeleted"], found["AccountLimit"]) == (503, False, 0)


@pytest.mark.parametrize("is_net", [True, False])
def test_goods_are_the_same_for_the_same_seed_and_have_each_problem(*, is_net: bool) -> None:
    company = seed_bexio(SandboxServer().bexio, "goods", has_articles=False)
    drawn = list(goods(company, 2_000, 5, is_net=is_net, problem_share=0.2))
    assert drawn == list(goods(company, 2_000, 5, is_net=is_net, problem_share=0.2))
    assert {good.problem for good in drawn} == {"", *PROBLEMS}
    assert 300 < sum(bool(good.problem) for good in drawn) < 500
    assert not any(good.problem for good in goods(company, 200, 5))
    right = [good for good in drawn if not good.problem]
    assert len({good.fields["intern_code"] for good in right}) == len(right)
    assert (right[0].fields["sale_price"] == f"{right[0].gross}") != is_net
