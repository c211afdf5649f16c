"""`GET /export/bookings/{export_id}`: an export's journal, as JSON, CSV, printable HTML or PDF."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from app.api import pages
from app.api.deps import Language
from app.api.problems import problems
from app.capabilities.bookings import journal_files as files
from app.capabilities.bookings.deps import Accountant, JournalService
from app.capabilities.bookings.journal_schemas import ExportJournal
from app.core import catalogue
from app.core.errors import Forbidden, NotFound

router = APIRouter(prefix="/export/bookings", tags=["bookings"])

Format = Literal["json", "csv", "html", "pdf"]
MEDIA: dict[str, Format] = {
    "application/json": "json",
    "text/csv": "csv",
    "text/html": "html",
    "application/pdf": "pdf",
}
Wanted = Annotated[Format | None, Query(alias="format", description="Instead of the header Accept.")]


def _text(example: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "example": example}


_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": _text("Verkaufstag;Buchungsdatum;Referenz;Status;Text;Soll;Haben;Betrag"),
            "text/html": _text("<!DOCTYPE html>"),
            "application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.3"},
        }
    }
}


@router.get("/{export_id}", response_model=ExportJournal, responses={**_FILES, **problems(Forbidden, NotFound)})
async def get_booking_export(
    export_id: UUID,
    request: Request,
    caller: Accountant,
    journals: JournalService,
    language: Language,
    wanted: Wanted = None,
) -> ExportJournal | Response:
    """What an export posted, line by line, with the totals per account and VAT code for the accountant."""
    journal = await journals.get(caller.tenant, export_id, language)
    match wanted or negotiated(request.headers.get("accept", "")):
        case "csv":
            return _file(files.as_csv(journal, language), "text/csv; charset=utf-8", journal, "csv", language)
        case "pdf":
            # Only who files a journal pays for it: a fifth of the start and 20 MiB.
            from app.capabilities.bookings.journal_pdf import as_pdf  # noqa: PLC0415

            content = as_pdf(journal, title_of(journal, language), language)
            return _file(content, "application/pdf", journal, "pdf", language)
        case "html":
            return _page(request, journal, language)
        case _:
            return journal


def negotiated(accept: str) -> Format:
    """The first of our formats that the header names; JSON when it names none."""
    named = (part.partition(";")[0].strip().lower() for part in accept.split(","))
    for one in named:
        if one in MEDIA:
            return MEDIA[one]
    return "json"


def title_of(journal: ExportJournal, language: str) -> str:
    """What the journal is called: Buchungsjournal 01.11.2026 - 30.11.2026."""
    export = journal.export
    words = ["Booking journal"] if export.kind == "export" else ["Booking journal", "Reversal"]
    named = ", ".join(catalogue.translate(word, language) for word in words)
    return f"{named} {export.first:%d.%m.%Y} - {export.last:%d.%m.%Y}"


def _file(content: bytes, media: str, journal: ExportJournal, ending: str, language: str) -> Response:
    name = f"journal-{journal.export.first}-{journal.export.last}.{ending}"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Language": language,
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Language",
    }
    return Response(content, media_type=media, headers=headers)


def _page(request: Request, journal: ExportJournal, language: str) -> Response:
    pages.speak(request.scope, language)
    values = {
        "title": title_of(journal, language),
        "columns": files.columns(language),
        "rows": files.rows(journal, language),
        "totals": files.totals(journal, language),
        "waiting": [day for day in journal.days if day.findings],
        "not_posted": catalogue.translate("Not posted", language),
    }
    return pages.respond(request.scope, "journal.html", values)
