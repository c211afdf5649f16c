"""Invoices and their life: draft, issued, settled or cancelled (`/2.0/kb_invoice`)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from enum import IntEnum

from pydantic import BaseModel, ConfigDict, TypeAdapter, field_validator

from app.connectors.bexio.criteria import Criterion, changed_since, equal
from app.connectors.bexio.kb_documents import KbDocument, KbDocumentCreate, ReceivedAmounts
from app.connectors.bexio.positions import POSITION, AnyPosition, Position
from app.connectors.bexio.resource import gathered, pages, resource_of, search_pages, understood
from app.connectors.bexio.wire import Request
from app.connectors.bexio.writing import act, send
from app.connectors.transport import Bucket, Transport

LINK_PLACEHOLDER = "[Network Link]"


class InvoiceStatus(IntEnum):
    """`kb_item_status_id`. Overdue is no status; `UNPAID` is written off."""

    DRAFT = 7
    PENDING = 8
    PAID = 9
    PARTIAL = 16
    CANCELLED = 19
    UNPAID = 31


class Invoice(KbDocument, ReceivedAmounts):
    """An invoice as lists and searches show it: without its positions."""

    is_valid_to: date
    reference: str | None = None


class InvoiceWithPositions(Invoice):
    """An invoice as it is shown alone, and after it was made."""

    positions: tuple[Position, ...]


class InvoiceCreate(KbDocumentCreate):
    """A new draft; `is_valid_to` is the day it is due."""

    is_valid_to: date
    reference: str | None = None


class InvoiceSend(Request):
    """A mail with a link to the invoice: the message must hold `[Network Link]`."""

    recipient_email: str
    subject: str
    message: str
    mark_as_open: bool = False
    attach_pdf: bool = True

    @field_validator("message")
    @classmethod
    def _has_link(cls, value: str) -> str:
        if LINK_PLACEHOLDER not in value:
            raise ValueError(f"the message needs {LINK_PLACEHOLDER}")
        return value

    def body(self) -> dict[str, object]:
        """All fields, so that bexio's own defaults play no part."""
        return self.model_dump(mode="json")


class _File(BaseModel):
    model_config = ConfigDict(val_json_bytes="base64", hide_input_in_errors=True)

    content: bytes


_PDF = TypeAdapter(_File)
INVOICES = resource_of("/2.0/kb_invoice", Invoice, order_by="id")
_SHOWN = TypeAdapter(InvoiceWithPositions)


class Invoices:
    """The company's invoices."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(self, *, updated_since: str | None = None) -> AsyncIterator[tuple[Invoice, ...]]:
        """All invoices by id, or those changed since a Swiss local time."""
        if updated_since is not None:
            return self.search_pages(changed_since(updated_since))
        return pages(self._transport, INVOICES)

    def search_pages(self, *criteria: Criterion) -> AsyncIterator[tuple[Invoice, ...]]:
        """The invoices that meet all criteria, page by page."""
        return search_pages(self._transport, INVOICES, criteria)

    async def search(self, *criteria: Criterion) -> tuple[Invoice, ...]:
        """The invoices that meet all criteria.

        Searchable: id, kb_item_status_id, document_nr, title, api_reference, contact_id, contact_sub_id,
        user_id, currency_id, total_gross, total_net, total, is_valid_from, is_valid_to, updated_at.
        """
        return await gathered(self.search_pages(*criteria))

    async def by_api_reference(self, key: str) -> tuple[Invoice, ...]:
        """The invoices that carry exactly this key of ours, whatever bexio's `=` makes of upper and lower case."""
        return tuple(row for row in await self.search(equal("api_reference", key)) if row.api_reference == key)

    async def get(self, invoice_id: int) -> InvoiceWithPositions:
        """One invoice."""
        return understood(self._transport, await self._transport.read("GET", _path(invoice_id)), _SHOWN)

    async def create(self, invoice: InvoiceCreate) -> InvoiceWithPositions:
        """Makes a draft with up to 150 positions."""
        return await send(self._transport, INVOICES.path, invoice.body(), _SHOWN)

    async def add_position(self, invoice_id: int, position: AnyPosition) -> Position:
        """Adds a line at the end of a draft."""
        path = f"{_path(invoice_id)}/{position.segment}"
        return await send(self._transport, path, position.body(), POSITION)

    async def issue(self, invoice_id: int) -> None:
        """Issues a draft: bexio books revenue, VAT and the receivable."""
        await act(self._transport, "POST", f"{_path(invoice_id)}/issue")

    async def cancel(self, invoice_id: int) -> None:
        """Cancels an issued invoice that nobody paid."""
        await act(self._transport, "POST", f"{_path(invoice_id)}/cancel")

    async def delete(self, invoice_id: int) -> None:
        """Deletes a draft; anything else is forbidden (403), as if a right were missing."""
        await act(self._transport, "DELETE", _path(invoice_id))

    async def mark_as_sent(self, invoice_id: int) -> None:
        """Notes that the invoice reached the customer some other way."""
        await act(self._transport, "POST", f"{_path(invoice_id)}/mark_as_sent")

    async def send(self, invoice_id: int, mail: InvoiceSend) -> None:
        """Has bexio send a real mail."""
        await act(self._transport, "POST", f"{_path(invoice_id)}/send", mail.body())

    async def pdf(self, invoice_id: int) -> bytes:
        """The printed invoice."""
        answer = await self._transport.read("GET", f"{_path(invoice_id)}/pdf", bucket=Bucket.SEARCH)
        return understood(self._transport, answer, _PDF).content


def _path(invoice_id: int) -> str:
    return f"{INVOICES.path}/{invoice_id}"
