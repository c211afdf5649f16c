"""Addresses that were changed on both sides, and what an export leaves for the next import, over both simulators."""

from __future__ import annotations

import pytest

from tests.fixtures.contacts import People, disagreements
from tests.fixtures.shop import Body, Shop


@pytest.fixture
async def people(shop: Shop) -> People:
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    return people


@pytest.mark.parametrize(("use", "address"), [("arcavis", ("", "")), ("bexio", ("Altweg", "1a"))])
async def test_an_address_that_one_cleared_and_the_other_corrected_waits_for_a_person_and_stops_no_run(
    people: People, use: str, address: tuple[str, str]
) -> None:
    arcavis = people.add(Street="Altweg", StreetNumber="1")
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, Street="", StreetNumber="")
    people.edit_in_bexio(link["bexio_id"], house_number="1a")
    before = people.writes()
    await people.run("sync")
    assert people.writes() == before
    (conflict,) = await people.conflicts()
    assert conflict["fields"] == {
        "street": {"arcavis": "", "bexio": "Altweg"},
        "house_number": {"arcavis": "", "bexio": "1a"},
    }
    await people.resolve(conflict, use)
    here, there = people.customer(arcavis), people.contact(link["bexio_id"])
    assert disagreements(here, there) == set()
    assert (there["street_name"] or "", there["house_number"] or "") == address


async def test_two_addresses_that_meet_for_the_first_time_are_not_mixed(people: People) -> None:
    arcavis = people.add(Street="Dorf", StreetNumber="")
    bexio = people.add_in_bexio(street_name="Rosenweg", house_number="12", address_addition="c/o Huber")
    await people.run("sync")
    (conflict,) = await people.conflicts()
    assert set(conflict["fields"]) == {"street", "house_number", "address_addition"}
    assert (people.customer(arcavis)["StreetNumber"], people.contact(bexio)["street_name"]) == ("", "Rosenweg")


@pytest.mark.parametrize(("changes", "in_bexio"), [({"ContactPhone": ""}, {}), ({}, {"phone_mobile": "079 1"})])
async def test_what_an_export_cannot_copy_back_at_the_first_meeting_is_there_after_the_next_import(
    people: People, changes: Body, in_bexio: Body
) -> None:
    arcavis = people.add(**changes)
    bexio = people.add_in_bexio(**in_bexio)
    await people.run("export")
    assert people.writes()[0] == 0
    await people.run("import")
    assert disagreements(people.customer(arcavis), people.contact(bexio)) == set()
    before = people.writes()
    await people.run("import")
    assert people.writes() == before
