from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.core.ids import uuid7
from app.core.money import FIVE_RAPPEN, amount, plain, to_cent, to_five_rappen, vat_within
from app.core.swiss_time import changed_since, from_local_text, to_local_text, today

CENTS = st.integers(-10_000_000, 10_000_000).map(lambda n: Decimal(n) / 100)
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(CENTS)
def test_five_rappen_rounding_is_the_nearest_step_and_half_goes_away_from_zero(value: Decimal) -> None:
    rounded = to_five_rappen(value)
    assert rounded % FIVE_RAPPEN == 0
    assert abs(rounded - value) <= Decimal("0.025")
    assert to_five_rappen(-value) == -rounded


def test_the_published_example_rounds_as_the_till_does() -> None:
    assert to_five_rappen(Decimal("15.12") - Decimal("1.50")) == Decimal("13.60")
    assert to_cent(Decimal("2.345")) == Decimal("2.35")


@given(CENTS, st.sampled_from(["8.1", "2.6", "3.8", "0"]))
def test_vat_within_a_gross_amount_is_less_than_it_and_exact_to_the_cent(gross: Decimal, rate: str) -> None:
    vat = vat_within(gross, Decimal(rate))
    net = gross - vat
    assert abs(net * (100 + Decimal(rate)) / 100 - gross) <= Decimal("0.006")


@given(st.decimals(-(10**6), 10**6, places=6))
def test_a_plain_decimal_reads_back_as_itself(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert "E" not in text
    assert not (("." in text) and text.endswith("0"))


def test_money_is_written_with_two_decimals() -> None:
    assert amount(Decimal("13.6")) == "13.60"
    assert amount(Decimal(0)) == "0.00"


@given(MOMENTS, st.timedeltas(timedelta(0), timedelta(hours=6)), st.floats(0, 1))
def test_no_change_after_a_cursor_is_missed_even_in_october(cursor: datetime, span: timedelta, share: float) -> None:
    now = cursor + span
    changed = cursor + timedelta(seconds=int(span.total_seconds() * share))
    assert to_local_text(changed) >= changed_since(cursor, now)


def test_the_doubled_hour_starts_the_search_at_its_beginning() -> None:
    before = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)  # 02:50 in summer time
    after = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)  # 02:10 in winter time
    assert to_local_text(before) == "2026-10-25 02:50:00"
    assert to_local_text(after) == "2026-10-25 02:10:00"
    assert changed_since(before, after) == "2026-10-25 02:00:00"


def test_a_sale_after_midnight_belongs_to_the_swiss_day() -> None:
    assert today(datetime(2026, 11, 20, 23, 30, tzinfo=UTC)).isoformat() == "2026-11-21"


@given(MOMENTS)
def test_local_texts_read_back_but_for_the_second_pass_of_the_doubled_hour(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)
    assert whole - from_local_text(to_local_text(whole)) in {timedelta(0), timedelta(hours=1)}


@given(MOMENTS, MOMENTS)
def test_ids_sort_by_their_time_of_birth(left: datetime, right: datetime) -> None:
    if abs(left - right) >= timedelta(milliseconds=1):
        assert (uuid7(left) < uuid7(right)) == (left < right)
    assert uuid7(left).version == 7
