"""What waits for a person: shown in their language, retried, dismissed; and the trail of who did so."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.fixtures.service import audited
from tests.fixtures.shop import Body, Shop, Tenant, line_of


@pytest.fixture
async def stuck(tenant: Tenant) -> Body:
    """A sale that waits for a person, because bexio lacks a VAT code."""
    tenant.company.tax("US38")["is_active"] = False
    document = await tenant.worked(line_of(tax_rate="3.8"))
    assert document["status"] == "attention"
    return document


async def items(tenant: Tenant, query: str = "", language: str = "en") -> list[Body]:
    answer = await tenant.get(f"/attention{query}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_an_item_says_what_happened_and_what_to_do_in_the_callers_language(tenant: Tenant, stuck: Body) -> None:
    (item,) = await items(tenant)
    assert (item["code"], item["state"]) == ("tax-code-missing", "open")
    assert (item["subject_kind"], item["subject_id"]) == ("document", stuck["id"])
    assert "3.8" in item["detail"]
    said = {language: (await items(tenant, language=language))[0]["remedy"] for language in ("de", "fr", "it", "en")}
    assert len(set(said.values())) == 4


async def test_a_retry_takes_the_work_up_again_and_the_item_is_gone(tenant: Tenant, stuck: Body) -> None:
    (item,) = await items(tenant)
    tenant.company.tax("US38")["is_active"] = True
    tenant.shop.clock.moved += 60
    answer = await tenant.post(f"/attention/{item['id']}/retry")
    assert (answer.status_code, answer.json()["state"]) == (200, "resolved")
    await tenant.shop.work()
    assert (await tenant.shown(stuck))["status"] == "issued"
    assert len(tenant.in_bexio(stuck)) == 1
    assert await items(tenant, "?state=open") == []
    (line,) = await audited(tenant, "attention.retry")
    assert line["detail"] == {"code": "tax-code-missing", "item": item["id"]}


async def test_a_retry_without_a_cure_opens_a_new_item(tenant: Tenant, stuck: Body) -> None:
    (item,) = await items(tenant)
    await tenant.post(f"/attention/{item['id']}/retry")
    await tenant.shop.work()
    assert (await tenant.shown(stuck))["status"] == "attention"
    (again,) = await items(tenant, "?state=open")
    assert (again["code"], again["id"] != item["id"]) == ("tax-code-missing", True)


async def test_an_item_is_dismissed_with_a_reason_and_the_work_stays_where_it_is(tenant: Tenant, stuck: Body) -> None:
    (item,) = await items(tenant)
    path = f"/attention/{item['id']}/dismiss"
    for wrong in ({}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 501}, {"reason": "x", "more": 1}):
        assert (await tenant.post(path, wrong)).status_code == 422
    assert len(await items(tenant, "?state=open")) == 1
    answer = await tenant.post(path, {"reason": "Paid in cash."})
    assert (answer.json()["state"], answer.json()["closed_reason"]) == ("dismissed", "Paid in cash.")
    assert answer.json()["closed_by"].startswith("abx_backoffice_")
    await tenant.shop.later(3600)
    assert tenant.in_bexio(stuck) == []
    assert await items(tenant, "?state=open") == []
    assert len(await items(tenant, "?state=dismissed")) == 1
    assert len(await audited(tenant, "attention.dismiss")) == 1


async def test_a_closed_item_is_closed_for_good(tenant: Tenant, stuck: Body) -> None:
    (item,) = await items(tenant)
    await tenant.post(f"/attention/{item['id']}/dismiss", {"reason": "Done."})
    for path, body in (("retry", None), ("dismiss", {"reason": "Again."})):
        answer = await tenant.post(f"/attention/{item['id']}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, "attention-closed")


async def test_many_who_retry_at_once_do_the_work_once(tenant: Tenant, stuck: Body) -> None:
    (item,) = await items(tenant)
    tenant.company.tax("US38")["is_active"] = True
    tenant.shop.clock.moved += 60
    answers = await asyncio.gather(*(tenant.post(f"/attention/{item['id']}/retry") for _ in range(5)))
    assert {one.status_code for one in answers} <= {200, 409}
    await tenant.shop.work()
    assert len(tenant.in_bexio(stuck)) == 1


async def test_an_item_without_work_behind_it_can_only_be_dismissed(tenant: Tenant) -> None:
    await tenant.execute(
        "insert into attention (id, tenant_id, code, params, subject_kind, subject_id, state, created_at)"
        " values (:id, :tenant, 'mail-rejected', '{}', 'nothing', :id, 'open', :now)",
        id=uuid4(),
        tenant=tenant.id,
        now=tenant.shop.clock.now(),
    )
    (item,) = await items(tenant)
    answer = await tenant.post(f"/attention/{item['id']}/retry")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing-to-retry")
    assert (await tenant.post(f"/attention/{item['id']}/dismiss", {"reason": "Seen."})).status_code == 200


async def test_retrying_a_connection_sets_free_what_waited_for_it(tenant: Tenant) -> None:
    world = tenant.shop.world
    world.add_token(tenant.company.id, tenant.token, scopes=frozenset({"kb_invoice_edit"}))
    documents = [await tenant.worked() for _ in range(2)]
    (item,) = await items(tenant, "?state=open")
    assert (item["code"], item["subject_kind"]) == ("bexio-forbidden", "connection")
    world.add_token(tenant.company.id, tenant.token)
    await tenant.post(f"/attention/{item['id']}/retry")
    await tenant.shop.finish()
    assert [(await tenant.shown(one))["status"] for one in documents] == ["issued", "issued"]
    assert await items(tenant, "?state=open") == []


async def test_items_come_page_by_page_the_latest_first(tenant: Tenant) -> None:
    tenant.company.tax("US38")["is_active"] = False
    documents = [await tenant.worked(line_of(tax_rate="3.8")) for _ in range(3)]
    first = (await tenant.get("/attention?limit=2")).json()
    second = (await tenant.get(f"/attention?limit=2&cursor={first['next_cursor']}")).json()
    found = [one["subject_id"] for one in (*first["items"], *second["items"])]
    assert found == [one["id"] for one in reversed(documents)]
    assert second["next_cursor"] is None
    assert (await tenant.get("/attention?state=odd")).status_code == 422


async def test_the_audit_trail_comes_page_by_page_and_cannot_be_changed(tenant: Tenant, shop: Shop) -> None:
    documents = [await tenant.accepted() for _ in range(5)]
    for document in documents:
        await tenant.post(f"/invoices/{document['id']}/cancel")
    seen: list[Body] = []
    cursor = ""
    while True:
        page = (await tenant.get(f"/audit?limit=2{cursor}")).json()
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [line["subject_id"] for line in seen] == [one["id"] for one in reversed(documents)]
    assert [line["id"] for line in seen] == sorted((line["id"] for line in seen), reverse=True)
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert (await tenant.call(method, "/audit")).status_code == 405


async def test_a_till_sees_neither_items_nor_the_trail(tenant: Tenant) -> None:
    for path in ("/attention", "/audit", "/runs", "/settings"):
        assert (await tenant.get(path, role="pos")).status_code == 403
