"""What invoices and orders answer alike, so that their routers differ in names only."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Query, status

from app.api.auth import TenantCaller
from app.api.pagination import Page, Paging, Position
from app.api.waiting import Settled
from app.capabilities.documents import views
from app.capabilities.documents.deps import Intake
from app.capabilities.documents.records import Listing
from app.capabilities.documents.schemas import Document, Sale
from app.capabilities.documents.service import Documents, Source

PATHS = {"sale": "/invoices", "order": "/orders"}
TAKEN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The sale was known already.", "model": Document},
    201: {"description": "Issued while the caller waited.", "model": Document},
}
Status = Literal["accepted", "sending", "issued", "attention", "cancelled"]
StatusFilter = Annotated[Status | None, Query(alias="status", description="Only documents with this status.")]
From = Annotated[date | None, Query(alias="from", description="First day of sale.")]
To = Annotated[date | None, Query(alias="to", description="Last day of sale.")]


async def post(intake: Intake, sale: Sale, source: Source) -> Document:
    """Takes a sale in: 202, 201 when the wait saw it issued, 200 when it was known already."""
    service, caller, response = intake.service, intake.caller, intake.response
    document, new = await service.accept(caller, intake.verify_again, sale, source, intake.language)
    if intake.wait and document.bexio is None:
        document = await service.settled(
            intake.settled, caller.tenant, document.id, source, intake.wait, intake.language, new=new
        )
    if not new:
        response.status_code = status.HTTP_200_OK
    elif document.status == "issued":
        response.status_code = status.HTTP_201_CREATED
    response.headers["Location"] = f"{PATHS[source]}/{document.id}"
    return document


async def page(
    service: Documents, caller: TenantCaller, paging: Paging, wanted: Listing, language: str
) -> Page[Document]:
    """One page of documents."""
    rows = await service.listing(caller.tenant, wanted, paging.values)
    return paging.page(rows, lambda row: Position(row.created_at, row.id), lambda row: views.document(row, language))


async def cancel(
    service: Documents, settled: Settled, caller: TenantCaller, document: UUID, source: Source, wait: int, language: str
) -> Document:
    """Cancels, and waits as asked for."""
    await service.cancel(caller, document, source)
    return await service.settled(settled, caller.tenant, document, source, wait, language)
