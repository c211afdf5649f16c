"""The plan of a day, pure: to the Rappen, in any order, only the difference, and never on a doubtful day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import httpx
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.capabilities.bookings.book import Cell
from app.capabilities.bookings.entries import DayPlan
from app.capabilities.bookings.facts import Payment, Receipt, Voucher
from app.capabilities.bookings.plan import plan_hash, reversal
from app.capabilities.bookings.settling import LINES_PER_GROUP
from app.core.texts import ENTRIES
from tests.connectors import bexio_document as document
from tests.fixtures.bookings import (
    CARD,
    CASH,
    DAY,
    EXPENSE,
    INVOICE,
    TODAY,
    Tills,
    altered,
    booked,
    ledger,
    line,
    moved,
    planned,
    receipt,
    rule,
    rules,
    terms,
)
from tests.fixtures.sweeping import booked_by, posted_by, requests_of, sequence_of, sweep

CI_DAYS = 1000
URL = "https://bexio.test/3.0/accounting/manual_entries"
UNBALANCED = "day-does-not-balance"


def test_a_thousand_days_come_out_to_the_rappen() -> None:
    figures = sweep(0, CI_DAYS, again_every=5)
    assert figures.wrong == []
    assert figures.difference == 0
    assert figures.days == figures.ready + figures.unchanged + figures.held == CI_DAYS
    assert min(figures.ready, figures.unchanged, figures.held) > 20


def test_a_sweep_notices_a_plan_that_is_wrong() -> None:
    """The check itself is checked: one Rappen more on one line turns it red."""
    day = Tills(3).day()
    plan = planned(day)
    body = orjson.loads(plan.groups[0].request)
    body["entries"][0]["amount"] += 0.01
    assert booked_by([orjson.dumps(body)]) != booked_by(requests_of(plan))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), cut=st.floats(0, 1))
def test_late_receipts_and_reversals_leave_the_ledger_of_one_perfect_export(seed: int, cut: float) -> None:
    receipts = Tills(seed).day()
    on = terms(rounding_limit=Decimal(10))
    early = planned(receipts[: int(len(receipts) * cut)], on=on)
    late = planned(receipts, on=on, posted=posted_by(early), sequence=sequence_of(early))
    perfect = planned(receipts, on=on)
    assert booked_by([*requests_of(early), *requests_of(late)]) == booked_by(requests_of(perfect))
    back = reversal(DAY, on, posted_by(early, late), sequence_of(early, late))
    twice = reversal(DAY, on, posted_by(early, late, back), sequence_of(early, late, back))
    assert booked_by([*requests_of(early), *requests_of(late), *requests_of(back)]) == {}
    assert twice.state == "unchanged"


def test_the_request_is_what_bexio_allows() -> None:
    for seed in range(20):
        for group in planned(Tills(seed).day()).groups:
            assert orjson.loads(group.request)["type"] == "manual_group_entry"
            if document.available():
                document.check(httpx.Request("POST", URL, content=group.request))


def test_a_negative_sum_swaps_the_sides_and_zero_is_left_out() -> None:
    back = receipt(line("-21.60"), line("5.00", "2.6"), line("-5.00", "2.6"), number=2)
    (group,) = planned([back]).groups
    (entry,) = orjson.loads(group.request)["entries"]
    on = ledger()
    assert (on.number_of(entry["debit_account_id"]), on.number_of(entry["credit_account_id"])) == ("3200", "1000")
    assert entry["amount"] == 21.6
    assert on.number_of(entry["tax_account_id"]) == "3200"


def test_amounts_are_gross_and_a_line_of_each_rate_has_its_code() -> None:
    plan = planned([receipt(line("108.10"), line("102.60", "2.6"), line("50.00", "0"))])
    found = {entry.tax_code: (entry.amount, entry.ledger_tax) for entry in plan.entries}
    assert found == {
        "UN81": (Decimal("108.10"), Decimal("8.10")),
        "UR26": (Decimal("102.60"), Decimal("2.60")),
        "U00": (Decimal("50.00"), Decimal("0.00")),
    }


def test_the_tills_vat_stands_beside_bexios() -> None:
    lines = [line("0.05") for _ in range(30)]
    (entry,) = planned([receipt(*lines)]).entries
    assert entry.amount == Decimal("1.50")
    assert (entry.till_tax, entry.ledger_tax) == (Decimal("0.00"), Decimal("0.11"))


def test_a_difference_whose_vat_would_not_add_up_takes_the_old_entry_back_whole() -> None:
    first = receipt(line("0.05"), number=1)
    second = receipt(line("0.05"), number=2)
    plan = planned([first])
    late = planned([first, second], posted=posted_by(plan), sequence=1)
    assert [entry.amount for entry in late.entries] == [Decimal("-0.05"), Decimal("0.10")]
    assert booked_by([*requests_of(plan), *requests_of(late)]) == booked_by(requests_of(planned([first, second])))


def test_after_a_release_the_vat_of_what_stands_is_that_of_its_lines() -> None:
    both = [receipt(line("0.05"), number=1), receipt(line("0.05"), number=2)]
    first = planned(both[:1])
    second = planned(both, posted=posted_by(first), sequence=1)
    # The first entry was deleted in bexio and released: -0.05 and 0.10 stand.
    third = planned(both, posted=posted_by(second), sequence=2)
    assert [entry.amount for entry in third.entries] == [Decimal("0.05")]
    assert booked_by([*requests_of(second), *requests_of(third)]) == booked_by(requests_of(planned(both)))
    emptied = reversal(DAY, terms(), posted_by(second), 2)
    assert sorted(entry.amount for entry in emptied.entries) == [Decimal("-0.10"), Decimal("0.05")]
    assert booked_by([*requests_of(second), *requests_of(emptied)]) == {}


@settings(max_examples=150, deadline=None)
@given(
    cuts=st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=6),
    small=st.lists(st.sampled_from(("0.05", "0.10", "0.15", "1.05", "-0.05")), min_size=8, max_size=8),
)
def test_whatever_is_released_the_next_export_makes_the_ledger_of_one_perfect_export(
    cuts: list[tuple[int, bool]], small: list[str]
) -> None:
    receipts = [receipt(line(gross), number=number) for number, gross in enumerate(small, 1)]
    kept: list[DayPlan] = []
    for run, (cut, released) in enumerate(cuts):
        plan = planned(receipts[:cut], posted=posted_by(*kept), sequence=run * 10)
        kept += [] if released else [plan]
        if released and kept:
            kept.pop(0)
    last = planned(receipts, posted=posted_by(*kept), sequence=100)
    requests = [request for plan in kept for request in requests_of(plan)]
    assert booked_by([*requests, *requests_of(last)]) == booked_by(requests_of(planned(receipts)))
    assert planned(receipts, posted=posted_by(*kept, last), sequence=200).state == "unchanged"
    back = reversal(DAY, terms(), posted_by(*kept, last), 200)
    assert booked_by([*requests, *requests_of(last), *requests_of(back)]) == {}


def test_a_rule_that_names_another_account_moves_what_was_posted() -> None:
    day = [receipt(line("108.10"))]
    plan = planned(day)
    changed = tuple(replace(one, version=2, credit_account="3800") if one.title == "Umsatz" else one for one in rules())
    moved_plan = planned(day, by=changed, posted=posted_by(plan), sequence=1)
    assert [(entry.amount, entry.desired) for entry in moved_plan.entries] == [
        (Decimal("-108.10"), Decimal(0)),
        (Decimal("108.10"), Decimal("108.10")),
    ]
    assert booked_by([*requests_of(plan), *requests_of(moved_plan)]) == booked_by(requests_of(planned(day, by=changed)))


def test_a_rule_that_is_gone_takes_its_entries_with_it() -> None:
    day = [moved(EXPENSE, "-12.50", purpose="1")]
    plan = planned(day)
    ignoring = rule(9, "Ausgaben", source="payments", include={"transaction_type": [EXPENSE]}, action="ignore")
    others = tuple(one for one in rules() if one.title != "Ausgaben")
    gone = planned(day, by=(*others, ignoring), posted=posted_by(plan), sequence=1)
    assert gone.state == "ready"
    assert booked_by([*requests_of(plan), *requests_of(gone)]) == {}
    assert "Porto" in gone.entries[0].text


def test_sales_on_invoice_are_left_out_whole_even_when_paid_in_part_only() -> None:
    mixed = receipt(line("108.10"), payments=(Payment(CARD, Decimal("8.10")), Payment(INVOICE, Decimal(100))))
    plan = planned([mixed])
    assert (plan.state, plan.entries, plan.sums.receipts) == ("unchanged", (), 0)


def test_closings_are_ignored_but_tell_when_a_till_was_heard() -> None:
    closing = replace(receipt(), is_end_of_day=True, payments=(), synched_at=Tills(1).day()[0].synched_at)
    book = booked([closing])
    assert (book.sums.receipts, list(book.last_synched)) == (0, ["2"])


def test_vouchers_are_owed_and_their_redemption_is_a_payment() -> None:
    sold = receipt(
        number=1,
        amount=Decimal(50),
        payments=(Payment(CASH, Decimal(50)),),
        vouchers=(Voucher("G", Decimal(50), issued=True),),
    )
    used = receipt(
        line("30.00"),
        number=2,
        payments=(Payment("4", Decimal(30)),),
        vouchers=(Voucher("G", Decimal(30), issued=False),),
    )
    plan = planned([sold, used])
    found = booked_by(requests_of(plan))
    assert found["2035"] == Decimal(-20)
    assert found["1000"] == Decimal(50)


def test_a_rule_for_all_articles_does_not_turn_vouchers_and_tips_into_revenue() -> None:
    sold = receipt(
        line("10.00"), amount=Decimal(65), tips=Decimal(5), payments=(Payment(CASH, Decimal(65)),),
        vouchers=(Voucher("G", Decimal(50), issued=True),),
    )  # fmt: skip
    everything = rule(1, "Alles", debit_account="1000", credit_account="3200", tax_code="@sales")
    cash = rule(2, "Bar", source="payments", action="ignore")
    plan = planned([sold], by=(everything, cash))
    assert plan.state == "held"
    assert [finding.code for finding in plan.findings] == ["coverage-gap", "coverage-gap"]


@pytest.mark.parametrize(("off", "state"), [("1.00", "ready"), ("-1.00", "ready"), ("1.01", "held"), ("-1.01", "held")])
def test_a_remainder_is_rounding_up_to_the_limit_and_holds_the_day_beyond(off: str, state: str) -> None:
    odd = receipt(line("20.00"), number=7, payments=(Payment(CASH, Decimal(20) + Decimal(off)),))
    plan = planned([receipt(line("10.00")), odd])
    assert plan.state == state
    if state == "held":
        (finding,) = plan.findings
        assert finding.code == UNBALANCED
        assert [example.number for example in finding.examples] == ["2/7"]
        assert off in finding.params["receipts"]
        assert plan.groups == ()
    else:
        assert booked_by(requests_of(plan))["6945"] == -Decimal(off)


def test_a_rounding_never_goes_to_what_is_told_besides() -> None:
    cost = rule(20, "Aufwand", value="cost", debit_account="4200", credit_account="1022")
    discount = rule(21, "Rabatt", value="discount", debit_account="3800", credit_account="3200")
    sold = line("10.00", cost=Decimal(12), discount=Decimal(90))
    plan = planned(
        [receipt(sold, payments=(Payment(CASH, Decimal("10.02")),))],
        by=(*rules(), cost, discount),
    )
    assert plan.findings == ()
    assert [(one.account, one.amount) for one in plan.roundings] == [("1000", Decimal("0.02"))]
    found = booked_by(requests_of(plan))
    assert (found["1000"], found["4200"], found["3800"]) == (Decimal("10.02"), Decimal(12), Decimal(90))


VALUES = [
    ("net", "1000", "3200", "@sales"),
    ("tax", "1000", "2200", "@sales"),
    ("cost", "4200", "1022", "@material-standard"),
    ("discount", "6500", "3200", "@sales"),
]


@pytest.mark.parametrize(("value", "debit", "credit", "tax_code"), VALUES)
def test_a_code_on_a_value_without_vat_holds_the_day(value: str, debit: str, credit: str, tax_code: str) -> None:
    sold = receipt(line("108.10", cost=Decimal(60), discount=Decimal(5)))
    wrong = rule(20, "R", value=value, debit_account=debit, credit_account=credit, tax_code=tax_code)
    others = rules()[1:] if value in {"net", "tax"} else rules()
    plan = planned([sold], by=(wrong, *others))
    assert (plan.state, [one.code for one in plan.findings if one.code != "coverage-gap"]) == (
        "held", ["vat-code-on-value-without-vat"],
    )  # fmt: skip
    assert "vat-code-on-value-without-vat" not in {
        one.code for one in planned([sold], by=(replace(wrong, tax_code=None), *others)).findings
    }


def test_a_discount_moves_no_money() -> None:
    sold = receipt(line("108.10", discount=Decimal(5)))
    for debit, credit in (("3800", "1000"), ("1000", "3200")):
        wrong = rule(20, "Rabatt", value="discount", debit_account=debit, credit_account=credit)
        plan = planned([sold], by=(*rules(), wrong))
        (finding,) = plan.findings
        assert (plan.state, finding.code, finding.params["account"]) == ("held", "discount-account-unsuitable", "1000")


def test_differences_that_cancel_out_are_named_once_they_exceed_the_limit_on_two_accounts() -> None:
    by = (
        rule(1, "Zürich", include={"store": ["1"]}, debit_account="1000", credit_account="3200", tax_code="@sales"),
        rule(2, "Winterthur", include={"store": ["2"]}, debit_account="1023", credit_account="3200", tax_code="@sales"),
        rule(3, "Bar", source="payments", action="ignore"),
    )
    more = receipt(line("20.00"), number=1, store="1", payments=(Payment(CASH, Decimal("20.80")),))
    less = receipt(line("20.00"), number=2, store="2", payments=(Payment(CASH, Decimal("19.20")),))
    assert planned([more, less], by=by).state == "held"
    within = planned([more, less], by=by, on=terms(rounding_limit=Decimal(2)))
    found = booked_by(requests_of(within))
    assert (found["1000"], found["1023"], found.get("6945")) == (Decimal("20.80"), Decimal("19.20"), None)


def test_a_rounding_without_an_account_holds_the_day() -> None:
    odd = receipt(line("20.00"), payments=(Payment(CASH, Decimal("20.02")),))
    for number, code in ((None, "rounding-account-not-chosen"), ("6999", None), ("6998", "rounding-account-missing")):
        plan = planned([odd], on=terms(rounding_account=number))
        assert [finding.code for finding in plan.findings] == ([code] if code else [])


def test_more_than_a_hundred_lines_are_more_groups_with_numbers_that_go_on() -> None:
    each = rule(1, "Je Beleg", debit_account="1000", credit_account="3200", tax_code="@sales", group_by=("receipt",))
    cash = rule(2, "Bar", source="payments", action="ignore")
    receipts = [receipt(line("10.00"), number=number) for number in range(1, 251)]
    plan = planned(receipts, by=(each, cash), sequence=4)
    assert [len(group.entries) for group in plan.groups] == [LINES_PER_GROUP, LINES_PER_GROUP, 50]
    assert [group.reference for group in plan.groups] == [f"muster/20261120/{number}" for number in (5, 6, 7)]
    assert all(f"[{group.reference}]" in group.request.decode() for group in plan.groups)


def test_a_text_is_cut_so_that_the_reference_stays() -> None:
    long = rule(1, "x" * 100, debit_account="1000", credit_account="3200", tax_code="@sales", text="{Regel} " * 20)
    plan = planned([receipt(line("10.00"))], by=(long, rule(2, "Bar", source="payments", action="ignore")))
    description = orjson.loads(plan.groups[0].request)["entries"][0]["description"]
    assert len(description) <= 255
    assert description.endswith("[muster/20261120/1]")


def test_texts_name_what_an_entry_is_about_in_german_and_english() -> None:
    texts = {
        "{Filiale} {Kasse} {Datum} {MWST}": "Zürich 2 20.11.2026 8.1 %",
        "{Store} {PointOfSale} {Date} {TaxRate}": "Zürich 2 20.11.2026 8.1 %",
        "{Belegnr} {Regel} {Von} {Bis}": "2/1 R 20.11.2026 20.11.2026",
        "{Unbekannt}": "{Unbekannt}",
        "": "R",
    }
    for text, said in texts.items():
        one = rule(1, "R", debit_account="1000", credit_account="3200", tax_code="@sales", text=text)
        plan = planned([receipt(line("10.00"))], by=(one, rule(2, "Bar", source="payments", action="ignore")))
        assert plan.entries[0].text == said


def test_a_closed_day_waits_or_moves_to_the_next_open_one_with_its_own_date_in_the_text() -> None:
    closed = altered(terms(), "vat_periods", lambda one: one.start == date(2026, 7, 1), status="closed")
    day = date(2026, 9, 30)
    sold = receipt(line("10.00"), sale_day=day)
    held = planned([sold], day=day, on=closed)
    assert [(finding.code, finding.days) for finding in held.findings] == [("vat-period-not-open", (day,))]
    moved_plan = planned([sold], day=day, on=replace(closed, policy="next_open_day"))
    assert moved_plan.booked_on == date(2026, 10, 1)
    body = orjson.loads(moved_plan.groups[0].request)
    assert body["date"] == "2026-10-01"
    assert "(30.09.2026)" in body["entries"][0]["description"]
    assert body["reference_nr"] == "muster/20260930/1"


def test_without_vat_a_closed_vat_period_closes_nothing() -> None:
    on = altered(terms(), "vat_periods", lambda _: True, status="closed")
    skimmed = moved("4", "-100.00")
    assert planned([skimmed], on=on).state == "ready"
    assert planned([receipt(line("1.00"))], on=on).state == "held"


def test_no_day_that_is_open_yet_holds_the_day_even_when_it_may_move() -> None:
    on = altered(terms(policy="next_open_day"), "business_years", lambda _: True, status="locked")
    plan = planned([receipt(line("1.00"))], on=on)
    assert [finding.code for finding in plan.findings] == ["business-year-not-open"]


def test_a_code_that_ended_before_the_day_it_moves_to_holds_the_day() -> None:
    on = terms(policy="next_open_day", today=date(2024, 12, 1))
    on = altered(on, "business_years", lambda one: one.start.year == 2023, status="closed")
    on = altered(on, "taxes", lambda one: one.code == "UN77", end_year=2023, end_month=12)
    day = date(2023, 12, 30)
    plan = planned([receipt(line("10.00", "7.7"), sale_day=day)], day=day, on=on)
    assert [(finding.code, finding.params["tax_code"]) for finding in plan.findings] == [("vat-code-expired", "UN77")]


def test_a_position_whose_account_was_closed_meanwhile_cannot_be_taken_back_and_says_so() -> None:
    plan = planned([receipt(line("10.00"))])
    on = altered(terms(), "accounts", lambda one: one.account_no == "3200", is_active=False)
    back = reversal(DAY, on, posted_by(plan), 1)
    assert back.state == "held"
    assert [(one.code, one.params["account"]) for one in back.findings] == [("booking-account-inactive", "3200")]


@pytest.mark.parametrize(
    ("rows", "name", "value"), [("accounts", "account_no", "3200"), ("accounts", "account_no", "1000"),
                                ("taxes", "code", "UN81")]
)  # fmt: skip
def test_a_day_that_is_fully_posted_stays_so_whatever_is_switched_off_in_bexio(
    rows: str, name: str, value: str
) -> None:
    day = [receipt(line("108.10")), moved(EXPENSE, "-12.50", purpose="1", number=2)]
    plan = planned(day)
    off = altered(terms(), rows, lambda one: getattr(one, name) == value, is_active=False)
    later = planned(day, on=off, posted=posted_by(plan), sequence=1)
    assert (later.state, later.findings, later.entries) == ("unchanged", (), ())
    more = planned([*day, receipt(line("1.00"), number=3)], on=off, posted=posted_by(plan), sequence=1)
    assert more.state == "held"


def test_what_stands_is_no_excuse_for_a_rule_that_now_names_something_switched_off() -> None:
    day = [receipt(line("108.10"))]
    plan = planned(day)
    off = altered(terms(), "accounts", lambda one: one.account_no == "3400", is_active=False)
    changed = (replace(rules()[0], version=2, credit_account="3400"), *rules()[1:])
    assert planned(day, by=changed, on=off, posted=posted_by(plan), sequence=1).state == "held"
    asleep = altered(terms(), "taxes", lambda one: one.code == "UR26", is_active=False)
    reduced = (replace(rules()[0], version=2, tax_code="@sales-reduced"), *rules()[1:])
    assert planned(day, by=reduced, on=asleep, posted=posted_by(plan), sequence=1).state == "held"
    untaxed = (replace(rules()[0], version=2, tax_code="UR26"), *rules()[1:])
    assert planned(day, by=untaxed, on=asleep, posted=posted_by(plan), sequence=1).state == "held"


def test_the_sink_is_told_each_receipts_part_and_the_parts_add_up() -> None:
    told: dict[tuple[UUID, str], Decimal] = {}

    def sink(cell: Cell, one: Receipt, amount: Decimal) -> None:
        key = (cell.rule.id, cell.group_key)
        told[key] = told.get(key, Decimal(0)) + amount
        assert one.sale_day == DAY

    book = booked(Tills(11).day(), sink=sink)
    assert told == {key: cell.amount for key, cell in book.cells.items()}
    assert len(told) > 5


def test_a_receipt_of_another_day_is_not_taken_in() -> None:
    with pytest.raises(ValueError, match="another day"):
        booked([receipt(line("1.00"), sale_day=TODAY)])


def test_the_hash_changes_with_sales_rules_settings_books_and_what_was_posted() -> None:
    day, on, by = Tills(5).day(), terms(rounding_limit=Decimal(10)), rules()
    plan = planned(day, on=on)
    same = plan_hash([planned(day[::-1], on=on)], on, by)
    assert plan_hash([plan], on, by) == same
    parts = same.split(".")
    assert len(parts) == 4

    def changed(other: str) -> list[int]:
        return [place for place, part in enumerate(other.split(".")) if part != parts[place]]

    asleep = altered(on, "taxes", lambda one: one.code == "US38", is_active=False)
    assert changed(plan_hash([plan], on, (replace(by[0], version=2), *by[1:]))) == [0]
    assert changed(plan_hash([plan], replace(on, policy="next_open_day"), by)) == [1]
    assert changed(plan_hash([plan], asleep, by)) == [2]
    assert changed(plan_hash([planned([*day, receipt(line("1.00"), number=999)], on=on)], on, by)) == [3]
    assert changed(plan_hash([planned(day, on=on, posted=posted_by(plan), sequence=1)], on, by)) == [3]


def test_every_finding_of_a_plan_has_its_texts() -> None:
    codes = {UNBALANCED, "vat-code-expired", "booking-account-inactive", "rounding-account-not-chosen", "coverage-gap"}
    assert codes <= set(ENTRIES)
