"""Import, export and sync: what is linked, made, merged, asked for and left alone, over both simulators."""

from __future__ import annotations

import pytest

from sandbox.bexio.faults import Mode
from sandbox.people.identity import people as people_of
from sandbox.people.records import fill_bexio
from tests.fixtures.contacts import ANNA, IN_BEXIO, People, disagreements
from tests.fixtures.shop import Body, Shop

COUNTS = ("linked", "created", "updated", "conflicts", "failed", "inactive")
TEN_MINUTES = 600.0


def figures(run: dict[str, dict[str, int]]) -> dict[str, int]:
    """What a run did, without what it did not."""
    return {name: run["counts"][name] for name in COUNTS if run["counts"][name]}


@pytest.fixture
async def people(shop: Shop) -> People:
    """A tenant that has no contacts yet, not even the one that bexio puts into every new company."""
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    return people


async def test_an_import_brings_bexios_contacts_to_arcavis_and_writes_nothing_to_bexio(people: People) -> None:
    anna = people.add_in_bexio()
    firm = people.add_in_bexio(contact_type_id=1, name_1="Muster AG", name_2="Einkauf", mail="info@muster.example")
    run = await people.run("import")
    assert figures(run) == {"created": 2}
    made = {row["ExternalReference"]: row for row in people.customers()}
    assert disagreements(made[f"bexio:{anna}"], people.contact(anna)) == set()
    company = made[f"bexio:{firm}"]
    assert (company["IsCompany"], company["CompanyName"], company["Name"]) == (True, "Muster AG", "Einkauf")
    assert people.writes()[1] == 0
    assert len(people.contacts()) == 2


async def test_an_export_makes_all_contacts_in_bulk_with_their_group(people: People) -> None:
    for number in range(60):
        people.add(Name=f"Nachname{number}", ContactEmail=f"p{number}@muster.example", CustomerNumber=str(900 + number))
    people.add(supplier=True, IsCompany=True, CompanyName="Lieferant AG", Name="", Firstname="")
    run = await people.run("export")
    assert figures(run) == {"created": 61}
    routes = people.company.requests.by_route
    assert routes["POST /2.0/contact/_bulk_create"] == 2
    names = {row["id"]: row["name"] for row in people.company.contact_groups}
    groups = {row["name_1"]: names[int(row["contact_group_ids"])] for row in people.contacts()}
    assert groups["Lieferant AG"] == "Lieferant"
    assert groups["Nachname1"] == "Kunde"
    assert {row["nr"] for row in people.contacts()} >= {f"{900 + number:06d}" for number in range(60)}
    assert people.writes()[0] == 0


async def test_a_sync_links_what_belongs_together_and_makes_the_rest_on_either_side(people: People) -> None:
    both = people.add()
    known = people.add_in_bexio()
    here = people.add(Name="Hier", Firstname="Hans", ContactEmail="hans@hier.example", Street="Hierweg")
    there = people.add_in_bexio(name_1="Dort", name_2="Doris", mail="doris@dort.example", street_name="Dortweg")
    await people.run("import")
    before = people.writes()
    run = await people.run("sync")
    links = {link["arcavis_id"]: link for link in await people.links()}
    assert links[str(both)]["bexio_id"] == known
    assert set(links[str(both)]["evidence"]) >= {"same name", "same e-mail", "same address"}
    made = people.contact(links[str(here)]["bexio_id"])
    assert disagreements(people.customer(here), made) == set()
    assert [row["Name"] for row in people.customers()].count("Dort") == 1
    assert there in {link["bexio_id"] for link in links.values()}
    assert run["counts"]["done"] == run["total"]
    assert people.writes() > before


async def test_a_second_run_writes_nothing_and_reads_one_page_of_each(people: People) -> None:
    for number in range(30):
        people.add(Name=f"Hier{number}", ContactEmail=f"h{number}@muster.example")
        people.add_in_bexio(name_1=f"Dort{number}", mail=f"d{number}@muster.example")
    await people.run("sync")
    people.shop.clock.moved += TEN_MINUTES
    writes, asked = people.writes(), people.company.requests.by_route.copy()
    people.shop.arcavis.requests.clear()
    run = await people.run("sync")
    assert figures(run) == {}
    assert people.writes() == (0, writes[1])
    now = people.company.requests.by_route
    assert {route: now[route] - asked[route] for route in now if now[route] != asked[route]} == {
        "POST /2.0/contact/search": 2  # what changed, and what was archived
    }
    assert people.shop.arcavis.requests.report()["by_route"] == {"GET /api/customers": 1, "GET /api/suppliers": 1}
    people.shop.clock.moved += TEN_MINUTES
    third = await people.run("sync")
    assert third["counts"]["read"] == 0


async def test_of_many_contacts_too_the_second_run_reads_one_page_and_a_late_change_is_found_behind_them(
    people: People,
) -> None:
    # Dry runs read as real ones do, and four thousand contacts need not be made for it.
    fill_bexio(people.company, people_of(4100, 1))
    await people.run("export", dry_run=True)
    asked = people.company.requests.by_route["POST /2.0/contact/search"]
    await people.run("export", dry_run=True)
    assert people.company.requests.by_route["POST /2.0/contact/search"] == asked + 2
    people.shop.clock.moved += 1
    late, *others = [row["id"] for row in people.company.contacts][:2500]
    people.edit_in_bexio(late, city="Spätikon")
    for identity in others:
        people.contact(identity)["updated_at"] = people.contact(late)["updated_at"]
    await people.run("export", dry_run=True)
    found = "select remote_id from contact_record where side = 'bexio' and fields->>'city' = 'Spätikon'"
    assert [row.remote_id for row in await people.tenant.rows(found)] == [late]


async def test_after_many_writes_only_the_side_that_was_written_is_read_again(people: People) -> None:
    fill_bexio(people.company, people_of(600, 1))
    run = await people.run("import")
    assert run["counts"]["created"] >= 600
    assert people.company.requests.by_route["POST /2.0/contact/search"] == 1
    people.shop.clock.moved += TEN_MINUTES
    people.shop.arcavis.requests.clear()
    assert figures(await people.run("import")) == {}
    assert people.shop.arcavis.requests.report()["by_route"] == {"GET /api/customers": 1, "GET /api/suppliers": 1}


async def test_after_many_writes_to_bexio_the_next_run_finds_nothing_of_them(people: People) -> None:
    for number in range(500):
        people.add(Name=f"Hier{number}", ContactEmail=f"h{number}@muster.example")
    run = await people.run("export")
    assert run["counts"]["created"] == 500
    routes = people.company.requests.by_route
    # At first, and behind the writes: what changed, and what was archived.
    assert routes["POST /2.0/contact/search"] == 3
    people.shop.clock.moved += TEN_MINUTES
    assert figures(await people.run("export")) == {}
    assert routes["POST /2.0/contact/search"] == 5


async def test_a_contact_that_changed_is_found_by_what_it_is_called_now(people: People) -> None:
    named = "select key from contact_key where side = 'bexio' and remote_id = {} and key like 'n:%'"
    changed, other = people.add_in_bexio(name_1="Vorher"), people.add_in_bexio(name_1="Anders")
    await people.run("import")
    people.shop.clock.moved += TEN_MINUTES
    people.edit_in_bexio(changed, name_1="Nachher")
    await people.run("import")
    for identity, name in ((changed, "nachher"), (other, "anders")):
        keys = [row.key for row in await people.tenant.rows(named.format(identity))]
        assert len(keys) == 1
        assert name in keys[0]


async def test_a_full_run_reads_everything_and_writes_nothing_that_agrees(people: People) -> None:
    for number in range(5):
        people.add(Name=f"Hier{number}", ContactEmail=f"h{number}@muster.example")
    await people.run("sync")
    before = people.writes()
    run = await people.run("sync", full=True)
    assert run["counts"]["read"] > 5
    assert run["counts"]["unchanged"] >= 5
    assert people.writes() == before


async def test_a_dry_run_tells_what_it_would_do_and_changes_nothing_anywhere(people: People) -> None:
    people.add()
    people.add_in_bexio()
    people.add(Name="Hier", ContactEmail="hans@hier.example", Street="Hierweg", Firstname="Hans")
    people.add_in_bexio(name_1="Dort", name_2="Doris", mail="doris@dort.example", street_name="Dortweg")
    tables = ("contact_link", "contact_conflict", "attention", "contact_group")
    before = [await people.tenant.rows(f"select t::text from {one} t") for one in tables]  # noqa: S608
    dry = await people.run("sync", dry_run=True)
    assert people.writes() == (0, 0)
    assert [await people.tenant.rows(f"select t::text from {one} t") for one in tables] == before  # noqa: S608
    wanted = {(note["action"], note["contact"]) for note in dry["detail"]["notes"]}
    assert ("link", "Anna Muster, 8000 Zürich") in wanted
    assert ("create-in-bexio", "Hans Hier, 8000 Zürich") in wanted
    assert ("create-in-arcavis", "Doris Dort, 8000 Zürich") in wanted
    real = await people.run("sync")
    assert figures(real) == figures(dry)


async def test_a_change_on_one_side_reaches_the_other_and_leaves_the_rest_alone(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    bexio: int = link["bexio_id"]
    people.edit(arcavis, City="Bern", ContactPhone="")
    people.edit_in_bexio(bexio, mail="neu@muster.example", remarks="nur in bexio")
    run = await people.run("sync")
    assert figures(run) == {"updated": 1}
    assert disagreements(people.customer(arcavis), people.contact(bexio)) == set()
    assert (people.contact(bexio)["city"], people.contact(bexio)["phone_fixed"] or "") == ("Bern", "")
    assert people.customer(arcavis)["ContactEmail"] == "neu@muster.example"
    assert people.contact(bexio)["remarks"] == "nur in bexio"


async def test_what_only_one_direction_may_copy_waits_for_the_other(people: People) -> None:
    arcavis = people.add()
    await people.run("export")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern")
    people.edit_in_bexio(link["bexio_id"], phone_mobile="079 1")
    before = people.writes()
    await people.run("import")
    assert people.writes()[1] == before[1]
    assert people.customer(arcavis)["ContactMobile"] == "079 1"
    assert people.contact(link["bexio_id"])["city"] == "Zürich"
    await people.run("export")
    assert people.contact(link["bexio_id"])["city"] == "Bern"


@pytest.mark.parametrize(("use", "city"), [("arcavis", "Bern"), ("bexio", "Basel")])
async def test_a_field_changed_on_both_sides_waits_for_a_person_who_decides(
    people: People, use: str, city: str
) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern", ContactPhone="1")
    people.edit_in_bexio(link["bexio_id"], city="Basel")
    run = await people.run("sync")
    assert figures(run) == {"conflicts": 1}
    (conflict,) = await people.conflicts()
    assert (conflict["kind"], conflict["fields"]) == ("field", {"city": {"arcavis": "Bern", "bexio": "Basel"}})
    assert people.contact(link["bexio_id"])["phone_fixed"] == "1"
    (item,) = (await people.tenant.get("/attention?state=open")).json()["items"]
    assert item["code"] == "contacts-wait-for-a-person"
    before = people.writes()
    assert figures(await people.run("sync")) == {}
    assert people.writes() == before
    resolved = await people.resolve(conflict, use)
    assert (resolved["state"], resolved["resolution"]) == ("closed", use)
    assert people.customer(arcavis)["City"] == people.contact(link["bexio_id"])["city"] == city
    assert figures(await people.run("sync")) == {}
    assert (await people.tenant.get("/attention?state=open")).json()["items"] == []


@pytest.mark.parametrize(("policy", "city"), [("arcavis", "Bern"), ("bexio", "Basel")])
async def test_the_tenants_policy_decides_where_it_says_so(people: People, policy: str, city: str) -> None:
    await people.tenant.set(contact_conflict_policy=policy)
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern")
    people.edit_in_bexio(link["bexio_id"], city="Basel")
    await people.run("sync")
    assert await people.conflicts() == []
    assert people.customer(arcavis)["City"] == people.contact(link["bexio_id"])["city"] == city


async def test_a_conflict_that_people_settle_by_themselves_is_closed(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.edit(arcavis, City="Bern")
    people.edit_in_bexio(link["bexio_id"], city="Basel")
    await people.run("sync")
    people.edit(arcavis, City="Basel")
    await people.run("sync")
    assert await people.conflicts() == []
    assert [link["state"] for link in await people.links() if link["arcavis_id"] == str(arcavis)] == ["active"]


async def test_namesakes_without_evidence_are_asked_for_and_linked_as_the_person_says(people: People) -> None:
    arcavis = people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    first, second = (people.add_in_bexio(mail=f"{name}@muster.example", city=name) for name in ("bern", "basel"))
    await people.run("sync")
    (conflict,) = await people.conflicts()
    assert (conflict["kind"], {one["bexio_id"] for one in conflict["candidates"]}) == ("match", {first, second})
    assert people.writes() == (0, 0)
    await people.resolve(conflict, f"link:{second}")
    links = {link["bexio_id"]: link["arcavis_id"] for link in await people.links()}
    assert links[second] == str(arcavis)
    await people.run("sync")
    assert len(people.customers()) == 2
    assert len(people.contacts()) == 2


async def test_a_person_may_say_that_bexio_shall_have_a_new_contact(people: People) -> None:
    arcavis = people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    namesake = people.add_in_bexio()
    await people.run("sync")
    (conflict,) = await people.conflicts()
    resolved = await people.resolve(conflict, "create")
    assert resolved["state"] == "closed"
    await people.run("sync")
    links = {link["arcavis_id"]: link["bexio_id"] for link in await people.links()}
    assert links[str(arcavis)] != namesake
    assert len(people.contacts()) == len(people.customers()) == 2


async def test_two_customers_that_look_like_one_contact_are_not_guessed_apart(people: People) -> None:
    people.add()
    people.add(ContactPhone="")
    known = people.add_in_bexio()
    await people.run("sync")
    conflicts = await people.conflicts()
    assert [conflict["candidates"][0]["bexio_id"] for conflict in conflicts] == [known, known]
    first, second = conflicts
    await people.resolve(first, f"link:{known}")
    await people.resolve(second, f"link:{known}")
    states = {link["arcavis_id"]: link["alias"] for link in await people.links()}
    assert states == {first["arcavis_id"]: False, second["arcavis_id"]: True}
    assert figures(await people.run("sync", full=True)) == {}
    assert len(people.contacts()) == 1


async def test_archived_in_bexio_leaves_arcavis_alone_until_it_comes_back(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.shop.clock.moved += TEN_MINUTES
    people.archive(link["bexio_id"])
    run = await people.run("sync")
    assert figures(run) == {"inactive": 1}
    (gone,) = await people.links(state="inactive")
    assert (gone["arcavis_id"], gone["reason"]["code"]) == (str(arcavis), "contact-archived-in-bexio")
    people.edit(arcavis, City="Bern")
    before = people.writes()
    await people.run("sync")
    assert people.writes() == before
    people.archive(link["bexio_id"], archived=False)
    await people.run("sync")
    assert await people.links(state="inactive") == []
    assert people.contact(link["bexio_id"])["city"] == "Bern"
    assert len(people.contacts()) == 1


async def test_deleted_in_arcavis_leaves_bexio_alone_until_it_comes_back(people: People) -> None:
    arcavis = people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.delete(arcavis)
    people.edit_in_bexio(link["bexio_id"], city="Bern")
    run = await people.run("sync")
    assert figures(run) == {"inactive": 1}
    assert people.contact(link["bexio_id"])["is_archived"] is False
    assert people.customer(arcavis)["City"] == "Zürich"
    people.edit(arcavis, ContactMobile="079")
    await people.run("sync")
    assert disagreements(people.customer(arcavis), people.contact(link["bexio_id"])) == set()


async def test_a_full_run_notices_what_is_gone_without_a_trace(people: People) -> None:
    people.add()
    await people.run("sync")
    (link,) = await people.links()
    people.company.contacts.remove(link["bexio_id"])
    await people.run("sync")
    assert [one["state"] for one in await people.links()] == ["active"]
    await people.run("sync", full=True)
    assert [one["state"] for one in await people.links()] == ["inactive"]


async def test_a_contact_may_be_customer_and_supplier(people: People) -> None:
    customer = people.add()
    supplier = people.add(supplier=True)
    await people.run("sync")
    links = {link["kind"]: link for link in await people.links()}
    assert links["customer"]["bexio_id"] == links["supplier"]["bexio_id"]
    contact = people.contact(links["customer"]["bexio_id"])
    assert len(contact["contact_group_ids"].split(",")) == 2
    people.edit(customer, City="Bern")
    await people.run("sync")
    assert contact["city"] == "Bern"
    assert people.environment.suppliers.get(supplier)["City"] == "Bern"
    assert figures(await people.run("sync")) == {}


async def test_a_supplier_of_bexio_becomes_a_supplier_and_no_customer(people: People) -> None:
    await people.tenant.set(supplier_group="Zulieferer")
    group = people.company.contact_groups.next_id()
    people.company.contact_groups.put(group, {"id": group, "name": "Zulieferer"})
    people.add_in_bexio(contact_group_ids=str(group))
    await people.run("import")
    assert len(people.suppliers()) == 1
    assert "Muster" not in {row["Name"] for row in people.customers()}


async def test_a_contact_that_leaves_its_group_is_no_longer_kept_in_sync_as_that(people: People) -> None:
    people.add(supplier=True)
    await people.run("sync")
    (link,) = await people.links(kind="supplier")
    people.edit_in_bexio(link["bexio_id"], contact_group_ids=None)
    await people.run("sync")
    (gone,) = await people.links(kind="supplier")
    assert (gone["state"], gone["reason"]["code"]) == ("inactive", "contact-left-its-group")
    people.edit_in_bexio(link["bexio_id"], contact_group_ids=str(_group(people, "Lieferant")))
    await people.run("sync")
    (back,) = await people.links(kind="supplier")
    assert back["state"] == "active"


def _group(people: People, name: str) -> int:
    return next(row["id"] for row in people.company.contact_groups if row["name"] == name)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Name": "", "Firstname": ""}, "contact-name-missing"),
        ({"IsCompany": True, "CompanyName": "", "Name": "Wer"}, "contact-name-missing"),
        ({"CountryIsoCode": "XK"}, "contact-country-unknown"),
        ({"ContactEmail": "kein Mail"}, "contact-email-invalid"),
    ],
)
async def test_what_bexio_would_refuse_is_named_with_a_remedy_and_the_run_goes_on(
    people: People, fields: Body, code: str
) -> None:
    bad = people.add(**fields)
    people.add(Name="Gut", ContactEmail="gut@muster.example", Firstname="Gabi", Street="Gutweg")
    run = await people.run("sync")
    assert figures(run) == {"created": 1, "failed": 1}
    assert "Gut" in {row["name_1"] for row in people.contacts()}
    (problem,) = await people.conflicts()
    assert (problem["kind"], problem["arcavis_id"], problem["explanation"]["code"]) == ("problem", str(bad), code)
    assert problem["explanation"]["remedy"]
    refused = await people.tenant.post(f"/contacts/conflicts/{problem['id']}/resolve", {"use": "create"})
    assert (refused.status_code, refused.json()["code"]) == (409, "contact-resolution-unfit")
    assert figures(await people.run("sync")) == {}
    people.edit(bad, **ANNA, CountryIsoCode="CH", CompanyName="Wer AG")
    await people.run("sync")
    assert await people.conflicts() == []
    assert str(bad) in {link["arcavis_id"] for link in await people.links()}


async def test_a_first_name_alone_is_the_name(people: People) -> None:
    people.add(Name="", Firstname="Prinz")
    await people.run("sync")
    (link,) = await people.links()
    assert people.contact(link["bexio_id"])["name_1"] == "Prinz"
    assert figures(await people.run("sync", full=True)) == {}


async def test_a_field_longer_than_the_other_side_takes_is_named(people: People) -> None:
    people.company.rules.max_text = 300
    people.add_in_bexio(city="x" * 280)
    run = await people.run("import")
    assert run["counts"]["failed"] == 1
    (problem,) = await people.conflicts()
    assert problem["explanation"]["code"] == "contact-field-too-long"


async def test_one_contact_that_bexio_refuses_does_not_keep_its_neighbours_back(people: People) -> None:
    people.company.rules.max_text = 20
    people.add(Name="Gut", ContactEmail="gut@muster.example")
    people.add(Name="Lang", ContactEmail="sehr-lange-adresse@muster.example", Firstname="Lea", Street="Langweg")
    run = await people.run("export")
    assert figures(run) == {"created": 1, "failed": 1}
    (problem,) = await people.conflicts()
    assert problem["explanation"]["code"] == "contact-refused"


async def test_a_search_that_fails_is_never_taken_for_not_found(people: People) -> None:
    people.add()
    people.add_in_bexio()
    people.tenant.fault(Mode.UNAVAILABLE_503, "/2.0/contact/search", times=5)
    run = await people.run("sync")
    assert figures(run) == {"linked": 1}
    assert [row["name_1"] for row in people.contacts()].count("Muster") == 1
    assert [row["Name"] for row in people.customers()].count("Muster") == 1


async def test_salutations_that_bexio_does_not_know_stay_on_their_side(people: People) -> None:
    arcavis = people.add(Salutation="Hochwürden")
    await people.run("sync")
    before = people.writes()
    people.edit(arcavis, Salutation="Eminenz")
    await people.run("sync")
    assert people.writes() == before
    assert people.customer(arcavis)["Salutation"] == "Eminenz"
    people.edit(arcavis, Salutation="Frau")
    await people.run("sync")
    (link,) = await people.links()
    assert people.contact(link["bexio_id"])["salutation_id"] == 2


async def test_a_post_office_box_finds_its_way_there_and_back(people: People) -> None:
    arcavis = people.add(StreetSupplement="c/o Huber", PoBox="12")
    await people.run("sync")
    (link,) = await people.links()
    assert people.contact(link["bexio_id"])["address_addition"] == "c/o Huber, Postfach 12"
    people.edit_in_bexio(link["bexio_id"], address_addition="c/o Meier, Postfach 34")
    await people.run("sync")
    assert (people.customer(arcavis)["StreetSupplement"], people.customer(arcavis)["PoBox"]) == (
        "c/o Meier",
        "Postfach 34",
    )
    assert figures(await people.run("sync", full=True)) == {}


async def test_the_same_in_bexios_old_and_new_way_to_write_addresses(people: People) -> None:
    arcavis = people.add()
    known = people.add_in_bexio()
    people.contact(known).update(street_name=None, house_number=None, address="Seeweg 7")
    await people.run("sync")
    assert [link["bexio_id"] for link in await people.links() if link["arcavis_id"] == str(arcavis)] == [known]
    assert await people.conflicts() == []
    assert IN_BEXIO["city"] == people.customer(arcavis)["City"]
