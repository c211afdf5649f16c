"""A tenant's ids mean nothing to another tenant: every route that takes one answers 404, and nothing changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from uuid import UUID, uuid4

import pytest
from fastapi.routing import APIRoute

from app.capabilities.bookings import exports, postings, rules_store
from app.capabilities.bookings.entries import Group
from app.capabilities.bookings.exports import EXPORT, Asked
from app.capabilities.bookings.rule_schemas import RuleContent
from app.capabilities.bookings.rules_store import NewRule
from app.capabilities.contacts import conflicts
from app.capabilities.contacts.conflicts import Waiting
from app.core.ids import uuid7
from app.core.priority import Priority
from app.jobs import runs
from tests.fixtures.service import audited
from tests.fixtures.shop import Body, Shop, Tenant, line_of

# What each parameter of a path names. A new one must be added here, with a record that belongs to the other tenant.
RULE: Body = {"title": "Nichts", "source": "payments", "value": "amount", "action": "ignore"}
NAMED = ("invoice_id", "order_id", "item_id", "run_id", "export_id", "rule_id", "conflict_id", "entry_id", "payment_id")
# Not a tenant's own records: bexio's and Arcavis' ids mean the caller's own, and operators see all tenants.
OTHERS = {"bexio_id", "arcavis_id", "transaction_id", "kind", "slug", "key_id", "provision_id"}
BODIES: Mapping[str, Body] = {
    "/attention/{item_id}/dismiss": {"reason": "Mine."},
    "/bookings/rules/{rule_id}": RULE,
    "/contacts/conflicts/{conflict_id}/resolve": {"use": "create"},
}


async def named_records(tenant: Tenant) -> Mapping[str, UUID]:
    """One record of each kind, all of the first tenant, each in a state in which something could be done with it."""
    invoice = await tenant.issued()
    order = await tenant.accepted(to="/orders")
    tenant.company.tax("US38")["is_active"] = False
    await tenant.worked(line_of(tax_rate="3.8"))
    (item,) = (await tenant.get("/attention?state=open")).json()["items"]
    async with tenant.shop.db.begin(tenant.id) as session:
        now = tenant.shop.clock.now()
        run = await runs.create(session, tenant=tenant.id, kind="test", priority=Priority.BULK, now=now)
        export = await exports.create(session, tenant.id, Asked(EXPORT, (date(2026, 11, 19),), "test"), now)
        group = Group(1, "muster/20261119/1", date(2026, 11, 19), (), b"{}")
        (entry,) = await postings.add(session, tenant.id, export, date(2026, 11, 19), [group], {}, now)
        rule = NewRule(uuid7(now), RuleContent.model_validate(RULE))
        await rules_store.insert(session, tenant.id, [rule], 0, actor="test", now=now)
        asked = Waiting("match", "customer", 501, None, {"candidates": []})
        await conflicts.open_all(session, tenant.id, [asked], now)
    named = {"invoice_id": invoice["id"], "order_id": order["id"], "item_id": item["id"], "run_id": str(run)}
    (conflict,) = (await tenant.get("/contacts/conflicts")).json()["items"]
    named |= {"export_id": str(export), "rule_id": str(rule.id), "conflict_id": conflict["id"]}
    named["entry_id"] = str(entry)
    taken = {"transaction_id": "820", "date": invoice["date"], "payment_type_id": "1", "amount": "1.00"}
    paid = await tenant.post(f"/invoices/open/{invoice['bexio']['id']}/payments", taken)
    named["payment_id"] = paid.json()["id"]
    return {name: UUID(value) for name, value in named.items()}


@pytest.fixture
async def records(tenant: Tenant) -> Mapping[str, UUID]:
    return await named_records(tenant)


@pytest.fixture
async def stranger(shop: Shop) -> Tenant:
    """Another tenant, whose till and backoffice try."""
    return await shop.tenant("stranger", modules=("orders", "accounting_export"))


def routes(shop: Shop) -> list[tuple[str, str]]:
    """Every method and path of the product that names a record."""
    found: list[tuple[str, str]] = []
    for route in shop.app.routes:
        if isinstance(route, APIRoute) and "{" in route.path:
            found += [(method, route.path) for method in sorted(route.methods or ())]
    return found


def parameters(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


async def snapshot(tenant: Tenant) -> list[str]:
    """Every row of the tenant, as text, but for its keys."""
    tables = ("document", "operation", "payment", "attention", "run", "audit", "tenant_settings", "bexio_connection")
    tables += ("booking_export", "booking_export_day", "booking_group", "booking_rule")
    tables += ("contact_conflict",)
    return [str(await tenant.rows(f"select t::text from {one} t order by t::text")) for one in tables]  # noqa: S608


def test_every_parameter_of_a_path_is_known_here(shop: Shop) -> None:
    found = {name for _, path in routes(shop) for name in parameters(path)}
    assert found == set(NAMED) | OTHERS


async def test_every_route_that_names_a_record_is_blind_to_another_tenants(
    tenant: Tenant, stranger: Tenant, records: Mapping[str, UUID]
) -> None:
    before = await snapshot(tenant)
    tried = 0
    for method, path in routes(tenant.shop):
        names = parameters(path)
        if not set(names) <= set(NAMED):
            continue
        for role in ("backoffice", "pos"):
            body = BODIES.get(path)
            answer = await stranger.call(method, path.format(**records), role=role, **({"json": body} if body else {}))
            allowed = {404} if role == "backoffice" else {404, 403}
            assert answer.status_code in allowed, (method, path, role, answer.text)
            tried += 1
    assert tried >= 2 * 14
    assert await snapshot(tenant) == before
    assert [line["action"] for line in await audited(stranger, "attention.dismiss")] == []


async def test_an_invented_id_is_answered_as_another_tenants_is(
    tenant: Tenant, stranger: Tenant, records: Mapping[str, UUID]
) -> None:
    for path in ("/invoices/{invoice_id}", "/attention/{item_id}/retry", "/runs/{run_id}"):
        method = "POST" if path.endswith("retry") else "GET"
        invented = await stranger.call(method, path.format(**dict.fromkeys(NAMED, uuid4())))
        real = await stranger.call(method, path.format(**records))
        for answer in (invented, real):
            assert answer.status_code == 404
        assert {**invented.json(), "request_id": ""} == {**real.json(), "request_id": ""}


async def test_lists_hold_the_callers_own_records_only(
    tenant: Tenant, stranger: Tenant, records: Mapping[str, UUID]
) -> None:
    for path in ("/invoices", "/orders", "/attention", "/runs", "/contacts/links", "/contacts/conflicts", "/audit"):
        assert (await stranger.get(path)).json()["items"] == [], path
        if path != "/audit":
            assert (await tenant.get(path)).json()["items"] != [], path


async def test_a_cursor_of_another_tenant_opens_nothing(
    tenant: Tenant, stranger: Tenant, records: Mapping[str, UUID]
) -> None:
    for _ in range(2):
        await tenant.accepted()
    cursor = (await tenant.get("/invoices?limit=1")).json()["next_cursor"]
    assert cursor is not None
    assert (await stranger.get(f"/invoices?cursor={cursor}")).json() == {"items": [], "next_cursor": None}


async def test_settings_and_connections_are_the_callers_own(tenant: Tenant, stranger: Tenant) -> None:
    etag = (await stranger.get("/settings")).headers["etag"]
    await stranger.call("PATCH", "/settings", json={"invoice_due_days": 3}, headers={"If-Match": etag})
    await stranger.call("DELETE", "/connection/bexio")
    assert (await tenant.get("/settings")).json()["invoice_due_days"] == 30
    assert (await tenant.get("/connection")).json()["bexio"]["state"] == "connected"
