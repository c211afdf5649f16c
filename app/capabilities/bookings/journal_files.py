"""A journal as tables in a language, and as CSV for spreadsheets. Pure."""

from __future__ import annotations

import csv
import io

from app.capabilities.bookings.journal_schemas import ExportJournal
from app.core import catalogue

# Excel in Switzerland reads semicolons, and takes UTF-8 for granted only with this mark.
_MARK = "\ufeff"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
COLUMNS = (
    "Sale day", "Booked on", "Reference", "State", "Text", "Debit", "Credit", "Amount", "VAT code", "VAT", "Receipts"
)  # fmt: skip


def columns(language: str) -> list[str]:
    """The heads of the columns."""
    return [catalogue.translate(column, language) for column in COLUMNS]


def rows(journal: ExportJournal, language: str) -> list[list[str]]:
    """The lines as texts, in the order of the columns."""
    return [
        [
            line.sale_day.isoformat(),
            line.booked_on.isoformat(),
            line.reference,
            catalogue.translate(line.state, language),
            line.text,
            line.debit_account,
            line.credit_account,
            line.amount,
            line.tax_code or "",
            line.vat,
            str(line.receipts),
        ]
        for line in journal.lines
    ]


def totals(journal: ExportJournal, language: str) -> list[tuple[str, list[str], list[list[str]]]]:
    """The two tables of totals: title, heads, rows."""

    def said(*words: str) -> list[str]:
        return [catalogue.translate(word, language) for word in words]

    accounts = [[one.number, one.name, one.debit, one.credit, one.balance] for one in journal.accounts]
    vat = [[f"{one.code} ({one.rate} %)", one.gross, one.vat, one.net] for one in journal.vat]
    return [
        (said("Totals per account")[0], [*said("Account"), "", *said("Debit", "Credit", "Balance")], accounts),
        (said("Totals per VAT code")[0], said("VAT code", "Gross", "VAT", "Net"), vat),
    ]


def as_csv(journal: ExportJournal, language: str) -> bytes:
    """The lines with a head, then the totals below one another."""
    out = io.StringIO()
    write = csv.writer(out, delimiter=";", lineterminator="\r\n")
    write.writerow(columns(language))
    write.writerows([_harmless(cell) for cell in row] for row in rows(journal, language))
    for title, heads, body in totals(journal, language):
        write.writerow([])
        write.writerow([title])
        write.writerow(heads)
        write.writerows([_harmless(cell) for cell in row] for row in body)
    return (_MARK + out.getvalue()).encode()


def _harmless(cell: str) -> str:
    """A text that a spreadsheet would run as a formula is shown instead; an amount may well be negative."""
    is_number = cell.replace(".", "", 1).removeprefix("-").isdigit()
    return f"'{cell}" if cell.startswith(_FORMULA) and not is_number else cell
