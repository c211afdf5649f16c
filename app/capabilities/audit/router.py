"""`/audit`: who did what, append-only."""

from __future__ import annotations

from fastapi import APIRouter

from app.api.deps import Backoffice, Db, PageParams
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.capabilities.audit import service
from app.capabilities.audit.schemas import AuditLine
from app.core.errors import InvalidInput

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("", responses=problems(InvalidInput))
async def list_audit(caller: Backoffice, db: Db, paging: PageParams) -> Page[AuditLine]:
    """Who did what for this tenant, the latest first."""
    rows = await service.listing(db, caller.tenant, paging.values)
    return paging.page(
        rows, lambda row: Position(row.at, row.id), lambda row: AuditLine.model_validate(row, from_attributes=True)
    )
