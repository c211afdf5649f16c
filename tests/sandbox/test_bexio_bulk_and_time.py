"""The simulated bexio where contacts come in numbers: lengths, numbers, bulk, paging that shifts, Swiss hours."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.bexio.faults import Mode, Rule
from tests.sandbox.bexio_shop import Body, Shop

PERSON: Body = {"contact_type_id": 2, "name_1": "Zgraggen", "name_2": "Änni", "user_id": 1, "owner_id": 1}


@pytest.fixture
def shop() -> Shop:
    return Shop()


def ids(rows: list[dict[str, Any]]) -> list[int]:
    return [row["id"] for row in rows]


@pytest.mark.parametrize("field", ["name_1", "name_2", "street_name", "city", "postcode", "phone_fixed"])
async def test_a_text_that_is_too_long_is_422_by_its_field(shop: Shop, field: str) -> None:
    fits = await shop.post("/2.0/contact", {**PERSON, field: "x" * 255})
    refused = await shop.post("/2.0/contact", {**PERSON, field: "x" * 256})
    assert (fits.status_code, refused.status_code) == (201, 422)
    assert refused.json()["errors"] == [f"{field}: is too long (255 characters max)."]
    assert (await shop.post("/2.0/contact", {**PERSON, "remarks": "x" * 5000})).status_code == 201


@pytest.mark.parametrize("mail", ["anna", "anna@", "@muster.ch", "anna@muster", "anna muster@x.ch"])
async def test_a_mail_that_is_none_is_422(shop: Shop, mail: str) -> None:
    refused = await shop.post("/2.0/contact", {**PERSON, "mail": mail})
    assert (refused.status_code, refused.json()["errors"]) == (422, ["mail: Invalid."])


async def test_a_number_is_free_again_when_its_contact_gets_another(shop: Shop) -> None:
    assert (await shop.post("/2.0/contact/2", {"nr": "777"})).json()["nr"] == "000777"
    assert (await shop.post("/2.0/contact/3", {"nr": 777})).status_code == 422
    assert (await shop.post("/2.0/contact/3", {"nr": "2"})).json()["nr"] == "000002"
    assert (await shop.post("/2.0/contact/3", {"nr": "2"})).status_code == 200
    assert (await shop.post("/2.0/contact/3", {"nr": None})).status_code == 422


async def test_an_archived_contact_keeps_its_number(shop: Shop) -> None:
    await shop.delete("/2.0/contact/2")
    assert (await shop.post("/2.0/contact", {**PERSON, "nr": "2"})).status_code == 422


async def test_a_bulk_create_is_all_or_none(shop: Shop) -> None:
    before = len(shop.company.contacts)
    wrong = [PERSON, {**PERSON, "country_id": 999}]
    twice = [{**PERSON, "nr": "801"}, {**PERSON, "nr": "801"}]
    for body in (wrong, twice, [PERSON] * 1001, {"contacts": [PERSON]}):
        assert (await shop.post("/2.0/contact/_bulk_create", body)).status_code == 422
    assert len(shop.company.contacts) == before
    made = await shop.post("/2.0/contact/_bulk_create", [{**PERSON, "name_2": name} for name in ("A", "B", "C")])
    assert [row["name_2"] for row in made.json()] == ["A", "B", "C"]
    assert made.json()[0]["salutation_id"] == 0


async def test_a_bulk_create_can_fail_after_half_of_it(shop: Shop) -> None:
    before = len(shop.company.contacts)
    shop.world.faults.add(Rule(Mode.PARTIAL_500, path="_bulk_create", times=1))
    answer = await shop.post("/2.0/contact/_bulk_create", [{**PERSON, "name_2": name} for name in "ABCD"])
    assert answer.status_code == 500
    assert [row["name_2"] for row in list(shop.company.contacts)[before:]] == ["A", "B"]


async def test_a_row_can_come_twice_over_a_page_border(shop: Shop) -> None:
    shop.world.faults.add(Rule(Mode.REPEATED_ROW, path="/contact$"))
    pages = [(await shop.get("/2.0/contact", order_by="id", limit=3, offset=offset)).json() for offset in (0, 3, 6)]
    assert [ids(page) for page in pages] == [[1, 2, 3], [3, 4, 5], [6, 7, 8]]


async def test_archiving_while_paging_moves_a_row_out_of_sight(shop: Shop) -> None:
    first = (await shop.get("/2.0/contact", order_by="id", limit=3)).json()
    await shop.delete("/2.0/contact/1")
    second = (await shop.get("/2.0/contact", order_by="id", limit=3, offset=3)).json()
    assert (ids(first), ids(second)) == ([1, 2, 3], [5, 6, 7])


async def test_the_repeated_hour_of_october_makes_a_later_change_look_earlier(shop: Shop) -> None:
    shop.time = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    first = (await shop.post("/2.0/contact/2", {"city": "Uster"})).json()["updated_at"]
    shop.time = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    second = (await shop.post("/2.0/contact/3", {"city": "Uster"})).json()["updated_at"]
    assert (first, second) == ("2026-10-25 02:50:00", "2026-10-25 02:10:00")
    criteria = [{"field": "updated_at", "value": first, "criteria": ">="}]
    assert 3 not in ids((await shop.post("/2.0/contact/search", criteria)).json())


async def test_an_archive_and_a_restore_count_as_changes(shop: Shop) -> None:
    shop.time = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    criteria = [{"field": "updated_at", "value": "2026-11-20 13:00:00", "criteria": ">="}]
    await shop.delete("/2.0/contact/9")
    assert ids((await shop.post("/2.0/contact/search", criteria)).json()) == []
    assert ids((await shop.post("/2.0/contact/search?show_archived=true", criteria)).json()) == [9]
    await shop.client.patch("/2.0/contact/9/restore")
    assert ids((await shop.post("/2.0/contact/search", criteria)).json()) == [9]


async def test_people_make_change_archive_and_restore_contacts_without_the_api(shop: Shop) -> None:
    made = (await shop.control("POST", "actions/create-contact", {"contact_type_id": 1, "name_1": "Neu AG"})).json()
    changed = await shop.control("POST", "actions/edit-contact", {"contact_id": made["id"], "city": "Zug"})
    assert (changed.json()["city"], changed.json()["user_id"]) == ("Zug", 1)
    await shop.control("POST", "actions/archive-contact", {"contact_id": made["id"]})
    assert made["id"] not in ids((await shop.get("/2.0/contact")).json())
    await shop.control("POST", "actions/archive-contact", {"contact_id": made["id"], "archived": False})
    assert made["id"] in ids((await shop.get("/2.0/contact")).json())
    assert len((await shop.control("GET", "contacts")).json()) == len(shop.company.contacts)
    assert (await shop.control("GET", "requests")).json()["writes_by_route"] == {}


async def test_writes_are_counted_by_route(shop: Shop) -> None:
    await shop.post("/2.0/contact", PERSON)
    await shop.post("/2.0/contact/2", {"city": "Zug"})
    await shop.post("/2.0/contact/3", {"city": "Zug"})
    await shop.post("/2.0/contact/search", [])
    counted = (await shop.control("GET", "requests")).json()["writes_by_route"]
    assert counted == {"POST /2.0/contact": 1, "POST /2.0/contact/{id}": 2}
