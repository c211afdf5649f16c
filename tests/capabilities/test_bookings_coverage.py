"""Coverage: every line and payment is hit by exactly one rule; planted gaps and overlaps are all found, no others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.capabilities.bookings.facts import Groups, Payment, Receipt
from app.capabilities.bookings.findings import Finding
from app.capabilities.bookings.rules import Filter, Rule, Traits, holding_on, match
from tests.fixtures.bookings import (
    CARD,
    CASH,
    DAY,
    EXPENSE,
    INVOICE,
    TWINT,
    Tills,
    ledger,
    line,
    moved,
    planned,
    receipt,
    rule,
    rules,
    terms,
)

STORES, TILLS, KINDS = ("1", "2"), ("1", "2", "3"), (CASH, CARD, TWINT)
RATES = ("8.1", "2.6", "3.8", "0")
COVERAGE = {"coverage-gap", "coverage-overlap", "foreign-currency"}


def found(receipts: Sequence[Receipt], by: Sequence[Rule]) -> list[Finding]:
    on = terms(rounding_limit=Decimal(10))
    return [one for one in planned(receipts, by=by, on=on).findings if one.code in COVERAGE]


def cells(draw: Random) -> tuple[list[Rule], set[tuple[str, str]], set[tuple[str, str]]]:
    """Rules that tile stores and rates; some tiles are left out, some laid twice."""
    tiles: list[Rule] = []
    gaps, overlaps = set[tuple[str, str]](), set[tuple[str, str]]()
    for store in STORES:
        for rate in RATES:
            copies = draw.choice((0, 1, 1, 1, 1, 2))
            if copies == 0:
                gaps.add((store, rate))
            if copies == 2:
                overlaps.add((store, rate))
            for _ in range(copies):
                include = {"store": [store], "tax_rate": [rate]}
                accounts = {"debit_account": "1000", "credit_account": "3200", "tax_code": "@sales"}
                tiles.append(rule(len(tiles) + 1, f"{store}/{rate}", include=include, **accounts))
    return tiles, gaps, overlaps


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**6))
def test_planted_gaps_and_overlaps_are_all_found_and_no_others(seed: int) -> None:
    rng = Random(seed)
    tiles, gaps, overlaps = cells(rng)
    everything = rule(99, "Zahlungen", source="payments", action="ignore")
    sold = [
        receipt(line("1.00", rng.choice(RATES)), store=rng.choice(STORES), number=number)
        for number in range(rng.randint(1, 30))
    ]
    told = found(sold, [*tiles, everything])
    used = {(one.store, f"{one.lines[0].tax_rate}") for one in sold}
    assert {words(one) for one in told if one.code == "coverage-gap"} == gaps & used
    assert {words(one) for one in told if one.code == "coverage-overlap"} == overlaps & used


def words(one: Finding) -> tuple[str, str]:
    names = {"Zürich": "1", "Winterthur": "2"}
    _, store, rate = one.params["what"].split(", ")
    return names[store.removeprefix("store ")], rate.removeprefix("tax_rate ")


def test_a_healthy_shop_has_no_finding() -> None:
    for seed in range(30):
        assert found(Tills(seed).day(), rules()) == []


def test_a_gap_names_its_receipts_and_its_sum_and_holds_the_day() -> None:
    odd = receipt(line("10.00"), line("5.00"), number=7, payments=(Payment("9", Decimal(15)),))
    plan = planned([receipt(line("1.00"), number=1), odd, replace(odd, id="8", number="2/8")])
    (finding,) = plan.findings
    assert (plan.state, plan.groups) == ("held", ())
    assert finding.code == "coverage-gap"
    assert finding.days == (DAY,)
    assert (finding.count, [example.number for example in finding.examples]) == (2, ["2/7", "2/8"])
    assert finding.params["amount"] == "30.00"
    assert "payment_type 9" in finding.params["what"]


def test_an_overlap_names_the_rules_that_meet() -> None:
    again = rule(
        50,
        "Noch einmal Karten",
        source="payments",
        include={"payment_type": [CARD]},
        debit_account="1021",
        credit_account="1000",
    )
    card = receipt(line("10.00"), payments=(Payment(CARD, Decimal(10)),))
    (finding,) = found([card], (*rules(), again))
    assert finding.code == "coverage-overlap"
    assert set(finding.about) == {str(UUID(int=5)), str(UUID(int=50))}
    assert "Noch einmal Karten" in finding.params["rules"]


def test_a_rule_that_ignores_is_a_hit() -> None:
    lines = rule(1, "Nichts", action="ignore")
    payments = rule(2, "Auch nichts", source="payments", action="ignore")
    plan = planned(Tills(4).day(), by=(lines, payments), on=terms(rounding_limit=Decimal(100)))
    assert [one for one in plan.findings if one.code == "coverage-overlap"] == []
    assert all(
        (one.code == "coverage-gap" and "voucher" in one.params["what"]) or "tip" in one.params["what"]
        for one in plan.findings
        if one.code in COVERAGE
    )


def parts(*values: str) -> list[Rule]:
    """Rules that each tell one part of every line."""
    accounts = {"net": "3200", "tax": "2200", "gross": "3200", "discount": "3800", "cost": "4200"}
    made = [
        rule(place, value, value=value, debit_account="1000", credit_account=accounts[value])
        for place, value in enumerate(values, 1)
    ]
    return [*made, rule(99, "Zahlungen", source="payments", action="ignore")]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (("gross",), []),
        (("net", "tax"), []),
        (("net",), ["coverage-gap"]),
        (("tax",), ["coverage-gap"]),
        (("gross", "net"), ["coverage-overlap"]),
        (("gross", "tax"), ["coverage-overlap"]),
        (("gross", "gross"), ["coverage-overlap"]),
        (("discount",), ["coverage-gap"]),
        (("gross", "discount", "cost"), []),
        (("gross", "cost", "cost"), ["coverage-overlap"]),
    ],
)
def test_net_and_tax_together_are_as_good_as_gross_and_cost_comes_besides(
    values: tuple[str, ...], codes: list[str]
) -> None:
    assert [one.code for one in found([receipt(line("10.00"))], parts(*values))] == codes


def test_a_foreign_currency_is_meant_only_by_a_rule_that_names_it() -> None:
    euros = receipt(line("10.00"), payments=(Payment(CASH, Decimal(10), "EUR"),))
    (finding,) = found([euros], rules())
    assert finding.code == "foreign-currency"
    assert "EUR" in finding.params["what"]
    named = rule(
        50, "Euro", source="payments", include={"currency": ["EUR"]}, debit_account="1023", credit_account="1000"
    )
    plan = planned([euros], by=(*rules(), named))
    assert plan.state == "ready"
    assert [(entry.title, entry.amount) for entry in plan.entries][1] == ("Euro", Decimal(10))


def test_rules_hold_from_their_first_to_their_last_day_and_only_while_active() -> None:
    one = rule(1, "R", valid_from=DAY, valid_to=DAY)
    days = [DAY.replace(day=day) for day in (19, 20, 21)]
    assert [bool(holding_on([one], day)) for day in days] == [False, True, False]
    assert holding_on([replace(one, active=False)], DAY) == ()


GROUPS = Groups("Food", "Saucen", "Dressing")
LINE = Traits("articles", "1", "2", "1", None, "Food", "Saucen", "Dressing", "1749", "8.1")
PAID = Traits("payments", "1", "2", EXPENSE, "3", payment_type=CASH, currency="CHF")


@pytest.mark.parametrize(
    ("traits", "include", "exclude", "fits"),
    [
        (LINE, {}, {}, True),
        (LINE, {"main_group": ["Food"]}, {}, True),
        (LINE, {"main_group": ["Non-Food"]}, {}, False),
        (LINE, {"tax_rate": ["standard"]}, {}, True),
        (LINE, {"tax_rate": ["reduced", "8.1"]}, {}, True),
        (LINE, {"tax_rate": ["reduced"]}, {}, False),
        (LINE, {}, {"tax_rate": ["standard"]}, False),
        (LINE, {"store": ["1"]}, {"article_group": ["Dressing"]}, False),
        (LINE, {"purpose": ["1"]}, {}, False),
        (LINE, {}, {"purpose": ["1"]}, True),
        (LINE._replace(article="voucher"), {}, {}, False),
        (LINE._replace(article="voucher"), {"article": ["voucher"]}, {}, True),
        (LINE._replace(article="voucher"), {}, {"article": ["tip"]}, False),
        (PAID, {"transaction_type": [EXPENSE], "purpose": ["3"]}, {}, True),
        (PAID, {"currency": ["EUR"]}, {}, False),
        (PAID._replace(currency="EUR"), {"currency": ["EUR", "CHF"]}, {}, True),
        (PAID._replace(currency="EUR"), {}, {"currency": ["USD"]}, False),
    ],
)
def test_a_filter_means_what_it_names(
    traits: Traits, include: dict[str, Any], exclude: dict[str, Any], fits: object
) -> None:
    def sets(given: dict[str, Any]) -> dict[str, frozenset[str]]:
        return {name: frozenset(values) for name, values in given.items()}

    assert Filter(sets(include), sets(exclude)).fits(traits, ledger().vat.rate_class) is fits


def test_a_rule_of_the_other_source_never_fits() -> None:
    assert match([rule(1, "R", source="payments")], LINE, ledger().vat.rate_class).rules == ()


def test_groups_reach_the_rules_and_the_entries() -> None:
    by = (
        rule(
            1, "Saucen", include={"trade_group": ["Saucen"]}, group_by=("article_group",),
            text="{Artikelgruppe} {Hauptgruppe}", debit_account="1000", credit_account="3200",
        ),
        rule(2, "Rest", exclude={"trade_group": ["Saucen"]}, debit_account="1000", credit_account="3200"),
        rule(3, "Bar", source="payments", action="ignore"),
    )  # fmt: skip
    plan = planned([receipt(line("10.00", groups=GROUPS), line("5.00"))], by=by)
    assert [(entry.title, entry.text, entry.amount) for entry in plan.entries] == [
        ("Saucen", "Dressing Food", Decimal(10)),
        ("Rest", "Rest", Decimal(5)),
    ]


def test_a_sale_on_invoice_needs_no_rule() -> None:
    assert found([receipt(line("1.00", "99"), payments=(Payment(INVOICE, Decimal(1)),))], ()) == []


def test_an_expense_without_a_rule_for_its_purpose_is_a_gap() -> None:
    by = [one for one in rules() if one.title != "Ausgaben"]
    by.append(
        rule(
            60,
            "Porto",
            source="payments",
            include={"transaction_type": [EXPENSE], "purpose": ["1"]},
            debit_account="1000",
            credit_account="6500",
        )
    )
    (finding,) = found([moved(EXPENSE, "-5.00", purpose="2", number=3)], by)
    assert (finding.code, finding.params["amount"], finding.params["receipts"]) == ("coverage-gap", "-5.00", "2/3")
