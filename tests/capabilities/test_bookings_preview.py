"""The preview: every planted defect is found by its code and none of its days is planned, and nothing is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.core.texts import ENTRIES
from sandbox.arcavis import transactions
from tests.fixtures.exporting import RULES, SALE, Bookkeeping, open_books, rule, set_rules
from tests.fixtures.shop import CARD, Body, Shop, Tenant

DAY = date(2026, 11, 19)
FIRST = DAY - timedelta(days=1)


@pytest.fixture
async def books(shop: Shop) -> Bookkeeping:
    """Two days of trade, of every rate and means of payment."""
    books = await open_books(shop)
    books.sell(FIRST, 2)
    return books


async def previewed(books: Bookkeeping, language: str = "en", **more: str) -> Body:
    body = {"from": FIRST.isoformat(), "to": DAY.isoformat(), **more}
    answer = await books.tenant.post("/export/bookings/preview", body, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(preview: Body, *severities: str) -> set[str]:
    return {
        one["code"] for one in preview["findings"] if one["severity"] in (severities or ("error", "warning", "info"))
    }


def states(preview: Body) -> list[str]:
    return [one["state"] for one in preview["days"]]


async def send_invoices(books: Bookkeeping) -> None:
    """The tills send what was paid on invoice, so that nothing is missing."""
    for row in books.receipts(FIRST, DAY):
        ids = {each["PaymentTypeId"] for each in row["TransactionPayments"]}
        if 7 in ids:
            day = date.fromisoformat(row["SaleDay"][:10])
            await books.tenant.execute(DOCUMENT, transaction=str(row["Id"]), total=row["Amount"], day=day)


DOCUMENT = (
    "insert into document (id, tenant_id, source, transaction_id, number, sale_date, content, content_hash, total,"
    " status, goal, created_at, updated_at) select gen_random_uuid(), id, 'sale', :transaction, '2/1', :day, '{}', '',"
    " :total, 'issued', 'issued', now(), now() from tenant"
)


async def test_a_healthy_tenant_has_no_finding_and_its_days_balance(books: Bookkeeping) -> None:
    await send_invoices(books)
    preview = await previewed(books)
    assert codes(preview) - {"cancelled-sale-still-invoiced", "return-on-invoice"} == set()
    assert states(preview) == ["ready", "ready"]
    for day in preview["days"]:
        proof = {name: Decimal(value) for name, value in day["proof"].items() if isinstance(value, str)}
        left = proof["sales"] + proof["vouchers_sold"] + proof["tips"] + proof["money_moved"] + proof["rounding"]
        assert left == proof["payments"]
        assert day["proof"]["balanced"]
        assert day["entries_in_all"] == len(day["entries"]) == sum(group["entries"] for group in day["groups"])


async def test_it_writes_nothing_anywhere(books: Bookkeeping) -> None:
    before = await snapshot(books.tenant)
    await previewed(books)
    await books.tenant.get(f"/bookings/coverage?from={FIRST}&to={DAY}")
    assert books.tenant.writes() == []
    writes = {name: count for name, count in books.shop.arcavis.requests.writes("muster").items() if count}
    assert writes == {}
    assert await snapshot(books.tenant) == before


async def snapshot(tenant: Tenant) -> list[str]:
    """Every row of ours but for what was read from bexio and kept."""
    tables = ("document", "operation", "attention", "run", "audit", "cursor", "booking_rule", "booking_rule_version")
    tables += ("booking_export", "booking_export_day", "booking_group", "booking_line", "booking_article_groups")
    return [str(await tenant.rows(f"select t::text from {one} t order by t::text")) for one in tables]  # noqa: S608


async def test_what_is_posted_is_what_was_shown(books: Bookkeeping) -> None:
    preview = await previewed(books)
    run = await books.export(FIRST, DAY, plan_hash=preview["plan_hash"])
    assert run["state"] == "done", run
    shown = {group["reference"]: group["sha256"] for day in preview["days"] for group in day["groups"]}
    rows = await books.tenant.rows("select reference, encode(sha256(request), 'hex') as hash from booking_group")
    assert {row.reference: row.hash for row in rows} == shown
    again = await previewed(books)
    assert states(again) == ["unchanged", "unchanged"]
    assert again["plan_hash"] != preview["plan_hash"]


async def test_an_entry_names_its_accounts_its_vat_and_the_receipts_behind_it(books: Bookkeeping) -> None:
    preview = await previewed(books, day=DAY.isoformat())
    (day,) = preview["days"]
    (entry,) = [
        one for one in day["entries"] if one["title"] == "Umsatz" and one["group"] == {"store": "2", "tax_rate": "8.1"}
    ]
    assert {entry["debit_account"], entry["credit_account"]} == {"1000", "3200"}
    assert (entry["tax_code"], entry["tax_account"]) == ("UN81", "3200")
    assert entry["rule_id"] == str(books.rules["Umsatz"])
    assert abs(Decimal(entry["till_tax"]) - Decimal(entry["ledger_tax"])) < 1
    numbers = {row["Number"] for row in books.receipts(DAY, DAY)}
    assert {one["number"] for one in entry["receipts"]["examples"]} <= numbers
    assert entry["receipts"]["count"] >= len(entry["receipts"]["examples"]) > 0
    assert preview["plan_hash"] == (await previewed(books))["plan_hash"]


@dataclass(frozen=True)
class Defect:
    """What was broken, what the preview must say of it, and which days wait."""

    code: str
    plant: Callable[[Bookkeeping], Awaitable[None]]
    held: tuple[str, ...] = ("held", "held")


def bexio(code: str, change: Callable[[Tenant], object], held: tuple[str, ...] = ("held", "held")) -> Defect:
    async def plant(books: Bookkeeping) -> None:
        change(books.tenant)

    return Defect(code, plant, held)


def without(title: str, *others: Body) -> Callable[[Bookkeeping], Awaitable[None]]:
    async def plant(books: Bookkeeping) -> None:
        await books.tenant.execute("delete from booking_rule_version")
        await books.tenant.execute("delete from booking_rule")
        await set_rules(books, [*(one for one in RULES if one["title"] != title), *others])

    return plant


def setting(code: str, **changes: object) -> Defect:
    async def plant(books: Bookkeeping) -> None:
        await books.tenant.set(**changes)

    return Defect(code, plant)


def set_year(tenant: Tenant, **changes: object) -> None:
    for year in tenant.company.business_years:
        if year["start"] == "2026-01-01":
            year.update(changes)


def close_vat(tenant: Tenant) -> None:
    for period in tenant.company.vat_periods:
        if period["start"] == "2026-10-01":
            period["status"] = "closed"


def one_odd_receipt(day: date) -> Callable[[Bookkeeping], Awaitable[None]]:
    async def plant(books: Bookkeeping) -> None:
        sales = (
            row for row in books.receipts(day, day) if row["TransactionTypeId"] == 1 and row["TransactionPayments"]
        )
        sale = next(row for row in sales if all(one["PaymentTypeId"] == 1 for one in row["TransactionPayments"]))
        payments = [sale["TransactionPayments"][0] | {"Amount": Decimal(5000)}, *sale["TransactionPayments"][1:]]
        books.arcavis.transactions.put(sale | {"TransactionPayments": payments})

    return plant


def revenue(**fields: object) -> Callable[[Bookkeeping], Awaitable[None]]:
    """Another rule for revenue in place of the usual one."""
    accounts = {"debit_account": "1000", "credit_account": "3200", "text": "Umsatz"}
    return without("Umsatz", rule("Umsatz", "articles", "gross", **accounts, **fields))


CARD_AGAIN = rule(
    "Karte nochmals",
    "payments",
    "amount",
    filter={"payment_types": [CARD], "transaction_types": [SALE]},
    debit_account="1021",
    credit_account="1000",
)


def account(code: str, number: str, **changes: object) -> Defect:
    return bexio(code, lambda tenant: tenant.company.account(number).update(changes))


def tax(code: str, name: str, **changes: object) -> Defect:
    return bexio(code, lambda tenant: tenant.company.tax(name).update(changes))


def end_of_year(tenant: Tenant) -> None:
    set_year(tenant, end=FIRST.isoformat())


def by_net_tax_rates(tenant: Tenant) -> None:
    for year in tenant.company.calendar_years:
        year["vat_accounting_method"] = "net_tax"


DEFECTS = [
    Defect("coverage-gap", without("TWINT")),
    Defect("coverage-gap", revenue(filter={"tax_rates": ["8.1"]}, tax_code="@sales")),
    Defect("coverage-overlap", without("", CARD_AGAIN)),
    Defect("vat-rates-mixed", revenue(tax_code="UN81")),
    Defect("vat-code-of-other-rate", revenue(tax_code="UN81", group_by=["tax_rate"])),
    Defect("vat-code-unknown", revenue(tax_code="UN99", group_by=["tax_rate"])),
    account("booking-account-missing", "3200", account_no="3201"),
    account("booking-account-inactive", "3200", is_active=False),
    account("booking-account-unsuitable", "3200", account_type=3),
    account("cash-account-missing", "1000", account_no="1009"),
    tax("vat-code-sleeps", "US38", is_active=False),
    tax("vat-code-missing", "UN81", end_year=2026, end_month=6),
    bexio("vat-code-of-other-method", by_net_tax_rates),
    bexio("business-year-not-open", lambda tenant: set_year(tenant, status="closed")),
    bexio("business-year-not-open", lambda tenant: set_year(tenant, status="locked")),
    bexio("business-year-missing", lambda tenant: set_year(tenant, end="2026-11-01")),
    bexio("business-year-missing", end_of_year, ("ready", "held")),
    bexio("vat-period-not-open", close_vat),
    Defect("day-does-not-balance", one_odd_receipt(DAY), ("ready", "held")),
]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.code)
async def test_every_planted_defect_is_found_named_with_its_remedy_and_not_posted(
    books: Bookkeeping, defect: Defect
) -> None:
    await defect.plant(books)
    preview = await previewed(books)
    assert codes(preview, "error") == {defect.code}
    assert tuple(states(preview)) == defect.held
    said = {language: told(await previewed(books, language), defect.code) for language in ("en", "de", "fr", "it")}
    assert len({one["remedy"] for one in said.values()}) == 4
    assert all("…" not in one["detail"].replace(", …", "") for one in said.values())
    assert ENTRIES[defect.code].title == said["en"]["title"]
    await books.export(FIRST, DAY)
    assert books.posts() == sum(state == "ready" for state in defect.held)


def told(preview: Body, code: str) -> Body:
    return next(one for one in preview["findings"] if one["code"] == code)


async def test_a_code_that_ended_before_the_sale_is_not_used(books: Bookkeeping) -> None:
    old = {**books.company.tax("UN81"), "id": 977, "code": "UN77", "value": 7.7, "end_year": 2025, "end_month": 12}
    books.company.taxes.put(977, old)
    await revenue(tax_code="UN77", group_by=["tax_rate"])(books)
    assert codes(await previewed(books), "error") == {"vat-code-expired"}


async def test_without_an_active_rule_nothing_is_covered_and_that_is_said(books: Bookkeeping) -> None:
    await books.tenant.execute("update booking_rule set deleted_at = now()")
    preview = await previewed(books)
    assert {"booking-rules-missing", "coverage-gap"} <= codes(preview, "error")
    assert states(preview) == ["held", "held"]


async def test_receipts_of_a_held_day_are_named(books: Bookkeeping) -> None:
    await one_odd_receipt(DAY)(books)
    found = next(one for one in (await previewed(books))["findings"] if one["code"] == "day-does-not-balance")
    assert found["days"] == [DAY.isoformat()]
    odd = next(
        row for row in books.receipts(DAY, DAY) if any(one["Amount"] == 5000 for one in row["TransactionPayments"])
    )
    assert odd["Number"] in {one["number"] for one in found["receipts"]["examples"]}
    assert odd["Number"] in found["detail"]


async def test_a_closed_day_may_move_to_the_next_open_one(books: Bookkeeping) -> None:
    for period in books.company.vat_periods:
        if period["start"] == "2026-10-01":
            period.update(end=DAY.isoformat(), status="closed")
    await books.tenant.set(closed_period_policy="next_open_day")
    preview = await previewed(books)
    assert states(preview) == ["ready", "ready"]
    assert {day["booked_on"] for day in preview["days"]} == {"2026-11-20"}


async def test_a_sale_that_the_till_never_sent_is_offered_for_invoicing(books: Bookkeeping) -> None:
    preview = await previewed(books)
    (found,) = [one for one in preview["findings"] if one["code"] == "sale-never-sent"]
    assert found["severity"] == "warning"
    assert len(found["offers"]) == found["receipts"]["count"] > 0
    offer = found["offers"][0]
    answer = await books.tenant.post("/invoices", offer)
    assert answer.status_code == 202, answer.text
    await books.shop.work()
    assert (await books.tenant.shown(answer.json()))["status"] == "issued"
    after = next(one for one in (await previewed(books))["findings"] if one["code"] == "sale-never-sent")
    assert after["receipts"]["count"] == found["receipts"]["count"] - 1


async def test_coverage_lists_gaps_and_overlaps_with_examples(books: Bookkeeping) -> None:
    path = f"/bookings/coverage?from={FIRST}&to={DAY}"
    whole = (await books.tenant.get(path)).json()
    assert (whole["covered"], whole["gaps"], whole["overlaps"]) == (True, [], [])
    assert whole["lines_and_payments"] > whole["receipts"] > 10
    await without("TWINT", CARD_AGAIN)(books)
    holed = (await books.tenant.get(path, headers={"Accept-Language": "de"})).json()
    assert not holed["covered"]
    assert all("Zahlart TWINT" in gap["detail"] for gap in holed["gaps"])
    assert {day for gap in holed["gaps"] for day in gap["days"]} == {FIRST.isoformat(), DAY.isoformat()}
    assert all("Karte nochmals" in overlap["detail"] for overlap in holed["overlaps"])
    assert all(one["receipts"]["examples"] for one in (*holed["gaps"], *holed["overlaps"]))
    assert holed["gaps"]
    assert holed["overlaps"]


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-11-20", "2026-11-19"), ("2025-01-01", "2026-11-19"), ("2026-11-20", "2026-12-01")],
)
async def test_a_period_that_is_none_is_refused(books: Bookkeeping, first: str, last: str) -> None:
    answer = await books.tenant.post("/export/bookings/preview", {"from": first, "to": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "period-not-valid")
    listed = await books.tenant.get(f"/bookings/coverage?from={first}&to={last}")
    assert listed.status_code == 422


async def test_a_late_receipt_is_a_difference_and_the_entry_says_what_stood(books: Bookkeeping) -> None:
    await books.export(FIRST, DAY)
    sale = next(row for row in books.receipts(DAY, DAY) if row["TransactionTypeId"] == 1)
    late: Mapping[str, object] = {"Id": sale["Id"] + 5000, "Number": "9/9", "AnnulationTransactionId": None}
    transactions.receive(books.arcavis, sale | late | {"ExecutedTime": sale["ExecutedTime"] + "1"})
    preview = await previewed(books)
    assert states(preview) == ["unchanged", "ready"]
    for entry in preview["days"][1]["entries"]:
        assert Decimal(entry["posted"]) != 0 or Decimal(entry["desired"]) != 0
    assert preview["days"][1]["groups"][0]["reference"].endswith("/2")


def test_every_defect_has_its_texts() -> None:
    assert {defect.code for defect in DEFECTS} <= set(ENTRIES)


async def diagnosed(tenant: Tenant) -> dict[str, str]:
    """What the doctor finds besides what works, and how bad it is."""
    found = (await tenant.get("/connection/check")).json()["findings"]
    return {one["code"]: one["severity"] for one in found if one["severity"] != "info"}


async def test_the_doctor_knows_what_would_hold_the_export(books: Bookkeeping) -> None:
    tenant, usual = books.tenant, {"payment-type-not-mapped": "warning"}
    assert await diagnosed(tenant) == usual
    tenant.company.account("3200")["account_no"] = "3201"
    tenant.company.tax("UN81").update(end_year=2026, end_month=12)
    await revenue(tax_code="UN81", filter={"tax_rates": ["8.1"]})(books)
    await tenant.set(rounding_account_no="6946")
    await books.shop.later(60)
    found = await diagnosed(tenant)
    expected = {"booking-account-missing": "error", "vat-code-ends": "warning", "rounding-account-missing": "error"}
    assert expected.items() <= found.items()
    await tenant.execute("update booking_rule set deleted_at = now()")
    await tenant.set(rounding_account_no=None)
    expected = {"booking-rules-missing": "warning", "rounding-account-not-chosen": "warning"}
    assert expected.items() <= (await diagnosed(tenant)).items()
    assert books.tenant.writes() == []


async def test_the_doctor_says_nothing_of_bookings_without_the_module(tenant: Tenant) -> None:
    assert await diagnosed(tenant) == {"payment-type-not-mapped": "warning"}
