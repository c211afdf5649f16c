"""The simulated bexio's manual entries: what is refused, what is booked, and what a bookkeeper does to them."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from sandbox.bexio.faulty import ConnectionBroken
from sandbox.bexio.values import Record
from tests.sandbox.bexio_shop import Body, Shop
from tests.sandbox.test_bexio_schema import check, is_at_hand

PATH = "/3.0/accounting/manual_entries"
TEMPLATE = f"{PATH}/{{manual_entry_id}}"


@pytest.fixture
def shop() -> Shop:
    return Shop()


def line(shop: Shop, amount: object = 108.1, tax: str | None = "UN81", **more: Any) -> Body:  # noqa: ANN401 - fields
    cash, goods = shop.company.account("1000")["id"], shop.company.account("3200")["id"]
    with_tax: Record = {} if tax is None else {"tax_id": shop.company.tax(tax)["id"], "tax_account_id": goods}
    base = {"debit_account_id": cash, "credit_account_id": goods, "description": "Umsatz", "amount": amount}
    return {**base, **with_tax, "currency_id": 1, "currency_factor": 1, **more}


def entry(*lines: Body, **more: object) -> Body:
    return {"type": "manual_group_entry", "date": "2026-11-20", "reference_nr": "K-1", "entries": list(lines), **more}


async def post(shop: Shop, body: Body) -> httpx.Response:
    return await shop.post(PATH, body)


async def made(shop: Shop, *lines: Body, **more: object) -> Body:
    response = await post(shop, entry(*(lines or (line(shop),)), **more))
    assert response.status_code == 201, response.text
    return response.json()


def balances(shop: Shop) -> dict[str, str]:
    return {row.account_no: f"{row.balance:.2f}" for row in shop.company.ledger.trial_balance() if row.balance}


async def test_a_gross_amount_is_split_into_net_and_vat(shop: Shop) -> None:
    await made(shop, line(shop), line(shop, 26.65, "UR26"), line(shop, 5, None))
    assert balances(shop) == {"1000": "139.75", "2200": "-8.78", "3200": "-130.97"}
    assert shop.company.ledger.vat() == {14: Decimal("8.10"), 15: Decimal("0.68")}


async def test_swapped_sides_take_vat_back(shop: Shop) -> None:
    goods = shop.company.account("3200")["id"]
    back = line(shop, debit_account_id=goods, credit_account_id=shop.company.account("1000")["id"])
    await made(shop)
    await made(shop, back)
    assert balances(shop) == {}
    assert shop.company.ledger.vat() == {14: Decimal(0)}


async def test_input_tax_goes_from_the_expense_to_its_own_account(shop: Shop) -> None:
    expense, cash = shop.company.account("4200")["id"], shop.company.account("1000")["id"]
    vat = {"tax_id": shop.company.tax("VM81")["id"], "tax_account_id": expense}
    await made(shop, line(shop, tax=None, debit_account_id=expense, credit_account_id=cash, **vat))
    assert balances(shop) == {"1000": "-108.10", "1170": "8.10", "4200": "100.00"}


async def test_an_answer_fits_bexios_document(shop: Shop) -> None:
    first = await post(shop, entry(line(shop), line(shop, 5, None)))
    second = await shop.client.put(f"{PATH}/1", json=entry(line(shop, 10)))
    listed = await shop.get(PATH, limit=10, offset=0)
    number = await shop.get(f"{PATH}/next_ref_nr")
    removed = await shop.delete(f"{PATH}/1")
    assert listed.headers["X-Total-Count"] == "1"
    if is_at_hand():
        check("POST", PATH, first.status_code, first.json())
        check("PUT", TEMPLATE, second.status_code, second.json())
        check("GET", PATH, listed.status_code, listed.json())
        check("GET", f"{PATH}/next_ref_nr", number.status_code, number.json())
        check("DELETE", TEMPLATE, removed.status_code, removed.json())


async def test_every_fault_of_a_line_is_named(shop: Shop) -> None:
    long = "x" * 256
    wrong = line(shop, debit_account_id=999, description=long, amount="5", tax_account_id=1)
    response = await post(shop, entry(line(shop), wrong))
    assert response.status_code == 422
    good, bad = response.json()["errors"]
    assert good == {}
    assert set(bad) == {"debitAccountId", "description", "amount", "tax_account_id"}
    assert bad["debitAccountId"]["message"] == "A 'Account' with id 999 does not exist"
    assert len(shop.company.manual_entries) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"currency_id": None}, "could not be processed"),
        ({"currency_factor": None}, "could not be processed"),
        ({"tax_id": 999}, "validation failed"),
        ({"tax_id": 8}, "validation failed"),
        ({"amount": -5}, "validation failed"),
        ({"amount": 0}, "validation failed"),
        ({"amount": 1.001}, "validation failed"),
        ({"credit_account_id": None}, "validation failed"),
        ({"foreign": 1}, "validation failed"),
    ],
)
async def test_a_wrong_line_is_refused(change: Record, words: str) -> None:
    shop = Shop(has_zero_rate=False)
    response = await post(shop, entry(line(shop, **change)))
    assert response.status_code == 422
    assert words in response.json()["message"]


@pytest.mark.parametrize(
    "change",
    [
        {"type": "manual_entry"},
        {"date": "20.11.2026"},
        {"reference_nr": "x" * 81},
        {"entries": []},
        {"note": "unknown"},
        {"type": "manual_single_entry", "entries": "two"},
    ],
)
async def test_a_wrong_entry_is_refused(shop: Shop, change: Record) -> None:
    if change.get("entries") == "two":
        change = {**change, "entries": [line(shop), line(shop)]}
    assert (await post(shop, {**entry(line(shop)), **change})).status_code == 422


async def test_an_inactive_account_is_refused(shop: Shop) -> None:
    await shop.control("POST", "actions/set-account", {"account_no": "3200", "is_active": False})
    assert (await post(shop, entry(line(shop)))).status_code == 422


async def test_a_reference_may_occur_twice(shop: Shop) -> None:
    first, second = await made(shop), await made(shop)
    assert first["reference_nr"] == second["reference_nr"]
    newest = (await shop.get(PATH, order_by="id_desc", limit=1)).json()
    assert [row["id"] for row in newest] == [second["id"]]


async def test_a_compound_entry_balances_and_drops_the_first_lines_tax(shop: Shop) -> None:
    total = line(shop, 113.1, credit_account_id=None, tax_account_id=shop.company.account("1000")["id"])
    parts = [line(shop, amount, tax, debit_account_id=None) for amount, tax in ((108.1, "UN81"), (5, None))]
    assert (await post(shop, entry(total, parts[0], type="manual_compound_entry"))).status_code == 422
    response = await post(shop, entry(total, *parts, type="manual_compound_entry"))
    assert response.status_code == 201, response.text
    assert response.json()["entries"][0]["tax_id"] is None
    assert balances(shop) == {"1000": "113.10", "2200": "-8.10", "3200": "-105.00"}


async def test_no_entry_goes_into_a_year_that_is_missing_closed_or_locked(shop: Shop) -> None:
    missing = await post(shop, entry(line(shop), date="2023-11-01"))
    assert "no fiscal year exists" in missing.json()["message"]
    assert (await post(shop, entry(line(shop), date="2024-05-01"))).status_code == 422
    await shop.control("POST", "actions/set-business-year", {"year": 2026, "status": "locked"})
    assert (await post(shop, entry(line(shop)))).status_code == 422
    await shop.control("POST", "actions/open-year", {"year": 2024})
    assert (await post(shop, entry(line(shop), date="2024-05-01"))).status_code == 201
    await shop.control("POST", "actions/remove-year", {"year": 2024})
    assert (await post(shop, entry(line(shop), date="2024-05-01"))).status_code == 422


async def test_a_closed_vat_period_takes_entries_without_vat(shop: Shop) -> None:
    await shop.control("POST", "actions/set-vat-period", {"date": "2026-11-20", "status": "closed"})
    assert (await post(shop, entry(line(shop)))).status_code == 422
    assert (await post(shop, entry(line(shop, tax=None)))).status_code == 201


async def test_a_vat_code_counts_on_the_days_of_its_rate(shop: Shop) -> None:
    await shop.control("POST", "actions/add-old-rates", {})
    await shop.control("POST", "actions/open-year", {"year": 2023})
    await shop.control("POST", "actions/open-year", {"year": 2024})
    statuses = {
        (day, code): (await post(shop, entry(line(shop, tax=code), date=day))).status_code
        for day in ("2023-06-30", "2023-12-31", "2024-07-01")
        for code in ("UN77", "UN81")
    }
    assert statuses["2023-12-31", "UN77"] == statuses["2024-07-01", "UN81"] == 201
    assert statuses["2024-07-01", "UN77"] == statuses["2023-06-30", "UN81"] == 422


async def test_a_locked_entry_says_why_and_stays(shop: Shop) -> None:
    await made(shop)
    await shop.control("POST", "actions/set-vat-period", {"date": "2026-11-20", "status": "closed"})
    (row,) = (await shop.get(PATH)).json()
    assert (row["is_locked"], row["locked_info"]) == (True, "closed_tax_period")
    assert (await shop.delete(f"{PATH}/1")).status_code == 403
    assert (await shop.client.put(f"{PATH}/1", json=entry(line(shop)))).status_code == 422
    await shop.control("POST", "actions/set-business-year", {"year": 2026, "status": "closed"})
    (row,) = (await shop.get(PATH)).json()
    assert row["locked_info"] == "closed_business_year"


async def test_put_replaces_all_lines_and_delete_reverses_nothing(shop: Shop) -> None:
    await made(shop, line(shop), line(shop))
    await shop.client.put(f"{PATH}/1", json=entry(line(shop, 10, None)))
    assert balances(shop) == {"1000": "10.00", "3200": "-10.00"}
    assert (await shop.delete(f"{PATH}/1")).json() == {"success": True}
    assert balances(shop) == {}
    assert (await shop.delete(f"{PATH}/1")).status_code == 404


async def test_line_ids_may_be_missing_in_the_echo(shop: Shop) -> None:
    await shop.control("POST", "rules", {"echoes_null_ids": True})
    echoed = await made(shop)
    assert echoed["id"] == 1
    assert [row["id"] for row in echoed["entries"]] == [None]
    assert (await shop.get(PATH)).json()[0]["entries"][0]["id"] == 1


async def test_the_journal_shows_an_entry_with_its_vat(shop: Shop) -> None:
    await made(shop)
    rows = (await shop.get("/3.0/accounting/journal", **{"from": "2026-11-20", "to": "2026-11-20"})).json()
    assert [(row["ref_class"], row["ref_id"], row["amount"]) for row in rows] == [
        ("ManualEntry", 1, 100.0),
        ("ManualEntry", 1, 8.1),
    ]


async def test_a_bookkeeper_edits_deletes_doubles_and_adds(shop: Shop) -> None:
    await made(shop)
    doubled = (await shop.control("POST", "actions/double-entry", {"reference_nr": "K-1"})).json()
    await shop.control("POST", "actions/edit-entry", {"entry_id": 1, "amount": "54.05", "credit": "3400"})
    foreign = {"date": "2026-11-20", "debit": "6945", "credit": "1000", "amount": "0.05", "text": "Kassendifferenz"}
    await shop.control("POST", "actions/add-entry", foreign)
    assert balances(shop) == {"1000": "162.10", "2200": "-12.15", "3200": "-100.00", "3400": "-50.00", "6945": "0.05"}
    await shop.control("POST", "actions/delete-entry", {"entry_id": doubled["id"]})
    listed = (await shop.control("GET", "manual-entries?date=2026-11-20")).json()
    assert [(row["id"], row["edited_by_user_id"]) for row in listed] == [(1, 2), (3, 2)]


async def test_the_faults_reach_manual_entries(shop: Shop) -> None:
    async def strike(mode: str, **more: object) -> httpx.Response | None:
        await shop.control("DELETE", "faults")
        await shop.control("POST", "faults", {"mode": mode, "path": "manual_entries", "method": "POST", **more})
        try:
            return await post(shop, entry(line(shop)))
        except ConnectionBroken:
            return None

    counts: dict[str, int] = {}
    for mode in ("timeout_after_write", "late_landing", "error_after_write", "error_before", "reset", "storm_429"):
        await strike(mode, seconds=60)
        counts[mode] = len(shop.company.manual_entries)
    assert list(counts.values()) == [1, 2, 3, 3, 4, 4]
    half = await strike("half_page")
    assert half is not None
    with pytest.raises(ValueError, match=r"\(char \d+\)"):
        half.json()
    assert len(shop.company.manual_entries) == 5


async def test_a_late_entry_lands_although_its_sender_has_gone(shop: Shop) -> None:
    await shop.control("POST", "faults", {"mode": "late_landing", "path": "manual_entries", "seconds": 60, "times": 1})
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await post(shop, entry(line(shop)))
    shop.time += timedelta(seconds=60)
    shop.world.settle()
    assert len(shop.company.manual_entries) == 1
