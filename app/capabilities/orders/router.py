"""`/orders`: backoffice orders booked onto a bexio invoice (module `orders`)."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, status

from app.api.auth import Role, TenantCaller
from app.api.deps import PREFER_DOCUMENTED, Backoffice, IdempotencyKey, Language, PageParams
from app.api.pagination import Page
from app.api.problems import problems
from app.capabilities.documents import routes
from app.capabilities.documents.deps import Admission, Intake, Service
from app.capabilities.documents.records import Listing
from app.capabilities.documents.routes import TAKEN, TAKEN_UP, Changing, From, StatusFilter, To
from app.capabilities.documents.schemas import Document, Retry, Sale
from app.core.errors import Conflict, ConnectionRefused, Forbidden, InvalidInput, NotFound, RemoteUnavailable

MODULE = "orders"
router = APIRouter(prefix="/orders", tags=["orders"])


async def _with_orders(caller: Backoffice) -> TenantCaller:
    caller.require_module(MODULE)
    return caller


OrderCaller = Annotated[TenantCaller, Depends(_with_orders)]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    responses={**TAKEN, **problems(Forbidden, InvalidInput, Conflict)},
    openapi_extra=PREFER_DOCUMENTED,
)
async def create_order(
    order: Sale, intake: Annotated[Intake, Depends(Admission(Role.BACKOFFICE, module=MODULE))]
) -> Document:
    """Takes in a backoffice order to be invoiced by bexio. The same order again is the same one."""
    return await routes.post(intake, order, "order")


@router.get("", responses=problems(Forbidden, InvalidInput))
async def list_orders(
    caller: OrderCaller,
    service: Service,
    paging: PageParams,
    language: Language,
    state: StatusFilter = None,
    since: From = None,
    until: To = None,
) -> Page[Document]:
    """Orders, the latest first."""
    return await routes.page(service, caller, paging, Listing("order", state, since, until), language)


@router.get("/{order_id}", responses=problems(Forbidden, NotFound))
async def get_order(order_id: UUID, caller: OrderCaller, service: Service, language: Language) -> Document:
    """One order on its way to bexio, with its status there."""
    return await service.get(caller.tenant, order_id, "order", language)


@router.get(
    "/{order_id}/pdf",
    response_class=Response,
    responses={
        200: {
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.4"}}
        },
        **problems(Forbidden, NotFound, Conflict, ConnectionRefused, RemoteUnavailable),
    },
)
async def get_order_pdf(order_id: UUID, caller: OrderCaller, service: Service) -> Response:
    """The invoice as bexio prints it."""
    return Response(await service.pdf(caller, order_id, "order"), media_type="application/pdf")


@router.post("/{order_id}/cancel", responses={**TAKEN_UP, **problems(Forbidden, NotFound)})
async def cancel_order(order_id: UUID, caller: OrderCaller, _key: IdempotencyKey, change: Changing) -> Document:
    """The order was cancelled in Arcavis: the invoice is cancelled, its draft deleted, or it is never made."""
    return await change.cancel(caller, order_id, "order")


@router.post("/{order_id}/retry", responses={**TAKEN_UP, **problems(Forbidden, Conflict, NotFound)})
async def retry_order(
    order_id: UUID, caller: OrderCaller, _key: IdempotencyKey, change: Changing, wanted: Retry | None = None
) -> Document:
    """Goes on at once, after what held the order up was mended; may say which bexio contact the customer is."""
    return await change.retry(caller, order_id, "order", wanted)
