"""`/export/bookings`: posting what the tills took to bexio, and taking it back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response, status

from app.api import run_view
from app.api.deps import Db, IdempotencyKey, Language, PageParams, PreferWait, Waiting
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.api.run_view import STARTED, RunView
from app.api.waiting import Settled
from app.capabilities.bookings.deps import Accountant
from app.capabilities.bookings.export_schemas import ExportRequest, ExportSummary, ReverseRequest
from app.capabilities.bookings.export_service import ExportService, summary
from app.core.errors import Conflict, ConnectionRefused, Forbidden, InvalidInput, NotFound, RemoteUnavailable
from app.db.session import Database

router = APIRouter(prefix="/export/bookings", tags=["bookings"])


async def _exports(request: Request) -> ExportService:
    return request.app.state.resources.booking_exports


@dataclass(frozen=True, slots=True)
class Answering:
    """How the POSTs here answer: with the run that they started, after the wait that was asked for."""

    db: Database
    settled: Settled
    wait: int
    language: str
    response: Response

    async def run(self, tenant: UUID, run: UUID) -> RunView:
        """The answer for a run."""
        return await run_view.answer(self.db, self.settled, tenant, run, self.wait, self.language, self.response)


async def _answering(db: Db, settled: Waiting, wait: PreferWait, language: Language, response: Response) -> Answering:
    return Answering(db, settled, wait, language, response)


# Put it after the caller: without `Accept-Language` the tenant's own language holds.
Answered = Annotated[Answering, Depends(_answering)]
Exports = Annotated[ExportService, Depends(_exports)]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    responses={**STARTED, **problems(Forbidden, InvalidInput, Conflict, ConnectionRefused, RemoteUnavailable)},
)
async def export_bookings(
    asked: ExportRequest, caller: Accountant, _key: IdempotencyKey, service: Exports, answered: Answered
) -> RunView:
    """Posts to bexio what should stand there for these sale days and does not yet. A second time posts nothing."""
    export = await service.start(caller, asked)
    return await answered.run(caller.tenant, export)


@router.get("", responses=problems(Forbidden, InvalidInput))
async def list_booking_exports(caller: Accountant, service: Exports, paging: PageParams) -> Page[ExportSummary]:
    """Exports and reversals, the latest first."""
    found = await service.listing(caller.tenant, paging.values)
    return paging.page(found, lambda export: Position(export.created_at, export.id), summary)


@router.post(
    "/{export_id}/reverse",
    status_code=status.HTTP_202_ACCEPTED,
    responses={**STARTED, **problems(Forbidden, InvalidInput, NotFound)},
)
async def reverse_booking_export(
    export_id: UUID,
    caller: Accountant,
    _key: IdempotencyKey,
    service: Exports,
    answered: Answered,
    asked: ReverseRequest | None = None,
) -> RunView:
    """Takes back in bexio, by entries the other way round, what stands for the days of an export, or for one of them.

    Nothing is deleted. A second time takes nothing back; exporting the days again posts them as they are then.
    """
    export = await service.reverse(caller, export_id, asked.day if asked is not None else None)
    return await answered.run(caller.tenant, export)
