"""The simulated bexio on the wire: tokens, scopes, limits, paths, lists and search."""

from datetime import timedelta

import pytest

from sandbox.bexio.limits import Bucket
from sandbox.bexio.seed import seed_fresh
from tests.sandbox.bexio_shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer wrong", "Basic pat-shop"])
async def test_a_missing_or_wrong_token_is_401(shop: Shop, value: str) -> None:
    response = await shop.client.get("/2.0/contact", headers={"Authorization": value})
    assert (response.status_code, response.json()["error_code"]) == (401, 401)


async def test_a_token_is_401_from_the_moment_it_expires(shop: Shop) -> None:
    shop.world.add_token(shop.company.id, "short", expires_at=shop.time + timedelta(hours=1))
    client = shop.client_for("short")
    assert (await client.get("/3.0/users/me")).status_code == 200
    shop.time += timedelta(hours=1)
    assert (await client.get("/3.0/users/me")).status_code == 401


async def test_a_revoked_token_is_401(shop: Shop) -> None:
    shop.world.revoke_token("pat-shop")
    assert (await shop.get("/3.0/users/me")).status_code == 401


async def test_a_missing_scope_is_403_and_edit_includes_show(shop: Shop) -> None:
    shop.world.add_token(shop.company.id, "narrow", scopes=frozenset({"contact_edit", "kb_invoice_show"}))
    client = shop.client_for("narrow")
    answers = {
        path: (await client.get(path)).status_code
        for path in ("/2.0/contact", "/2.0/kb_invoice", "/2.0/kb_order", "/3.0/banking/accounts", "/2.0/unit")
    }
    assert list(answers.values()) == [200, 200, 403, 403, 200]
    assert (await client.post("/2.0/kb_invoice", json=shop.sale())).status_code == 403
    assert not shop.company.invoices.rows


async def test_companies_are_apart(shop: Shop) -> None:
    other = seed_fresh(shop.world, "other")
    shop.world.add_token(other.id, "pat-other")
    client = shop.client_for("pat-other")
    await shop.draft()
    assert (await client.get("/2.0/kb_invoice/1")).status_code == 404
    assert [row["name_1"] for row in (await client.get("/2.0/contact")).json()] == ["bexio AG"]


@pytest.mark.parametrize("path", ["/2.0/nothing", "/2.0/contact/abc", "/2.0/kb_invoice/99", "/3.0/taxes/999"])
async def test_an_unknown_path_or_id_is_404(shop: Shop, path: str) -> None:
    response = await shop.get(path)
    assert (response.status_code, response.json()["error_code"]) == (404, 404)


async def test_put_on_a_document_is_422_without_detail(shop: Shop) -> None:
    await shop.draft()
    response = await shop.client.put("/2.0/kb_invoice/1", json={"title": "x"})
    assert (response.status_code, response.json()["errors"]) == (422, [])


async def test_a_body_that_is_no_json_is_400(shop: Shop) -> None:
    response = await shop.client.post("/2.0/kb_invoice", content=b"{", headers={"Content-Type": "application/json"})
    assert response.status_code == 400


async def test_buckets_count_separately_and_are_told_in_headers(shop: Shop) -> None:
    shop.world.limits.enabled = True
    general = await shop.get("/2.0/contact")
    search = await shop.post("/2.0/contact/search", [])
    article = await shop.get("/2.0/article")
    limits = [(r.headers["RateLimit-Limit"], r.headers["RateLimit-Remaining"]) for r in (general, search, article)]
    assert limits == [("1000", "999"), ("250", "249"), ("400", "399")]
    assert general.headers["X-RateLimit-Limit-Minute"] == "1000"


async def test_over_the_limit_is_429_until_the_window_ends(shop: Shop) -> None:
    limits = shop.world.limits
    limits.enabled, limits.window_seconds, limits.numbers[Bucket.GENERAL] = True, 10.0, 2
    statuses = [(await shop.post("/2.0/contact_group", {"name": "x"})).status_code for _ in range(3)]
    refused = await shop.get("/2.0/contact")
    assert statuses == [201, 201, 429]
    assert (refused.headers["RateLimit-Remaining"], refused.headers["RateLimit-Reset"]) == ("0", "10")
    assert (await shop.get("/2.0/article")).status_code == 200
    shop.time += timedelta(seconds=int(refused.headers["RateLimit-Reset"]))
    assert (await shop.get("/2.0/contact")).status_code == 200


async def test_one_company_does_not_use_up_another_ones_limit(shop: Shop) -> None:
    shop.world.limits.enabled, shop.world.limits.numbers[Bucket.GENERAL] = True, 1
    seed_fresh(shop.world, "other")
    shop.world.add_token("other", "pat-other")
    assert (await shop.get("/2.0/contact")).status_code == 200
    assert (await shop.get("/2.0/contact")).status_code == 429
    assert (await shop.client_for("pat-other").get("/2.0/contact")).status_code == 200


async def test_lists_page_by_limit_and_offset_and_cap_the_limit(shop: Shop) -> None:
    for number in range(2100):
        await shop.post("/2.0/contact_group", {"name": f"Gruppe {number}"})
    assert len((await shop.get("/2.0/contact_group")).json()) == 500
    assert len((await shop.get("/2.0/contact_group", limit=9000)).json()) == 2000
    page = (await shop.get("/2.0/contact_group", limit=2, offset=3)).json()
    assert [row["id"] for row in page] == [4, 5]


async def test_order_by_takes_several_names_and_unknown_parameters_are_ignored(shop: Shop) -> None:
    rows = (await shop.get("/2.0/contact", order_by="city_desc,id_asc", nonsense="1")).json()
    keys = [(row["city"], -row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)


async def test_count_headers_are_on_some_3_0_lists_only(shop: Shop) -> None:
    users = await shop.get("/3.0/users")
    assert [users.headers[name] for name in ("X-Total-Count", "X-Limit", "X-Offset")] == ["1", "500", "0"]
    for path in ("/3.0/taxes", "/2.0/contact"):
        assert "X-Total-Count" not in (await shop.get(path)).headers


async def test_like_is_the_default_criteria_and_finds_substrings(shop: Shop) -> None:
    await shop.draft(api_reference="sale:1")
    await shop.draft(api_reference="sale:12")
    by_default = await shop.post("/2.0/kb_invoice/search", [{"field": "api_reference", "value": "sale:1"}])
    exact = await shop.post("/2.0/kb_invoice/search", [{"field": "api_reference", "value": "sale:1", "criteria": "="}])
    assert [row["id"] for row in by_default.json()] == [1, 2]
    assert [row["id"] for row in exact.json()] == [1]


@pytest.mark.parametrize(
    ("criteria", "value", "found"),
    [
        ("=", "2", [2]),
        ("not_equal", "2", [1, 3]),
        (">", "1", [2, 3]),
        ("greater_equal", "2", [2, 3]),
        ("<", "2", [1]),
        ("less_equal", "2", [1, 2]),
        ("in", [1, 3], [1, 3]),
        ("not_in", "1,3", [2]),
        ("not_null", "", [1, 2, 3]),
        ("is_null", "", []),
        ("not_like", "2", [1, 3]),
    ],
)
async def test_every_criteria_does_what_its_name_says(
    shop: Shop, criteria: str, value: object, found: list[int]
) -> None:
    for _ in range(3):
        await shop.draft()
    body = [{"field": "id", "value": value, "criteria": criteria}]
    assert [row["id"] for row in (await shop.post("/2.0/kb_invoice/search", body)).json()] == found


async def test_criteria_are_combined_by_and(shop: Shop) -> None:
    body = [
        {"field": "name_1", "value": "Müller", "criteria": "="},
        {"field": "name_2", "value": "Lea", "criteria": "="},
    ]
    rows = (await shop.post("/2.0/contact/search", body)).json()
    assert [(row["name_2"], row["name_1"]) for row in rows] == [("Lea", "Müller")]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/2.0/kb_order/search", [{"field": "api_reference", "value": "x", "criteria": "="}]),
        ("/2.0/article/search", [{"field": "sale_price", "value": "1", "criteria": "="}]),
        ("/2.0/contact/search", [{"field": "mail", "value": "x", "criteria": "is"}]),
        ("/2.0/contact/search", [{"field": "mail", "value": "x" * 256}]),
        ("/2.0/contact/search", {"field": "mail", "value": "x"}),
    ],
)
async def test_what_cannot_be_searched_is_422(shop: Shop, path: str, body: object) -> None:
    assert (await shop.post(path, body)).status_code == 422


async def test_changes_are_found_by_swiss_local_time(shop: Shop) -> None:
    first = await shop.draft()
    assert first["updated_at"] == "2026-11-20 12:00:00"
    shop.time += timedelta(minutes=5)
    await shop.draft()
    body = [{"field": "updated_at", "value": "2026-11-20 12:05:00", "criteria": ">="}]
    assert [row["id"] for row in (await shop.post("/2.0/kb_invoice/search", body)).json()] == [2]


async def test_list_and_search_rows_carry_no_positions(shop: Shop) -> None:
    await shop.draft()
    await shop.post("/2.0/kb_order", shop.sale())
    for path in ("/2.0/kb_invoice", "/2.0/kb_order"):
        for rows in (await shop.get(path), await shop.post(f"{path}/search", [])):
            assert len(rows.json()) == 1
            assert "positions" not in rows.json()[0]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"types": "sales_tax", "scope": "active"}, ["U00", "UN81", "UR26", "US38"]),
        ({"types": "sales_tax", "scope": "active", "date": "2023-06-30"}, ["U00"]),
        ({"types": "sales_tax", "scope": "active", "date": "2023-07-01"}, ["U00", "UN81", "UR26", "US38"]),
        ({"types": "sales_tax", "scope": "inactive"}, []),
    ],
)
async def test_taxes_are_filtered_by_scope_type_and_date(shop: Shop, query: dict[str, str], codes: list[str]) -> None:
    assert [tax["code"] for tax in (await shop.get("/3.0/taxes", **query)).json()] == codes


async def test_a_tax_can_not_be_deleted(shop: Shop) -> None:
    response = await shop.delete("/3.0/taxes/14")
    assert (response.status_code, response.json()) == (409, {"error_code": 409, "message": "tax can not be deleted"})
