"""`/invoices`: till sales paid on bexio invoice, and open invoices that a customer may pay at the till."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Request, Response, status

from app.api.auth import Role
from app.api.deps import PREFER_DOCUMENTED, Backoffice, IdempotencyKey, Language, PageParams, Pos, PreferWait, Waiting
from app.api.pagination import Page
from app.api.problems import problems
from app.capabilities.documents import routes
from app.capabilities.documents.deps import Admission, Intake, Service
from app.capabilities.documents.records import Listing
from app.capabilities.documents.routes import TAKEN, TAKEN_UP, Changing, From, StatusFilter, To
from app.capabilities.documents.schemas import Document, Retry, Sale
from app.capabilities.invoices.open_invoices import OpenInvoicesService
from app.capabilities.invoices.schemas import OpenInvoices, RecordedPayment, TillPayment
from app.core.errors import Conflict, ConnectionRefused, InvalidInput, NotFound, RemoteUnavailable

router = APIRouter(prefix="/invoices", tags=["invoices"])


async def _open_invoices(request: Request) -> OpenInvoicesService:
    return request.app.state.resources.open_invoices


Open = Annotated[OpenInvoicesService, Depends(_open_invoices)]


@router.post(
    "",
    status_code=status.HTTP_202_ACCEPTED,
    responses={**TAKEN, **problems(InvalidInput, Conflict)},
    openapi_extra=PREFER_DOCUMENTED,
)
async def create_invoice(
    sale: Sale, intake: Annotated[Intake, Depends(Admission(Role.POS, Role.BACKOFFICE))]
) -> Document:
    """Takes in a till sale that is paid, at least in part, on bexio invoice. The same sale again is the same one."""
    return await routes.post(intake, sale, "sale")


@router.get("", responses=problems(InvalidInput))
async def list_invoices(
    caller: Backoffice,
    service: Service,
    paging: PageParams,
    language: Language,
    state: StatusFilter = None,
    since: From = None,
    until: To = None,
) -> Page[Document]:
    """Till sales, the latest first."""
    return await routes.page(service, caller, paging, Listing("sale", state, since, until), language)


@router.get("/open", responses=problems(InvalidInput, ConnectionRefused, RemoteUnavailable))
async def list_open_invoices(
    caller: Pos,
    service: Open,
    number: Annotated[str | None, Query(max_length=40, description="Number of the invoice in bexio.")] = None,
    contact: Annotated[str | None, Query(max_length=40, description="Arcavis id of the customer.")] = None,
) -> OpenInvoices:
    """Invoices in bexio that still ask for money, by number or customer."""
    return OpenInvoices(items=await service.find(caller.tenant, number, contact))


@router.post(
    "/open/{bexio_id}/payments",
    status_code=status.HTTP_202_ACCEPTED,
    responses={
        200: {"description": "The payment was known already.", "model": RecordedPayment},
        201: {"description": "Recorded while the caller waited.", "model": RecordedPayment},
        **problems(InvalidInput, Conflict),
    },
)
async def pay_open_invoice(
    bexio_id: Annotated[int, Path(ge=1, lt=2**53)],
    payment: TillPayment,
    caller: Pos,
    _key: IdempotencyKey,
    service: Open,
    settled: Waiting,
    wait: PreferWait,
    language: Language,
    response: Response,
) -> RecordedPayment:
    """Records on an open invoice what the customer paid at the till."""
    recorded, new = await service.pay(caller, bexio_id, payment)
    recorded = await service.settled(settled, caller.tenant, recorded, wait, language)
    if not new:
        response.status_code = status.HTTP_200_OK
    elif recorded.status == "recorded":
        response.status_code = status.HTTP_201_CREATED
    response.headers["Location"] = f"/invoices/open/payments/{recorded.id}"
    return recorded


@router.get("/open/payments/{payment_id}", responses=problems(NotFound))
async def get_open_invoice_payment(payment_id: UUID, caller: Pos, service: Open, language: Language) -> RecordedPayment:
    """A payment that a till took for an open invoice, on its way to bexio."""
    return await service.payment(caller.tenant, payment_id, language)


@router.get("/{invoice_id}", responses=problems(NotFound))
async def get_invoice(invoice_id: UUID, caller: Pos, service: Service, language: Language) -> Document:
    """One sale on its way to bexio, with its status there."""
    return await service.get(caller.tenant, invoice_id, "sale", language)


@router.get(
    "/{invoice_id}/pdf",
    response_class=Response,
    responses={
        200: {
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.4"}}
        },
        **problems(NotFound, Conflict, ConnectionRefused, RemoteUnavailable),
    },
)
async def get_invoice_pdf(invoice_id: UUID, caller: Pos, service: Service) -> Response:
    """The invoice as bexio prints it."""
    return Response(await service.pdf(caller, invoice_id, "sale"), media_type="application/pdf")


@router.post("/{invoice_id}/cancel", responses={**TAKEN_UP, **problems(NotFound)})
async def cancel_invoice(invoice_id: UUID, caller: Pos, _key: IdempotencyKey, change: Changing) -> Document:
    """The sale was cancelled in Arcavis: the invoice is cancelled, its draft deleted, or it is never made."""
    return await change.cancel(caller, invoice_id, "sale")


@router.post("/{invoice_id}/retry", responses={**TAKEN_UP, **problems(Conflict, NotFound)})
async def retry_invoice(
    invoice_id: UUID, caller: Pos, _key: IdempotencyKey, change: Changing, wanted: Retry | None = None
) -> Document:
    """Goes on at once, after what held the sale up was mended; may say which bexio contact the customer is."""
    return await change.retry(caller, invoice_id, "sale", wanted)
