"""From Arcavis' records to receipts, from receipts to the parts of entries, from a request to what bexio holds."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, cast
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.capabilities.bookings.entries import Entry, Position
from app.capabilities.bookings.facts import Groups
from app.capabilities.bookings.mapping import receipt_of
from app.capabilities.bookings.postings import Share, parts_of
from app.capabilities.bookings.readback import found, landed, sent
from app.connectors.arcavis.names import Transaction
from app.connectors.bexio.manual_entries import ManualEntry
from app.core.money import to_cent
from sandbox.arcavis import transactions
from sandbox.arcavis.values import Record, dump
from sandbox.basket import demo_assortment
from sandbox.trade import Trade
from tests.fixtures.bookings import planned, rule, terms
from tests.fixtures.sweeping import posted_by, requests_of

DAY = date(2026, 11, 19)
RULE = UUID(int=1)


@cache
def month() -> list[Record]:
    trade = Trade(demo_assortment(), 11)
    return [row for place in range(31) for row in trade.day(DAY - timedelta(days=place))]


def read(record: Record) -> Transaction:
    return Transaction.model_validate_json(dump(record))


def test_every_receipt_of_a_month_keeps_its_amounts_to_the_rappen() -> None:
    for record in month():
        receipt = receipt_of(read(record))
        assert receipt.id == str(record["Id"])
        assert receipt.sale_day.isoformat() == record["SaleDay"][:10]
        assert receipt.paid == record["AmountPayed"]
        assert receipt.sales == sum((line["Price"] for line in record["TransactionArticles"]), Decimal(0))
        assert receipt.difference == -record["AmountOpen"]
        assert receipt.is_end_of_day == record["IsEndOfDayTransaction"]
        assert {line.tax_rate for line in receipt.lines} <= {Decimal(one) for one in ("8.1", "2.6", "3.8", "0")}


def test_a_pair_names_each_other_and_it_is_known_which_is_which() -> None:
    rows = {row["Id"]: row for row in month()}
    later = next(row for row in rows.values() if row["AnnulationTransactionId"] in rows)
    original = rows[later["AnnulationTransactionId"]] | {"AnnulationTransactionId": later["Id"]}
    assert receipt_of(read(later)).cancels == str(original["Id"])
    assert receipt_of(read(original)).cancelled_by == str(later["Id"])
    # At another till, where the numbers say nothing.
    first, third = transactions.TILL_FACTOR + 1, 3 * transactions.TILL_FACTOR + 5
    elsewhere = later | {"Id": first, "AnnulationTransactionId": third, "Amount": -abs(original["Amount"])}
    assert receipt_of(read(elsewhere)).cancels == str(third)


def test_groups_are_joined_by_article_and_notes_sell_nothing() -> None:
    row = next(row for row in month() if row["TransactionArticles"])
    note = row["TransactionArticles"][0] | {"ArticleId": 0, "UnitPrice": Decimal(0), "Price": Decimal(0)}
    receipt = receipt_of(read(row | {"TransactionArticles": [*row["TransactionArticles"], note]}), Groups)
    assert len(receipt.lines) == len(row["TransactionArticles"])
    assert all(line.groups == Groups(line.article) for line in receipt.lines)


def test_a_seventh_decimal_is_no_obstacle() -> None:
    row = next(iter(month())) | {"SynchedTime": "2026-11-24T24:00:00"[:11] + "10:57:24.2338216"}
    assert receipt_of(read(row)).synched_at is not None


MONEY = {"Amount", "TipAmount", "Price", "NetPrice", "Discount", "BuyingPrice"}
NOISE = st.sampled_from([Decimal(one) for one in ("0", "2E-15", "-2E-15", "0.004", "-0.004", "0.001", "0.005")])


def noisy(value: Any, draw: st.DataObject) -> Any:  # noqa: ANN401 - JSON
    """The same record as .NET may write it: amounts beside the Rappen."""
    if isinstance(value, dict):
        record = cast("Record", value)
        return {
            key: one + draw.draw(NOISE) if key in MONEY and isinstance(one, Decimal) else noisy(one, draw)
            for key, one in record.items()
        }
    return [noisy(one, draw) for one in cast("list[Any]", value)] if isinstance(value, list) else value


@settings(max_examples=25, deadline=None)
@given(day=st.integers(0, 30), draw=st.data())
def test_amounts_beside_the_rappen_are_brought_to_it_and_a_second_run_posts_nothing(
    day: int, draw: st.DataObject
) -> None:
    on = DAY - timedelta(days=day)
    records = [row for row in month() if row["SaleDay"][:10] == on.isoformat()][:12]
    receipts = [receipt_of(read(noisy(row, draw))) for row in records]
    for one in receipts:
        sold = [part for each in one.lines for part in (each.gross, each.net, each.discount, each.cost)]
        others = [one.amount, one.tips, *(each.amount for each in (*one.payments, *one.vouchers))]
        assert all(amount == to_cent(amount) for amount in (*sold, *others))
    everything = rule(1, "Umsatz", debit_account="1000", credit_account="3200", tax_code="@sales")
    paid = rule(2, "Zahlungen", source="payments", debit_account="1021", credit_account="1000")
    named = [
        rule(3 + place, name, include={"article": [name]}, debit_account="1000", credit_account="2035")
        for place, name in enumerate(("voucher", "tip"))
    ]
    by, limit = (everything, paid, *named), terms(rounding_limit=Decimal(1000))
    plan = planned(receipts, day=on, by=by, on=limit)
    assert plan.state == "ready", plan.findings
    for request in requests_of(plan):
        for line in orjson.loads(request)["entries"]:
            assert Decimal(str(line["amount"])) == to_cent(Decimal(str(line["amount"])))
    again = planned(receipts, day=on, by=by, on=limit, posted=posted_by(plan), sequence=1)
    assert again.state == "unchanged"


def test_a_fraction_of_a_rappen_makes_no_rounding() -> None:
    row = next(row for row in month() if len(row["TransactionPayments"]) == 1 and row["TransactionArticles"])
    exact = receipt_of(read(row))
    (payment,) = row["TransactionPayments"]
    beside = row | {"TransactionPayments": [payment | {"Amount": payment["Amount"] + Decimal("0.004")}]}
    assert receipt_of(read(beside)) == exact


amounts = st.dictionaries(
    st.sampled_from("abcdef"), st.integers(-5000, 5000).filter(bool).map(lambda one: Decimal(one) / 100)
)


def shares(given: dict[str, Decimal]) -> dict[str, Share]:
    return {receipt: Share(f"1/{receipt}", amount) for receipt, amount in given.items()}


@given(wanted=amounts, there=amounts, pair=st.booleans())
def test_the_receipts_of_entries_add_up_to_their_amounts(
    wanted: dict[str, Decimal],
    there: dict[str, Decimal],
    pair: bool,  # noqa: FBT001 - drawn by hypothesis
) -> None:
    desired, posted = sum(wanted.values(), Decimal(0)), sum(there.values(), Decimal(0))
    both = (-posted, desired) if pair and desired and posted else (desired - posted,)
    entries = [entry(amount, desired, posted) for amount in both if amount]
    cell = (RULE, "[]")
    parts = parts_of(entries, {cell: shares(wanted)}, {cell: shares(there)})
    if (not desired and wanted) or (not posted and there):
        return
    for place, one in enumerate(entries):
        assert sum((part.amount for part in parts[place].values()), Decimal(0)) == one.amount
        assert all(part.amount for part in parts[place].values())


@given(wanted=amounts, there=amounts, lines=st.lists(st.integers(-500, 500).filter(bool), min_size=1, max_size=5))
def test_what_is_taken_back_line_by_line_has_its_receipts_too(
    wanted: dict[str, Decimal], there: dict[str, Decimal], lines: list[int]
) -> None:
    desired, posted = sum(wanted.values(), Decimal(0)), sum(there.values(), Decimal(0))
    back = [Decimal(one) / 100 for one in lines]
    back.append(-posted - sum(back, Decimal(0)))
    entries = [entry(amount, desired, posted) for amount in (*back, desired) if amount]
    if not desired or not posted or len(entries) < 3:
        return
    parts = parts_of(entries, {(RULE, "[]"): shares(wanted)}, {(RULE, "[]"): shares(there)})
    sums: dict[str, Decimal] = {}
    for place, one in enumerate(entries):
        assert sum((part.amount for part in parts[place].values()), Decimal(0)) == one.amount
        for receipt, part in parts[place].items():
            sums[receipt] = sums.get(receipt, Decimal(0)) + part.amount
    should = {name: wanted.get(name, Decimal(0)) - there.get(name, Decimal(0)) for name in {**wanted, **there}}
    assert {name: amount for name, amount in sums.items() if amount} == {k: v for k, v in should.items() if v}


def entry(amount: Decimal, desired: Decimal, posted: Decimal) -> Entry:
    return Entry(Position(RULE, "[]", 1, 2), 0, 1, "Umsatz", "Umsatz", amount, desired, posted)


def body(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - fields of an entry
    line = {
        "debit_account_id": 1,
        "credit_account_id": 2,
        "tax_id": 14,
        "tax_account_id": 2,
        "description": "Umsatz [muster/20261119/1]",
        "amount": 108.1,
        "currency_id": 1,
        "currency_factor": 1,
    }
    return {
        "type": "manual_group_entry",
        "date": "2026-11-19",
        "reference_nr": "muster/20261119/1",
        "entries": [line],
        **changes,
    }


def there(number: int, **changes: Any) -> ManualEntry:  # noqa: ANN401 - fields of an entry
    return ManualEntry.model_validate_json(orjson.dumps({"id": number, **body(**changes)}))


def test_what_landed_is_found_by_its_number_and_the_same_comes_first() -> None:
    request = orjson.dumps(body())
    changed = there(3, date="2026-11-20")
    present = [there(2, reference_nr="muster/20261119/2"), changed, there(5), there(7, reference_nr=None)]
    assert [one.id for one in landed(request, present)] == [5, 3]
    assert landed(request, present[:1]) == []


@pytest.mark.parametrize("amount", [0.05, 1.1, 108.1, 100, 99999999.95])
def test_an_amount_is_the_same_sent_and_found(amount: float) -> None:
    line = body()["entries"][0] | {"amount": amount}
    request = orjson.dumps(body(entries=[line]))
    shown = there(1, entries=[line | {"amount": f"{amount:.6f}"}])
    assert landed(request, [shown]) == [shown]
    assert sent(request) == found(shown)
