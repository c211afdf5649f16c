"""A whole month through both simulators: bexio's ledger is what the receipts say, account by account, to the Rappen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from sandbox.trade import Habits
from tests.fixtures.exporting import (
    CENT,
    Balances,
    Bookkeeping,
    expected,
    is_on_invoice,
    open_books,
)
from tests.fixtures.shop import CARD, CASH, INVOICE_TYPE, TWINT, VOUCHER, Shop

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
# Everything occurs, and much of it on invoice: what must not be booked twice.
HABITS = Habits(receipts=5, invoice=0.12, mixed=0.4)


def invoiced(receipts: Iterable[Mapping[str, Any]]) -> Balances:
    """What the invoices of these receipts book, from the receipts: revenue, VAT, debtors, parts paid at once."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for row in receipts:
        if not is_on_invoice(row):
            continue
        by_rate: dict[Decimal, Decimal] = defaultdict(Decimal)
        for line in row["TransactionArticles"]:
            by_rate[line["TaxRate"]] += line["Price"]
        for rate, gross in by_rate.items():
            vat = (gross * rate / (1 + rate)).quantize(CENT, ROUND_HALF_UP)
            sums["1100"] += gross
            sums["3200"] -= gross - vat
            sums["2200"] -= vat
        for each in row["TransactionPayments"]:
            account = {CASH: "1000", CARD: "1021", TWINT: "1022"}.get(str(each["PaymentTypeId"]))
            if account is not None:
                sums[account] += each["Amount"]
                sums["1100"] -= each["Amount"]
    return dict(sums)


def paid_by_card(row: Mapping[str, Any]) -> Balances:
    """An open invoice that was paid by card at the till: recorded with the invoice, and nowhere else."""
    return {"1021": row["Amount"], "1100": -row["Amount"]}


def together(*parts: Balances) -> Balances:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for part in parts:
        for account, amount in part.items():
            sums[account] += amount
    return {account: amount for account, amount in sums.items() if amount}


@pytest.fixture
async def books(shop: Shop) -> Bookkeeping:
    return await open_books(shop, habits=HABITS, seed=7)


@pytest.mark.timeout(120)
async def test_a_month_of_everything_stands_in_bexio_to_the_rappen(books: Bookkeeping) -> None:
    tenant = books.tenant
    bodies = books.sell(FIRST, 31)
    for body in bodies:
        answer = await tenant.post("/invoices", body)
        assert answer.status_code == 202, answer.text
    await books.shop.finish()
    at_the_till = await books.pay_invoice(LAST)
    run = await books.export(FIRST, LAST)
    assert run["state"] == "done", run
    receipts = [row for row in books.receipts(FIRST, LAST) if row["Id"] != at_the_till["Id"]]

    documents = (await tenant.get("/invoices?limit=200")).json()["items"]
    assert {one["status"] for one in documents} == {"issued"}
    assert len(documents) == len(bodies) > 20
    assert kinds_of(receipts) >= {
        "mixed",
        "split",
        "voucher sold",
        VOUCHER,
        "returned",
        "cancelled",
        "2",
        "3",
        "4",
        "tip",
    }

    own, invoices = expected(receipts), together(invoiced(receipts), paid_by_card(at_the_till))
    assert books.without_invoices() == own
    assert books.balances() == together(own, invoices)
    assert sum(books.balances().values()) == 0
    # Revenue and VAT of what went on invoice appear once: with the invoices, and nowhere in the export.
    assert books.balances()["3200"] - books.without_invoices()["3200"] == invoices["3200"]
    assert books.balances()["2200"] - books.without_invoices()["2200"] == invoices["2200"]

    found = (await tenant.get(f"/bookings/reconciliation?from={FIRST}&to={LAST}")).json()
    assert (found["clean"], found["findings"]) == (True, [])
    assert books.posts() == len({row["SaleDay"] for row in receipts}) == 31
    again = await books.export(FIRST, LAST)
    assert again["counts"]["unchanged"] == 31
    assert books.posts() == 31


def kinds_of(receipts: list[Any]) -> set[str]:
    found: set[str] = set()
    for row in receipts:
        payments = {str(each["PaymentTypeId"]) for each in row["TransactionPayments"]}
        found |= payments | {f"type {row['TransactionTypeId']}"}
        found |= {"mixed"} if len(payments) > 1 and INVOICE_TYPE in payments else set()
        found |= {"split"} if payments == {CASH, CARD} else set()
        found |= {"voucher sold"} if any(each["IsIssued"] for each in row["TransactionVouchers"]) else set()
        found |= {"tip"} if row["TipAmount"] else set()
        found |= {"returned"} if row["TransactionArticles"] and row["Amount"] < 0 else set()
        found |= {"cancelled"} if row["AnnulationTransactionId"] else set()
    return found


async def test_the_year_that_the_rates_changed_in_is_exported_with_the_right_codes(shop: Shop) -> None:
    books = await open_books(shop, habits=Habits(receipts=6, invoice=0, cancelled=0.3, cancelled_later=1))
    for year in (2023, 2024):
        await control(books, "actions/open-year", {"year": year})
    await control(books, "actions/add-old-rates", {})
    first, last = date(2023, 12, 30), date(2024, 1, 2)
    books.sell(first, 4)
    run = await books.export(first, last)
    assert run["state"] == "done", run
    receipts = books.receipts(first, last)
    assert books.balances() == expected(receipts)
    codes = {row["id"]: row["code"] for row in books.company.taxes}
    used = {
        (entry["date"] < "2024", codes[line["tax_id"]])
        for entry in books.entries()
        for line in entry["entries"]
        if line["tax_id"] is not None
    }
    assert {code for old, code in used if old} <= {"UN77", "UR25", "US37", "U00"}
    # A sale of before that is taken back after it carries the rate it was sold with.
    assert {"UN81", "UR26"} <= {code for old, code in used if not old}


async def control(books: Bookkeeping, action: str, body: dict[str, Any]) -> None:
    given = {**body, "company": books.company.id}
    await books.shop.in_bexio(books.tenant, "POST", f"/_sandbox/{action}", given)
