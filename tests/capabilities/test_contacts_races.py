"""A run and the backoffice that saves the same contact meanwhile: neither loses what the other brought over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fixtures.contacts import People, disagreements
from tests.fixtures.shop import Shop

MILESTONES = ("contacts-written", "contacts-stored")


@pytest.fixture
async def people(shop: Shop) -> People:
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    return people


class _Saving:
    """Somebody saves the contact while a worker is at a point, and another worker takes that up at once."""

    def __init__(self, people: People, arcavis: int, milestone: str) -> None:
        self.people, self.arcavis, self.milestone = people, arcavis, milestone
        self.done = False

    async def __call__(self, milestone: str) -> None:
        if self.done or milestone != self.milestone:
            return
        self.done = True
        self.people.edit(self.arcavis, City="Basel")
        answer = await self.people.tenant.call("PUT", f"/contacts/customers/{self.arcavis}")
        assert answer.status_code == 202
        await self.people.shop.loop.turn()


@pytest.mark.parametrize("milestone", MILESTONES)
async def test_what_is_saved_while_a_run_writes_the_contact_reaches_bexio(people: People, milestone: str) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern")
    saving = _Saving(people, arcavis, milestone)
    people.shop.loop.probe = saving
    await people.run("sync")
    assert saving.done
    await people.run("sync")
    assert people.contact(link["bexio_id"])["city"] == people.customer(arcavis)["City"] == "Basel"
    assert await people.conflicts() == []
    assert disagreements(people.customer(arcavis), people.contact(link["bexio_id"])) == set()


async def test_a_base_that_was_stored_while_a_run_had_read_another_is_not_overwritten(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern")
    run = await people.begin("sync")

    async def overtaken(milestone: str) -> None:
        if milestone == "contacts-written":
            people.shop.loop.probe = quiet
            await people.tenant.execute(
                'update contact_link set holder = null, base_arcavis = base_arcavis || \'{"city": "Chur"}\''
            )

    async def quiet(milestone: str) -> None:
        """Nothing more happens."""

    people.shop.loop.probe = overtaken
    await people.shop.finish()
    await people.shown(run)
    (row,) = await people.tenant.rows("select base_arcavis->>'city' as city from contact_link")
    assert row.city == "Chur"
    pending = await people.tenant.rows("select side from contact_record where pending order by side")
    assert [one.side for one in pending] == ["arcavis", "bexio"]
    assert link["state"] == "active"


async def test_a_worker_that_dies_with_a_contact_in_hand_keeps_nobody_off_it_for_good(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    people.edit(arcavis, City="Bern")
    until = people.shop.clock.now() + timedelta(minutes=5)
    await people.tenant.execute(
        f"update contact_link set holder = gen_random_uuid(), held_until = '{until.isoformat()}'"  # noqa: S608 - ours
    )
    await people.begin("sync")
    await people.shop.work()
    assert people.contacts()[0]["city"] == "Zürich"
    await people.shop.later(400)
    await people.shop.finish()
    assert people.contacts()[0]["city"] == "Bern"
