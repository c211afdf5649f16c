"""`/contacts`: import, export and sync as runs, one contact at once, links, and what a person must decide."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from app.api import run_view
from app.api.auth import TenantCaller
from app.api.deps import Backoffice, Db, IdempotencyKey, Language, PageParams, PreferWait, Waiting
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.api.run_view import STARTED, RunView
from app.capabilities.contacts import views
from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.progress import Mode
from app.capabilities.contacts.schemas import (
    ConflictKind,
    ConflictState,
    ContactConflict,
    ContactLink,
    ContactPush,
    LinkState,
    Resolution,
    RunRequest,
)
from app.capabilities.contacts.service import ContactsService
from app.core.errors import Conflict, InvalidInput, NotFound

router = APIRouter(prefix="/contacts", tags=["contacts"])

_KINDS: dict[str, Kind] = {"customers": "customer", "suppliers": "supplier"}


async def _contacts(request: Request) -> ContactsService:
    return request.app.state.resources.contacts


Service = Annotated[ContactsService, Depends(_contacts)]


class Starting:
    """How the POSTs here begin a run and answer, after the wait that was asked for."""

    def __init__(
        self, service: Service, db: Db, settled: Waiting, wait: PreferWait, language: Language, response: Response
    ) -> None:
        self._service = service
        self._db = db
        self._settled = settled
        self._wait = wait
        self._language = language
        self._response = response

    async def run(self, caller: TenantCaller, mode: Mode, asked: RunRequest | None) -> RunView:
        """The run that was begun."""
        run = await self._service.start(caller, mode, asked or RunRequest())
        return await run_view.answer(
            self._db, self._settled, caller.tenant, run, self._wait, self._language, self._response
        )


# Put it after the caller: without `Accept-Language` the tenant's own language holds.
Begin = Annotated[Starting, Depends(Starting)]
_BEGUN = {**STARTED, **problems(InvalidInput, Conflict)}


@router.post("/import", status_code=status.HTTP_202_ACCEPTED, responses=_BEGUN)
async def import_contacts(
    caller: Backoffice, _key: IdempotencyKey, begin: Begin, asked: RunRequest | None = None
) -> RunView:
    """Brings bexio's contacts to Arcavis. Writes to Arcavis only."""
    return await begin.run(caller, "import", asked)


@router.post("/export", status_code=status.HTTP_202_ACCEPTED, responses=_BEGUN)
async def export_contacts(
    caller: Backoffice, _key: IdempotencyKey, begin: Begin, asked: RunRequest | None = None
) -> RunView:
    """Brings Arcavis' customers and suppliers to bexio. Writes to bexio only."""
    return await begin.run(caller, "export", asked)


@router.post("/sync", status_code=status.HTTP_202_ACCEPTED, responses=_BEGUN)
async def sync_contacts(
    caller: Backoffice, _key: IdempotencyKey, begin: Begin, asked: RunRequest | None = None
) -> RunView:
    """Brings both systems in agreement: what changed on one side is copied to the other, field by field."""
    return await begin.run(caller, "sync", asked)


@router.get("/links", responses=problems(InvalidInput))
async def list_contact_links(
    caller: Backoffice,
    service: Service,
    paging: PageParams,
    language: Language,
    kind: Annotated[Kind | None, Query(description="Only customers or suppliers.")] = None,
    state: Annotated[LinkState | None, Query(description="Only links in this state.")] = None,
) -> Page[ContactLink]:
    """Who is who, those that changed last first."""
    rows = await service.links(caller.tenant, kind, state, paging.values)
    return paging.page(rows, lambda row: Position(row.updated_at, row.id), lambda row: views.link(row, language))


@router.get("/conflicts", responses=problems(InvalidInput))
async def list_contact_conflicts(
    caller: Backoffice,
    service: Service,
    paging: PageParams,
    language: Language,
    kind: Annotated[ConflictKind | None, Query(description="Only conflicts of this kind.")] = None,
    state: Annotated[ConflictState | None, Query(description="Only conflicts in this state.")] = None,
) -> Page[ContactConflict]:
    """What a person must decide or mend, the latest first."""
    rows = await service.conflicts(caller.tenant, kind, state, paging.values)
    return paging.page(rows, lambda row: Position(row.created_at, row.id), lambda row: views.conflict(row, language))


@router.post(
    "/conflicts/{conflict_id}/resolve",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"description": "Carried out while the caller waited.", "model": ContactConflict},
        **problems(InvalidInput, NotFound, Conflict),
    },
)
async def resolve_contact_conflict(
    conflict_id: UUID,
    decision: Resolution,
    caller: Backoffice,
    _key: IdempotencyKey,
    service: Service,
    settled: Waiting,
    wait: PreferWait,
    language: Language,
    response: Response,
) -> ContactConflict:
    """Decides: `arcavis` or `bexio` for a conflict of fields, `link:<bexio_id>` or `create` for one of matching."""
    row = await service.resolve(caller, conflict_id, decision.use)
    row = await service.resolved(settled, caller.tenant, row, wait)
    if row.state == "closed":
        response.status_code = status.HTTP_200_OK
    return views.conflict(row, language)


@router.put(
    "/{kind}/{arcavis_id}",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"description": "Brought over while the caller waited.", "model": ContactPush},
        **problems(InvalidInput),
    },
)
async def push_contact(
    kind: Annotated[Literal["customers", "suppliers"], Path(description="Which of the two.")],
    arcavis_id: Annotated[int, Path(ge=1, lt=2**53, description="Its id in Arcavis.")],
    caller: Backoffice,
    service: Service,
    settled: Waiting,
    wait: PreferWait,
    language: Language,
    response: Response,
) -> ContactPush:
    """Brings one contact to bexio now: the backoffice saved it."""
    row = await service.push(caller, _KINDS[kind], arcavis_id)
    row = await service.pushed(settled, caller.tenant, row, wait)
    if row.state != "accepted":
        response.status_code = status.HTTP_200_OK
    return views.push(row, language)
