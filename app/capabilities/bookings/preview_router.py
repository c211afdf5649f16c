"""`/bookings/coverage` and `/export/bookings/preview`: what an export would do (module `accounting_export`)."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from app.api.deps import Language
from app.api.problems import problems
from app.capabilities.bookings.deps import Accountant, PreviewService
from app.capabilities.bookings.preview_schemas import Coverage, Preview, PreviewRequest
from app.core.errors import ConnectionRefused, Forbidden, InvalidInput, RemoteUnavailable

router = APIRouter(tags=["bookings"])

_ANSWERS = problems(Forbidden, InvalidInput, ConnectionRefused, RemoteUnavailable)
From = Annotated[date, Query(alias="from", description="First sale day.")]
To = Annotated[date, Query(alias="to", description="Last sale day.")]


@router.get("/bookings/coverage", responses=_ANSWERS)
async def get_booking_coverage(
    first: From, last: To, caller: Accountant, previews: PreviewService, language: Language
) -> Coverage:
    """Whether every line and payment is hit by exactly one rule; gaps and overlaps with example receipts."""
    return await previews.coverage(caller.tenant, first, last, language)


@router.post("/export/bookings/preview", responses=_ANSWERS)
async def preview_booking_export(
    asked: PreviewRequest, caller: Accountant, previews: PreviewService, language: Language
) -> Preview:
    """What an export would post now, to the byte, with the receipts behind it and what stands against it.

    It writes nothing, neither in bexio nor in Arcavis nor here.
    """
    return await previews.preview(caller.tenant, asked, language)
