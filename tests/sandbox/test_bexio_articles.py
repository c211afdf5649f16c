"""The simulated bexio's articles: read only, stock behind its module and scope, changed by people in its screens."""

import pytest

from tests.sandbox.bexio_shop import Body, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def listed(shop: Shop, token: str | None = None) -> list[Body]:
    client = shop.client if token is None else shop.client_for(token)
    return (await client.get("/2.0/article", params={"order_by": "id"})).json()


async def test_articles_have_no_date_of_change_and_their_stock_as_numbers(shop: Shop) -> None:
    first = (await listed(shop))[0]
    assert "updated_at" not in first
    assert (first["intern_code"], first["sale_price"], first["is_stock"]) == ("100101", "8.90", True)
    assert (first["stock_nr"], first["stock_available_nr"], first["stock_reserved_nr"]) == (46, 46, 0)


async def test_only_name_and_code_of_an_article_can_be_searched(shop: Shop) -> None:
    found = await shop.post("/2.0/article/search", [{"field": "intern_code", "value": "100101", "criteria": "="}])
    assert [row["intern_name"] for row in found.json()] == ["Bündner Bergkäse 250 g"]
    refused = await shop.post("/2.0/article/search", [{"field": "unit_id", "value": "1"}])
    assert refused.status_code == 422


async def test_stock_needs_its_scope(shop: Shop) -> None:
    shop.world.add_token(shop.company.id, "no-stock", scopes=frozenset({"article_show"}))
    assert (await shop.get("/2.0/stock")).json() == [{"id": 1, "name": "Hauptlager"}]
    assert (await shop.client_for("no-stock").get("/2.0/stock")).status_code == 403
    assert (await shop.client_for("no-stock").get("/2.0/stock_place")).status_code == 403
    hidden = (await listed(shop, "no-stock"))[0]
    assert (hidden["is_stock"], hidden["stock_nr"], hidden["stock_available_nr"]) == (False, 0, 0)
    await shop.control("POST", "rules", {"stock_needs_scope": False})
    assert (await listed(shop, "no-stock"))[0]["stock_nr"] == 46


async def test_stock_needs_its_module(shop: Shop) -> None:
    assert (await shop.get("/2.0/stock_place")).json() == [{"id": 1, "name": "Regal 1", "stock_id": 1}]
    shop.company.rules.has_stock_module = False
    assert (await shop.get("/2.0/stock")).status_code == 403
    assert (await listed(shop))[0]["stock_nr"] == 0


async def test_people_make_change_and_delete_articles_in_bexios_screens(shop: Shop) -> None:
    made = (await shop.control("POST", "actions/create-article", {"intern_code": "N1", "intern_name": "Neu"})).json()
    body = {"article_id": made["id"], "sale_price": "12.50", "stock_nr": 3}
    assert (await shop.control("POST", "actions/edit-article", body)).json()["sale_price"] == "12.50"
    assert (await shop.get(f"/2.0/article/{made['id']}")).json()["stock_nr"] == 3
    unknown = await shop.control("POST", "actions/edit-article", {"article_id": made["id"], "ean": "7"})
    assert unknown.status_code == 400
    await shop.control("POST", "actions/delete-article", {"article_id": made["id"]})
    assert (await shop.get(f"/2.0/article/{made['id']}")).status_code == 404
    assert len((await shop.control("GET", "articles")).json()) == 42


async def test_a_row_before_a_page_that_is_deleted_moves_the_page(shop: Shop) -> None:
    await shop.control("POST", "actions/delete-article", {"article_id": 1})
    second = (await shop.get("/2.0/article", order_by="id", limit=3, offset=3)).json()
    assert [row["id"] for row in second] == [5, 6, 7]
