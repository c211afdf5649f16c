"""The simulated Arcavis on the wire: credentials, licences, envelopes, leniency, faults, counts."""

from typing import Any

import pytest

from tests.sandbox.arcavis_shop import Shop, basic, ids


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic("webapi", "wrong"),
        basic("other", "webapi-demo"),
        {"Authorization": "Basic %%%"},
        {"Authorization": "Bearer x"},
    ],
)
async def test_wrong_credentials_answer_401_in_an_envelope(shop: Shop, headers: dict[str, str]) -> None:
    response = await shop.client.get("/demo/api/customers", headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Basic")
    assert response.json() == {"Result": None, "IsSuccessful": False, "Message": "Unauthorized"}


async def test_a_user_without_the_web_api_role_is_refused_with_401(shop: Shop) -> None:
    await shop.control("PATCH", "tenants/demo", {"has_web_api_role": False})
    response = await shop.send("GET", "customers")
    assert (response.status_code, response.json()["Message"]) == (401, "RoleMissing")


@pytest.mark.parametrize(
    ("modules", "closed", "open_"),
    [
        (["orders", "accounting_export"], ["customers", "orders"], []),
        (["web_api", "accounting_export"], ["orders"], ["customers", "bookingrules"]),
        (["web_api", "orders"], ["bookingrules"], ["customers", "orders"]),
    ],
)
async def test_a_module_that_is_not_licensed_answers_403(
    shop: Shop, modules: list[str], closed: list[str], open_: list[str]
) -> None:
    await shop.control("PATCH", "tenants/demo", {"modules": modules})
    assert [(await shop.send("GET", each)).status_code for each in closed] == [403] * len(closed)
    assert [(await shop.send("GET", each)).status_code for each in open_] == [200] * len(open_)


async def test_tenants_are_apart(shop: Shop) -> None:
    await shop.control("POST", "tenants", {"slug": "bern", "username": "bern", "password": "b", "seed": False})
    other = await shop.client.get("/bern/api/customers", headers=basic("bern", "b"))
    assert other.json()["Result"] == []
    assert (await shop.client.get("/bern/api/customers", headers=shop.headers)).status_code == 401
    assert (await shop.client.get("/nobody/api/customers", headers=shop.headers)).status_code == 404


async def test_an_unknown_id_answers_404_or_200_as_the_tenant_is_set(shop: Shop) -> None:
    refused = {"Result": None, "IsSuccessful": False, "Message": "NotFound"}
    for status in (404, 200):
        await shop.control("PATCH", "tenants/demo", {"missing_status": status})
        for path in ("customers/1", "articles/1", "transactions/1", "orders/1", "stores/x"):
            response = await shop.send("GET", path)
            assert (response.status_code, response.json()) == (status, refused)


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "customers", b"{", 400),
        ("POST", "customers", b"[]", 400),
        ("POST", "customers", b'{"Id": NaN}', 400),
        ("POST", "customers", b'{"AccountLimit": "much"}', 400),
        ("POST", "articles", b'{"ArticleNumber": "1", "Title": "x", "Price": 1e999}', 400),
        ("POST", "transactions", b'{"TransactionArticles": "none"}', 400),
        ("PUT", "transactions", b'{"TransactionArticles": [{"Price": "1", "TaxRate": -1}]}', 200),
        ("GET", "customers?page=0", b"", 400),
        ("GET", "customers?changedSinceTicks=soon", b"", 400),
        ("GET", "transactions?dateFrom=yesterday", b"", 400),
        ("DELETE", "customers", b"", 405),
        ("POST", "stores", b"{}", 405),
        ("GET", "nonsense", b"", 404),
    ],
)
async def test_what_no_leniency_can_read_is_refused_in_an_envelope(
    shop: Shop, method: str, path: str, content: bytes, status: int
) -> None:
    response = await shop.client.request(method, f"/demo/api/{path}", content=content, headers=shop.headers)
    assert response.status_code == status
    assert response.json()["IsSuccessful"] is False
    assert response.json()["Message"]


@pytest.mark.parametrize(
    ("sent", "is_company"),
    [("false", False), ("true", True), ("True", True), (1, True), ("", False), (None, False), (True, True)],
)
async def test_booleans_are_read_from_whatever_clients_send(shop: Shop, sent: object, *, is_company: bool) -> None:
    body: dict[str, Any] = {"CustomerNumber": "N-1", "IsCompany": sent, "AccountLimit": "", "Unknown": 1}
    saved = await shop.call("POST", "customers", body)
    customer = (await shop.get(f"customers/{saved['Result']}"))["Result"]
    assert (customer["IsCompany"], customer["AccountLimit"], customer["Firstname"]) == (is_company, 0, "")


async def test_a_number_that_belongs_to_another_customer_is_refused(shop: Shop) -> None:
    answer = await shop.call("PUT", "customers/501", {"CustomerNumber": "K-502"})
    assert (answer["IsSuccessful"], answer["Message"]) == (False, "CustomerNumberAlreadyUsed")


async def test_ids_beyond_53_bits_survive_as_integers(shop: Shop) -> None:
    response = await shop.send("GET", "customers")
    assert response.json()["DataAgeTicks"] > 2**53
    assert b'"DataAgeTicks": 639' in response.content


@pytest.mark.parametrize(
    ("kind", "status"), [("error", 500), ("unavailable", 503), ("unauthorized", 401), ("timeout", 504)]
)
async def test_a_fault_strikes_as_often_as_told_and_before_the_work(shop: Shop, kind: str, status: int) -> None:
    fault = {"kind": kind, "method": "POST", "path": "customers", "times": 2, "seconds": 40}
    await shop.control("POST", "faults", fault)
    seen = [(await shop.send("POST", "customers", {"CustomerNumber": "F-1"})).status_code for _ in range(2)]
    assert seen == [status, status]
    assert len(shop.tenant.customers) == 60
    assert (await shop.send("POST", "customers", {"CustomerNumber": "F-1"})).status_code == 200
    assert (await shop.control("GET", "faults"))[0]["struck"] == 2
    assert shop.waited == ([40.0, 40.0] if kind == "timeout" else [])


async def test_a_fault_after_the_write_leaves_the_write_done(shop: Shop) -> None:
    await shop.control("POST", "faults", {"kind": "timeout", "method": "POST", "after_write": True, "seconds": 31})
    response = await shop.send("POST", "customers", {"CustomerNumber": "F-2"})
    assert (response.status_code, shop.waited) == (504, [31.0])
    assert len(shop.tenant.customers) == 61


async def test_latency_delays_a_right_answer(shop: Shop) -> None:
    await shop.control("POST", "faults", {"kind": "latency", "seconds": 2.5})
    assert len((await shop.get("customers"))["Result"]) == 60
    assert shop.waited == [2.5]


async def test_a_half_page_is_no_json_and_html_is_no_envelope(shop: Shop) -> None:
    await shop.control("POST", "faults", {"kind": "half_page"})
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        (await shop.send("GET", "customers")).json()
    await shop.control("POST", "faults", {"kind": "html"})
    page = await shop.send("GET", "customers")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


async def test_a_row_can_repeat_over_a_page_border_and_a_cursor_can_be_forgotten(shop: Shop) -> None:
    await shop.control("POST", "faults", {"kind": "repeated_row"})
    assert ids(await shop.get("customers", page=2, pageSize=10))[:2] == [510, 511]
    ticks = (await shop.get("customers"))["DataAgeTicks"]
    await shop.control("POST", "faults", {"kind": "replay"})
    assert len((await shop.get("customers", changedSinceTicks=ticks))["Result"]) == 60
    assert (await shop.get("customers", changedSinceTicks=ticks))["Result"] == []


async def test_faults_keep_to_their_tenant_and_can_be_switched_off(shop: Shop) -> None:
    await shop.control("POST", "faults", {"kind": "error", "tenant": "bern", "times": None})
    assert (await shop.send("GET", "stores")).status_code == 200
    await shop.control("POST", "faults", {"kind": "error", "times": None})
    assert [(await shop.send("GET", "stores")).status_code for _ in range(3)] == [500] * 3
    await shop.control("DELETE", "faults")
    assert (await shop.send("GET", "stores")).status_code == 200
    refused = await shop.client.post("/_sandbox/faults", json={"kind": "earthquake"})
    assert refused.status_code == 400


async def test_requests_are_counted_by_route_and_status(shop: Shop) -> None:
    await shop.get("customers/501")
    await shop.get("customers/502")
    await shop.send("GET", "customers/1")
    counts = await shop.control("GET", "requests")
    assert counts["by_route"] == {"GET /api/customers/{id}": 3}
    assert (counts["total"], counts["by_status"]) == (3, {"200": 2, "404": 1})
    assert (await shop.control("DELETE", "requests"))["total"] == 0


async def test_tills_sell_over_the_control_api_and_go_on_with_their_numbers(shop: Shop) -> None:
    sold = await shop.control("POST", "tenants/demo/sales", {"count": 6, "seed": 4, "day": "2026-11-20"})
    assert [sale["body"]["number"] for sale in sold] == ["1/1", "2/1", "3/1", "1/2", "2/2", "3/2"]
    assert all(str(sale["transaction"]["Id"]) == sale["body"]["transaction_id"] for sale in sold)
    more = await shop.control("POST", "tenants/demo/sales", {"count": 3, "mixed": True, "lines": 2})
    assert [sale["body"]["number"] for sale in more] == ["1/3", "2/3", "3/3"]
    assert all(len(sale["body"]["payments"]) > 1 and len(sale["body"]["lines"]) == 2 for sale in more)
    assert len((await shop.get("transactions"))["Result"]) == 9
