"""VAT by the date of supply: a rate change needs no hand work, and no rate is ever quietly exchanged for another."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.capabilities.bookings.preflight import check_rules
from app.capabilities.bookings.rules import Rule
from app.capabilities.bookings.vat import SYMBOLS, Missing, VatCodes
from app.connectors.bexio.taxes import Tax
from tests.fixtures.bookings import (
    OLD_RATES,
    RATES,
    TODAY,
    Tills,
    altered,
    back,
    cancelling,
    ledger,
    line,
    planned,
    receipt,
    rule,
    rules,
    terms,
)
from tests.fixtures.sweeping import booked_by, requests_of

CHANGE = date(2024, 1, 1)
CODES = {"8.1": "UN81", "2.6": "UR26", "3.8": "US38", "0": "U00", "7.7": "UN77", "2.5": "UR25", "3.7": "US37"}


def by_rate(**fields: str) -> tuple[Rule, ...]:
    """The usual rules, with one for revenue of each class in place of the one for all."""
    names = ("standard", "reduced", "lodging", "zero")
    accounts = {"debit_account": "1000", "credit_account": "3200", "tax_code": "@sales", **fields}
    revenue = [rule(20 + place, name, include={"tax_rate": [name]}, **accounts) for place, name in enumerate(names)]
    return (*revenue, *(one for one in rules() if one.title != "Umsatz"))


@pytest.mark.parametrize("offset", range(-40, 41, 4))
def test_across_the_change_of_2024_every_day_has_its_codes_and_no_rule_was_touched(offset: int) -> None:
    day = CHANGE + timedelta(days=offset)
    rates = OLD_RATES if day < CHANGE else RATES
    on = terms(rounding_limit=Decimal(100))
    every_rate = receipt(*(line("10.00", rate) for rate in rates), number=9999, sale_day=day)
    plan = planned([*Tills(offset + 40, rates).day(day), every_rate], day=day, on=on, by=by_rate())
    assert plan.findings == ()
    revenue = [entry for entry in plan.entries if entry.title in {"standard", "reduced", "lodging", "zero"}]
    assert {entry.tax_code for entry in revenue} == {CODES[f"{rate.normalize():f}"] for rate in rates}


@pytest.mark.parametrize("days", [1, 30, 120])
def test_a_sale_of_before_the_change_is_taken_back_after_it_at_its_own_rate(days: int) -> None:
    sold = receipt(line("107.70", "7.7"), sale_day=CHANGE - timedelta(days=1))
    day = CHANGE + timedelta(days=days)
    plan = planned([cancelling(sold, number=2, day=day)], day=day, by=by_rate())
    assert [(entry.tax_code, entry.amount, entry.ledger_tax) for entry in plan.entries] == [
        ("UN77", Decimal("-107.70"), Decimal("-7.70"))
    ]
    before = planned([sold], day=sold.sale_day, by=by_rate())
    assert booked_by([*requests_of(before), *requests_of(plan)]) == {}


def test_a_return_at_the_old_rate_once_bexio_has_closed_that_code_waits_and_never_takes_the_new_rate() -> None:
    day = date(2026, 2, 3)
    plan = planned([receipt(back(line("107.70", "7.7")), sale_day=day)], day=day, by=by_rate())
    (finding,) = plan.findings
    assert (plan.state, finding.code, finding.params["rate"]) == ("held", "vat-code-missing", "7.7")


@pytest.mark.parametrize(
    ("include", "rate", "day", "code"),
    [
        ({}, "2.6", TODAY, "vat-code-of-other-rate"),
        ({"tax_rate": ["standard"]}, "7.7", TODAY, "vat-code-missing"),
        ({"tax_rate": ["standard"]}, "7.7", date(2024, 3, 1), None),
        ({"tax_rate": ["standard"]}, "8.1", TODAY, None),
    ],
)
def test_a_code_of_a_class_is_for_lines_of_the_class_and_for_each_at_its_own_rate(
    include: dict[str, list[str]], rate: str, day: date, code: str | None
) -> None:
    accounts = {"debit_account": "1000", "credit_account": "3200", "tax_code": "@sales-standard"}
    revenue = rule(20, "Umsatz", include=include, group_by=("tax_rate",), **accounts)
    by = (revenue, *(one for one in rules() if one.title != "Umsatz"))
    plan = planned([receipt(line("107.70", rate), sale_day=day)], day=day, by=by)
    assert [finding.code for finding in plan.findings] == ([code] if code else [])
    assert plan.state == ("held" if code else "ready")
    assert [entry.tax_code for entry in plan.entries] == ([] if code else [CODES[rate]])


def test_a_code_of_a_class_that_the_filter_of_its_rule_shuts_out_is_told_of_before_any_sale() -> None:
    accounts = {"debit_account": "1000", "credit_account": "3200", "tax_code": "@sales-standard"}
    shut_out = rule(1, "Umsatz", include={"tax_rate": ["reduced"]}, **accounts)
    (finding,) = check_rules([shut_out], ledger(), TODAY)
    assert (finding.code, finding.params["rate"], finding.params["code_rate"]) == (
        "vat-code-of-other-rate", "2.6", "8.1",
    )  # fmt: skip
    assert list(check_rules([rule(1, "Umsatz", **accounts)], ledger(), TODAY)) == []


def future(code: str, rate: str, month: int = 7) -> Tax:
    """A code of a rate to come, from a month of 2027 on."""
    row = {"id": 700, "code": code, "type": "sales_tax", "value": rate, "is_active": True, "display_name": code}
    return Tax.model_validate({**row, "start_year": 2027, "start_month": month})


def test_a_rate_that_this_program_has_never_heard_of_needs_no_new_version() -> None:
    on = terms()
    on = replace(on, ledger=replace(on.ledger, taxes=(*on.ledger.taxes, future("UN85", "8.5"))), today=date(2028, 3, 1))
    day = date(2028, 2, 1)
    years = [
        one.model_copy(update={"start": date(2028, 1, 1), "end": date(2028, 12, 31)})
        for one in on.ledger.business_years[:1]
    ]
    on = replace(on, ledger=replace(on.ledger, business_years=tuple(years)))
    plan = planned([receipt(line("108.50", "8.5"), sale_day=day)], day=day, on=on, by=by_rate())
    assert plan.findings == ()
    assert [(entry.tax_code, entry.title, entry.ledger_tax) for entry in plan.entries] == [
        ("UN85", "standard", Decimal("8.50"))
    ]


def test_a_code_named_by_hand_stops_at_the_change_and_says_so() -> None:
    day = date(2028, 2, 1)
    on = altered(terms(), "taxes", lambda one: one.code == "UN81", end_year=2027, end_month=12)
    plan = planned([receipt(line("108.10"), sale_day=day)], day=day, on=on, by=by_rate(tax_code="UN81"))
    assert "vat-code-expired" in {finding.code for finding in plan.findings}
    assert plan.state == "held"


@pytest.mark.parametrize(
    ("wanted", "rate", "expected"),
    [
        ("@sales", "8.1", "UN81"),
        ("@sales", "3.8", "US38"),
        ("@sales", "0", "U00"),
        ("@sales", "8.2", "vat-code-missing"),
        ("@sales", None, "vat-code-missing"),
        ("@sales-reduced", None, "UR26"),
        ("@material-standard", None, "VM81"),
        ("@material-reduced", None, "VM26"),
        ("@material-lodging", None, "vat-code-sleeps"),
        ("@operating-standard", None, "VB81"),
        ("@operating-zero", None, "V00"),
        ("@sales-standard", "8.1", "UN81"),
        ("@sales-standard", "2.6", "vat-code-of-other-rate"),
        ("@sales-standard", "7.7", "vat-code-missing"),
        ("@sales-standard", "8.2", "vat-code-of-other-rate"),
        ("@sales-zero", "0", "U00"),
        ("@sales-zero", "8.1", "vat-code-of-other-rate"),
        ("UN81", "8.1", "UN81"),
        ("UN81", None, "UN81"),
        ("UN81", "2.6", "vat-code-of-other-rate"),
        ("UO81", "8.1", "vat-code-inactive"),
        ("XX", "8.1", "vat-code-unknown"),
    ],
)
def test_what_a_rule_asks_for_is_found_or_refused_by_name(wanted: str, rate: str | None, expected: str) -> None:
    found = ledger().vat.resolve(wanted, Decimal(rate) if rate else None, TODAY)
    assert (found.code, isinstance(found, Missing)) == (expected, expected.startswith("vat-"))


def test_every_symbol_means_something() -> None:
    awake = altered(terms(), "taxes", lambda _: True, is_active=True).ledger
    for symbol in SYMBOLS - {"@sales", "@material-zero"}:
        assert isinstance(awake.vat.resolve(symbol, None, TODAY), Tax), symbol


def test_codes_that_a_company_added_are_not_guessed_at() -> None:
    own = (
        ledger()
        .taxes[0]
        .model_copy(
            update={"id": 800, "code": "EIGEN", "type": "sales_tax", "value": Decimal("8.1"), "is_active": True}
        )
    )
    found = VatCodes([*ledger().taxes, own]).resolve("@sales", Decimal("8.1"), TODAY)
    assert isinstance(found, Tax)
    assert found.code == "UN81"
    others = [tax for tax in ledger().taxes if tax.code != "UN81"]
    twice = [*others, own, own.model_copy(update={"id": 801, "code": "ANDERS"})]
    found = VatCodes(twice).resolve("@sales", Decimal("8.1"), TODAY)
    assert isinstance(found, Missing)
    assert (found.code, found.params["candidates"]) == ("vat-code-ambiguous", "ANDERS (801), EIGEN (800)")


@pytest.mark.parametrize(
    ("ends", "tax_code", "succeeded", "warned"),
    [
        ((2026, 12), "UN81", True, True),
        ((2026, 12), "@sales", True, False),
        ((2026, 12), "@sales", False, True),
        ((2027, 12), "UN81", False, False),
    ],
)
def test_a_code_in_use_that_ends_soon_is_told_of_unless_another_follows_by_itself(
    ends: tuple[int, int], tax_code: str, succeeded: object, warned: object
) -> None:
    on = altered(terms(), "taxes", lambda one: one.code == "UN81", end_year=ends[0], end_month=ends[1]).ledger
    if succeeded:
        on = replace(
            on, taxes=(*on.taxes, future("UN85", "8.5").model_copy(update={"start_year": 2027, "start_month": 1}))
        )
    one = rule(
        1, "Umsatz", include={"tax_rate": ["standard"]}, debit_account="1000", credit_account="3200", tax_code=tax_code
    )
    found = [finding.code for finding in check_rules([one], on, TODAY)]
    assert found == (["vat-code-ends"] if warned else [])


def test_several_rates_in_one_entry_need_a_code_that_goes_by_the_line() -> None:
    mixed = [receipt(line("108.10"), line("102.60", "2.6"))]
    all_at_once = (rule(1, "Umsatz", debit_account="1000", credit_account="3200", tax_code="UN81"), *rules()[1:])
    (finding,) = planned(mixed, by=all_at_once).findings
    assert finding.code == "vat-rates-mixed"
    by_line = (replace(all_at_once[0], tax_code="@sales"), *rules()[1:])
    assert len(planned(mixed, by=by_line).entries) == 2


def test_a_company_without_vat_books_without_it() -> None:
    on = altered(terms(), "calendar_years", lambda _: True, is_vat_subject=False)
    plan = planned([receipt(line("108.10"))], on=on)
    assert [(entry.tax_code, entry.position.tax) for entry in plan.entries] == [(None, None)]
    named = (replace(rules()[0], tax_code="UN81"), *rules()[1:])
    assert [one.code for one in planned([receipt(line("108.10"))], on=on, by=named).findings] == ["company-without-vat"]


def test_a_code_of_the_other_accounting_method_is_refused() -> None:
    on = altered(terms(), "calendar_years", lambda _: True, vat_accounting_method="net_tax")
    assert [one.code for one in planned([receipt(line("108.10"))], on=on).findings] == ["vat-code-of-other-method"]
    saldo = altered(terms(), "taxes", lambda one: one.code == "UN81", net_tax_value=Decimal("5.1"))
    assert [one.code for one in planned([receipt(line("1.00"))], on=saldo).findings] == ["vat-code-of-other-method"]
