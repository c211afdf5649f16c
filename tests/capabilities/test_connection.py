"""Connecting both sides, losing a connection and getting it back, and what bexio offers to choose from."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from decimal import Decimal

import pytest

from app.capabilities.parties import links
from app.capabilities.parties.links import LinkKey
from sandbox.bexio.faults import Mode
from sandbox.server import personal_access_token
from tests.fixtures.service import ARCAVIS_HOST, audited, connect, opened
from tests.fixtures.shop import INVOICE_TYPE, Body, Shop, Tenant

FOLLOW = "select state, next_attempt_at from operation where kind = 'invoices.follow'"
ACCESS: Body = {"base_url": f"{ARCAVIS_HOST}/anna", "username": "webapi", "password": "webapi-demo"}


@pytest.fixture
async def anna(shop: Shop) -> Tenant:
    """A tenant that is not connected to bexio yet."""
    return await opened(shop, "anna")


async def test_a_tenant_that_is_set_up_over_the_api_can_sell_at_once(anna: Tenant) -> None:
    assert (await connect(anna)).status_code == 200
    document = await anna.issued()
    assert anna.invoice(document).total == Decimal("13.60")


async def test_connecting_reads_company_and_user_and_fills_in_what_bexio_knows(anna: Tenant) -> None:
    answer = await connect(anna)
    bexio = answer.json()["bexio"]
    assert (bexio["state"], bexio["kind"], bexio["reason"]) == ("connected", "token", None)
    assert (bexio["company_name"], bexio["user_name"]) == ("Feinkost Zürihorn AG", "Max Mustermann")
    settings = (await anna.get("/settings")).json()
    assert settings["invoice_bexio_payment_type_id"] == 4
    assert settings["invoice_account_no"] == "3200"
    assert settings["bexio_user_id"] == 1
    assert settings["invoice_bank_account_id"] == 1
    assert settings["invoice_due_days"] == 14
    assert settings["invoice_payment_type_id"] == INVOICE_TYPE
    (line,) = await audited(anna, "connection.bexio.connect")
    assert (line["detail"]["invoice_account_no"], line["detail"]["invoice_due_days"]) == ("3200", "14")
    assert anna.writes() == []


async def test_what_was_chosen_before_stays(anna: Tenant) -> None:
    await anna.set(invoice_due_days=45, language="fr")
    await connect(anna)
    settings = (await anna.get("/settings")).json()
    assert (settings["invoice_due_days"], settings["language"]) == (45, "fr")
    assert "invoice_due_days" not in (await audited(anna, "connection.bexio.connect"))[0]["detail"]


async def test_what_cannot_be_read_stays_open_and_does_not_keep_bexio_from_being_connected(anna: Tenant) -> None:
    anna.fault(Mode.ERROR_BEFORE, "/3.0/banking/accounts")
    assert (await connect(anna)).status_code == 200
    settings = (await anna.get("/settings")).json()
    assert (settings["invoice_bank_account_id"], settings["invoice_account_no"]) == (None, "3200")


async def test_a_connected_tenant_has_one_standing_job_that_follows_its_invoices(anna: Tenant) -> None:
    for _ in range(3):
        await connect(anna)
    assert [row.state for row in await anna.rows(FOLLOW)] == ["waiting"]
    document = await anna.issued()
    anna.company.requests.clear()
    await anna.shop.in_bexio(anna, "POST", f"/2.0/kb_invoice/{anna.invoice(document).id}/payment", {"value": "13.60"})
    await anna.shop.later(600)
    assert (await anna.shown(document))["bexio"]["status"] == "paid"


async def test_the_token_tells_when_it_ends(anna: Tenant) -> None:
    ends = anna.shop.clock.now() + timedelta(days=60, hours=1)
    token = personal_access_token(anna.company.id, ends)
    anna.shop.world.add_token(anna.company.id, token)
    bexio = (await connect(anna, token)).json()["bexio"]
    assert (bexio["company_id"], bexio["days_left"]) == (anna.company.id, 60)
    assert bexio["expires_at"].startswith(ends.isoformat()[:19])


async def test_a_token_that_says_nothing_of_itself_is_told_by_the_companys_books(anna: Tenant) -> None:
    first = (await connect(anna)).json()["bexio"]
    assert (first["expires_at"], first["days_left"]) == (None, None)
    anna.shop.world.add_token(anna.company.id, "another-token-of-anna")
    second = await connect(anna, "another-token-of-anna")
    assert second.json()["bexio"]["company_id"] == first["company_id"]


@pytest.mark.parametrize("token", ["unknown-token", "two words", "x", "ü" * 20, "a.b.c", "e30.e30.e30"])
async def test_a_token_that_bexio_does_not_take_is_refused_and_nothing_is_stored(anna: Tenant, token: str) -> None:
    answer = await connect(anna, token)
    assert answer.status_code == 422
    assert answer.json()["code"] in {"bexio-unauthorized", "bexio-token-malformed"}
    assert (await anna.get("/connection")).json()["bexio"]["state"] == "not_connected"
    assert await anna.rows(FOLLOW) == []


async def test_bexio_being_away_is_not_the_tokens_fault(anna: Tenant) -> None:
    anna.shop.world.outage = "unavailable"
    answer = await connect(anna)
    assert (answer.status_code, answer.json()["code"]) == (503, "bexio-unreachable")
    assert (await anna.get("/connection")).json()["bexio"]["state"] == "not_connected"


async def test_the_token_is_nowhere_to_be_read(anna: Tenant) -> None:
    await connect(anna)
    answers = [await anna.get(path) for path in ("/connection", "/settings", "/audit", "/connection/check")]
    (row,) = await anna.rows("select c::text as content from bexio_connection c")
    assert anna.token not in "".join([row.content, *(answer.text for answer in answers)])
    assert anna.token.encode().hex() not in row.content


async def test_a_company_belongs_to_one_tenant_also_when_two_connect_it_at_once(anna: Tenant) -> None:
    berta = await opened(anna.shop, "berta")
    answers = await asyncio.gather(connect(anna), connect(berta, anna.token))
    assert sorted(one.status_code for one in answers) == [200, 409]
    refused = next(one for one in answers if one.status_code == 409).json()
    assert refused["code"] == "bexio-company-taken"
    assert refused["remedy"]
    states = [(await one.get("/connection")).json()["bexio"]["state"] for one in (anna, berta)]
    assert sorted(states) == ["connected", "not_connected"]
    assert len([*await anna.rows(FOLLOW), *await berta.rows(FOLLOW)]) == 1


async def test_another_company_than_before_is_refused_also_after_disconnecting(anna: Tenant) -> None:
    berta = await opened(anna.shop, "berta")
    await connect(anna)
    await anna.issued()
    assert (await connect(anna, berta.token)).json()["code"] == "bexio-company-differs"
    assert (await anna.call("DELETE", "/connection/bexio")).status_code == 204
    refused = await connect(anna, berta.token)
    assert (refused.status_code, refused.json()["code"]) == (409, "bexio-company-differs")
    assert "Feinkost Zürihorn AG" in refused.json()["remedy"]
    assert (await connect(anna)).status_code == 200


async def test_a_company_that_nothing_was_sold_for_can_be_exchanged_and_takes_its_settings_along(anna: Tenant) -> None:
    berta = await opened(anna.shop, "berta", name="Berta GmbH")
    await connect(anna)
    await anna.call("DELETE", "/connection/bexio")
    settings = (await anna.get("/settings")).json()
    assert (settings["bexio_user_id"], settings["invoice_account_no"]) == (None, None)
    assert settings["invoice_payment_type_id"] == INVOICE_TYPE
    assert (await audited(anna, "connection.bexio.forget"))[0]["detail"]["bexio_user_id"] == "cleared"
    answer = await connect(anna, berta.token)
    assert answer.json()["bexio"]["company_name"] == "Berta GmbH"
    assert (await connect(berta)).json()["code"] == "bexio-company-taken"


async def test_without_bexio_sales_are_taken_in_and_wait_and_go_on_when_it_is_back(anna: Tenant) -> None:
    await connect(anna)
    before = await anna.issued()
    await anna.call("DELETE", "/connection/bexio")
    await anna.call("DELETE", "/connection/bexio")
    assert (await anna.get("/connection")).json()["bexio"]["state"] == "disconnected"
    waiting = [await anna.accepted() for _ in range(3)]
    await anna.shop.work()
    assert {(await anna.shown(one))["status"] for one in waiting} <= {"accepted", "sending"}
    items = (await anna.get("/attention?state=open")).json()["items"]
    assert [(item["code"], item["subject_kind"]) for item in items] == [("bexio-reconnect-required", "connection")]
    await connect(anna)
    await anna.shop.work()
    assert [(await anna.shown(one))["status"] for one in (before, *waiting)] == ["issued"] * 4
    assert all(len(anna.in_bexio(one)) == 1 for one in waiting)
    assert (await anna.get("/attention?state=open")).json()["items"] == []


async def test_a_revoked_token_is_one_thing_to_mend_and_nothing_is_lost(anna: Tenant) -> None:
    await connect(anna)
    anna.shop.world.revoke_token(anna.token)
    documents = [await anna.worked() for _ in range(3)]
    state = (await anna.get("/connection", headers={"Accept-Language": "de"})).json()["bexio"]
    assert (state["state"], state["reason"]["code"]) == ("reconnect_required", "bexio-unauthorized")
    assert "bexio" in state["reason"]["remedy"]
    assert len((await anna.get("/attention?state=open")).json()["items"]) == 1
    anna.shop.world.add_token(anna.company.id, "the-next-token")
    assert (await connect(anna, "the-next-token")).json()["bexio"]["state"] == "connected"
    await anna.shop.work()
    assert [(await anna.shown(one))["status"] for one in documents] == ["issued"] * 3


async def test_arcavis_is_tried_out_before_it_is_stored(anna: Tenant) -> None:
    wrong = await anna.call("PUT", "/connection/arcavis", json={**ACCESS, "password": "wrong"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "arcavis-unauthorized")
    assert [one["pointer"] for one in wrong.json()["errors"]] == ["/password"]
    elsewhere = await anna.call("PUT", "/connection/arcavis", json={**ACCESS, "base_url": f"{ARCAVIS_HOST}/nobody"})
    assert elsewhere.status_code == 422
    assert [one["pointer"] for one in elsewhere.json()["errors"]] == ["/base_url"]
    forbidden = await anna.call("PUT", "/connection/arcavis", json={**ACCESS, "base_url": "http://169.254.169.254"})
    assert forbidden.json()["code"] == "arcavis-url-not-allowed"
    assert (await anna.get("/connection")).json()["arcavis"]["base_url"] == f"{ARCAVIS_HOST}/anna"
    assert await audited(anna, "connection.arcavis.connect") == []


async def test_arcavis_is_connected_again_with_a_new_password(anna: Tenant) -> None:
    anna.shop.arcavis.tenant("anna").user.password = "a new one"
    answer = await anna.call("PUT", "/connection/arcavis", json={**ACCESS, "password": "a new one"})
    assert answer.json()["arcavis"]["state"] == "connected"
    assert (await anna.get("/settings")).json()["invoice_payment_type_id"] == INVOICE_TYPE
    (line,) = await audited(anna, "connection.arcavis.connect")
    assert "a new one" not in json.dumps(line)


async def test_another_arcavis_is_refused_once_contacts_are_linked_and_taken_before(anna: Tenant) -> None:
    await opened(anna.shop, "berta")
    other: Body = {**ACCESS, "base_url": f"{ARCAVIS_HOST}/berta"}
    assert (await anna.call("PUT", "/connection/arcavis", json=other)).status_code == 200
    assert (await anna.call("PUT", "/connection/arcavis", json=ACCESS)).status_code == 200
    async with anna.shop.db.begin(anna.id) as session:
        await links.decide(session, LinkKey(anna.id, "customer", "501"), 7, "person:max", anna.shop.clock.now())
    refused = await anna.call("PUT", "/connection/arcavis", json=other)
    assert (refused.status_code, refused.json()["code"]) == (409, "arcavis-environment-differs")
    assert f"{ARCAVIS_HOST}/anna" in refused.json()["remedy"]
    assert (await anna.get("/connection")).json()["arcavis"]["base_url"] == f"{ARCAVIS_HOST}/anna"
    assert (await anna.call("PUT", "/connection/arcavis", json=ACCESS)).status_code == 200


async def test_a_till_may_not_touch_connections(anna: Tenant) -> None:
    for method, path in (("GET", "/connection"), ("PUT", "/connection/bexio"), ("GET", "/bexio/accounts")):
        assert (await anna.call(method, path, role="pos")).status_code == 403


async def test_bexio_offers_its_accounts_taxes_users_and_bank_accounts(tenant: Tenant) -> None:
    offered = {
        name: (await tenant.get(f"/bexio/{name}")).json()["items"]
        for name in ("accounts", "taxes", "payment-types", "users", "bank-accounts")
    }
    accounts = {one["number"]: one for one in offered["accounts"]}
    assert (accounts["3200"]["type"], accounts["3200"]["label"]) == ("income", "3200 Handelserlös")
    assert list(accounts) == sorted(accounts)
    taxes = {one["code"]: one for one in offered["taxes"]}
    assert (taxes["UN81"]["rate"], taxes["UN81"]["is_active"], taxes["ULA"]["is_active"]) == ("8.1", True, False)
    assert {"id": 4, "label": "Rechnung"} in offered["payment-types"]
    assert offered["users"] == [{"id": 1, "label": "Max Mustermann"}]
    assert "Kasse" in {one["label"] for one in offered["bank-accounts"]}


async def test_choices_are_kept_until_they_are_asked_anew(tenant: Tenant) -> None:
    await tenant.get("/bexio/users")
    tenant.company.users[1]["firstname"] = "Moritz"
    tenant.company.requests.clear()
    assert (await tenant.get("/bexio/users")).json()["items"][0]["label"] == "Max Mustermann"
    assert tenant.routes() == []
    tenant.shop.clock.moved += 60
    assert (await tenant.get("/bexio/users?refresh=true")).json()["items"][0]["label"] == "Moritz Mustermann"


async def test_without_a_connection_there_is_nothing_to_choose_from(anna: Tenant) -> None:
    answer = await anna.get("/bexio/accounts")
    assert (answer.status_code, answer.json()["code"]) == (502, "bexio-not-connected")
