"""Payments of an invoice (`/2.0/kb_invoice/{id}/payment`): no edit, and no field for a reference of ours."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from app.connectors.bexio.resource import gathered, one, pages, resource_of
from app.connectors.bexio.wire import DecimalText, OptionalId, Request, Wire
from app.connectors.bexio.writing import act, send
from app.connectors.transport import Transport


class Payment(Wire):
    """A payment received. `title` is bexio's text for it."""

    id: int
    date: date
    value: Decimal
    bank_account_id: OptionalId = None
    title: str | None = None
    kb_invoice_id: OptionalId = None


class PaymentCreate(Request):
    """A payment to record; the bank account decides which ledger account it is booked on.

    bexio's answer to more than the open amount is not known: the caller refuses it.
    """

    date: date
    value: Annotated[DecimalText, Field(gt=0)]
    bank_account_id: int


_PAYMENTS = resource_of("/2.0/kb_invoice/{invoice_id}/payment", Payment)


class Payments:
    """The payments of one invoice."""

    def __init__(self, transport: Transport, invoice_id: int) -> None:
        self._transport = transport
        self._resource = _PAYMENTS.under(_PAYMENTS.path.format(invoice_id=invoice_id))

    async def list(self) -> tuple[Payment, ...]:
        """All of them."""
        return await gathered(pages(self._transport, self._resource))

    async def get(self, payment_id: int) -> Payment:
        """One of them."""
        return await one(self._transport, self._resource, payment_id)

    async def create(self, payment: PaymentCreate) -> Payment:
        """Records a payment. It has no draft: after an unknown outcome, list and compare."""
        return await send(self._transport, self._resource.path, payment.body(), self._resource.row)

    async def delete(self, payment_id: int) -> None:
        """Takes a payment back; the invoice is open again."""
        await act(self._transport, "DELETE", f"{self._resource.path}/{payment_id}")
