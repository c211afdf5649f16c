"""`/contacts` as callers meet it: one run at a time, one contact now, decisions, standing work, and rights."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.capabilities.parties import links
from app.capabilities.parties.links import LinkKey
from sandbox.bexio.faults import Mode
from tests.fixtures.contacts import People, disagreements
from tests.fixtures.service import audited, connect, opened
from tests.fixtures.shop import Body, Shop

SYNCS = "select id, state from run where kind = 'contacts.sync'"


@pytest.fixture
async def people(shop: Shop) -> People:
    people = People(await shop.tenant("muster", has_contacts=False))
    for row in list(people.company.contacts):
        people.company.contacts.remove(row["id"])
    return people


async def test_only_one_contact_run_is_under_way_and_a_second_is_told_which(people: People) -> None:
    answers = await asyncio.gather(*(people.tenant.post(f"/contacts/{mode}") for mode in ("sync", "import", "export")))
    states = sorted(answer.status_code for answer in answers)
    assert states == [202, 409, 409]
    (begun,) = [answer.json() for answer in answers if answer.status_code == 202]
    for refused in (answer.json() for answer in answers if answer.status_code == 409):
        assert refused["code"] == "contact-run-active"
        assert begun["id"] in refused["detail"]
    await people.shop.finish()
    assert (await people.tenant.post("/contacts/import")).status_code == 202


async def test_the_same_key_starts_one_run(people: People) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = [await people.tenant.post("/contacts/sync", {}, headers=headers) for _ in range(2)]
    assert (first.status_code, second.content) == (202, first.content)
    assert first.headers["location"] == f"/runs/{first.json()['id']}"
    assert len(await audited(people.tenant, "contacts.sync")) == 1


async def test_a_failed_run_says_why_lets_others_begin_and_goes_on_when_mended(people: People) -> None:
    people.add()
    await people.tenant.set(bexio_user_id=None)
    run = await people.run("export", state="failed")
    assert run["reason"]["code"] == "settings-incomplete"
    await people.tenant.set(bexio_user_id=1)
    await people.run("import")
    await people.tenant.post(f"/runs/{run['id']}/retry")
    await people.shop.finish()
    assert (await people.shown(run))["counts"]["created"] == 1


async def test_a_retried_run_waits_for_the_one_that_is_under_way(people: People) -> None:
    await people.tenant.set(bexio_user_id=None)
    failed = await people.run("export", state="failed")
    await people.tenant.set(bexio_user_id=1)
    active = await people.begin("import")
    await people.tenant.post(f"/runs/{failed['id']}/retry")
    await people.shop.finish()
    await people.shown(active)
    await people.shown(failed)


async def test_work_waits_while_bexio_is_not_connected(people: People) -> None:
    people.add()
    await people.tenant.call("DELETE", "/connection/bexio")
    run = await people.begin("export")
    await people.shop.work()
    assert (await people.shown(run, "running"))["counts"] == {}


async def test_a_saved_contact_is_in_bexio_at_once(people: People) -> None:
    arcavis = people.add()
    pushed = await people.push(arcavis)
    assert (pushed["state"], pushed["bexio_id"]) == ("synced", people.contacts()[0]["id"])
    people.edit(arcavis, City="Bern")
    assert (await people.push(arcavis))["state"] == "synced"
    (contact,) = people.contacts()
    assert disagreements(people.customer(arcavis), contact) == set()
    before = people.writes()
    await people.push(arcavis)
    await people.run("sync")
    assert people.writes() == before


async def test_a_saved_contact_finds_its_match_although_nothing_was_ever_read(people: People) -> None:
    known = people.add_in_bexio()
    supplier = people.add(supplier=True)
    pushed = await people.push(supplier, "suppliers")
    assert (pushed["state"], pushed["bexio_id"]) == ("synced", known)
    assert people.contact(known)["contact_group_ids"]


async def test_a_saved_contact_does_not_overwrite_what_bexio_changed_meanwhile(people: People) -> None:
    arcavis = people.add()
    await people.push(arcavis)
    (contact,) = people.contacts()
    people.edit_in_bexio(contact["id"], city="Basel", phone_mobile="079")
    people.edit(arcavis, City="Bern", ContactPhone="1")
    people.shop.clock.moved += 600
    pushed = await people.push(arcavis)
    assert (pushed["state"], pushed["code"]) == ("conflict", "contact-field-open")
    assert (contact["city"], contact["phone_mobile"], contact["phone_fixed"]) == ("Basel", "079", "1")
    await people.run("sync")
    assert people.customer(arcavis)["ContactMobile"] == "079"


@pytest.mark.parametrize(
    ("fields", "state", "code"),
    [
        ({"Name": "", "Firstname": ""}, "failed", "contact-name-missing"),
        ({"CountryIsoCode": "XK"}, "failed", "contact-country-unknown"),
    ],
)
async def test_a_saved_contact_that_bexio_would_refuse_says_so(
    people: People, fields: Body, state: str, code: str
) -> None:
    arcavis = people.add(**fields)
    pushed = await people.push(arcavis)
    assert (pushed["state"], pushed["code"]) == (state, code)
    answer = await people.tenant.call("PUT", f"/contacts/customers/{arcavis}", headers={"Accept-Language": "de"})
    assert answer.json()["state"] == "accepted"


async def test_a_saved_contact_that_is_not_there_is_said_to_be_gone(people: People) -> None:
    assert (await people.push(4711))["code"] == "contact-deleted-in-arcavis"


async def test_a_contact_saved_twice_at_once_is_made_once(people: People) -> None:
    arcavis = people.add()
    await asyncio.gather(*(people.tenant.call("PUT", f"/contacts/customers/{arcavis}") for _ in range(4)))
    await people.begin("sync")
    people.tenant.fault(Mode.TIMEOUT_AFTER_WRITE, "/2.0/contact$", method="POST", times=1, seconds=40)
    await people.shop.finish()
    assert len(people.contacts()) == 1


async def test_a_saved_contact_that_may_be_several_is_a_question_with_the_candidates_and_goes_on_by_the_answer(
    people: People,
) -> None:
    arcavis = people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    known = {people.add_in_bexio(mail=f"{city}@muster.example", city=city) for city in ("bern", "basel")}
    pushed = await people.push(arcavis)
    assert (pushed["state"], pushed["code"]) == ("conflict", "contact-match-open")
    (conflict,) = await people.conflicts()
    assert {one["bexio_id"] for one in conflict["candidates"]} == known
    assert people.writes() == (0, 0)
    chosen = min(known)
    assert (await people.resolve(conflict, f"link:{chosen}"))["state"] == "closed"
    assert (await people.push(arcavis))["bexio_id"] == chosen
    assert len(people.contacts()) == 2


@pytest.mark.parametrize("use", ["nonsense", "link:", "link:0", "link:x", "ARCAVIS"])
async def test_a_decision_that_is_none_is_refused(people: People, use: str) -> None:
    people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    people.add_in_bexio()
    await people.run("sync")
    (conflict,) = await people.conflicts()
    answer = await people.tenant.post(f"/contacts/conflicts/{conflict['id']}/resolve", {"use": use})
    assert answer.status_code == 422
    unfit = await people.tenant.post(f"/contacts/conflicts/{conflict['id']}/resolve", {"use": "arcavis"})
    assert (unfit.status_code, unfit.json()["code"]) == (409, "contact-resolution-unfit")


async def test_a_decision_for_a_contact_that_is_gone_links_nothing(people: People) -> None:
    people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    people.add_in_bexio()
    await people.run("sync")
    (conflict,) = await people.conflicts()
    await people.resolve(conflict, "link:4711")
    assert await people.links() == []
    (open_,) = await people.conflicts()
    assert (open_["id"], open_["state"]) == (conflict["id"], "open")
    items = (await people.tenant.get("/attention?state=open")).json()["items"]
    assert "contact-gone" in {item["code"] for item in items}
    resolved = await people.resolve(conflict, f"link:{conflict['candidates'][0]['bexio_id']}")
    assert resolved["state"] == "closed"
    items = (await people.tenant.get("/attention?state=open")).json()["items"]
    assert "contact-gone" not in {item["code"] for item in items}


@pytest.mark.parametrize("use", ["create", "link"])
async def test_a_decision_about_a_contact_that_arcavis_deleted_settles_it_and_makes_nobody(
    people: People, use: str
) -> None:
    arcavis = people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    bexio = people.add_in_bexio()
    await people.run("sync")
    (conflict,) = await people.conflicts()
    people.delete(arcavis)
    resolved = await people.resolve(conflict, "create" if use == "create" else f"link:{bexio}")
    assert resolved["state"] == "closed"
    assert await people.links() == []
    assert len(people.contacts()) == 1


async def test_the_suppliers_of_another_arcavis_do_not_push_its_customers_out(people: People) -> None:
    people.add()
    people.add(supplier=True, Name="Lieferant", ContactEmail="l@m.example", Street="Werkweg")
    await people.run("export", dry_run=True)
    another = '{"owner": "https://another.example", "value": "1"}'
    await people.tenant.execute(f"update cursor set value = '{another}' where name like 'arcavis.%'")  # noqa: S608 - ours
    await people.run("export", dry_run=True)
    rows = await people.tenant.rows("select kind from contact_record where side = 'arcavis' order by kind")
    assert {row.kind for row in rows} == {"customer", "supplier"}


async def test_what_a_sale_found_archived_is_not_said_to_be_deleted_in_arcavis(people: People) -> None:
    arcavis = people.add()
    await people.push(arcavis)
    (contact,) = people.contacts()
    people.archive(contact["id"])
    key = LinkKey(people.tenant.id, "customer", str(arcavis))
    async with people.shop.db.begin(people.tenant.id) as session:
        await links.mark_gone(session, key, people.shop.clock.now())
    (link,) = await people.links()
    assert link["reason"]["code"] == "contact-archived-in-bexio"
    await people.tenant.execute("update contact_record set gone = true where side = 'bexio'")
    assert (await people.push(arcavis))["code"] == "contact-archived-in-bexio"
    async with people.shop.db.begin(people.tenant.id) as session:
        await links.mark_back(session, key, people.shop.clock.now())
    (link,) = await people.links()
    assert (link["state"], link["reason"]) == ("active", None)


async def test_a_decision_is_carried_out_once_however_often_it_is_made(people: People) -> None:
    people.add(ContactEmail="", Street="", StreetNumber="", Zip="", City="", ContactPhone="")
    people.add_in_bexio()
    await people.run("sync")
    (conflict,) = await people.conflicts()
    people.tenant.fault(Mode.TIMEOUT_AFTER_WRITE, "/2.0/contact$", method="POST", times=1, seconds=40)
    path = f"/contacts/conflicts/{conflict['id']}/resolve"
    for _ in range(2):
        assert (await people.tenant.post(path, {"use": "create"})).status_code == 202
    await people.shop.finish()
    assert len(people.contacts()) == 2
    closed = await people.tenant.post(path, {"use": "create"})
    assert (closed.status_code, closed.json()["code"]) == (409, "contact-conflict-closed")
    (line,) = {line["detail"]["use"] for line in await audited(people.tenant, "contacts.resolve")}
    assert line == "create"


async def test_lists_are_filtered_and_paged(people: People) -> None:
    for number in range(3):
        people.add(Name=f"Amsel{'abc'[number] * 3}", ContactEmail=f"{number}@m.example", Street=f"Weg{number}x")
    people.add(supplier=True, Name="Lieferant", ContactEmail="l@m.example", ContactPhone="", Street="Werkweg")
    await people.run("sync")
    first = (await people.tenant.get("/contacts/links", params={"limit": 2})).json()
    rest = (await people.tenant.get("/contacts/links", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    assert len({link["id"] for link in first["items"] + rest["items"]}) == 4
    assert {link["kind"] for link in await people.links(kind="supplier")} == {"supplier"}
    assert await people.links(state="inactive") == []
    assert (await people.tenant.get("/contacts/links?state=nonsense")).status_code == 422


async def test_tills_may_not_touch_contacts(people: People) -> None:
    calls = [("POST", "sync"), ("POST", "import"), ("GET", "links"), ("GET", "conflicts"), ("PUT", "customers/1")]
    for method, path in calls:
        answer = await people.tenant.call(method, f"/contacts/{path}", role="pos")
        assert answer.status_code == 403, path


async def test_contacts_stay_in_sync_by_themselves_where_the_tenant_wants_it(shop: Shop) -> None:
    tenant = await opened(shop, "anna")
    await connect(tenant)
    await shop.finish()
    assert await tenant.rows(SYNCS) == []
    etag = (await tenant.get("/settings")).headers["etag"]
    change: dict[str, Any] = {"contact_sync_enabled": True, "contact_sync_minutes": 10}
    await tenant.call("PATCH", "/settings", json=change, headers={"If-Match": etag})
    await shop.finish()
    assert [row.state for row in await tenant.rows(SYNCS)] == ["done"]
    await shop.later(8 * 60)
    await shop.finish()
    assert len(await tenant.rows(SYNCS)) == 1
    await shop.later(3 * 60 + 5)
    await shop.finish()
    assert [row.state for row in await tenant.rows(SYNCS)] == ["done", "done"]
    for _ in range(3):
        await shop.later(3 * 86_400)
        await shop.finish()
    assert len(await tenant.rows(SYNCS)) <= 2
    runs = (await tenant.get("/runs?kind=contacts.sync")).json()["items"]
    assert runs[0]["detail"]["mode"] == "sync"


async def test_groups_are_made_once_also_when_two_want_them_at_once(people: People) -> None:
    arcavis = people.add()
    await people.tenant.call("PUT", f"/contacts/customers/{arcavis}")
    await people.begin("export")
    people.tenant.fault(Mode.LATE_LANDING, "/2.0/contact_group$", method="POST", times=1, seconds=60)
    await asyncio.gather(people.shop.loop.drain(), people.shop.loop.drain())
    await people.shop.finish()
    names = [row["name"] for row in people.company.contact_groups]
    assert sorted(name for name in names if name in {"Kunde", "Lieferant"}) == ["Kunde", "Lieferant"]


async def test_another_company_behind_the_connection_is_read_from_the_beginning(people: People) -> None:
    people.add_in_bexio()
    await people.run("import", dry_run=True)
    await people.tenant.call("DELETE", "/connection/bexio")
    other = await people.shop.tenant("other", has_contacts=False)
    for row in list(other.company.contacts):
        other.company.contacts.remove(row["id"])
    await people.tenant.execute("update bexio_connection set company_id = 'gone' where true")
    await other.execute("delete from bexio_connection where true")
    people.shop.world.add_token(other.company.id, "token-of-other-2")
    people.tenant.company, people.tenant.token = other.company, "token-of-other-2"
    await people.tenant.execute("delete from bexio_connection where true")
    assert (await connect(people.tenant)).status_code == 200
    run = await people.run("import")
    assert run["counts"]["created"] == 0
    assert people.customers() == []
