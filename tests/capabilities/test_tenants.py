from __future__ import annotations

import asyncio
import json

from app.api.auth import hash_key
from app.bootstrap import Resources
from app.capabilities.tenants.service import Tenants
from tests.fixtures.service import ARCAVIS_HOST, audited, new_tenant, opened, operate
from tests.fixtures.shop import Shop, Tenant


def service(resources: Resources) -> Tenants:
    return Tenants(resources.db, resources.clock, resources.vault, resources.egress)


async def stored(tenant: Tenant) -> str:
    """Everything that the tables hold of a tenant, as text."""
    tables = ("tenant", "api_key", "arcavis_connection", "audit", "idempotency")
    found = [await tenant.rows(f"select t::text as content from {one} t") for one in tables]  # noqa: S608 - its own names
    assert all(found[:4])
    return "".join(row.content for rows in found for row in rows)


async def test_an_operator_makes_a_tenant_and_its_key_opens_only_that_tenant(shop: Shop) -> None:
    tenant = await opened(shop, "anna", modules=("orders",))
    shown = (await operate(shop, "GET", "/tenants/anna")).json()
    assert shown["id"] == str(tenant.id)
    assert (shown["name"], shown["language"], shown["modules"]) == ("Laden anna", "de", ["orders"])
    assert (shown["bexio"], shown["attention_open"]) == ("not_connected", 0)
    state = (await tenant.get("/connection")).json()
    assert state["arcavis"]["base_url"] == f"{ARCAVIS_HOST}/anna"
    assert (await tenant.get("/tenants/anna")).status_code == 403
    assert (await shop.client.get("/tenants")).status_code == 401


async def test_a_key_is_shown_once_and_only_its_hash_and_prefix_are_kept(shop: Shop) -> None:
    tenant = await opened(shop, "anna")
    key = tenant.keys["pos"]
    shown = (await operate(shop, "GET", "/tenants/anna")).json()["api_keys"]
    assert {one["role"] for one in shown} == {"pos", "backoffice"}
    assert all("key" not in one and key.startswith(one["prefix"]) for one in shown if one["role"] == "pos")
    content = await stored(tenant)
    assert key not in content
    assert hash_key(key).hex() in content


async def test_the_password_of_arcavis_is_sealed(shop: Shop) -> None:
    tenant = await opened(shop, "anna")
    content = await stored(tenant)
    assert "webapi-demo" not in content
    assert b"webapi-demo".hex() not in content


async def test_a_repeated_key_request_gets_the_same_key(shop: Shop) -> None:
    await opened(shop, "anna")
    path, body = "/tenants/anna/api-keys", {"role": "pos", "label": "Kasse 1"}
    first = await operate(shop, "POST", path, body, **{"Idempotency-Key": "one"})
    second = await operate(shop, "POST", path, body, **{"Idempotency-Key": "one"})
    assert first.json() == second.json()
    assert len((await operate(shop, "GET", "/tenants/anna")).json()["api_keys"]) == 3


async def test_a_slug_is_given_once_also_when_two_ask_at_once(shop: Shop) -> None:
    answers = await asyncio.gather(*(operate(shop, "POST", "/tenants", new_tenant("anna")) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    refused = next(one for one in answers if one.status_code == 409).json()
    assert refused["code"] == "slug-taken"
    assert "anna" in refused["detail"]


async def test_a_tenant_that_cannot_be_is_refused_field_by_field(shop: Shop) -> None:
    wrong = {
        "/slug": ["A", "-a", "a", "a" * 40, "a_b", "ä-b"],
        "/name": ["", "x" * 121],
        "/language": ["es"],
        "/modules/0": [["tax_evasion"]],
    }
    for pointer, values in wrong.items():
        for value in values:
            body = new_tenant("anna", **{pointer.split("/")[1]: value})
            answer = await operate(shop, "POST", "/tenants", body)
            assert answer.status_code == 422, (pointer, value)
            assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert (await operate(shop, "GET", "/tenants")).json()["items"] == []


async def test_an_address_that_must_not_be_called_is_refused(shop: Shop) -> None:
    for url in (
        "ftp://127.0.0.1/x",
        "http://user:secret@127.0.0.1",
        "http://169.254.169.254/latest",
        "http://8.8.8.8?x",
    ):
        body = new_tenant("anna")
        body["arcavis"]["base_url"] = url
        answer = await operate(shop, "POST", "/tenants", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "arcavis-url-not-allowed"), url
        assert "secret" not in answer.text


async def test_a_revoked_key_opens_nothing_from_then_on_also_at_a_till_that_was_remembered(tenant: Tenant) -> None:
    shop = tenant.shop
    first = await tenant.post("/invoices", tenant.sale(), role="pos")
    assert first.status_code == 202
    keys = (await operate(shop, "GET", f"/tenants/{tenant.slug}")).json()["api_keys"]
    (key,) = (one for one in keys if one["role"] == "pos")
    path = f"/tenants/{tenant.slug}/api-keys/{key['id']}"
    assert (await operate(shop, "DELETE", path)).status_code == 204
    refused = await tenant.post("/invoices", tenant.sale(), role="pos")
    assert (refused.status_code, refused.json()["code"]) == (401, "key-invalid")
    assert (await tenant.get("/invoices/open?number=RE-1", role="pos")).status_code == 401
    assert (await operate(shop, "DELETE", path)).json()["code"] == "api-key-not-found"
    left = (await operate(shop, "GET", f"/tenants/{tenant.slug}")).json()["api_keys"]
    assert [one["role"] for one in left] == ["backoffice"]


async def test_a_module_works_from_the_change_on(shop: Shop) -> None:
    tenant = await opened(shop, "anna")
    refused = await tenant.get("/orders")
    assert (refused.status_code, refused.json()["code"]) == (403, "module-not-active")
    changed = await operate(shop, "PATCH", "/tenants/anna", {"modules": ["orders"], "name": "Anna AG"})
    assert (changed.json()["modules"], changed.json()["name"]) == (["orders"], "Anna AG")
    assert (await tenant.get("/orders")).status_code == 200


async def test_what_operators_do_is_in_the_audit_trail_without_secrets(shop: Shop) -> None:
    tenant = await opened(shop, "anna")
    await operate(shop, "PATCH", "/tenants/anna", {"language": "fr"})
    lines = (await tenant.get("/audit")).json()["items"]
    assert [line["action"] for line in lines] == ["tenant.change", "api_key.create", "api_key.create", "tenant.create"]
    assert {line["actor"] for line in lines} == {"operator"}
    written = json.dumps(lines)
    assert "webapi-demo" not in written
    assert not any(key in written for key in tenant.keys.values())
    assert (await audited(tenant, "tenant.change"))[0]["detail"] == {"language": "fr"}


async def test_what_is_refused_leaves_nothing_behind(shop: Shop) -> None:
    await opened(shop, "anna")
    before = (await operate(shop, "GET", "/tenants/anna")).json()
    for method, path, body in (
        ("GET", "/tenants/nobody", None),
        ("PATCH", "/tenants/nobody", {"name": "x"}),
        ("POST", "/tenants/nobody/api-keys", {"role": "pos", "label": "x"}),
        ("DELETE", f"/tenants/nobody/api-keys/{before['api_keys'][0]['id']}", None),
        ("DELETE", "/tenants/anna/api-keys/0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10", None),
    ):
        assert (await operate(shop, method, path, body)).status_code == 404, path
    wrong = await operate(shop, "POST", "/tenants/anna/api-keys", {"role": "operator", "label": "x"})
    assert wrong.status_code == 422
    assert (await operate(shop, "GET", "/tenants/anna")).json() == before


async def test_a_key_is_not_revoked_under_another_tenants_name(shop: Shop) -> None:
    anna = await opened(shop, "anna")
    await opened(shop, "berta")
    (key, *_) = (await operate(shop, "GET", "/tenants/anna")).json()["api_keys"]
    answer = await operate(shop, "DELETE", f"/tenants/berta/api-keys/{key['id']}")
    assert answer.json()["code"] == "api-key-not-found"
    assert (await anna.get("/connection")).status_code == 200


async def test_tenants_are_listed_page_by_page_with_what_waits(shop: Shop) -> None:
    for slug in ("anna", "berta", "carla"):
        await opened(shop, slug)
    first = (await operate(shop, "GET", "/tenants?limit=2")).json()
    second = (await operate(shop, "GET", f"/tenants?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["slug"] for one in (*first["items"], *second["items"])] == ["carla", "berta", "anna"]
    assert second["next_cursor"] is None


async def test_operators_have_keys_of_their_own(shop: Shop) -> None:
    tenants = service(shop.resources)
    made = await tenants.create_operator_key("Support Bern")
    assert [one.prefix for one in await tenants.operator_keys()] == [made.prefix]
    headers = {"Authorization": f"Bearer {made.key}"}
    assert (await shop.client.get("/tenants", headers=headers)).status_code == 200
    await tenants.revoke_operator_key(made.id)
    assert (await shop.client.get("/tenants", headers=headers)).status_code == 401
    assert (await operate(shop, "GET", "/tenants")).status_code == 200
