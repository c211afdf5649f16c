"""`/attention`: what waits for a person, with its remedy."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from app.api.deps import Backoffice, Db, Language, Now, PageParams
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.capabilities.attention import service
from app.capabilities.attention.schemas import AttentionItem, Dismissal, State
from app.core.errors import Conflict, InvalidInput, NotFound

router = APIRouter(prefix="/attention", tags=["attention"])


@router.get("", responses=problems(InvalidInput))
async def list_attention(
    caller: Backoffice,
    db: Db,
    paging: PageParams,
    language: Language,
    state: Annotated[State | None, Query(description="Only items in this state.")] = None,
) -> Page[AttentionItem]:
    """What waits for a person, the latest first."""
    rows = await service.listing(db, caller.tenant, state, paging.values)
    return paging.page(rows, lambda row: Position(row.created_at, row.id), lambda row: service.view(row, language))


@router.post("/{item_id}/retry", responses=problems(NotFound, Conflict))
async def retry_attention(item_id: UUID, caller: Backoffice, db: Db, clock: Now, language: Language) -> AttentionItem:
    """Takes the work up again at once, after its cause was mended. If it was not, a new item says so."""
    return await service.retry(db, clock, caller, item_id, language)


@router.post("/{item_id}/dismiss", responses=problems(NotFound, Conflict, InvalidInput))
async def dismiss_attention(
    item_id: UUID, dismissal: Dismissal, caller: Backoffice, db: Db, clock: Now, language: Language
) -> AttentionItem:
    """Closes an item about which nothing more is to be done. The work behind it stays where it is."""
    return await service.dismiss(db, clock, caller, item_id, dismissal.reason, language)
