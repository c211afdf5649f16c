"""Arcavis against our log against bexio: whatever a bookkeeper does is found, and a clean ledger is left in peace."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.arcavis import transactions
from sandbox.bexio import bookkeeping
from sandbox.bexio.faults import Mode
from sandbox.trade import Habits
from tests.fixtures.exporting import Bookkeeping, expected, open_books
from tests.fixtures.shop import Body, Shop

FIRST = date(2026, 11, 12)
LAST = FIRST + timedelta(days=4)
Deed = Callable[[Bookkeeping, Body], object]


@pytest.fixture
async def books(shop: Shop) -> Bookkeeping:
    opened = await open_books(shop, habits=Habits(receipts=4, invoice=0))
    opened.sell(FIRST, 5)
    assert (await opened.export(FIRST, LAST))["state"] == "done"
    return opened


async def compared(books: Bookkeeping, first: date = FIRST, last: date = LAST) -> Body:
    answer = await books.tenant.get(f"/bookings/reconciliation?from={first}&to={last}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_clean_ledger_raises_no_alarm_and_agrees_to_the_rappen(books: Bookkeeping) -> None:
    # What a bookkeeper does elsewhere, and invoices on the same accounts, are none of the export's business.
    bookkeeping.add(books.company, {"date": str(FIRST), "debit": "4200", "credit": "2000", "amount": "500"})
    await books.tenant.issued()
    found = await compared(books)
    assert (found["clean"], found["findings"]) == (True, [])
    sums: dict[str, Decimal] = {}
    for row in found["sums"]:
        assert row["tills"] == row["posted"] == row["bexio"]
        sums[row["account"]] = sums.get(row["account"], Decimal(0)) + Decimal(row["bexio"])
    assert {number: amount for number, amount in sums.items() if amount} == expected(books.receipts(FIRST, LAST))


async def test_it_reads_only(books: Bookkeeping) -> None:
    books.company.requests.clear()
    await compared(books)
    assert [one for one in books.company.requests.tail if one.is_write] == []


def edited(books: Bookkeeping, entry: Body) -> object:
    amount = str(entry["entries"][0]["amount"] + 1)
    return bookkeeping.edit(books.company, {"entry_id": entry["id"], "amount": amount})


def moved(books: Bookkeeping, entry: Body) -> object:
    return bookkeeping.edit(books.company, {"entry_id": entry["id"], "date": "2026-10-01"})


def relabelled(books: Bookkeeping, entry: Body) -> object:
    return bookkeeping.edit(books.company, {"entry_id": entry["id"], "text": "Kasse", "new_reference_nr": "B-1"})


def deleted(books: Bookkeeping, entry: Body) -> object:
    return bookkeeping.delete(books.company, {"entry_id": entry["id"]})


def doubled(books: Bookkeeping, entry: Body) -> object:
    return bookkeeping.double(books.company, {"entry_id": entry["id"]})


def doubled_without_number(books: Bookkeeping, entry: Body) -> object:
    made = bookkeeping.double(books.company, {"entry_id": entry["id"]})
    return bookkeeping.edit(books.company, {"entry_id": made["id"], "new_reference_nr": "", "text": "kopiert"})


def foreign(books: Bookkeeping, entry: Body) -> object:
    given = {"date": entry["date"], "debit": "6500", "credit": "1000", "amount": "12.35"}
    return bookkeeping.add(books.company, given)


def foreign_with_our_number(books: Bookkeeping, entry: Body) -> object:
    number = f"{books.tenant.slug}/20261112/99"
    given = {"date": entry["date"], "debit": "4200", "credit": "2000", "amount": "9", "reference_nr": number}
    return bookkeeping.add(books.company, given)


DEEDS: dict[str, tuple[Deed, str]] = {
    "edited": (edited, "edited"),
    "moved": (moved, "edited"),
    "relabelled": (relabelled, "edited"),
    "deleted": (deleted, "deleted"),
    "doubled": (doubled, "doubled"),
    "doubled without number": (doubled_without_number, "doubled"),
    "foreign": (foreign, "foreign"),
    "foreign with our number": (foreign_with_our_number, "foreign"),
}


@pytest.mark.parametrize("deed", DEEDS)
async def test_a_drift_is_found_alone_and_with_a_remedy(books: Bookkeeping, deed: str) -> None:
    do, kind = DEEDS[deed]
    do(books, books.entries()[2])
    found = await compared(books)
    assert [one["kind"] for one in found["findings"]] == [kind], found["findings"]
    assert found["findings"][0]["remedy"]
    assert not found["clean"]


async def test_many_drifts_at_once_are_all_found_and_none_is_invented(books: Bookkeeping) -> None:
    rng = random.Random(4)
    for _ in range(4):
        planted: list[tuple[str, str]] = []
        untouched = [row for row in books.entries() if row["reference_nr"].startswith(books.tenant.slug)]
        for entry in rng.sample(untouched, 4):
            name = rng.choice(sorted(set(DEEDS) - {"foreign with our number"}))
            do, kind = DEEDS[name]
            do(books, entry)
            planted.append((kind, "" if kind == "foreign" else entry["reference_nr"]))
        found = await compared(books)
        assert sorted((one["kind"], one["reference"] or "") for one in found["findings"]) == sorted(planted)
        await heal(books, untouched)
        assert (await compared(books))["clean"]


async def heal(books: Bookkeeping, originals: list[Body]) -> None:
    """Puts bexio back as it was: same ids, same lines, nothing else."""
    table, ledger = books.company.manual_entries, books.company.ledger
    for entry in list(table.rows.values()):
        bookkeeping.delete(books.company, {"entry_id": entry["id"]})
    for row in originals:
        table.put(row["id"], row)
        made = bookkeeping.double(books.company, {"entry_id": row["id"]})
        table.remove(made["id"])
        rows = ledger.of("ManualEntry", made["id"])
        ledger.remove("ManualEntry", made["id"])
        for one in rows:
            reference = type(one.reference)(one.reference.ref_class, row["id"], one.reference.text)
            sides = (one.debit_account_id, one.credit_account_id)
            ledger.book(reference, one.date, *sides, one.amount, one.tax_id, one.tax_amount)


async def test_a_sale_that_is_not_exported_yet_is_missing(books: Bookkeeping) -> None:
    transactions.receive(books.arcavis, books.trade.day(FIRST)[0])
    (finding,) = (await compared(books))["findings"]
    assert (finding["kind"], finding["code"], finding["sale_day"]) == ("missing", "ledger-missing", str(FIRST))
    await books.export(FIRST)
    assert (await compared(books))["clean"]


async def test_an_entry_whose_outcome_is_open_is_told_apart(books: Bookkeeping) -> None:
    day = LAST + timedelta(days=1)
    books.sell(day)
    books.tenant.fault(Mode.ERROR_AFTER_WRITE, "manual_entries", method="POST", times=1)
    await books.ask(day)
    await books.shop.work()
    (finding,) = (await compared(books, day, day))["findings"]
    assert finding["code"] == "ledger-unclear"
    await books.shop.finish()
    assert (await compared(books, day, day))["clean"]


async def test_a_deleted_entry_is_released_and_posted_again(books: Bookkeeping) -> None:
    entry = books.entries()[0]
    (ours,) = (await books.tenant.get(f"/bookings/entries?bexio_id={entry['id']}")).json()["items"]
    path = f"/bookings/entries/{ours['id']}/release"
    refused = await books.tenant.post(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "entry-still-there")
    deleted(books, entry)
    released = (await books.tenant.post(path)).json()
    assert released["state"] == "released"
    assert (await books.tenant.post(path)).json()["code"] == "entry-not-posted"
    await books.export(FIRST, LAST)
    assert (await compared(books))["clean"]
    assert books.without_invoices() == expected(books.receipts(FIRST, LAST))


async def test_a_late_landing_beyond_the_wait_is_found(books: Bookkeeping) -> None:
    day = LAST + timedelta(days=1)
    books.sell(day)
    rule: Any = books.tenant.fault(Mode.LATE_LANDING, "manual_entries", method="POST", times=1, seconds=300)
    await books.export(day)
    assert rule.struck == 1
    await books.shop.later(400)
    books.shop.world.settle()
    assert len([row for row in books.entries() if row["date"] == str(day)]) == 2
    found = await compared(books, day, day)
    assert [one["kind"] for one in found["findings"]] == ["doubled"]
