"""What invoices and orders answer alike, so that their routers differ in names only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Response, status

from app.api.auth import TenantCaller
from app.api.deps import Language, PreferWait, Waiting
from app.api.pagination import Page, Paging, Position
from app.capabilities.documents import views
from app.capabilities.documents.deps import Intake, Service
from app.capabilities.documents.records import Listing
from app.capabilities.documents.schemas import Document, Retry, Sale
from app.capabilities.documents.service import Documents, Source

PATHS = {"sale": "/invoices", "order": "/orders"}
TAKEN: dict[int | str, dict[str, Any]] = {
    200: {"description": "The sale was known already.", "model": Document},
    201: {"description": "Issued while the caller waited.", "model": Document},
}
TAKEN_UP: dict[int | str, dict[str, Any]] = {
    202: {"description": "It is being worked on; see `Location`.", "model": Document},
}
UNDER_WAY = frozenset({"accepted", "sending"})
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


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a document that a worker carries out: 200 once that is seen, 202 while it is under way."""

    service: Service
    settled: Waiting
    wait: PreferWait
    language: Language
    response: Response

    async def cancel(self, caller: TenantCaller, document: UUID, source: Source) -> Document:
        """Cancels, and waits as asked for."""
        await self.service.cancel(caller, document, source)
        return await self._seen(caller, document, source)

    async def retry(self, caller: TenantCaller, document: UUID, source: Source, wanted: Retry | None) -> Document:
        """Goes on at once, and waits as asked for."""
        await self.service.retry(caller, document, source, wanted.contact_bexio_id if wanted else None)
        return await self._seen(caller, document, source)

    async def _seen(self, caller: TenantCaller, document: UUID, source: Source) -> Document:
        seen = await self.service.settled(self.settled, caller.tenant, document, source, self.wait, self.language)
        if seen.status in UNDER_WAY:
            self.response.status_code = status.HTTP_202_ACCEPTED
            self.response.headers["Location"] = f"{PATHS[source]}/{document}"
        return seen


Changing = Annotated[Change, Depends(Change)]
