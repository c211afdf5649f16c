"""Who an invoice is for: found through the link, matched on evidence, created once, or asked for."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from sandbox.bexio import contacts
from sandbox.bexio.faults import Mode
from tests.fixtures.shop import MUSTER, NEWCOMER, Body, Shop, Tenant

CREATE, SEARCH = "POST /2.0/contact", "POST /2.0/contact/search"
LINKS = "select arcavis_id, bexio_id, state, evidence from contact_link order by arcavis_id"


def named(tenant: Tenant, name: str) -> Body:
    """The one contact of this name."""
    (found,) = [row for row in tenant.company.contacts if row["name_1"] == name]
    return found


def add(tenant: Tenant, **fields: object) -> int:
    """A contact that somebody made in bexio: a person unless it says otherwise."""
    person = {"contact_type_id": 2, "user_id": 1, "owner_id": 1, "country_id": 1}
    return contacts.create(tenant.company, {**person, **fields})["id"]


async def test_a_customer_that_bexio_does_not_know_is_created_once_with_all_it_has(tenant: Tenant) -> None:
    known = len(list(tenant.company.contacts))
    document = await tenant.issued(customer={**NEWCOMER, "phone": "+41 44 000 00 00", "address_addition": "c/o Weg"})
    made = named(tenant, "Größl")
    assert tenant.invoice(document).head["contact_id"] == made["id"]
    assert (made["contact_type_id"], made["name_2"], made["mail"]) == (2, "Ümit", "uemit@groessl.example")
    assert (made["street_name"], made["house_number"], made["postcode"], made["city"]) == (
        "Weg",
        "7",
        "8000",
        "Zürich",
    )
    assert (made["address_addition"], made["phone_fixed"]) == ("c/o Weg", "+41 44 000 00 00")
    await tenant.issued(customer=NEWCOMER)
    assert len(list(tenant.company.contacts)) == known + 1


@pytest.mark.parametrize(
    "customer",
    [
        {"arcavis_id": "1", "is_company": False, "last_name": "Nur"},
        {"arcavis_id": "1", "is_company": False, "first_name": "Vorname"},
        {"arcavis_id": "1", "is_company": False, "last_name": "Haus", "house_number": "12"},
        {"arcavis_id": "1", "is_company": False, "last_name": "Insel", "country": "XK", "language": "rm"},
        {"arcavis_id": "1", "is_company": True, "company_name": "Ohne Adresse GmbH", "last_name": "Meier"},
        {"arcavis_id": "1", "is_company": False, "last_name": "Fern", "country": "JP", "language": "ja"},
        {"arcavis_id": "1", "is_company": False, "last_name": "x" * 255, "city": "y" * 255, "email": "kein Mail"},
    ],
    ids=["last name", "first name", "no street", "unknown country", "bare company", "unknown language", "long"],
)
async def test_a_customer_with_little_is_created_all_the_same(tenant: Tenant, customer: Body) -> None:
    document = await tenant.issued(customer=customer)
    assert document["attention"] is None
    assert tenant.routes().count(CREATE) == 1


async def test_the_same_email_and_name_are_one(tenant: Tenant) -> None:
    known = add(tenant, name_1="Groessl", name_2="Ümit", mail="UEMIT@groessl.example", city="Bern")
    document = await tenant.issued(customer={**NEWCOMER, "last_name": "Groessl"})
    assert tenant.invoice(document).head["contact_id"] == known
    assert CREATE not in tenant.routes()
    (link,) = await tenant.rows(LINKS)
    assert set(link.evidence["reasons"]) == {"same name", "same e-mail", "other address"}


async def test_the_same_name_and_address_are_one(tenant: Tenant) -> None:
    known = add(tenant, name_1="Größl", name_2="Ümit", street_name="Weg", house_number="7", postcode="8000", city="Z")
    document = await tenant.issued(customer={**NEWCOMER, "email": None})
    assert tenant.invoice(document).head["contact_id"] == known


async def test_the_same_number_and_name_are_one(tenant: Tenant) -> None:
    known = add(tenant, nr="4711", name_1="Größl", name_2="Ümit")
    document = await tenant.issued(customer={**NEWCOMER, "customer_number": "004711", "email": None})
    assert tenant.invoice(document).head["contact_id"] == known


async def test_a_shared_email_alone_is_no_identity(tenant: Tenant) -> None:
    other = add(tenant, name_1="Andere", name_2="Anna", mail="uemit@groessl.example")
    document = await tenant.issued(customer=NEWCOMER)
    assert tenant.invoice(document).head["contact_id"] not in {other, None}


async def test_a_customer_that_is_not_clear_waits_with_the_candidates(shop: Shop, tenant: Tenant) -> None:
    doubled = {"name_1": "Größl", "name_2": "Ümit", "mail": "uemit@groessl.example"}
    first, second = add(tenant, **doubled), add(tenant, **doubled)
    document = await tenant.worked(customer=NEWCOMER)
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "contact-ambiguous"
    assert str(first) in document["attention"]["detail"]
    assert str(second) in document["attention"]["detail"]
    assert tenant.writes() == []
    contacts.archive(tenant.company, second)
    document = await tenant.retried(document)
    assert document["status"] == "issued"
    assert tenant.invoice(document).head["contact_id"] == first


async def test_a_namesake_without_address_is_not_guessed(tenant: Tenant) -> None:
    add(tenant, name_1="Größl", name_2="Ümit")
    document = await tenant.worked(customer=NEWCOMER)
    assert document["attention"]["code"] == "contact-ambiguous"


async def test_two_tills_customers_may_be_one_bexio_contact(tenant: Tenant) -> None:
    first = await tenant.issued()
    second = await tenant.issued(customer={**MUSTER, "arcavis_id": "777"})
    assert tenant.invoice(first).head["contact_id"] == tenant.invoice(second).head["contact_id"]
    assert [row.state for row in await tenant.rows(LINKS)] == ["active", "active"]


@pytest.mark.parametrize("mode", [Mode.UNAVAILABLE_503, Mode.HTML, Mode.HALF_PAGE, Mode.STORM_429, Mode.RESET])
async def test_a_search_that_fails_is_not_an_empty_answer(shop: Shop, tenant: Tenant, mode: Mode) -> None:
    rule = tenant.fault(mode, "contact/search", seconds=2)
    document = await tenant.accepted()
    for _ in range(4):
        await shop.later(20)
    assert CREATE not in tenant.routes()
    assert (await tenant.shown(document))["status"] != "issued"
    shop.world.faults.rules.remove(rule)
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert CREATE not in tenant.routes()


async def test_two_sales_of_one_new_customer_at_once_make_one_contact(shop: Shop, tenant: Tenant) -> None:
    documents = [await tenant.accepted(customer=NEWCOMER) for _ in range(6)]
    await asyncio.gather(*(shop.loop.drain() for _ in range(4)))
    await shop.finish()
    assert [(await tenant.shown(document))["status"] for document in documents] == ["issued"] * 6
    assert tenant.routes().count(CREATE) == 1
    assert Counter(tenant.invoice(document).head["contact_id"] for document in documents) == {
        named(tenant, "Größl")["id"]: 6
    }


@pytest.mark.parametrize("mode", [Mode.LATE_LANDING, Mode.TIMEOUT_AFTER_WRITE, Mode.ERROR_AFTER_WRITE, Mode.RESET])
async def test_a_lost_create_of_a_contact_is_adopted(shop: Shop, tenant: Tenant, mode: Mode) -> None:
    tenant.fault(mode, "contact$", method="POST", times=1, seconds=50)
    document = await tenant.accepted(customer={**NEWCOMER, "email": None, "street": None, "house_number": None})
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert tenant.invoice(document).head["contact_id"] == named(tenant, "Größl")["id"]


async def test_a_create_that_never_landed_is_made_anew(shop: Shop, tenant: Tenant) -> None:
    tenant.fault(Mode.ERROR_BEFORE, "contact$", method="POST", times=1)
    document = await tenant.accepted(customer=NEWCOMER)
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert named(tenant, "Größl")


async def test_a_contact_that_was_archived_meanwhile_waits_until_it_is_back(shop: Shop, tenant: Tenant) -> None:
    tenant.company.rules.accepts_archived_contact = False
    contact = tenant.invoice(await tenant.issued()).head["contact_id"]
    contacts.archive(tenant.company, contact)
    document = await tenant.worked()
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "contact-gone"
    assert str(contact) in document["attention"]["detail"]
    (link,) = await tenant.rows(LINKS)
    assert link.state == "inactive"
    assert (await tenant.retried(document))["attention"]["code"] == "contact-gone"
    contacts.archive(tenant.company, contact, archived=False)
    assert (await tenant.retried(document))["status"] == "issued"
    (link,) = await tenant.rows(LINKS)
    assert link.state == "active"


async def test_another_customers_trouble_holds_nobody_up(shop: Shop, tenant: Tenant) -> None:
    doubled = {"name_1": "Größl", "name_2": "Ümit", "mail": "uemit@groessl.example"}
    add(tenant, **doubled)
    add(tenant, **doubled)
    poison = await tenant.accepted(customer=NEWCOMER)
    sound = await tenant.accepted()
    await shop.work()
    assert (await tenant.shown(poison))["status"] == "attention"
    assert (await tenant.shown(sound))["status"] == "issued"


async def test_a_contact_that_bexio_refuses_waits_for_a_person(shop: Shop, tenant: Tenant) -> None:
    await tenant.set(bexio_user_id=99)
    document = await tenant.worked(customer=NEWCOMER)
    assert document["status"] == "attention"
    assert document["attention"]["code"] in {"contact-rejected", "setting-unknown-in-bexio"}
    await tenant.set(bexio_user_id=1)
    assert (await tenant.retried(document))["status"] == "issued"


async def test_only_the_backoffice_says_who_a_customer_is_and_only_when_asked(tenant: Tenant) -> None:
    doubled = {"name_1": "Größl", "name_2": "Ümit", "mail": "uemit@groessl.example"}
    _, second = add(tenant, **doubled), add(tenant, **doubled)
    issued = await tenant.issued()
    links = await tenant.rows(LINKS)
    answer = await tenant.post(f"/invoices/{issued['id']}/retry", {"contact_bexio_id": second})
    assert (answer.status_code, answer.json()["code"]) == (409, "contact-not-asked-for")
    assert await tenant.rows(LINKS) == links
    document = await tenant.worked(customer=NEWCOMER)
    assert document["attention"]["code"] == "contact-ambiguous"
    links = await tenant.rows(LINKS)
    path = f"/invoices/{document['id']}/retry"
    refused = await tenant.post(path, {"contact_bexio_id": second}, role="pos")
    assert (refused.status_code, refused.json()["code"]) == (403, "role-forbidden")
    await tenant.shop.work()
    assert await tenant.rows(LINKS) == links
    assert (await tenant.post(path, {"contact_bexio_id": second})).status_code == 202
    await tenant.shop.work()
    assert tenant.invoice(await tenant.shown(document)).head["contact_id"] == second
