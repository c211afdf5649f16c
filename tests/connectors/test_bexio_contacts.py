from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from app.connectors.bexio.contacts import ContactCreate, ContactEdit, ContactType
from app.connectors.bexio.criteria import Criterion, equal
from app.core.errors import OutcomeUnknown, RemoteNotFound
from tests.connectors.remote import API, Wire

CONTACT = {
    "id": 35,
    "nr": "000032",
    "contact_type_id": 2,
    "name_1": "Müller",
    "name_2": "Zoë",
    "salutation_id": 0,
    "address": "Hauptstrasse 1",
    "street_name": "Hauptstrasse",
    "house_number": "1",
    "address_addition": None,
    "postcode": 8004,
    "city": "Zürich",
    "country_id": 1,
    "mail": "",
    "language_id": None,
    "contact_group_ids": "1, 2",
    "user_id": 1,
    "owner_id": 1,
    "updated_at": "2026-06-18 15:57:37",
    "is_lead": False,
}
NEW = ContactCreate(
    contact_type_id=ContactType.PERSON,
    name_1="Müller",
    name_2="Zoë",
    user_id=1,
    owner_id=1,
    salutation_id=0,
    street_name="Hauptstrasse",
    house_number="1",
    postcode="8004",
    city="Zürich",
    country_id=1,
    contact_group_ids=(1, 2),
)
NEW_BODY = {
    "contact_type_id": 2,
    "name_1": "Müller",
    "name_2": "Zoë",
    "user_id": 1,
    "owner_id": 1,
    "salutation_id": None,
    "street_name": "Hauptstrasse",
    "house_number": "1",
    "postcode": "8004",
    "city": "Zürich",
    "country_id": 1,
    "contact_group_ids": "1,2",
}


async def test_a_contact_is_created_with_what_was_given_and_nothing_else() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact").respond(201, json=CONTACT)
    made = await wire.bexio.contacts.create(NEW)
    assert wire.last_body() == NEW_BODY
    assert (made.id, made.postcode, made.contact_group_ids, made.salutation_id) == (35, "8004", (1, 2), None)
    assert made.updated_at == datetime(2026, 6, 18, 13, 57, 37, tzinfo=UTC)


async def test_an_edit_is_a_post_of_the_changed_fields_only() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact/35").respond(200, json=CONTACT)
    await wire.bexio.contacts.edit(35, ContactEdit(mail="zoe@example.ch", phone_mobile=None))
    assert wire.last_body() == {"mail": "zoe@example.ch", "phone_mobile": None}


async def test_what_bexio_only_shows_cannot_be_written() -> None:
    with pytest.raises(ValidationError):
        ContactEdit.model_validate({"address": "Hauptstrasse 1"})
    with pytest.raises(ValidationError):
        ContactEdit.model_validate({"id": 35, "updated_at": "2026-06-18 15:57:37"})


async def test_a_house_number_needs_its_street() -> None:
    with pytest.raises(ValidationError, match="street_name"):
        ContactEdit(house_number="1")


async def test_a_search_says_its_operator_and_is_exact() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact/search").respond(200, json=[CONTACT])
    found = await wire.bexio.contacts.search(
        equal("mail", "a@b.ch"), Criterion("contact_type_id", "in", (1, 2)), show_archived=True
    )
    assert [contact.id for contact in found] == [35]
    assert wire.last_body() == [
        {"field": "mail", "value": "a@b.ch", "criteria": "="},
        {"field": "contact_type_id", "value": [1, 2], "criteria": "in"},
    ]
    assert wire.sent() == ["POST /2.0/contact/search?show_archived=true&order_by=id&limit=2000&offset=0"]


async def test_changed_contacts_are_searched_by_swiss_time() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact/search").respond(200, json=[])
    assert [page async for page in wire.bexio.contacts.pages(updated_since="2026-06-18 15:50:00")] == []
    assert wire.last_body() == [{"field": "updated_at", "value": "2026-06-18 15:50:00", "criteria": ">="}]


async def test_a_contact_that_is_not_there_is_not_found() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/contact/99").respond(404, json={"error_code": 404, "message": "not found"})
    with pytest.raises(RemoteNotFound):
        await wire.bexio.contacts.get(99)


async def test_contacts_made_in_bulk_come_back_in_order() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact/_bulk_create").respond(200, json=[CONTACT, {**CONTACT, "id": 36}])
    made = await wire.bexio.contacts.bulk_create([NEW, NEW])
    assert [contact.id for contact in made] == [35, 36]
    assert wire.last_body() == [NEW_BODY, NEW_BODY]


async def test_fewer_contacts_than_were_sent_in_bulk_leave_open_what_happened() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact/_bulk_create").respond(200, json=[CONTACT])
    with pytest.raises(OutcomeUnknown):
        await wire.bexio.contacts.bulk_create([NEW, NEW])


async def test_groups_are_searched_by_name_and_created() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/contact_group/search").respond(200, json=[])
    wire.post(f"{API}/2.0/contact_group").respond(201, json={"id": 7, "name": "Kunden"})
    wire.get(f"{API}/2.0/contact_group").respond(200, json=[{"id": 7, "name": "Kunden"}])
    groups = wire.bexio.contact_groups
    assert await groups.search(equal("name", "Kunden")) == ()
    assert (await groups.create("Kunden")).id == 7
    assert wire.last_body() == {"name": "Kunden"}
    assert [group.name for group in await groups.list()] == ["Kunden"]


async def test_neither_contacts_nor_bodies_show_personal_data() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/contact/35").respond(200, json=CONTACT)
    contact = await wire.bexio.contacts.get(35)
    for text in (repr(contact), str(contact), repr(NEW), str(NEW)):
        assert "Müller" not in text
    with pytest.raises(ValidationError) as refused:
        ContactCreate.model_validate({**NEW_BODY, "house_number": {"Müller": 1}})
    assert "Müller" not in str(refused.value)
