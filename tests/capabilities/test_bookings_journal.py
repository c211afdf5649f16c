"""The journal of an export: as JSON, CSV, page and PDF, with totals that are bexio's own."""

from __future__ import annotations

import csv
import io
from datetime import date
from decimal import Decimal

import pytest

from app.capabilities.bookings.journal_files import as_csv
from app.capabilities.bookings.journal_router import negotiated
from app.capabilities.bookings.journal_schemas import ExportJournal
from tests.fixtures.exporting import Bookkeeping, open_books
from tests.fixtures.shop import Body, Shop

DAY = date(2026, 11, 19)


@pytest.fixture
async def exported(shop: Shop) -> tuple[Bookkeeping, str]:
    """A day that was posted, and the id of its export."""
    books = await open_books(shop)
    books.sell(DAY)
    run = await books.export(DAY)
    assert run["state"] == "done"
    return books, run["id"]


async def fetched(books: Bookkeeping, path: str, **headers: str) -> Body:
    answer = await books.tenant.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_its_totals_are_those_of_bexios_ledger(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    journal = await fetched(books, f"/export/bookings/{export}")
    assert journal["export"]["id"] == export
    assert [(day["day"], day["state"]) for day in journal["days"]] == [(DAY.isoformat(), "posted")]
    balances = {one["number"]: Decimal(one["balance"]) for one in journal["accounts"] if Decimal(one["balance"])}
    assert balances == books.without_invoices()
    assert sum(Decimal(one["debit"]) for one in journal["accounts"]) == sum(
        Decimal(one["credit"]) for one in journal["accounts"]
    )
    owed = sum(Decimal(one["vat"]) for one in journal["vat"])
    assert owed == -balances["2200"]
    assert all(Decimal(one["gross"]) == Decimal(one["net"]) + Decimal(one["vat"]) for one in journal["vat"])
    assert {line["bexio_id"] for line in journal["lines"]} == {entry["id"] for entry in books.entries()}


async def test_a_reversal_has_the_opposite_totals(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    first = await fetched(books, f"/export/bookings/{export}")
    back = await books.reverse({"id": export})
    second = await fetched(books, f"/export/bookings/{back['id']}")
    assert second["export"]["reverses"] == export
    totals = [{one["number"]: Decimal(one["balance"]) for one in each["accounts"]} for each in (first, second)]
    assert totals[0] == {number: -balance for number, balance in totals[1].items()}
    vat = [{one["code"]: Decimal(one["vat"]) for one in each["vat"]} for each in (first, second)]
    assert vat[0] == {code: -amount for code, amount in vat[1].items()}


async def test_as_csv_it_opens_in_a_spreadsheet(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    answer = await books.tenant.get(f"/export/bookings/{export}", headers={"Accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="journal-{DAY}-{DAY}.csv"'
    text = answer.content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    assert rows[0][:3] == ["Verkaufstag", "Buchungsdatum", "Referenz"]
    journal = await fetched(books, f"/export/bookings/{export}")
    assert [row[7] for row in rows[1 : 1 + len(journal["lines"])]] == [line["amount"] for line in journal["lines"]]
    assert ["Totale pro Konto"] in rows
    assert ["Totale pro Steuercode"] in rows


async def test_a_text_that_is_a_formula_stays_a_text(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    journal = ExportJournal.model_validate(await fetched(books, f"/export/bookings/{export}"))
    evil = journal.lines[0].model_copy(update={"text": "=HYPERLINK(1)", "amount": "-5.00"})
    row = next(
        csv.reader(as_csv(journal.model_copy(update={"lines": [evil]}), "de").decode().splitlines()[1:], delimiter=";")
    )
    assert row[4] == "'=HYPERLINK(1)"
    assert row[7] == "-5.00"


async def test_as_a_page_it_is_escaped_and_in_the_callers_language(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    await books.tenant.execute("update booking_line set text = '<script>' where place = 0")
    answer = await books.tenant.get(f"/export/bookings/{export}?format=html", headers={"Accept-Language": "fr"})
    assert answer.headers["content-type"].startswith("text/html")
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "Journal des écritures 19.11.2026" in answer.text
    assert "&lt;script&gt;" in answer.text
    assert "<script>" not in answer.text
    assert "Totaux par compte" in answer.text


async def test_as_pdf_it_has_pages(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    await books.tenant.execute("update booking_line set text = 'Zürich … \u2019 漢字'")
    answer = await books.tenant.get(f"/export/bookings/{export}?format=pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF-1.")
    assert b"/Type /Page\n" in answer.content


async def test_what_was_held_says_why(shop: Shop) -> None:
    books = await open_books(shop)
    books.sell(DAY)
    for period in books.company.vat_periods:
        period["status"] = "closed"
    run = await books.export(DAY)
    journal = await fetched(books, f"/export/bookings/{run['id']}", **{"Accept-Language": "it"})
    (day,) = journal["days"]
    assert (day["state"], day["findings"][0]["code"]) == ("held", "vat-period-not-open")
    assert (journal["lines"], journal["accounts"]) == ([], [])
    page = await books.tenant.get(f"/export/bookings/{run['id']}?format=html", headers={"Accept-Language": "it"})
    assert "Non registrato" in page.text


async def test_without_bexio_an_old_export_is_still_shown(exported: tuple[Bookkeeping, str]) -> None:
    books, export = exported
    assert (await books.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    journal = await fetched(books, f"/export/bookings/{export}")
    assert journal["lines"]
    assert all(line["debit_account"].startswith("#") for line in journal["lines"])


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "html"),
        ("application/pdf;q=1", "pdf"),
        ("image/png, application/json", "json"),
    ],
)
def test_the_format_follows_the_header(accept: str, wanted: str) -> None:
    assert negotiated(accept) == wanted
