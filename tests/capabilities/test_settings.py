"""Reading and changing settings: versions, all or nothing, and nothing that bexio or Arcavis does not have."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from app.bootstrap import STANDING as STANDING_KINDS
from app.capabilities.mailing.digest import KIND as DIGEST
from app.capabilities.settings.schemas import SettingsChange
from app.capabilities.tenancy.settings import TenantSettings
from app.db.attention import Subject, raise_item
from tests.fixtures.service import audited, connect, opened
from tests.fixtures.shop import CARD, CASH, TWINT, Body, Shop, Tenant


async def etag(tenant: Tenant) -> str:
    return (await tenant.get("/settings")).headers["etag"]


async def change(tenant: Tenant, body: Body, if_match: str | None = None) -> httpx.Response:
    headers = {"If-Match": if_match or await etag(tenant)}
    return await tenant.call("PATCH", "/settings", json=body, headers=headers)


async def test_settings_are_shown_with_the_defaults_that_hold(shop: Shop) -> None:
    anna = await opened(shop, "anna")
    answer = await anna.get("/settings")
    assert answer.headers["etag"] == '"0"'
    shown = answer.json()
    assert set(shown) == set(TenantSettings.model_fields)
    assert (shown["invoice_due_days"], shown["contact_conflict_policy"]) == (30, "ask")
    assert (shown["rounding_limit"], shown["daily_booking_export_time"]) == ("1.00", "04:00:00")


async def test_a_change_touches_only_what_it_names_and_raises_the_version(tenant: Tenant) -> None:
    before = await tenant.get("/settings")
    answer = await change(tenant, {"invoice_due_days": 14, "language": "fr"})
    assert answer.status_code == 200
    after = await tenant.get("/settings")
    assert answer.json() == after.json() == {**before.json(), "invoice_due_days": 14, "language": "fr"}
    assert answer.headers["etag"] == after.headers["etag"] != before.headers["etag"]


async def test_the_next_sale_follows_the_changed_settings(tenant: Tenant) -> None:
    first = await tenant.issued()
    await change(tenant, {"invoice_due_days": 5})
    second = await tenant.issued()
    assert tenant.invoice(first).head["is_valid_to"] == "2026-12-20"
    assert tenant.invoice(second).head["is_valid_to"] == "2026-11-25"


async def test_null_goes_back_to_the_default(tenant: Tenant) -> None:
    await change(tenant, {"invoice_due_days": 5, "rounding_account_no": "1099"})
    answer = await change(tenant, {"invoice_due_days": None, "rounding_account_no": None})
    assert (answer.json()["invoice_due_days"], answer.json()["rounding_account_no"]) == (30, None)


async def test_payment_types_are_merged_one_by_one(tenant: Tenant) -> None:
    mapped = (await tenant.get("/settings")).json()["payment_bank_accounts"]
    answer = await change(tenant, {"payment_bank_accounts": {CARD: mapped[CASH], TWINT: None}})
    assert answer.json()["payment_bank_accounts"] == {CASH: mapped[CASH], CARD: mapped[CASH]}
    cleared = await change(tenant, {"payment_bank_accounts": None})
    assert cleared.json()["payment_bank_accounts"] == {}


async def test_a_change_must_name_the_version_it_is_made_to(tenant: Tenant) -> None:
    missing = await tenant.call("PATCH", "/settings", json={"invoice_due_days": 5})
    assert (missing.status_code, missing.json()["code"]) == (428, "if-match-missing")
    version = await etag(tenant)
    await change(tenant, {"invoice_due_days": 5})
    for stale in (version, f"W/{await etag(tenant)}", '"nonsense"', "7"):
        answer = await change(tenant, {"invoice_due_days": 6}, stale)
        assert (answer.status_code, answer.json()["code"]) == (412, "settings-changed"), stale
    assert (await tenant.get("/settings")).json()["invoice_due_days"] == 5
    assert (await change(tenant, {"invoice_due_days": 6}, f'"1", {await etag(tenant)}')).status_code == 200
    assert (await change(tenant, {"invoice_due_days": 7}, "*")).status_code == 200


async def test_of_several_changes_at_once_one_wins_and_the_others_are_told(tenant: Tenant) -> None:
    version = await etag(tenant)
    answers = await asyncio.gather(*(change(tenant, {"invoice_due_days": days}, version) for days in range(1, 6)))
    assert sorted(one.status_code for one in answers) == [200, 412, 412, 412, 412]
    won = next(one for one in answers if one.status_code == 200)
    assert (await tenant.get("/settings")).json() == won.json()
    assert len(await audited(tenant, "settings.change")) == 1


@pytest.mark.parametrize(
    ("body", "code", "pointer", "choice"),
    [
        ({"invoice_account_no": "3299"}, "setting-unknown-in-bexio", "/invoice_account_no", "3200: Handelserlös"),
        ({"invoice_account_no": "1020"}, "setting-unknown-in-bexio", "/invoice_account_no", "3400: Dienst"),
        ({"bexio_user_id": 77}, "setting-unknown-in-bexio", "/bexio_user_id", "1: Max Mustermann"),
        (
            {"invoice_bexio_payment_type_id": 77},
            "setting-unknown-in-bexio",
            "/invoice_bexio_payment_type_id",
            "4: Rechnung",
        ),
        ({"invoice_bank_account_id": 77}, "setting-unknown-in-bexio", "/invoice_bank_account_id", "1: Zürcher"),
        ({"rounding_account_no": "9"}, "setting-unknown-in-bexio", "/rounding_account_no", "1000: Kasse"),
        (
            {"payment_bank_accounts": {CARD: 77}},
            "setting-unknown-in-bexio",
            f"/payment_bank_accounts/{CARD}",
            "1: Zürcher",
        ),
        (
            {"payment_bank_accounts": {"77": 1}},
            "setting-unknown-in-arcavis",
            "/payment_bank_accounts/77",
            "7: Bexio Rechnung",
        ),
        (
            {"invoice_payment_type_id": "77"},
            "setting-unknown-in-arcavis",
            "/invoice_payment_type_id",
            "7: Bexio Rechnung",
        ),
    ],
)
async def test_what_is_not_there_is_refused_with_what_is_and_nothing_is_saved(
    tenant: Tenant, body: Body, code: str, pointer: str, choice: str
) -> None:
    before = await tenant.get("/settings")
    answer = await change(tenant, {"invoice_due_days": 3, **body})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    errors: list[dict[str, Any]] = answer.json()["errors"]
    assert {one["pointer"] for one in errors} == {pointer}
    assert any(one["message"].startswith(choice) for one in errors)
    after = await tenant.get("/settings")
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])
    assert await audited(tenant, "settings.change") == []


async def test_what_was_just_created_in_bexio_is_known(tenant: Tenant) -> None:
    await tenant.get("/bexio/accounts")
    tenant.company.account("3400")["account_no"] = "3401"
    tenant.shop.clock.moved += 60
    assert (await change(tenant, {"invoice_account_no": "3401"})).status_code == 200


async def test_what_does_not_point_anywhere_needs_nobody_to_ask(tenant: Tenant) -> None:
    tenant.shop.world.outage = "refused"
    tenant.company.requests.clear()
    assert (await change(tenant, {"invoice_due_days": 3, "notification_emails": ["a@example.ch"]})).status_code == 200
    assert tenant.routes() == []
    answer = await change(tenant, {"bexio_user_id": 2})
    assert (answer.status_code, answer.json()["code"]) == (503, "bexio-unreachable")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"invoice_due_days": -1}, "/invoice_due_days"),
        ({"invoice_due_days": 366}, "/invoice_due_days"),
        ({"invoice_due_days": "soon"}, "/invoice_due_days"),
        ({"language": "es"}, "/language"),
        ({"rounding_limit": "11"}, "/rounding_limit"),
        ({"rounding_limit": "0.001"}, "/rounding_limit"),
        ({"bexio_user_id": 0}, "/bexio_user_id"),
        ({"bexio_user_id": 2**60}, "/bexio_user_id"),
        ({"notification_emails": ["nobody"]}, "/notification_emails/0"),
        ({"customer_group": ""}, "/customer_group"),
        ({"unheard_of": 1}, "/unheard_of"),
        ({"daily_booking_export_time": "25:00"}, "/daily_booking_export_time"),
    ],
)
async def test_a_value_that_cannot_be_is_refused_by_its_field(tenant: Tenant, body: Body, pointer: str) -> None:
    answer = await change(tenant, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_the_audit_trail_tells_old_and_new_but_nobodys_address(tenant: Tenant) -> None:
    await change(tenant, {"invoice_due_days": 5, "notification_emails": ["max@muster.ch"]})
    (line,) = await audited(tenant, "settings.change")
    assert line["detail"] == {"invoice_due_days": "30 -> 5", "notification_emails": "0 addresses -> 1 addresses"}
    assert line["actor"].startswith("abx_backoffice_")


async def test_a_change_that_changes_nothing_leaves_no_trace(tenant: Tenant) -> None:
    before = await etag(tenant)
    assert (await change(tenant, {"invoice_account_no": "3200"})).headers["etag"] == before
    assert (await change(tenant, {})).headers["etag"] == before
    assert await audited(tenant, "settings.change") == []


def test_every_setting_can_be_changed() -> None:
    assert set(SettingsChange.model_fields) == set(TenantSettings.model_fields)


STANDING = "select kind, wanted, next_attempt_at from operation where subject_id = tenant_id order by kind"


async def test_standing_work_looks_at_changed_settings_at_once(shop: Shop) -> None:
    anna = await opened(shop, "anna")
    await change(anna, {"contact_sync_enabled": True})
    assert [row.kind for row in await anna.rows(STANDING)] == [DIGEST]
    await connect(anna)
    await shop.work()
    before = await anna.rows(STANDING)
    assert {row.kind for row in before} == set(STANDING_KINDS)
    await change(anna, {"contact_sync_enabled": False})
    after = await anna.rows(STANDING)
    assert all(now.wanted > then.wanted for now, then in zip(after, before, strict=True))
    assert all(row.next_attempt_at <= shop.clock.now() for row in after)


async def test_a_tenant_gets_standing_work_that_came_with_a_later_version(shop: Shop) -> None:
    anna = await opened(shop, "anna")
    await connect(anna)
    await anna.execute("delete from operation")
    await change(anna, {"language": "fr"})
    assert {row.kind for row in await anna.rows(STANDING)} == set(STANDING_KINDS)


async def test_a_tenant_that_was_never_connected_is_told_daily_what_waits_once_it_names_an_address(shop: Shop) -> None:
    unconnected = await opened(shop, "waiting")
    kinds = "select kind from operation where subject_id = :subject"
    assert await unconnected.rows(kinds, subject=unconnected.id) == []
    answer = await change(unconnected, {"notification_emails": ["chef@muster.example"]}, "*")
    assert answer.status_code == 200, answer.text
    assert [row.kind for row in await unconnected.rows(kinds, subject=unconnected.id)] == [DIGEST]
    async with shop.db.begin(unconnected.id) as session:
        subject = Subject(unconnected.id, "connection", unconnected.id)
        await raise_item(session, subject, code="bexio-not-connected", params={}, now=shop.clock.now())
    await shop.later(86400)
    mails = await unconnected.rows("select template, recipient from mail")
    assert [tuple(row) for row in mails] == [("mail-digest", "chef@muster.example")]
