"""Contact runs that are killed, cut off and answered late: nobody is doubled, nobody is lost, nothing is emptied."""

from __future__ import annotations

from random import Random

import pytest

from sandbox.arcavis.faults import Fault, FaultKind
from sandbox.bexio.faults import Mode
from tests.fixtures.contact_kills import LEASE, MILESTONES, Killed, Killer, fill, judge, survive
from tests.fixtures.contacts import People, disagreements
from tests.fixtures.shop import Shop


@pytest.fixture
async def people(shop: Shop) -> People:
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    return people


@pytest.mark.parametrize("occurrence", [1, 2])
async def test_killed_at_every_point_once_it_goes_on_where_it_stood(people: People, occurrence: int) -> None:
    fill(people)
    killer = Killer()
    killer.at = dict.fromkeys(MILESTONES, occurrence)
    people.shop.loop.probe = killer
    run = await people.begin("sync")
    await survive(people.shop)
    killer.rest()
    assert killer.kills >= len(MILESTONES) - 5
    shown = await people.shown(run)
    assert shown["counts"]["done"] == shown["total"]
    await judge(people)


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_again_and_again_it_still_makes_everybody_once(people: People, seed: int) -> None:
    fill(people)
    killer = Killer()
    killer.chance, killer.random = 0.06, Random(seed)
    people.shop.loop.probe = killer
    run = await people.begin("sync")
    await survive(people.shop)
    killer.rest()
    shown = (await people.tenant.get(f"/runs/{run['id']}")).json()
    if shown["state"] == "failed":
        await people.tenant.post(f"/runs/{run['id']}/retry")
        await people.shop.finish()
    assert killer.kills > 3
    await judge(people)


async def test_the_figures_never_go_back_while_workers_die(people: People) -> None:
    fill(people)
    killer = Killer()
    killer.chance, killer.random = 0.04, Random(5)
    people.shop.loop.probe = killer
    run = await people.begin("sync")
    seen, shown = [0], run
    while shown["state"] != "done":
        try:
            more = await people.shop.loop.turn()
        except Killed:
            people.shop.clock.moved += LEASE
            more = True
        people.shop.clock.moved += 0 if more else 30
        shown = (await people.tenant.get(f"/runs/{run['id']}")).json()
        seen.append(shown["counts"].get("done", 0))
        assert seen == sorted(seen)
    assert seen[-1] == shown["total"]


@pytest.mark.parametrize(
    "mode",
    [
        Mode.TIMEOUT_AFTER_WRITE,
        Mode.ERROR_AFTER_WRITE,
        Mode.RESET,
        Mode.LATE_LANDING,
        Mode.PARTIAL_500,
        Mode.HALF_PAGE,
        Mode.ERROR_BEFORE,
    ],
)
async def test_a_lost_answer_of_bexio_makes_nobody_twice(people: People, mode: Mode) -> None:
    fill(people)
    people.tenant.fault(mode, "/2.0/contact/_bulk_create$", times=1, seconds=40)
    people.tenant.fault(mode, "/2.0/contact$", times=1, method="POST", seconds=40)
    people.tenant.fault(mode, "/2.0/contact_group$", times=1, method="POST", seconds=40)
    people.tenant.fault(mode, r"/2.0/contact/\d+$", times=1, method="POST", seconds=40)
    await people.run("sync")
    await judge(people)


@pytest.mark.parametrize(
    ("kind", "after_write"),
    [(FaultKind.ERROR, True), (FaultKind.TIMEOUT, True), (FaultKind.HALF_PAGE, True), (FaultKind.UNAVAILABLE, False)],
)
async def test_a_lost_answer_of_arcavis_makes_nobody_twice(
    people: People, kind: FaultKind, *, after_write: bool
) -> None:
    fill(people)
    for method in ("POST", "PUT"):
        fault = Fault(kind, "muster", method, "customers", times=3, seconds=40, after_write=after_write)
        people.shop.arcavis.faults.add(fault)
    await people.run("sync")
    await judge(people)


async def test_arcavis_that_reads_badly_delays_and_doubles_nothing(people: People) -> None:
    fill(people)
    for kind in (FaultKind.HALF_PAGE, FaultKind.HTML, FaultKind.ERROR, FaultKind.REPEATED_ROW):
        people.shop.arcavis.faults.add(Fault(kind, "muster", "GET", "customers", times=2))
    await people.run("sync")
    await judge(people)
    people.shop.arcavis.faults.add(Fault(FaultKind.REPLAY, "muster", "GET", "customers", times=None))
    before = people.writes()
    await people.run("sync")
    assert people.writes() == before


async def test_a_run_is_cancelled_between_pages_and_goes_on_when_it_is_retried(people: People) -> None:
    fill(people)
    run = await people.begin("sync")
    for _ in range(4):
        await people.shop.loop.turn()
    await people.tenant.post(f"/runs/{run['id']}/cancel")
    await people.shop.finish()
    cancelled = await people.shown(run, "cancelled")
    assert cancelled["counts"]["done"] < cancelled["total"]
    await people.tenant.post(f"/runs/{run['id']}/retry")
    await people.shop.finish()
    await people.shown(run)
    await judge(people)


async def test_a_sale_and_a_sync_make_a_new_customer_once(people: People) -> None:
    arcavis = people.add()
    customer = {
        "arcavis_id": str(arcavis),
        "is_company": False,
        "first_name": "Anna",
        "last_name": "Muster",
        "street": "Seeweg",
        "house_number": "7",
        "postcode": "8000",
        "city": "Zürich",
        "country": "CH",
        "email": "anna@muster.example",
    }
    killer = Killer()
    killer.at = {"contacts-intended": 1}
    people.shop.loop.probe = killer
    run = await people.begin("sync")
    document = await people.tenant.accepted(customer=customer)
    await survive(people.shop)
    await people.shown(run)
    assert (await people.tenant.shown(document))["status"] == "issued"
    assert len(people.contacts()) == 1
    assert people.tenant.invoice(document).head["contact_id"] == people.contacts()[0]["id"]


async def test_a_customer_that_a_sale_linked_is_merged_by_the_next_sync(people: People) -> None:
    arcavis = people.add()
    customer = {"arcavis_id": str(arcavis), "is_company": False, "first_name": "Anna", "last_name": "Muster"}
    await people.tenant.issued(customer={**customer, "email": "anna@muster.example"})
    await people.run("sync")
    (contact,) = people.contacts()
    assert disagreements(people.customer(arcavis), contact) == set()
    assert await people.conflicts() == []


async def test_what_a_person_changed_while_the_run_went_on_is_not_overwritten(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern")
    await people.begin("sync")
    for _ in range(4):
        await people.shop.loop.turn()
    people.edit_in_bexio(link["bexio_id"], city="Basel")
    people.shop.clock.moved += 120
    await people.shop.finish()
    (conflict,) = await people.conflicts()
    assert conflict["fields"] == {"city": {"arcavis": "Bern", "bexio": "Basel"}}


async def test_contacts_archived_and_deleted_during_the_run_end_in_a_named_state(people: People) -> None:
    both = [people.add(Name=f"N{n}", ContactEmail=f"{n}@muster.example") for n in range(2)]
    await people.run("sync")
    links = {link["arcavis_id"]: link["bexio_id"] for link in await people.links()}
    people.edit(both[0], City="Bern")
    people.edit_in_bexio(links[str(both[1])], city="Basel")
    await people.begin("sync")
    for _ in range(4):
        await people.shop.loop.turn()
    people.archive(links[str(both[0])])
    people.delete(both[1])
    people.shop.clock.moved += 120
    await people.shop.finish()
    await people.run("sync")
    states = {link["arcavis_id"]: (link["state"], link["reason"]["code"]) for link in await people.links()}
    assert states[str(both[0])] == ("inactive", "contact-archived-in-bexio")
    assert states[str(both[1])] == ("inactive", "contact-deleted-in-arcavis")
