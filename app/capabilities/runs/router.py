"""`/runs`: long work and how far it came."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response, status
from fastapi.responses import StreamingResponse

from app.api.deps import Backoffice, Db, Language, Now, PageParams, Waiting
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.api.run_view import RunView, view
from app.capabilities.runs import service
from app.core.errors import Conflict, InvalidInput, NotFound

EVENT_STREAM = "text/event-stream"
# One event of the stream.
_EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "For Last-Event-ID."},
        "event": {"const": "run"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "data"],
}

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("", responses=problems(InvalidInput))
async def list_runs(
    caller: Backoffice,
    db: Db,
    paging: PageParams,
    language: Language,
    kind: Annotated[str | None, Query(max_length=80, description="Only runs of this kind.")] = None,
) -> Page[RunView]:
    """Runs, the latest first."""
    found = await service.listing(db, caller.tenant, kind, paging.values)
    return paging.page(found, lambda run: Position(run.created_at, run.id), lambda run: view(run, language))


@router.get("/{run_id}", responses=problems(NotFound))
async def get_run(run_id: UUID, caller: Backoffice, db: Db, language: Language) -> RunView:
    """One run, as far as it came."""
    return view(await service.get(db, caller.tenant, run_id), language)


@router.get(
    "/{run_id}/events",
    response_class=Response,
    responses={
        200: {
            "description": "Server-sent events `run`, each with the whole run as JSON.",
            "content": {EVENT_STREAM: {"schema": _EVENT, "example": "event: run\ndata: {…}\n\n"}},
        },
        204: {"description": "The run is finished and its last event was seen: do not come back."},
        **problems(NotFound),
    },
)
async def watch_run(
    run_id: UUID,
    caller: Backoffice,
    db: Db,
    clock: Now,
    settled: Waiting,
    language: Language,
    last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
) -> Response:
    """The run as it is now and after each change, until it is finished; ten minutes at most, then come back."""
    run = await service.get(db, caller.tenant, run_id)
    if run.finished and last_event_id == service.version(run):
        return Response(status_code=status.HTTP_204_NO_CONTENT)
    stream = service.events(db, clock, settled, caller.tenant, run_id, language)
    return StreamingResponse(stream, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


@router.post("/{run_id}/cancel", responses=problems(NotFound, Conflict))
async def cancel_run(run_id: UUID, caller: Backoffice, db: Db, clock: Now, language: Language) -> RunView:
    """Asks the work to stop at its next step; what was done stays done."""
    return view(await service.cancel(db, clock, caller, run_id), language)


@router.post("/{run_id}/retry", responses=problems(NotFound, Conflict))
async def retry_run(run_id: UUID, caller: Backoffice, db: Db, clock: Now, language: Language) -> RunView:
    """Goes on with a run that failed or was cancelled, from where it stood."""
    return view(await service.retry(db, clock, caller, run_id), language)
