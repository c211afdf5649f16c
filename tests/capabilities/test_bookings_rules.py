"""Booking rules over HTTP: refused with the choices when bexio does not have what they name, and never forgotten."""

from __future__ import annotations

from typing import Any

import pytest

from app.capabilities.bookings import rules_store
from app.capabilities.bookings.rule_schemas import STORED, RuleContent
from app.capabilities.bookings.rules_store import NewRule
from app.core.ids import uuid7
from sandbox.bexio.company import Company
from sandbox.bexio.fresh import fill
from tests.fixtures.exporting import Bookkeeping, open_books
from tests.fixtures.service import audited
from tests.fixtures.shop import CARD, CASH, Body, Shop, Tenant

REVENUE: Body = {
    "title": "Umsatz",
    "source": "articles",
    "value": "gross",
    "filter": {"tax_rates": ["standard", "8.10"]},
    "group_by": ["sale_day", "store"],
    "debit_account": "1000",
    "credit_account": "3200",
    "tax_code": "@sales",
    "text": "Umsatz {Filiale} {MWST} {Datum}",
}
CARDS: Body = {
    "title": "Karte",
    "source": "payments",
    "value": "amount",
    "filter": {"payment_types": [CARD]},
    "debit_account": "1021",
    "credit_account": "1000",
}


@pytest.fixture
async def office(shop: Shop) -> Tenant:
    return await shop.tenant("muster", modules=("accounting_export",))


async def made(office: Tenant, body: Body) -> Body:
    answer = await office.post("/bookings/rules", body)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_a_rule_is_made_shown_changed_and_its_versions_stay(office: Tenant) -> None:
    answer = await office.post("/bookings/rules", REVENUE)
    first = answer.json()
    assert answer.headers["location"] == f"/bookings/rules/{first['id']}"
    assert (first["version"], first["position"], first["reason"]) == (1, 10, None)
    second = await made(office, CARDS)
    assert second["position"] == 20
    path = f"/bookings/rules/{first['id']}"
    changed = await office.call("PUT", path, json={**REVENUE, "title": "Erlös"}, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.json()["version"], changed.headers["etag"]) == (200, 2, '"2"')
    assert changed.json()["position"] == 10
    stale = await office.call("PUT", path, json=REVENUE, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "rule-changed-meanwhile")
    same = await office.call("PUT", path, json={**REVENUE, "title": "Erlös"})
    assert same.json()["version"] == 2
    versions = (await office.get(f"{path}/versions")).json()["items"]
    assert [(one["version"], one["title"]) for one in versions] == [(2, "Erlös"), (1, "Umsatz")]
    assert [one["title"] for one in (await office.get("/bookings/rules")).json()["items"]] == ["Erlös", "Karte"]
    assert (await office.get(path)).json() == changed.json()
    actions = [line["action"] for line in (await office.get("/audit")).json()["items"]]
    assert actions[:3] == ["booking-rule.change", "booking-rule.create", "booking-rule.create"]


async def test_a_copy_is_inactive_and_a_deleted_rule_keeps_its_versions(office: Tenant) -> None:
    rule = await made(office, CARDS)
    copy = await office.post(f"/bookings/rules/{rule['id']}/copy", headers={"Accept-Language": "de"})
    assert copy.status_code == 201
    assert (copy.json()["title"], copy.json()["active"], copy.json()["position"]) == ("Karte (Kopie)", False, 20)
    assert copy.json()["filter"] == rule["filter"]
    gone = await office.call("DELETE", f"/bookings/rules/{rule['id']}")
    assert gone.status_code == 204
    assert (await office.get(f"/bookings/rules/{rule['id']}")).status_code == 404
    assert len((await office.get(f"/bookings/rules/{rule['id']}/versions")).json()["items"]) == 1
    assert [one["id"] for one in (await office.get("/bookings/rules")).json()["items"]] == [copy.json()["id"]]
    assert len(await audited(office, "booking-rule.delete")) == 1


async def test_the_same_idempotency_key_makes_one_rule(office: Tenant) -> None:
    answers = [await office.post("/bookings/rules", CARDS, headers={"Idempotency-Key": "k-1"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await office.get("/bookings/rules")).json()["items"]) == 1


async def test_without_the_module_nothing_of_it_is_there(shop: Shop) -> None:
    plain = await shop.tenant("plain")
    for method, path in (
        ("GET", "/bookings/rules"),
        ("POST", "/bookings/rules/defaults"),
        ("POST", "/export/bookings/preview"),
    ):
        answer = await plain.call(
            method, path, json={"from": "2026-11-19", "to": "2026-11-19"} if "export" in path else None
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "module-not-active")
        assert answer.json()["remedy"]


def pointers(answer: Body) -> set[str]:
    return {error["pointer"] for error in answer["errors"]}


def messages(answer: Body) -> str:
    return "\n".join(error["message"] for error in answer["errors"])


@pytest.mark.parametrize(
    ("change", "code", "pointer", "choice"),
    [
        ({"credit_account": "3299"}, "booking-account-missing", "/credit_account", "3200: "),
        ({"debit_account": "1098"}, "booking-account-missing", "/debit_account", "1020: "),
        ({"credit_account": "1020"}, "booking-account-unsuitable", "/credit_account", "3200: "),
        ({"debit_account": "3400"}, "booking-account-unsuitable", "/debit_account", "1000: "),
        ({"tax_code": "UN77"}, "vat-code-unknown", "/tax_code", "UN81: "),
        ({"tax_code": "UO81"}, "vat-code-inactive", "/tax_code", "@sales"),
        ({"tax_code": "VM81"}, "vat-code-unfit-for-account", "/tax_code", "UN81: "),
        ({"tax_code": "@operating-standard"}, "vat-code-unfit-for-account", "/tax_code", "UN81: "),
        (
            {"value": "discount", "debit_account": "3800", "credit_account": "1000", "tax_code": None},
            "discount-account-unsuitable",
            "/credit_account",
            "3200: ",
        ),
        (
            {"value": "discount", "debit_account": "1000", "tax_code": None},
            "discount-account-unsuitable",
            "/debit_account",
            "3800: ",
        ),
        ({"tax_code": "@sales-reduced"}, "vat-code-of-other-rate", "/tax_code", "UN81: "),
    ],
)
async def test_what_bexio_does_not_have_is_refused_with_what_it_has(
    office: Tenant, change: Body, code: str, pointer: str, choice: str
) -> None:
    answer = await office.post("/bookings/rules", {**REVENUE, **change}, headers={"Accept-Language": "de"})
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, code), problem
    assert pointers(problem) == {pointer}
    assert choice in messages(problem)
    assert "Umsatz" in problem["detail"]
    assert (await office.get("/bookings/rules")).json()["items"] == []


async def fresh(shop: Shop) -> Tenant:
    """A tenant whose bexio company is as on its first day, as far as bookings see it."""
    office = await shop.tenant("neu", modules=("accounting_export",))
    await office.set(payment_bank_accounts={})
    gone = next(row for row in office.company.accounts if row["account_no"] == "1000")
    gone.update(account_no="1009", is_active=False)
    for code in ("US38", "U00"):
        office.company.tax(code)["is_active"] = False
    return office


async def test_the_missing_cash_account_names_the_screen_of_bexio(shop: Shop) -> None:
    office = await fresh(shop)
    answer = await office.post("/bookings/rules", REVENUE, headers={"Accept-Language": "de"})
    assert (answer.status_code, answer.json()["code"]) == (422, "cash-account-missing")
    assert "Bankkonto hinzufügen" in answer.json()["remedy"]
    assert "Kassenkonto" in answer.json()["remedy"]


async def test_a_rate_that_sleeps_in_bexio_may_be_named_and_woken_later(office: Tenant) -> None:
    office.company.tax("US38")["is_active"] = False
    lodging = {**REVENUE, "filter": {"tax_rates": ["lodging"]}}
    assert (await made(office, lodging))["tax_code"] == "@sales"


async def test_a_code_of_a_class_needs_no_rate_in_the_filter(office: Tenant) -> None:
    reduced: Body = {**REVENUE, "filter": {}, "tax_code": "@sales-reduced"}
    assert (await made(office, reduced))["tax_code"] == "@sales-reduced"


WRONG: tuple[Body, ...] = (
    {"value": "amount"},
    {"source": "payments"},
    {"debit_account": None},
    {"action": "ignore"},
    {"credit_account": "1000"},
    {"valid_from": "2026-12-31", "valid_to": "2026-01-01"},
    {"filter": {"payment_types": ["1"]}},
    {"filter": {"tax_rates": ["high"]}},
    {"filter": {"store": ["1"]}},
    {"group_by": ["customer"]},
    {"tax_code": "@sale"},
    {"value": "net"},
    {"value": "tax", "credit_account": "2200"},
    {"value": "cost", "debit_account": "4200", "credit_account": "1099", "tax_code": "@material-standard"},
    {"value": "discount", "debit_account": "3800"},
    {"text": "{Umsatz}"},
    {"title": ""},
    {"debit_account": "10-00"},
    {"colour": "red"},
)


@pytest.mark.parametrize("change", WRONG, ids=str)
async def test_a_rule_that_makes_no_sense_is_refused(office: Tenant, change: Body) -> None:
    answer = await office.post("/bookings/rules", {**REVENUE, **change})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input"), answer.text
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Only the values gross and amount take a tax_code, not net."),
        ("de", "Nur die Werte gross und amount haben einen tax_code, net nicht."),
    ],
)
async def test_a_value_without_vat_takes_no_code(office: Tenant, language: str, said: str) -> None:
    answer = await office.post("/bookings/rules", {**REVENUE, "value": "net"}, headers={"Accept-Language": language})
    assert (answer.status_code, said in messages(answer.json())) == (422, True), answer.text


BESIDES: tuple[Body, ...] = (
    {"value": "net"},
    {"value": "tax", "credit_account": "2200"},
    {"value": "cost", "debit_account": "4200", "credit_account": "1099"},
    {"value": "discount", "debit_account": "3800"},
)


@pytest.mark.parametrize("change", BESIDES, ids=str)
async def test_every_value_can_be_booked_where_it_falsifies_nothing(office: Tenant, change: Body) -> None:
    assert (await made(office, {**REVENUE, "tax_code": None, **change}))["value"] == change["value"]


async def test_a_rule_that_was_stored_with_such_a_code_is_shown_still_and_holds_its_days(shop: Shop) -> None:
    stored: Body = {**REVENUE, "value": "net", "filter": {}}
    content = RuleContent.model_validate(stored, context=STORED)
    assert content.tax_code == "@sales"
    books = await open_books(shop, rules=())
    async with shop.db.begin(books.tenant.id) as session:
        rule = NewRule(uuid7(shop.clock.now()), content)
        await rules_store.insert(session, books.tenant.id, [rule], 0, actor="test", now=shop.clock.now())
    assert (await books.tenant.get(f"/bookings/rules/{rule.id}")).json()["tax_code"] == "@sales"
    assert len((await books.tenant.get("/bookings/rules")).json()["items"]) == 1
    day = shop.clock.now().date()
    books.sell(day)
    preview = await books.tenant.post("/export/bookings/preview", {"from": day.isoformat(), "to": day.isoformat()})
    assert "vat-code-on-value-without-vat" in {one["code"] for one in preview.json()["findings"]}
    assert preview.json()["days"][0]["state"] == "held"


async def test_rules_are_limited_in_number(office: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.capabilities.bookings.rules_service.MOST_RULES", 2)
    for _ in range(2):
        await made(office, CARDS)
    answer = await office.post("/bookings/rules", CARDS)
    assert (answer.status_code, answer.json()["code"]) == (409, "rules-too-many")


async def test_a_rule_with_entries_in_bexio_is_ended_and_not_deleted(shop: Shop) -> None:
    books: Bookkeeping = await open_books(shop)
    day = shop.clock.now().date()
    books.sell(day)
    assert (await books.export(day))["state"] == "done"
    office, rule = books.tenant, books.rules["Umsatz"]
    answer = await office.call("DELETE", f"/bookings/rules/{rule}")
    assert (answer.status_code, answer.json()["code"]) == (409, "rule-has-entries")
    (export,) = (await office.get("/export/bookings")).json()["items"]
    await books.reverse(export)
    assert (await office.call("DELETE", f"/bookings/rules/{rule}")).status_code == 204


def with_accounts(company: Company, *accounts: tuple[str, str, int]) -> None:
    for number, name, kind in accounts:
        row = {"account_no": number, "name": name, "account_type": kind, "tax_id": None, "fibu_account_group_id": 46}
        fill(company, "accounts", {**row, "is_active": True, "is_locked": False})


async def test_defaults_are_made_once_each_with_its_reason_and_later_what_became_possible(office: Tenant) -> None:
    first = await office.post("/bookings/rules/defaults", headers={"Accept-Language": "de"})
    assert first.status_code == 201, first.text
    origin = {one["title"]: one for one in first.json()["rules"]}
    assert first.json()["made"] == len(origin) > 6
    assert "1021 Kartenabrechnung" in origin["Karte"]["reason"]["detail"]
    assert origin["Umsatz 8.1 %"]["tax_code"] == "@sales"
    assert "default-tips-unclear" in {one["code"] for one in first.json()["findings"]}
    again = await office.post("/bookings/rules/defaults")
    assert again.json()["made"] == 0
    with_accounts(office.company, ("2036", "Trinkgelder", 4))
    await office.shop.later(60)
    await office.call("DELETE", f"/bookings/rules/{origin['Karte']['id']}")
    later = await office.post("/bookings/rules/defaults", headers={"Accept-Language": "fr"})
    assert [one["reason"]["code"] for one in later.json()["rules"]] == ["default-rule-tip"]
    assert later.json()["rules"][0]["reason"]["title"] == "Pourboires"
    assert later.json()["rules"][0]["title"] == "Trinkgeld"
    listed = {one["title"] for one in (await office.get("/bookings/rules")).json()["items"]}
    assert listed == {*origin, "Trinkgeld"} - {"Karte"}


async def test_defaults_cover_a_healthy_shop_and_leave_nothing_to_find(shop: Shop) -> None:
    books = await open_books(shop, rules=())
    with_accounts(books.company, ("1023", "Tresor", 3), ("6520", "Reinigung", 2), ("6510", "Kleinmaterial", 2))
    made_now = (await books.tenant.post("/bookings/rules/defaults")).json()
    assert made_now["findings"] == []
    day = shop.clock.now().date()
    books.sell(day)
    preview = await books.tenant.post("/export/bookings/preview", {"from": day.isoformat(), "to": day.isoformat()})
    assert [one for one in preview.json()["findings"] if one["severity"] == "error"] == []
    assert preview.json()["days"][0]["state"] == "ready"


async def test_a_new_bexio_company_gets_no_default_rule_before_it_has_a_cash_account(shop: Shop) -> None:
    office = await fresh(shop)
    answer = (await office.post("/bookings/rules/defaults")).json()
    assert (answer["made"], [one["code"] for one in answer["findings"]]) == (0, ["cash-account-missing"])
    with_accounts(office.company, ("1000", "Kasse", 3))
    await shop.later(60)
    later: Any = (await office.post("/bookings/rules/defaults")).json()
    assert later["made"] > 4
    sleeping = [one["detail"] for one in later["findings"] if one["code"] == "vat-code-sleeps"]
    assert len(sleeping) == 2
    assert any("US38" in said for said in sleeping)
    assert CASH in {value for one in later["rules"] for value in one["filter"]["payment_types"]}
