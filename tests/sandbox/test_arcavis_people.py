"""The simulated Arcavis as people in its backoffice use it, and what the API refuses of contacts and articles."""

import pytest

from sandbox.arcavis.seed import seed_shop
from tests.sandbox.arcavis_shop import Shop, ids


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize(("resource", "number"), [("customers", "CustomerNumber"), ("suppliers", "SupplierNumber")])
async def test_people_make_change_and_delete_contacts(shop: Shop, resource: str, number: str) -> None:
    path = f"tenants/demo/records/{resource}"
    ticks = (await shop.get(resource))["DataAgeTicks"]
    made = await shop.control("POST", path, {number: "X-1", "Name": "Zgraggen"})
    changed = await shop.control("POST", path, {"Id": made["Id"], "City": "Zug"})
    assert (changed["Name"], changed["City"], changed[number]) == ("Zgraggen", "Zug", "X-1")
    assert ids(await shop.get(resource, changedSinceTicks=ticks)) == [made["Id"]]
    await shop.control("DELETE", f"{path}/{made['Id']}")
    assert (await shop.get(resource, changedSinceTicks=ticks))["DeletedIds"] == [made["Id"]]
    assert made["Id"] not in [row["Id"] for row in await shop.control("GET", path)]


async def test_people_make_change_and_delete_articles_and_their_stock(shop: Shop) -> None:
    path = "tenants/demo/records/articles"
    made = await shop.control("POST", path, {"ArticleNumber": "N1", "Title": "Neu", "Price": 5, "TaxRate": 0.081})
    await shop.control(
        "POST", "tenants/demo/records/articlestocks", {"ArticleId": made["Id"], "StoreId": 1, "Stock": 7}
    )
    assert (await shop.get(f"articlestocks/{made['Id']}"))["Result"] == [
        {"ArticleId": made["Id"], "StoreId": 1, "Stock": 7}
    ]
    ticks = (await shop.get("articles"))["DataAgeTicks"]
    await shop.control("DELETE", f"{path}/{made['Id']}")
    assert (await shop.get("articles", changedSinceTicks=ticks))["DeletedIds"] == [made["Id"]]
    again = await shop.call("POST", "articles", {"ArticleNumber": "N1"})
    assert again["Result"] == made["Id"]
    assert made["Id"] in ids(await shop.get("articles"))


@pytest.mark.parametrize("resource", ["transactions", "units"])
async def test_other_records_are_not_changed_by_people(shop: Shop, resource: str) -> None:
    for method, path in [("GET", resource), ("POST", resource), ("DELETE", f"{resource}/1")]:
        response = await shop.client.request(method, f"/_sandbox/tenants/demo/records/{path}", json={})
        assert response.status_code == 404


async def test_writes_are_counted_by_tenant_and_route_and_peoples_are_not(shop: Shop) -> None:
    seed_shop(shop.world, "other")
    await shop.control("POST", "tenants/demo/records/customers", {"Id": 501, "City": "Zug"})
    await shop.call("POST", "customers", {"CustomerNumber": "X-1"})
    await shop.call("PUT", "customers/501", {"City": "Chur"})
    await shop.get("customers")
    assert shop.world.requests.writes("demo") == {"POST /api/customers": 1, "PUT /api/customers/{id}": 1}
    assert (await shop.control("GET", "requests"))["writes_by_tenant"] == {"demo": shop.world.requests.writes("demo")}
    assert shop.world.requests.writes("other") == {}


@pytest.mark.parametrize(
    ("resource", "body", "message"),
    [
        ("customers", {"Name": "x" * 256}, "NameTooLong"),
        ("suppliers", {"SupplierNumber": "x" * 256}, "SupplierNumberTooLong"),
        ("articles", {"ArticleNumber": "x" * 51, "Title": "x", "TaxRate": 0.081}, "ArticleNumberTooLong"),
        ("articles", {"ArticleNumber": "x", "Title": "x" * 256, "TaxRate": 0.081}, "TitleTooLong"),
    ],
)
async def test_what_is_too_long_is_refused_by_its_field(
    shop: Shop, resource: str, body: dict[str, object], message: str
) -> None:
    answer = await shop.call("POST", resource, body)
    assert (answer["IsSuccessful"], answer["Message"]) == (False, message)


async def test_a_shop_can_start_without_articles_and_contacts(shop: Shop) -> None:
    empty = seed_shop(shop.world, "empty", has_articles=False, has_contacts=False)
    assert (len(empty.articles), len(empty.customers), len(empty.suppliers)) == (0, 0, 0)
    assert len(empty.helpers["taxes"]) == 5
