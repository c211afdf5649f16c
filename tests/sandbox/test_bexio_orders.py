"""The simulated bexio's orders, and the invoices made from them."""

import pytest

from tests.sandbox.bexio_shop import Body, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def ordered(shop: Shop) -> Body:
    body = shop.sale(shop.line("3", "10.80"), {"type": "KbPositionText", "text": "Danke"}, api_reference="o1")
    response = await shop.post("/2.0/kb_order", body)
    assert response.status_code == 201, response.text
    return response.json()


async def test_an_order_is_created_pending_with_its_own_numbers(shop: Shop) -> None:
    order = await ordered(shop)
    assert (order["document_nr"], order["kb_item_status_id"], order["total"]) == ("AU-00001", 5, "32.4")
    assert order["delivery_address"] == order["contact_address"]
    assert "is_valid_to" not in order
    assert (await shop.get(f"/2.0/kb_order/{order['id']}")).json()["total"] == "32.400000"


async def test_the_whole_order_becomes_a_draft_invoice(shop: Shop) -> None:
    order = await ordered(shop)
    invoice = await shop.post(f"/2.0/kb_order/{order['id']}/invoice")
    assert (invoice.status_code, invoice.json()["kb_item_status_id"], invoice.json()["total"]) == (201, 7, "32.4")
    assert [line["type"] for line in invoice.json()["positions"]] == ["KbPositionCustom", "KbPositionText"]
    assert (await shop.get(f"/2.0/kb_order/{order['id']}")).json()["kb_item_status_id"] == 6
    assert (await shop.post(f"/2.0/kb_order/{order['id']}/invoice")).status_code == 422


async def test_a_part_of_an_order_leaves_the_rest(shop: Shop) -> None:
    order = await ordered(shop)
    line = {"id": order["positions"][0]["id"], "type": "KbPositionCustom", "amount": 1}
    first = await shop.post(f"/2.0/kb_order/{order['id']}/invoice", {"positions": [line]})
    assert first.json()["total"] == "10.8"
    assert (await shop.get(f"/2.0/kb_order/{order['id']}")).json()["kb_item_status_id"] == 15
    too_much = await shop.post(f"/2.0/kb_order/{order['id']}/invoice", {"positions": [{**line, "amount": 3}]})
    assert too_much.status_code == 422
    rest = await shop.post(f"/2.0/kb_order/{order['id']}/invoice")
    assert rest.json()["total"] == "21.6"


@pytest.mark.parametrize("field", ["is_valid_to", "show_position_nr", "is_recurring"])
async def test_fields_that_orders_do_not_have_are_422(shop: Shop, field: str) -> None:
    assert (await shop.post("/2.0/kb_order", shop.sale(**{field: None}))).status_code == 422


async def test_a_deleted_order_is_gone(shop: Shop) -> None:
    order = await ordered(shop)
    assert (await shop.delete(f"/2.0/kb_order/{order['id']}")).json() == {"success": True}
    assert (await shop.get(f"/2.0/kb_order/{order['id']}")).status_code == 404
