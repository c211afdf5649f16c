"""A bexio contact that is customer and supplier becomes two in Arcavis; the answer about one of them is lost."""

from __future__ import annotations

import pytest

from tests.fixtures.contacts import People
from tests.fixtures.shop import Body, Shop


async def imported(people: People) -> Body:
    answer = await people.tenant.post("/contacts/import", {})
    assert answer.status_code == 202, answer.text
    await people.shop.finish()
    return (await people.tenant.get(f"/runs/{answer.json()['id']}")).json()


async def both(shop: Shop, slug: str) -> People:
    """A shop whose bexio has one contact more than it comes with, in both groups."""
    people = People(await shop.tenant(slug, has_contacts=False))
    groups = {row["name"]: str(row["id"]) for row in people.company.contact_groups}
    people.add_in_bexio(contact_group_ids=",".join((groups["Kunde"], groups["Lieferant"])))
    return people


@pytest.mark.parametrize("path", ["/api/customers", "/api/suppliers"])
@pytest.mark.parametrize("fate", ["before", "after"])
async def test_the_other_one_does_not_make_it_forgotten(shop: Shop, path: str, fate: str) -> None:
    await imported(await both(shop, "counted"))
    (at,) = [at for at, call in enumerate(shop.losses.calls) if call.startswith("POST") and call.endswith(path)][-1:]
    shop.losses.clear()
    people = await both(shop, "lost")
    shop.losses.lost[at] = fate
    run = await imported(people)
    assert run["state"] == "done"
    for kind, table in (("customer", people.environment.customers), ("supplier", people.environment.suppliers)):
        links = await people.tenant.rows(
            "select arcavis_id from contact_link where kind = :kind and state = 'active'", kind=kind
        )
        assert sorted(int(link.arcavis_id) for link in links) == sorted(row["Id"] for row in table.visible())
    assert len(list(people.environment.suppliers.visible())) == 1
