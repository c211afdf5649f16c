"""What a till may send, and what it is told at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from sandbox.bexio.faults import Mode
from tests.fixtures.shop import CASH, INVOICE_TYPE, MUSTER, Body, Shop, Tenant, line_of

CHANGES = "select (select count(*) from document) + (select count(*) from operation) + (select count(*) from attention)"


async def written(tenant: Tenant) -> int:
    """How many rows the tenant has that a sale could have made."""
    queued = await tenant.rows("select count(*) from pgqueuer")
    return (await tenant.rows(CHANGES))[0][0] + queued[0][0]


async def test_a_sale_is_taken_in_without_asking_bexio(shop: Shop, tenant: Tenant) -> None:
    sale = tenant.sale()
    response = await tenant.post("/invoices", sale, role="pos")
    assert response.status_code == 202
    document = response.json()
    assert response.headers["Location"] == f"/invoices/{document['id']}"
    assert document["status"] == "accepted"
    assert document["bexio"] is None
    assert document["total"] == "13.60"
    assert shop.world.requests.total == 0
    assert await written(tenant) == 3
    assert (await tenant.shown(document))["status"] == "accepted"


async def test_a_sale_is_taken_in_while_bexio_is_down(shop: Shop, tenant: Tenant) -> None:
    tenant.company.outage = "refused"
    assert (await tenant.post("/invoices", tenant.sale())).status_code == 202


async def waited_for(tenant: Tenant) -> httpx.Response:
    """The answer to a sale whose till waits while the work is done."""
    async with asyncio.TaskGroup() as group:
        wait = {"Prefer": "wait=10"}
        sending = group.create_task(tenant.post("/invoices", tenant.sale(), headers=wait))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if await tenant.rows("select 1 from document"):
                break
        await tenant.shop.work()
    return sending.result()


async def test_whoever_waits_sees_it_issued(tenant: Tenant) -> None:
    response = await waited_for(tenant)
    assert response.status_code == 201
    assert response.headers["Preference-Applied"] == "wait=10"
    assert response.json()["status"] == "issued"


async def test_whoever_waits_sees_that_it_needs_attention(tenant: Tenant) -> None:
    await tenant.set(invoice_account_no=None)
    response = await waited_for(tenant)
    assert response.status_code == 202
    assert response.json()["attention"]["code"] == "settings-incomplete"


async def test_a_wait_that_is_over_answers_202(tenant: Tenant) -> None:
    response = await tenant.post("/invoices", tenant.sale(), headers={"Prefer": "wait=1"})
    assert response.status_code == 202
    assert response.json()["status"] == "accepted"


@pytest.mark.parametrize("prefer", [None, "wait=5"])
@pytest.mark.parametrize("worked", [False, True])
async def test_the_same_sale_again_is_the_same_document(tenant: Tenant, *, worked: bool, prefer: str | None) -> None:
    sale = tenant.sale()
    first = (await tenant.post("/invoices", sale)).json()
    if worked:
        await tenant.shop.work()
    before = await written(tenant)
    headers = {"Prefer": prefer} if prefer and worked else {}
    again = await tenant.post("/invoices", {**sale, "remarks": None}, headers=headers)
    assert again.status_code == 200, again.text
    assert again.json()["id"] == first["id"]
    assert again.json()["status"] == ("issued" if worked else "accepted")
    assert again.headers["Location"] == f"/invoices/{first['id']}"
    assert await written(tenant) == before


async def test_fifty_posts_of_one_sale_make_one_document(tenant: Tenant) -> None:
    sale = tenant.sale()
    answers = await asyncio.gather(*(tenant.post("/invoices", sale, role="pos") for _ in range(50)))
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [202]
    assert len({answer.json()["id"] for answer in answers}) == 1
    await tenant.shop.work()
    assert len(list(tenant.company.invoices)) == 1


@pytest.mark.parametrize(
    "change",
    [{"remarks": "anders"}, {"date": "2026-11-19"}, {"store": "Bern"}, {"customer": {**MUSTER, "arcavis_id": "502"}}],
)
async def test_the_same_transaction_with_other_content_is_refused(tenant: Tenant, change: Body) -> None:
    sale = tenant.sale()
    document = (await tenant.post("/invoices", sale)).json()
    before = await written(tenant)
    response = await tenant.post("/invoices", {**sale, **change})
    assert response.status_code == 409
    problem = response.json()
    assert problem["code"] == "sale-already-recorded"
    assert document["id"] in problem["remedy"]
    assert await written(tenant) == before


async def test_a_sale_and_an_order_may_have_the_same_id(tenant: Tenant) -> None:
    sale = tenant.sale()
    await tenant.post("/invoices", sale)
    assert (await tenant.post("/orders", sale)).status_code == 202


def paid(amount: str) -> list[Body]:
    return [{"payment_type_id": INVOICE_TYPE, "amount": amount}]


REFUSED: dict[str, tuple[Body, str, str]] = {
    "no customer": ({"customer": None}, "customer-missing", "/customer"),
    "a company without name": ({"customer": {**MUSTER, "company_name": " "}}, "customer-name-missing", "company_name"),
    "a person without name": (
        {"customer": {"arcavis_id": "1", "is_company": False}},
        "customer-name-missing",
        "/customer/last_name",
    ),
    "nothing to pay": (
        {"lines": [line_of("0.00", unit_price="0", position=1)], "total": "0.00", "payments": paid("0.00")},
        "amount-not-positive",
        "/total",
    ),
    "a return": (
        {"lines": [line_of("-5.00", quantity="-1", unit_price="5", position=1)], "total": "-5.00"},
        "amount-not-positive",
        "/total",
    ),
    "an unknown rate": ({"lines": [line_of(tax_rate="9.9", position=1)]}, "tax-rate-unknown", "/lines/0/tax_rate"),
    "last years' rate": ({"lines": [line_of(tax_rate="7.7", position=1)]}, "tax-rate-unknown", "/lines/0/tax_rate"),
    "a foreign currency": ({"currency": "EUR"}, "currency-not-supported", "/currency"),
    "long ago": ({"date": "2025-10-01"}, "sale-date-out-of-range", "/date"),
    "far ahead": ({"date": "2026-11-23"}, "sale-date-out-of-range", "/date"),
    "wrong lines": ({"total": "13.65", "payments": paid("13.65")}, "lines-differ-from-total", "/total"),
    "wrong payments": ({"payments": paid("13.55")}, "payments-differ-from-total", "/payments"),
    "not on invoice": (
        {"payments": [{"payment_type_id": CASH, "amount": "13.60"}]},
        "not-paid-on-invoice",
        "/payments",
    ),
    "change given": (
        {"payments": [*paid("20.00"), {"payment_type_id": CASH, "amount": "-6.40"}]},
        "payment-not-positive",
        "/payments/1/amount",
    ),
    "no pieces": ({"lines": [line_of(quantity="0", position=1)]}, "quantity-out-of-range", "/lines/0/quantity"),
    "absurdly many": (
        {"lines": [line_of(quantity="1000001", position=1)]},
        "quantity-out-of-range",
        "/lines/0/quantity",
    ),
    "a sign that differs": (
        {"lines": [line_of(quantity="-1", position=1)]},
        "line-sign-differs",
        "/lines/0/amount",
    ),
    "a position twice": (
        {
            "lines": [line_of("5.00", position=1), line_of("6.00", position=1)],
            "total": "11.00",
            "payments": paid("11.00"),
        },
        "position-duplicate",
        "/lines/1/position",
    ),
    "half a line": (
        {"lines": [line_of(tax_rate=None, position=1)]},
        "line-incomplete",
        "/lines/0/tax_rate",
    ),
}


@pytest.mark.parametrize(("change", "code", "pointer"), REFUSED.values(), ids=REFUSED.keys())
async def test_what_the_cashier_can_still_change_is_refused_at_once(
    shop: Shop, tenant: Tenant, change: Body, code: str, pointer: str
) -> None:
    response = await tenant.post("/invoices", {**tenant.sale(), **change}, role="pos")
    problem = response.json()
    assert response.status_code == 422, problem
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == code
    assert any(pointer in error["pointer"] for error in problem["errors"])
    assert problem["remedy"]
    assert await written(tenant) == 0
    assert shop.world.requests.total == 0


UNREADABLE: dict[str, Body] = {
    "an unknown field": {"surprise": 1},
    "an unknown field of a line": {"lines": [line_of(colour="red", position=1)]},
    "an amount as a number": {"total": 13.6},
    "a quantity as a number": {"lines": [line_of(quantity=1, position=1)]},
    "an amount with three decimals": {"total": "13.600"},
    "a number that is none": {"total": "NaN"},
    "an exponent": {"total": "1e2"},
    "digits that are not ASCII": {"total": "\uff11\uff13.\uff16\uff10"},
    "a newline behind an id": {"transaction_id": "12\n"},
    "an id with a slash": {"transaction_id": "1/2"},
    "no lines": {"lines": []},
    "no payments": {"payments": []},
    "too many lines": {"lines": [line_of(position=place) for place in range(1, 1002)]},
    "too long a text": {"lines": [line_of(text="x" * 2001, position=1)]},
    "a date that is none": {"date": "2026-02-30"},
    "a time for a date": {"date": "2026-11-20T10:00:00Z"},
    "a number for a date": {"date": 1_763_600_000},
    "a country in words": {"customer": {**MUSTER, "country": "Schweiz"}},
    "position zero": {"lines": [line_of(position=0)]},
    "NUL in a text": {"remarks": "a\x00b"},
    "half a character": {"remarks": "HALF"},
    "NUL in a name": {"customer": {**MUSTER, "company_name": "Muster\x00"}},
    "nothing for a list": {"lines": None},
    "a rate of hundreds": {"lines": [line_of(tax_rate="810", position=1)]},
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_what_the_contract_does_not_know_is_refused_with_a_pointer(tenant: Tenant, change: Body) -> None:
    content = orjson.dumps({**tenant.sale(), **change}).replace(b'"HALF"', b'"\\ud800"')
    response = await tenant.call(
        "POST", "/invoices", content=content, headers={"Content-Type": "application/json"}, role="pos"
    )
    problem = response.json()
    assert response.status_code == 422, problem
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["remedy"]
    assert await written(tenant) == 0


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[]", 422),
        (b"null", 422),
        (b'"\xff"', 422),
        (b"[" * 50_000, 422),
        (b'{"remarks": "' + b"x" * 2_000_000 + b'"}', 413),
    ],
    ids=["empty", "half", "list", "null", "not UTF-8", "deep", "huge"],
)
async def test_a_body_that_is_no_sale_is_a_problem(tenant: Tenant, content: bytes, status: int) -> None:
    response = await tenant.call("POST", "/invoices", content=content, headers={"Content-Type": "application/json"})
    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert await written(tenant) == 0


async def test_a_thousand_lines_are_taken_in(tenant: Tenant) -> None:
    document = await tenant.accepted(*(line_of("0.05") for _ in range(1000)))
    assert document["total"] == "50.00"


async def test_the_largest_and_the_smallest_amounts_are_taken_in(tenant: Tenant) -> None:
    assert (await tenant.issued(line_of("0.01")))["total"] == "0.01"
    large = await tenant.issued(line_of("999999999.95", quantity="1"))
    assert large["bexio"]["total"] == "999999999.95"


@pytest.mark.parametrize("language", ["de", "fr", "it", "en"])
async def test_a_refusal_speaks_the_callers_language(tenant: Tenant, language: str) -> None:
    answers: dict[str, Any] = {}
    for asked in (language, "en"):
        response = await tenant.post("/invoices", tenant.sale(customer=None), headers={"Accept-Language": asked})
        assert response.headers["Content-Language"] == asked
        answers[asked] = response.json()
    assert answers[language]["code"] == "customer-missing"
    if language != "en":
        assert answers[language]["remedy"] != answers["en"]["remedy"]
        assert answers[language]["title"] != answers["en"]["title"]


@pytest.mark.parametrize("language", ["de", "fr", "it", "en"])
async def test_attention_speaks_the_readers_language(tenant: Tenant, language: str) -> None:
    await tenant.set(invoice_account_no="3999")
    document = await tenant.worked()
    asked = await tenant.get(f"/invoices/{document['id']}", headers={"Accept-Language": language})
    english = await tenant.get(f"/invoices/{document['id']}", headers={"Accept-Language": "en"})
    assert "3999" in asked.json()["attention"]["detail"]
    same = asked.json()["attention"]["remedy"] == english.json()["attention"]["remedy"]
    assert same == (language == "en")


async def test_a_till_sells_and_looks_but_does_not_list(tenant: Tenant) -> None:
    document = await tenant.accepted()
    assert (await tenant.get(f"/invoices/{document['id']}", role="pos")).status_code == 200
    refused = await tenant.get("/invoices", role="pos")
    assert refused.status_code == 403
    assert refused.json()["code"] == "role-forbidden"
    for method, path in (("POST", "/orders"), ("GET", "/orders"), ("GET", "/settings"), ("GET", "/audit")):
        assert (await tenant.call(method, path, role="pos")).status_code == 403, path


async def test_an_operator_sells_nothing(tenant: Tenant) -> None:
    assert (await tenant.post("/invoices", tenant.sale(), role="operator")).status_code == 403


async def test_without_a_key_nothing_is_said(tenant: Tenant) -> None:
    tenant.keys["none"] = "abx_pos_" + "0" * 43
    assert (await tenant.post("/invoices", tenant.sale(), role="none")).status_code == 401
    assert (await tenant.shop.client.post("/invoices", json=tenant.sale())).status_code == 401
    assert await written(tenant) == 0


async def test_a_revoked_key_sells_no_more_although_it_was_just_used(tenant: Tenant) -> None:
    await tenant.accepted()
    await tenant.execute("update api_key set revoked_at = now()")
    response = await tenant.post("/invoices", tenant.sale())
    assert response.status_code == 401
    assert response.json()["code"] == "key-invalid"


async def test_a_setting_counts_from_the_next_sale_on(tenant: Tenant) -> None:
    await tenant.accepted()
    await tenant.set(invoice_payment_type_id="8")
    refused = await tenant.post("/invoices", tenant.sale())
    assert refused.json()["code"] == "not-paid-on-invoice"


async def test_orders_belong_to_their_module(shop: Shop) -> None:
    without = await shop.tenant(modules=())
    answers = [
        await without.post("/orders", without.sale()),
        await without.get("/orders"),
        await without.get(f"/orders/{without.id}"),
        await without.get(f"/orders/{without.id}/pdf"),
        await without.post(f"/orders/{without.id}/cancel"),
        await without.post(f"/orders/{without.id}/retry"),
    ]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "module-not-active")] * 6
    assert await written(without) == 0


async def test_work_that_failed_says_why_and_when_it_goes_on(shop: Shop, tenant: Tenant) -> None:
    tenant.fault(Mode.ERROR_BEFORE, "kb_invoice")
    document = await tenant.accepted()
    await shop.work()
    shown = await tenant.shown(document)
    assert shown["status"] == "sending"
    assert shown["waiting"]["code"] == "bexio-outcome-unknown"
    assert shown["waiting"]["next_attempt_at"] > shown["updated_at"]


async def test_a_sale_that_would_be_refused_by_now_is_still_known(shop: Shop, tenant: Tenant) -> None:
    sale = tenant.sale()
    document = (await tenant.post("/invoices", sale)).json()
    await tenant.set(invoice_payment_type_id="8")
    again = await tenant.post("/invoices", sale)
    assert (again.status_code, again.json()["id"]) == (200, document["id"])
    other = await tenant.post("/invoices", {**sale, "remarks": "another"})
    assert (other.status_code, other.json()["code"]) == (409, "sale-already-recorded")
    new = await tenant.post("/invoices", tenant.sale())
    assert (new.status_code, new.json()["code"]) == (422, "not-paid-on-invoice")
    shop.clock.moved += 500 * 24 * 3600
    assert (await tenant.post("/invoices", sale)).status_code == 200
    assert await tenant.rows("select count(*) from document") == [(1,)]


async def test_an_amount_written_with_fewer_zeros_is_the_same_sale(tenant: Tenant) -> None:
    sale = tenant.sale(line_of("13.60", quantity="1.000"))
    await tenant.post("/invoices", sale)
    (line,) = sale["lines"]
    again = {**sale, "total": "13.6", "lines": [{**line, "amount": "13.6", "quantity": "1", "tax_rate": "2.60"}]}
    assert (await tenant.post("/invoices", again)).status_code == 200
    other = {**sale, "lines": [{**line, "quantity": "10"}]}
    assert (await tenant.post("/invoices", other)).status_code == 409


@pytest.mark.parametrize("date", [1763596800, 1763596800.0, "1763596800", "2026-11-20T00:00:00Z", "20261120"])
async def test_a_day_is_written_in_one_way_only(tenant: Tenant, date: object) -> None:
    answer = await tenant.post("/invoices", tenant.sale(date=date))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/date")
    payment = {"transaction_id": "1", "date": date, "payment_type_id": CASH, "amount": "1.00"}
    answer = await tenant.post("/invoices/open/42/payments", payment)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/date")
