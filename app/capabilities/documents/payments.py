"""Payments recorded on a bexio invoice, each exactly once.

A payment has no draft and carries no reference of ours. So after an unclear outcome we wait longer than a lost request
can take to land, then look at the invoice's payments, and adopt ours or send it anew. One payment per invoice is in
flight at a time, so that what appears is either ours or a person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.documents.turn import status_name
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.invoices import Invoice, InvoiceStatus
from app.connectors.bexio.payments import Payment, PaymentCreate
from app.core.errors import LeaseLost, RemoteRejected, RemoteUnavailable
from app.core.money import amount, to_cent
from app.jobs.outcomes import Halt, Later, NeedsAttention
from app.jobs.work import INTENT_LIFE, Work

IN_FLIGHT_PAUSE = timedelta(seconds=20)
OPEN = (int(InvoiceStatus.PENDING), int(InvoiceStatus.PARTIAL))

_COLUMNS = (
    "id, document_id, natural_key, transaction_id, payment_type_id, amount, paid_on, bexio_invoice_id,"
    " state, sent_at, known_ids, bexio_payment_id"
)
_ADD = text(
    "insert into payment (id, tenant_id, document_id, natural_key, transaction_id, payment_type_id, amount, paid_on,"
    " bexio_invoice_id, state, content_hash, created_at, updated_at) values (:id, :tenant,"
    " :document, :natural_key, :transaction_id, :payment_type_id, :amount, :paid_on, :bexio_invoice_id,"
    " 'planned', :hash, :now, :now) on conflict (tenant_id, natural_key) do nothing"
)
_OF_DOCUMENT = text(f"select {_COLUMNS} from payment where document_id = :document order by natural_key")  # noqa: S608 - constant
_READ = text(f"select {_COLUMNS} from payment where id = :id")  # noqa: S608 - constant
_SENDING = text(
    "update payment set state = 'sending', sent_at = :now, known_ids = :known, updated_at = :now"
    " where id = :id and state in ('planned', 'sending') and sent_at is not distinct from :seen"
)
# Only the sending that set `sent_at` may take itself back: a worker that was frozen must not touch a later one.
_PLANNED = text(
    "update payment set state = 'planned', updated_at = :now"
    " where id = :id and state = 'sending' and sent_at = :sent_at"
)
_RECORDED = text(
    "update payment set state = 'recorded', bexio_payment_id = :bexio_payment_id, updated_at = :now where id = :id"
)
_CLAIMED = text(
    "select bexio_payment_id from payment where tenant_id = :tenant and bexio_invoice_id = :invoice"
    " and bexio_payment_id is not null"
)


@dataclass(frozen=True, slots=True)
class PlannedPayment:
    """A payment to record; `natural_key` is what makes it one and the same."""

    id: UUID
    document: UUID | None
    natural_key: str
    transaction_id: str
    payment_type_id: str
    amount: Decimal
    paid_on: date
    bexio_invoice_id: int | None
    hash: bytes


async def plan(session: AsyncConnection, tenant: UUID, payment: PlannedPayment, now: datetime) -> bool:
    """Notes a payment that is to be recorded; False when it is known already."""
    values: dict[str, Any] = {
        "id": payment.id,
        "tenant": tenant,
        "document": payment.document,
        "natural_key": payment.natural_key,
        "transaction_id": payment.transaction_id,
        "payment_type_id": payment.payment_type_id,
        "amount": payment.amount,
        "paid_on": payment.paid_on,
        "bexio_invoice_id": payment.bexio_invoice_id,
        "hash": payment.hash,
        "now": now,
    }
    return (await session.execute(_ADD, values)).rowcount == 1


async def of_document(session: AsyncConnection, document: UUID) -> Sequence[Row[Any]]:
    """The payments of a document's sale."""
    return (await session.execute(_OF_DOCUMENT, {"document": document})).all()


async def read(session: AsyncConnection, payment: UUID) -> Row[Any] | None:
    """One payment."""
    return (await session.execute(_READ, {"id": payment})).first()


async def withdraw(work: Work, payment: Row[Any]) -> None:
    """Takes back that a payment is on its way: it was sent and did not land."""
    async with work.db.begin(work.tenant) as session:
        values = {"id": payment.id, "sent_at": payment.sent_at, "now": work.clock.now()}
        await session.execute(_PLANNED, values)


@dataclass(frozen=True, slots=True)
class Recording:
    """One payment to bring onto one invoice within one turn of work; `francs` is bexio's id of the currency CHF."""

    work: Work
    bexio: Bexio
    invoice: int
    payment: Row[Any]
    bank_account: int
    settle: timedelta
    francs: int
    fresh: bool = False

    async def record(self) -> None:
        """Returns when bexio has the payment, once.

        Raises:
            Halt: a lost payment may still land, another one is in flight, or a person must look.
        """
        if self.payment.state == "recorded":
            return
        if self.payment.state == "sending" and await self._landed():
            return
        known = [] if self.fresh else await self._others()
        await self._send(known)

    async def _others(self) -> list[int]:
        """The payments that the invoice has already, after a look whether there is room for this one.

        Raises:
            Halt: the invoice cannot be paid (so much any more), or somebody recorded this very payment by hand.
        """
        refusal = refused(await self.bexio.invoices.get(self.invoice), self.payment.amount, self.francs)
        if refusal is not None:
            raise Halt(refusal)
        present = await self.bexio.payments(self.invoice).list()
        claimed = await self._claimed()
        unclaimed = [one for one in present if one.id not in claimed and self._is_ours(one)]
        if unclaimed and self.payment.document_id is not None:
            params = {"amount": amount(self.payment.amount), "day": str(self.payment.paid_on)}
            raise Halt(NeedsAttention("payment-recorded-by-hand", params))
        return [one.id for one in present]

    async def _landed(self) -> bool:
        """Whether the payment that was sent without an answer is there."""
        now = self.work.clock.now()
        due = self.payment.sent_at + self.settle
        if now < due:
            raise Halt(Later(due - now, "payment-may-land"))
        present = await self.bexio.payments(self.invoice).list()
        claimed = await self._claimed() | set(self.payment.known_ids)
        ours = next((one for one in present if one.id not in claimed and self._is_ours(one)), None)
        if ours is None:
            return False
        await self._store(ours.id)
        return True

    async def _claimed(self) -> set[int]:
        async with self.work.db.begin(self.work.tenant) as session:
            rows = await session.execute(_CLAIMED, {"tenant": self.work.tenant, "invoice": self.invoice})
            return {row.bexio_payment_id for row in rows}

    def _is_ours(self, one: Payment) -> bool:
        return one.value == self.payment.amount and one.date == self.payment.paid_on

    async def _send(self, known: list[int]) -> None:
        work = self.work
        body = PaymentCreate(date=self.payment.paid_on, value=self.payment.amount, bank_account_id=self.bank_account)
        sent_at = work.clock.now()
        await work.advance("paying")
        await self._mark_sending(sent_at, known)
        await work.reached("payment-intended")
        try:
            made = await self.bexio.until(sent_at + INTENT_LIFE).payments(self.invoice).create(body)
        except (RemoteUnavailable, RemoteRejected):
            async with work.db.begin(work.tenant) as session:
                values = {"id": self.payment.id, "sent_at": sent_at, "now": work.clock.now()}
                await session.execute(_PLANNED, values)
            raise
        await work.reached("payment-answered")
        await self._store(made.id)

    async def _mark_sending(self, sent_at: datetime, known: list[int]) -> None:
        values = {"id": self.payment.id, "now": sent_at, "known": known, "seen": self.payment.sent_at}
        try:
            async with self.work.db.begin(self.work.tenant) as session:
                marked = await session.execute(_SENDING, values)
        except IntegrityError as error:
            raise Halt(Later(IN_FLIGHT_PAUSE, "other-payment-in-flight", counted=True)) from error
        if marked.rowcount != 1:
            raise LeaseLost

    async def _store(self, bexio_payment: int) -> None:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            values = {"id": self.payment.id, "bexio_payment_id": bexio_payment, "now": work.clock.now()}
            await session.execute(_RECORDED, values)
        await work.reached("payment-recorded")


def refused(invoice: Invoice, wanted: Decimal, francs: int) -> NeedsAttention | None:
    """Why an invoice cannot take this payment. What bexio makes of an over-payment is not documented: we send none."""
    number = invoice.document_nr
    if invoice.kb_item_status_id not in OPEN:
        return NeedsAttention("invoice-not-payable", {"invoice": number, "status": status_name(invoice)})
    if invoice.currency_id != francs:
        return NeedsAttention("currency-not-supported", {"invoice": number})
    left = to_cent(invoice.total_remaining_payments)
    return exceeding(number, wanted, left)


def exceeding(number: str, wanted: Decimal, left: Decimal) -> NeedsAttention | None:
    """Why a payment is more than what is left to pay."""
    if wanted <= left:
        return None
    params = {"invoice": number, "amount": amount(wanted), "open": amount(left)}
    return NeedsAttention("payment-exceeds-open-amount", params)
