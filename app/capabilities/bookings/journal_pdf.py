"""A journal as PDF to be filed, in a language. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from app.capabilities.bookings.journal_files import COLUMNS, columns, rows, totals
from app.capabilities.bookings.journal_schemas import ExportJournal
from app.core import catalogue

_WIDTHS = (19, 21, 36, 20, 84, 15, 15, 22, 17, 16, 12)
_RIGHT = frozenset({"Amount", "VAT", "Receipts", "Debit", "Credit", "Balance", "Gross", "Net"})


def as_pdf(journal: ExportJournal, title: str, language: str) -> bytes:
    """The journal on A4, landscape, with page numbers."""
    paper = _Paper(title, catalogue.translate("Page", language))
    paper.table(columns(language), rows(journal, language), _WIDTHS, [column in _RIGHT for column in COLUMNS])
    for name, heads, body in totals(journal, language):
        if body:
            paper.section(name)
            widths = (30, 90, 30, 30, 30) if len(heads) > 4 else (60, 30, 30, 30)  # noqa: PLR2004 - the two tables
            paper.table(heads, body, widths, [place > len(heads) - 4 for place in range(len(heads))])
    return bytes(paper.output())


class _Paper(FPDF):
    """Plain tables. The built-in fonts know Western European letters; others become question marks."""

    def __init__(self, title: str, page: str) -> None:
        super().__init__(orientation="landscape", format="A4")
        self._title, self._page = _latin(title), _latin(page)
        self.set_title(self._title)
        self.set_auto_page_break(auto=True, margin=12)
        self.add_page()

    def header(self) -> None:
        """The title on every page."""
        self.set_font("helvetica", "B", 11)
        self.cell(0, 8, self._title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def footer(self) -> None:
        """The number on every page."""
        self.set_y(-10)
        self.set_font("helvetica", "", 7)
        self.cell(0, 5, f"{self._page} {self.page_no()}", align="R")

    def section(self, name: str) -> None:
        """A heading."""
        self.ln(4)
        self.set_font("helvetica", "B", 9)
        self.cell(0, 6, _latin(name), new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def table(  # pyright: ignore[reportIncompatibleMethodOverride] - fpdf's own is not used
        self, heads: Sequence[str], body: Sequence[Sequence[str]], widths: Sequence[float], right: Sequence[bool]
    ) -> None:
        """Rows of one line each; a text that is too long is cut."""
        self.set_font("helvetica", "B", 7)
        self._row(heads, widths, right)
        self.set_font("helvetica", "", 7)
        for row in body:
            self._row(row, widths, right)

    def _row(self, cells: Sequence[str], widths: Sequence[float], right: Sequence[bool]) -> None:
        for cell, width, is_right in zip(cells, widths, right, strict=True):
            self.cell(width, 4.5, self._cut(_latin(cell), width - 2), border="B", align="R" if is_right else "L")
        self.ln()

    def _cut(self, text: str, width: float) -> str:
        while text and self.get_string_width(text) > width:
            text = text[:-1]
        return text


def _latin(text: str) -> str:
    return text.replace("…", "...").replace("\u2019", "'").encode("latin-1", "replace").decode("latin-1")
