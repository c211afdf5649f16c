"""The simulated bexio's contacts: what a create needs, what it refuses, archiving."""

from typing import Any

import pytest

from tests.sandbox.bexio_shop import Shop

PERSON = {"contact_type_id": 2, "name_1": "Zgraggen", "name_2": "Änni", "user_id": 1, "owner_id": 1}


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_a_person_is_created_with_bexios_defaults(shop: Shop) -> None:
    response = await shop.post(
        "/2.0/contact", {**PERSON, "street_name": "Dorfstrasse", "house_number": "3a", "titel_id": 1}
    )
    created = response.json()
    assert response.status_code == 201
    assert (created["nr"], created["address"], created["title_id"]) == ("000067", "Dorfstrasse 3a", 1)
    assert (created["mail"], created["country_id"], created["salutation_id"]) == ("", None, None)
    assert created["updated_at"] == "2026-11-20 12:00:00"
    listed = (await shop.post("/2.0/contact/search", [{"field": "id", "value": "67", "criteria": "="}])).json()
    assert (listed[0]["salutation_id"], "profile_image" in listed[0]) == (0, False)


@pytest.mark.parametrize("missing", ["contact_type_id", "name_1", "user_id", "owner_id"])
async def test_a_contact_without_a_required_field_is_422(shop: Shop, missing: str) -> None:
    body = {name: value for name, value in PERSON.items() if name != missing}
    response = await shop.post("/2.0/contact", body)
    assert (response.status_code, response.json()["errors"]) == (422, [f"{missing}: Required."])
    assert len(shop.company.contacts) == 66


async def test_an_unknown_or_read_only_field_is_422_by_name(shop: Shop) -> None:
    response = await shop.post("/2.0/contact", {**PERSON, "is_lead": True, "iban": "CH"})
    assert response.status_code == 422
    assert response.json() == {
        "error_code": 422,
        "message": "The form could not be saved due to the following errors:",
        "errors": ["Widget schema does not include the following field(s): is_lead, iban"],
    }


async def test_the_deprecated_address_is_422_with_an_empty_list(shop: Shop) -> None:
    response = await shop.post("/2.0/contact", {**PERSON, "address": "Dorfstrasse 3"})
    assert (response.status_code, response.json()["errors"]) == (422, [])


@pytest.mark.parametrize(
    "more",
    [
        {"house_number": "3"},
        {"address_addition": "c/o"},
        {"salutation_id": 0},
        {"salutation_id": 99},
        {"country_id": 999},
        {"language_id": 99},
        {"user_id": 9},
        {"contact_group_ids": "1,99"},
        {"contact_type_id": 3},
        {"nr": "K-501"},
        {"nr": "1"},
        {"birthday": "1.2.1990"},
        {"mail": 5},
    ],
)
async def test_values_that_bexio_does_not_know_are_422(shop: Shop, more: dict[str, Any]) -> None:
    response = await shop.post("/2.0/contact", {**PERSON, **more})
    assert response.status_code == 422
    assert response.json()["errors"]


async def test_an_edit_changes_only_what_it_names(shop: Shop) -> None:
    before = (await shop.get("/2.0/contact/2")).json()
    response = await shop.post("/2.0/contact/2", {"mail": "neu@muster.ch", "contact_group_ids": "2, 3"})
    after = response.json()
    assert response.status_code == 200
    assert (after["mail"], after["contact_group_ids"], after["name_1"]) == ("neu@muster.ch", "2,3", before["name_1"])
    assert (await shop.post("/2.0/contact/2", {"name_1": ""})).status_code == 422


async def test_a_deleted_contact_is_archived_and_can_be_restored(shop: Shop) -> None:
    def ids(rows: list[dict[str, Any]]) -> list[int]:
        return [row["id"] for row in rows]

    by_id = [{"field": "id", "value": "2", "criteria": "="}]
    assert (await shop.delete("/2.0/contact/2")).json() == {"success": True}
    assert 2 not in ids((await shop.get("/2.0/contact")).json())
    assert (await shop.post("/2.0/contact/search", by_id)).json() == []
    assert ids((await shop.get("/2.0/contact", show_archived="true")).json()) == [2]
    assert ids((await shop.post("/2.0/contact/search?show_archived=true", by_id)).json()) == [2]
    await shop.client.patch("/2.0/contact/2/restore")
    assert 2 in ids((await shop.get("/2.0/contact")).json())


async def test_a_bulk_create_is_all_or_nothing(shop: Shop) -> None:
    bad = await shop.post("/2.0/contact/_bulk_create", [PERSON, {**PERSON, "name_1": None}])
    assert (bad.status_code, len(shop.company.contacts)) == (422, 66)
    good = await shop.post("/2.0/contact/_bulk_create", [PERSON, {**PERSON, "name_2": "Ueli"}])
    assert [row["nr"] for row in good.json()] == ["000067", "000068"]


async def test_groups_are_listed_searched_and_created(shop: Shop) -> None:
    created = await shop.post("/2.0/contact_group", {"name": "Stammgäste"})
    assert (created.status_code, created.json()) == (201, {"id": 6, "name": "Stammgäste"})
    found = await shop.post("/2.0/contact_group/search", [{"field": "name", "value": "Kunde", "criteria": "="}])
    assert found.json() == [{"id": 2, "name": "Kunde"}]
