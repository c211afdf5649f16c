"""The control API of the simulated bexio, and the company that it starts with."""

from typing import Any

import pytest

from sandbox.bexio.seed import seed_fresh
from tests.sandbox.bexio_shop import NOON, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_invoices_are_shown_with_positions_payments_and_totals(shop: Shop) -> None:
    await shop.issued(api_reference="k")
    paid = await shop.control("POST", "actions/pay", {"api_reference": "k", "value": "5"})
    assert paid.json()["value"] == "5.000000"
    [invoice] = (await shop.control("GET", "invoices")).json()
    assert (invoice["api_reference"], invoice["kb_item_status_id"], invoice["total"]) == ("k", 16, "10.800000")
    assert (len(invoice["positions"]), len(invoice["payments"])) == (1, 1)


async def test_the_trial_balance_is_printed_with_equal_sides(shop: Shop) -> None:
    await shop.issued()
    balance = (await shop.control("GET", f"trial-balance?company={shop.company.id}")).json()
    assert balance["debit"] == balance["credit"] == "10.80"
    assert [row["account_no"] for row in balance["rows"]] == ["1100", "2200", "3200"]


async def test_requests_are_counted_as_reads_and_writes_in_order(shop: Shop) -> None:
    await shop.get("/2.0/contact")
    await shop.post("/2.0/contact/search", [])
    await shop.draft()
    report: dict[str, Any] = (await shop.control("GET", "requests?latest=2")).json()
    assert (report["total"], report["reads"], report["writes"]) == (3, 2, 1)
    assert report["by_status"] == {"200": 2, "201": 1}
    assert [each["path"] for each in report["latest"]] == ["/2.0/contact/search", "/2.0/kb_invoice"]
    assert (await shop.control("DELETE", "requests")).json()["total"] == 0


async def test_faults_are_added_listed_and_cleared(shop: Shop) -> None:
    added = await shop.control("POST", "faults", {"mode": "error_before", "path": "/contact$", "times": 1})
    assert added.json()["struck"] == 0
    assert (await shop.get("/2.0/contact")).status_code == 500
    assert [rule["struck"] for rule in (await shop.control("DELETE", "faults")).json()] == [1]
    assert (await shop.control("GET", "faults")).json() == []


@pytest.mark.parametrize("rule", [{"mode": "boom"}, {"mode": "reset", "path": "("}, {"mode": "reset", "time": 1}, [1]])
async def test_a_rule_that_makes_no_sense_is_refused(shop: Shop, rule: object) -> None:
    assert (await shop.control("POST", "faults", rule)).status_code == 400


async def test_a_company_with_a_token_is_added_from_outside(shop: Shop) -> None:
    body = {"company": "second", "name": "Zweite AG", "seed": "fresh", "token": "pat-2"}
    assert (await shop.control("POST", "companies", body)).json()["contacts"] == 1
    me = await shop.client_for("pat-2").get("/2.0/company_profile")
    assert me.json()[0]["name"] == "Zweite AG"
    await shop.control("POST", "tokens", {"company": "second", "token": "t3", "scopes": ["contact_show"]})
    assert (await shop.client_for("t3").get("/2.0/kb_invoice")).status_code == 403
    state = (await shop.control("GET", "state")).json()
    assert [each["id"] for each in state["companies"]] == [shop.company.id, "second"]


async def test_a_bookkeeper_changes_what_the_api_cannot(shop: Shop) -> None:
    await shop.control("POST", "actions/set-tax", {"code": "US38", "is_active": False})
    await shop.control("POST", "actions/set-account", {"account_no": "3200", "is_active": False})
    await shop.control("POST", "actions/archive-contact", {"contact_id": 3})
    await shop.control("POST", "actions/rename-contact", {"contact_id": 4, "name_1": "Hotel Neu AG"})
    await shop.control("POST", "actions/set-business-year", {"id": 2, "status": "locked"})
    company = shop.company
    assert (company.tax("US38")["is_active"], company.account("3200")["is_active"]) == (False, False)
    assert (company.contacts[3]["is_archived"], company.contacts[4]["name_1"]) == (True, "Hotel Neu AG")
    assert company.business_years[2]["status"] == "locked"


@pytest.mark.parametrize("path", ["actions/pay", "actions/set-account", "tokens", "outage", "companies"])
async def test_a_control_request_without_its_fields_is_an_error_and_no_crash(shop: Shop, path: str) -> None:
    response = await shop.control("POST", path, {})
    assert response.status_code in {400, 404}
    assert response.json()["error"]


async def test_limits_and_rules_are_set_from_outside(shop: Shop) -> None:
    await shop.control("POST", "limits", {"enabled": True, "general": 1, "window_seconds": 5})
    assert [(await shop.get("/2.0/unit")).status_code for _ in range(2)] == [200, 429]
    rules = await shop.control("POST", "rules", {"accepts_overpayment": True})
    assert rules.json()["accepts_overpayment"] is True


async def test_the_shop_has_what_a_working_shop_has(shop: Shop) -> None:
    company = shop.company
    banks = [company.accounts[each["account_id"]]["account_no"] for each in company.banking_accounts]
    assert banks == ["1020", "1021", "1022", "1000"]
    rates = {each["tax_income_id"]: company.taxes[each["tax_income_id"]]["value"] for each in company.articles}
    assert sorted(rates.values()) == [0, 2.6, 3.8, 8.1]
    mails = [row["mail"] for row in company.contacts if row["mail"]]
    assert mails.count("familie.mueller@example.ch") == 4
    assert {row["name"] for row in company.contact_groups} >= {"Kunde", "Lieferant"}
    assert len(company.contacts) == 66
    assert [each["status"] for each in company.business_years] == ["open", "open", "closed"]


async def test_options_switch_off_what_a_shop_may_lack() -> None:
    bare = Shop(has_special_rate=False, has_zero_rate=False, has_cash_account=False, has_contacts=False).company
    assert [bare.tax(code)["is_active"] for code in ("US38", "U00")] == [False, False]
    assert "1000" not in {row["account_no"] for row in bare.accounts}
    assert len(bare.contacts) == 1


async def test_a_fresh_company_is_the_recorded_one(shop: Shop) -> None:
    fresh = seed_fresh(shop.world, "fresh")
    assert shop.world.now() == NOON
    active = [row["code"] for row in fresh.taxes if row["is_active"] and row["type"] == "sales_tax"]
    assert active == ["UN81", "UR26"]
    assert [row["account_no"] for row in fresh.accounts if not row["is_locked"]] == ["1020", "1021"]
    assert (len(fresh.accounts), len(fresh.taxes), len(fresh.articles)) == (28, 25, 0)
    assert [(row["start"], row["status"]) for row in fresh.business_years] == [
        ("2026-01-01", "open"),
        ("2025-01-01", "closed"),
    ]
