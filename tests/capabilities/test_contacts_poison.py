"""One contact that a system refuses, or on which it fails each time: it gets a problem, and all others go on."""

from __future__ import annotations

import pytest

from sandbox.arcavis.faults import Fault, FaultKind
from sandbox.bexio.faults import Mode
from tests.fixtures.contacts import People
from tests.fixtures.shop import Body, Shop

OTHERS = 60


@pytest.fixture
async def people(shop: Shop) -> People:
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    return people


def fill(people: People) -> None:
    """The first of all is the one on which a system fails; the others fill more than one request."""
    people.add(Name="Gift", ContactEmail="gift@muster.example")
    for number in range(OTHERS):
        people.add(Name=f"Gut{number}", ContactEmail=f"gut{number}@muster.example")


async def linked(people: People, count: int = 2) -> list[tuple[int, int]]:
    """Contacts that both systems have, by their ids there."""
    for number in range(count):
        people.add(Name=f"Kunde{number}", ContactEmail=f"kunde{number}@muster.example")
    await people.run("sync")
    return sorted((int(link["arcavis_id"]), link["bexio_id"]) for link in await people.links())


async def problem(people: People) -> Body:
    (found,) = await people.conflicts()
    return found["explanation"]


def doubled(people: People) -> set[str]:
    names = [row["name_1"] for row in people.contacts()]
    return {name for name in names if names.count(name) > 1}


async def test_an_edit_that_bexio_forbids_is_the_problem_of_that_contact_alone(people: People) -> None:
    (first, there), (second, other) = await linked(people)
    people.tenant.fault(Mode.FORBIDDEN_403, f"/2.0/contact/{there}$", method="POST")
    for each in (first, second):
        people.edit(each, City="Bern")
    run = await people.run("sync")
    assert (run["counts"]["failed"], people.contact(other)["city"]) == (1, "Bern")
    assert (await problem(people))["code"] == "contact-refused"


async def test_an_edit_that_conflicts_in_arcavis_is_the_problem_of_that_contact_alone(people: People) -> None:
    (first, there), (second, other) = await linked(people)
    people.shop.arcavis.faults.add(Fault(FaultKind.CONFLICT, "muster", "PUT", f"customers/{first}", times=None))
    for each in (there, other):
        people.edit_in_bexio(each, city="Bern")
    run = await people.run("sync")
    assert (run["counts"]["failed"], people.customer(second)["City"]) == (1, "Bern")
    assert (await problem(people))["code"] == "contact-refused"


async def test_an_edit_on_which_bexio_always_fails_ends_as_a_problem_of_that_contact(people: People) -> None:
    (first, there), (second, other) = await linked(people)
    fault = people.tenant.fault(Mode.ERROR_BEFORE, f"/2.0/contact/{there}$", method="POST")
    for each in (first, second):
        people.edit(each, City="Bern")
    run = await people.run("sync")
    assert (run["counts"]["failed"], people.contact(other)["city"], fault.struck) == (1, "Bern", 4)
    found = await problem(people)
    assert (found["code"], "bexio" in found["detail"]) == ("contact-outcome-unknown", True)
    people.shop.world.faults.clear()
    await people.run("sync")
    assert (people.contact(there)["city"], await people.conflicts()) == ("Bern", [])


async def test_a_contact_on_which_arcavis_always_fails_ends_as_its_problem(people: People) -> None:
    people.add_in_bexio(name_1="Gift", mail="gift@muster.example")
    people.add_in_bexio(name_1="Gut", mail="gut@muster.example")
    fault = Fault(FaultKind.ERROR, "muster", "POST", "customers", times=None, body="gift@")
    people.shop.arcavis.faults.add(fault)
    run = await people.run("import")
    assert (run["counts"]["created"], run["counts"]["failed"], fault.struck) == (1, 1, 4)
    assert [row["Name"] for row in people.customers()] == ["Gut"]
    assert (await problem(people))["code"] == "contact-outcome-unknown"
    people.shop.arcavis.faults.clear()
    await people.run("import")
    assert [row["Name"] for row in people.customers()] == ["Gut", "Gift"]
    assert await people.conflicts() == []


@pytest.mark.parametrize("mode", [Mode.ERROR_BEFORE, Mode.RESET])
async def test_a_contact_on_which_bexio_always_fails_keeps_nobody_from_being_made(people: People, mode: Mode) -> None:
    fill(people)
    before = len(people.contacts())
    # Nothing is done, or the first request is done without an answer.
    fault = people.tenant.fault(mode, "/2.0/contact(/_bulk_create)?$", method="POST", body="gift@")
    run = await people.run("export")
    made = len(people.contacts()) - before
    assert doubled(people) == set()
    if mode is Mode.RESET:
        assert (made, fault.struck, await people.conflicts()) == (OTHERS + 1, 1, [])
        return
    assert (run["counts"]["created"], run["counts"]["failed"], made) == (OTHERS, 1, OTHERS)
    # Twice together, twice by itself.
    assert fault.struck == 4
    assert (await problem(people))["code"] == "contact-outcome-unknown"
    people.shop.world.faults.clear()
    await people.run("export")
    assert (len(people.contacts()) - before, doubled(people), await people.conflicts()) == (OTHERS + 1, set(), [])


async def test_several_contacts_on_which_bexio_always_fails_do_not_use_up_the_runs_patience(people: People) -> None:
    fill(people)
    for number in range(15):
        people.add(Name=f"Gift{number}", ContactEmail=f"gift{number}@muster.example")
    people.tenant.fault(Mode.ERROR_BEFORE, "/2.0/contact(/_bulk_create)?$", method="POST", body="gift")
    run = await people.run("export")
    assert (run["counts"]["created"], run["counts"]["failed"]) == (OTHERS, 16)
    assert doubled(people) == set()


async def test_a_refused_list_of_which_bexio_kept_the_valid_ones_makes_nobody_twice(people: People) -> None:
    people.company.rules.bulk_keeps_valid = True
    people.company.rules.max_text = 20
    for number in range(5):
        people.add(Name=f"Gut{number}", ContactEmail=f"gut{number}@muster.example")
    people.add(Name="Lang", ContactEmail="sehr-lange-adresse@muster.example", Firstname="Lea")
    before = len(people.contacts())
    run = await people.run("export")
    assert (run["counts"]["created"], run["counts"]["failed"]) == (5, 1)
    assert (len(people.contacts()) - before, doubled(people)) == (5, set())


async def test_a_refused_list_that_cannot_be_looked_up_is_looked_up_later(people: People) -> None:
    people.company.rules.bulk_keeps_valid = True
    people.company.rules.max_text = 20
    people.add(Name="Gut", ContactEmail="gut@muster.example")
    people.add(Name="Lang", ContactEmail="sehr-lange-adresse@muster.example", Firstname="Lea")

    async def fail_the_look(milestone: str) -> None:
        if milestone == "contacts-intended":
            people.tenant.fault(Mode.UNAVAILABLE_503, "/2.0/contact/search$", times=3)
            people.shop.loop.probe = nothing

    async def nothing(milestone: str) -> None:
        """Once is enough."""

    people.shop.loop.probe = fail_the_look
    run = await people.run("export")
    assert (run["counts"]["created"], run["counts"]["failed"]) == (1, 1)
    assert doubled(people) == set()
