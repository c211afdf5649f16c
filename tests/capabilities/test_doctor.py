"""The doctor: every planted defect is found by its code, a healthy shop has none, and nothing is ever written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from app.capabilities.connection.checks import rights
from app.capabilities.connection.facts import BexioFacts, Facts
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.bexio.permissions import Permissions
from app.core.texts import ENTRIES
from sandbox.bexio.faults import Mode
from sandbox.bexio.world import World
from tests.fixtures.service import connect, opened
from tests.fixtures.shop import CARD, INVOICE_TYPE, NOON, VOUCHER, Body, Shop, Tenant


async def examined(tenant: Tenant, language: str = "en") -> Body:
    answer = await tenant.get("/connection/check", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(diagnosis: Body, severity: str) -> set[str]:
    return {one["code"] for one in diagnosis["findings"] if one["severity"] == severity}


def about(diagnosis: Body, code: str) -> list[str]:
    (found,) = [one for one in diagnosis["findings"] if one["code"] == code]
    return found["about"]


@dataclass(frozen=True)
class Defect:
    """What was broken, and what the doctor must say of it."""

    code: str
    severity: str
    plant: Callable[[Tenant], Awaitable[None]]


def setting(code: str, severity: str = "error", **changes: object) -> Defect:
    async def plant(tenant: Tenant) -> None:
        await tenant.set(**changes)

    return Defect(code, severity, plant)


def bexio(code: str, change: Callable[[Tenant], object], severity: str = "error") -> Defect:
    async def plant(tenant: Tenant) -> None:
        change(tenant)

    return Defect(code, severity, plant)


def expires(seconds: float) -> Callable[[Tenant], Awaitable[None]]:
    async def plant(tenant: Tenant) -> None:
        moment = tenant.shop.clock.now() + timedelta(seconds=seconds)
        await tenant.execute("update bexio_connection set expires_at = :moment", moment=moment)

    return plant


def payment_type(tenant: Tenant, number: str) -> Body:
    """Arcavis' row, to change."""
    return tenant.shop.arcavis.tenant(tenant.slug).helpers["paymenttypes"].get(int(number))


def put_payment_type(tenant: Tenant, number: str, **changes: object) -> None:
    table = tenant.shop.arcavis.tenant(tenant.slug).helpers["paymenttypes"]
    table.put({**table.get(int(number)), **changes})


def set_year(tenant: Tenant, **changes: object) -> None:
    for year in tenant.company.business_years:
        if year["start"] == "2026-01-01":
            year.update(changes)


def close_vat(tenant: Tenant) -> None:
    for period in tenant.company.vat_periods:
        period["status"] = "closed"


def limit_rights(tenant: Tenant, *scopes: str) -> None:
    """Every right but these."""
    world: World = tenant.shop.world
    everything = {"contact_edit", "kb_invoice_edit", "bank_account_show", "article_show", "accounting"}
    world.add_token(tenant.company.id, tenant.token, scopes=frozenset(everything - set(scopes)))


def add_group(tenant: Tenant, name: str) -> None:
    identity = tenant.company.contact_groups.next_id()
    tenant.company.contact_groups.put(identity, {"id": identity, "name": name})


DEFECTS = [
    bexio("bexio-unauthorized", lambda tenant: tenant.shop.world.revoke_token(tenant.token)),
    bexio("bexio-unreachable", lambda tenant: setattr(tenant.shop.world, "outage", "unavailable")),
    bexio("bexio-forbidden", lambda tenant: limit_rights(tenant, "bank_account_show")),
    bexio("bexio-forbidden", lambda tenant: limit_rights(tenant, "contact_edit")),
    bexio("bexio-forbidden", lambda tenant: limit_rights(tenant, "kb_invoice_edit")),
    Defect("bexio-token-expired", "error", expires(-60)),
    Defect("bexio-token-expires", "warning", expires(14 * 86_400)),
    bexio("currency-missing", lambda tenant: tenant.company.currencies[1].update(name="XXX")),
    bexio("rounding-step-unusual", lambda tenant: tenant.company.currencies[1].update(round_factor=1), "warning"),
    bexio(
        "currency-not-francs",
        lambda tenant: tenant.company.setting("KbInvoice").update(default_currency_id=2),
        "warning",
    ),
    bexio("account-missing", lambda tenant: tenant.company.account("3200").update(is_active=False)),
    setting("account-missing", invoice_account_no="3299"),
    setting("account-not-income", invoice_account_no="1020"),
    bexio("tax-code-missing", lambda tenant: tenant.company.tax("UN81").update(is_active=False)),
    bexio("tax-code-missing", lambda tenant: tenant.company.tax("UR26").update(is_active=False)),
    bexio("tax-code-missing", lambda tenant: tenant.company.tax("US38").update(is_active=False), "warning"),
    bexio("tax-code-missing", lambda tenant: tenant.company.tax("U00").update(is_active=False), "warning"),
    bexio("tax-code-missing", lambda tenant: tenant.company.tax("UN81").update(end_year=2026, end_month=10)),
    setting("setting-unknown-in-bexio", bexio_user_id=77),
    setting("setting-unknown-in-bexio", invoice_bexio_payment_type_id=77),
    setting("setting-unknown-in-bexio", invoice_bank_account_id=77),
    setting("settings-incomplete", invoice_payment_type_id=None),
    setting("settings-incomplete", invoice_account_no=None),
    setting("settings-incomplete", bexio_user_id=None),
    setting("settings-incomplete", "warning", invoice_bexio_payment_type_id=None),
    setting("setting-unknown-in-arcavis", invoice_payment_type_id="77"),
    setting("setting-unknown-in-arcavis", "warning", payment_bank_accounts={"77": 1}),
    setting("bank-account-missing", payment_bank_accounts={CARD: 77}),
    setting("payment-type-not-mapped", "warning", payment_bank_accounts={}),
    bexio("payment-type-inactive", lambda tenant: put_payment_type(tenant, INVOICE_TYPE, IsActive=False)),
    bexio(
        "payment-type-without-customer",
        lambda tenant: put_payment_type(tenant, INVOICE_TYPE, IsCustomerRequired=False),
        "warning",
    ),
    bexio(
        "numbering-not-automatic",
        lambda tenant: tenant.company.setting("KbInvoice").update(use_automatic_enumeration=False),
    ),
    setting("contact-groups-same", "warning", customer_group="Kontakte", supplier_group="kontakte"),
    setting("contact-group-will-be-made", "info", contact_sync_enabled=True, supplier_group="Zulieferer"),
    bexio("contact-group-doubled", lambda tenant: [add_group(tenant, "Kunde") for _ in range(2)], "warning"),
    bexio("business-year-not-open", lambda tenant: set_year(tenant, status="closed")),
    bexio("business-year-missing", lambda tenant: set_year(tenant, end="2026-06-30")),
    bexio("vat-period-not-open", close_vat),
    bexio("arcavis-unauthorized", lambda tenant: setattr(arcavis_user(tenant), "password", "changed")),
    bexio("arcavis-forbidden", lambda tenant: tenant.shop.arcavis.tenant(tenant.slug).modules.clear()),
]


def arcavis_user(tenant: Tenant) -> object:
    return tenant.shop.arcavis.tenant(tenant.slug).user


async def test_a_healthy_shop_has_nothing_that_keeps_it_from_selling(tenant: Tenant) -> None:
    diagnosis = await examined(tenant)
    assert diagnosis["ok"]
    assert codes(diagnosis, "error") == set()
    assert codes(diagnosis, "info") == {"bexio-works", "arcavis-works"}


async def test_a_shop_that_was_just_connected_is_healthy(shop: Shop) -> None:
    anna = await opened(shop, "anna")
    await connect(anna)
    assert (await examined(anna))["ok"]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda one: f"{one.code} {one.severity} {one.plant.__name__}")
async def test_a_planted_defect_is_found_by_its_code_and_nothing_is_written(tenant: Tenant, defect: Defect) -> None:
    await defect.plant(tenant)
    diagnosis = await examined(tenant)
    assert defect.code in codes(diagnosis, defect.severity)
    assert diagnosis["ok"] == (defect.severity != "error")
    assert tenant.writes() == []
    asked: Body = tenant.shop.arcavis.requests.report()
    assert all(route.startswith("GET ") for route in asked["by_route"])


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"activation": "enabled", "show": "all", "edit": "all"}, None),
        ({"activation": "disabled", "show": "all", "edit": "all"}, "bexio-right-missing"),
        ({"activation": "enabled", "show": "all", "edit": "none"}, "bexio-right-missing"),
        ({"activation": "enabled", "show": "own", "edit": "all"}, "bexio-right-limited"),
        ({"activation": "enabled", "show": "all", "edit": "own"}, "bexio-right-limited"),
        ({}, None),
    ],
)
def test_a_user_who_may_not_see_or_change_everything_is_noticed(given: dict[str, object], found: str | None) -> None:
    facts = Facts(
        now=NOON,
        settings=TenantSettings.model_validate({}),
        expires_at=None,
        company_name=None,
        scopes_missing=(),
        renewal_failures=0,
        failures=(),
        bexio=BexioFacts(permissions=Permissions(components=(), permissions={"kb_invoice": given})),
        arcavis_payment_types=None,
    )
    assert [one.code for one in rights(facts)] == ([found] if found else [])


async def test_every_defect_is_found_beside_the_others(tenant: Tenant) -> None:
    await tenant.set(invoice_account_no="3299", bexio_user_id=77, payment_bank_accounts={CARD: 77})
    tenant.company.tax("UN81").update(is_active=False)
    set_year(tenant, status="locked")
    diagnosis = await examined(tenant)
    assert codes(diagnosis, "error") == {
        "account-missing",
        "setting-unknown-in-bexio",
        "bank-account-missing",
        "tax-code-missing",
        "business-year-not-open",
    }
    assert [one["severity"] for one in diagnosis["findings"]] == sorted(
        (one["severity"] for one in diagnosis["findings"]), key=["error", "warning", "info"].index
    )


async def test_a_list_that_cannot_be_read_is_a_finding_and_the_others_are_still_looked_at(tenant: Tenant) -> None:
    tenant.fault(Mode.ERROR_BEFORE, "/3.0/taxes")
    tenant.fault(Mode.HALF_PAGE, "/2.0/payment_type")
    await tenant.set(invoice_account_no="3299")
    diagnosis = await examined(tenant)
    assert about(diagnosis, "bexio-unreachable") == ["bexio.taxes"]
    assert about(diagnosis, "bexio-answer-unreadable") == ["bexio.payment_types"]
    assert "account-missing" in codes(diagnosis, "error")
    assert "tax-code-missing" not in codes(diagnosis, "error")


async def test_when_bexio_is_away_it_is_asked_little_and_said_once(tenant: Tenant) -> None:
    tenant.shop.world.outage = "refused"
    diagnosis = await examined(tenant)
    assert [one["code"] for one in diagnosis["findings"] if one["severity"] == "error"] == ["bexio-unreachable"]
    assert "arcavis-works" in codes(diagnosis, "info")
    assert len(tenant.routes()) <= 3


async def test_a_tenant_without_bexio_is_told_so(shop: Shop) -> None:
    diagnosis = await examined(await opened(shop, "anna"))
    assert not diagnosis["ok"]
    assert "bexio-not-connected" in codes(diagnosis, "error")


async def test_every_way_to_pay_without_a_bank_account_is_named(tenant: Tenant) -> None:
    diagnosis = await examined(tenant, "de")
    details = [one["detail"] for one in diagnosis["findings"] if one["code"] == "payment-type-not-mapped"]
    assert any("Gutschein" in detail for detail in details)
    assert payment_type(tenant, VOUCHER)["Title"] == "Gutschein"
    assert not any("Karte" in detail for detail in details)


async def test_every_code_of_the_doctor_has_its_texts(tenant: Tenant) -> None:
    assert {defect.code for defect in DEFECTS} <= set(ENTRIES)
    await tenant.set(invoice_account_no="3299")
    german = (await examined(tenant, "de"))["findings"][0]
    assert german["code"] == "account-missing"
    assert german["detail"] != (await examined(tenant, "en"))["findings"][0]["detail"]
    assert "3299" in german["detail"]
