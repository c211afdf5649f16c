"""Open bexio invoices that a customer pays at the till: found in bexio, paid through a durable job."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import TenantCaller
from app.api.waiting import Settled
from app.capabilities.documents import payments, records
from app.capabilities.documents.checks import OLDEST
from app.capabilities.documents.payments import OPEN, PlannedPayment, Recording
from app.capabilities.documents.turn import facts_of
from app.capabilities.documents.views import attention_summary, waiting
from app.capabilities.invoices.schemas import OpenInvoice, RecordedPayment, TillPayment
from app.capabilities.parties.links import LinkKey, read
from app.capabilities.tenancy.config import load
from app.connectors.access import RemoteAccess
from app.connectors.bexio.criteria import Criterion, equal
from app.connectors.bexio.invoices import Invoice, InvoiceStatus
from app.connectors.bexio.reference import ReferenceData
from app.core.clock import Clock
from app.core.errors import Conflict, FieldError, InvalidInput, NotFound
from app.core.ids import uuid7
from app.core.money import amount
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db import audit
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import wake
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, NeedsAttention, Outcome
from app.jobs.work import Work

KIND = "payment"
MOST = 100

_SHOWN = (
    "select p.*, o.state as work_state, o.reason as work_reason, o.next_attempt_at, a.id as attention_id,"
    " a.code as attention_code, a.params as attention_params, a.created_at as attention_at,"
    " case when p.state = 'recorded' then 'recorded' when a.id is not null then 'attention' else 'accepted' end"
    " as shown_status from payment p join operation o on o.kind = 'payment' and o.subject_id = p.id"
    " left join attention a on a.tenant_id = p.tenant_id and a.subject_kind = 'payment' and a.subject_id = p.id"
    " and a.state = 'open' where p.tenant_id = :tenant and "
)
_SHOW = text(_SHOWN + "p.natural_key = :key order by a.created_at limit 1")
_SHOW_ONE = text(_SHOWN + "p.id = :id and p.document_id is null order by a.created_at limit 1")


@dataclass(frozen=True, slots=True)
class OpenInvoicesService:
    """The use cases over one set of resources. Built once."""

    db: Database
    clock: Clock
    remotes: RemoteAccess
    reference: ReferenceData

    async def find(self, tenant: UUID, number: str | None, contact: str | None) -> list[OpenInvoice]:
        """Open invoices in francs, the till's currency, by their number, or of an Arcavis customer.

        Raises:
            InvalidInput: neither was given.
        """
        criteria = [Criterion("kb_item_status_id", "in", OPEN)]
        if number is not None:
            criteria.append(equal("document_nr", number))
        if contact is not None:
            async with self.db.begin(tenant) as session:
                link = await read(session, LinkKey(tenant, "customer", contact))
            if link is None or link.bexio_id is None:
                return []
            criteria.append(equal("contact_id", link.bexio_id))
        if number is None and contact is None:
            message = "Give the number of the invoice, or the Arcavis id of the customer."
            raise InvalidInput("invalid-input", [FieldError("/query/number", message)])
        bexio = await self.remotes.bexio(tenant, Priority.TILL)
        francs = await self.reference.of(tenant, bexio).currency("CHF")
        criteria.append(equal("currency_id", francs.id))
        return [_open_invoice(row) for row in (await bexio.invoices.search(*criteria))[:MOST]]

    async def pay(self, caller: TenantCaller, invoice: int, payment: TillPayment) -> tuple[RecordedPayment, bool]:
        """Records a payment with its durable job; the same payment again is the same one.

        Returns it and whether it is new.

        Raises:
            InvalidInput: amount or date is out of range.
            Conflict: the transaction was recorded with another amount or date.
        """
        now = self.clock.now()
        _check(payment, abs((today(now) - payment.date).days))
        planned = _planned(payment, invoice, uuid7(now))
        async with self.db.begin(caller.tenant) as session:
            new = await payments.plan(session, caller.tenant, planned, now)
            if new:
                await self._start(session, caller, planned.id)
            row = await _row(session, caller.tenant, planned.natural_key)
        if bytes(row.content_hash) != planned.hash:
            raise Conflict("payment-conflict", transaction_id=payment.transaction_id)
        return _view(row, caller.language), new

    async def payment(self, tenant: UUID, payment: UUID, language: str) -> RecordedPayment:
        """A payment as it is now.

        Raises:
            NotFound: this tenant has none like it.
        """
        async with self.db.begin(tenant) as session:
            row = (await session.execute(_SHOW_ONE, {"tenant": tenant, "id": payment})).first()
        if row is None:
            raise NotFound("payment-not-found")
        return _view(row, language)

    async def _start(self, session: AsyncConnection, caller: TenantCaller, payment: UUID) -> None:
        now = self.clock.now()
        await operations.add(
            session,
            tenant=caller.tenant,
            kind=KIND,
            subject=payment,
            priority=Priority.TILL,
            now=now,
        )
        await wake(session, Priority.TILL)
        await audit.append(
            session,
            tenant=caller.tenant,
            now=now,
            actor=caller.actor,
            action="invoice.pay",
            subject_kind=KIND,
            subject_id=payment,
        )

    async def settled(
        self, settled: Settled, tenant: UUID, payment: RecordedPayment, seconds: int, language: str
    ) -> RecordedPayment:
        """The payment once it is recorded or waits for a person; else as it is after `seconds`."""
        key = _key(payment.bexio_invoice_id, payment.transaction_id, payment.payment_type_id)

        async def look() -> RecordedPayment | None:
            async with self.db.begin(tenant) as session:
                seen = _view(await _row(session, tenant, key), language)
            return seen if seen.status != "accepted" else None

        found = await settled.until(payment.id, seconds, look) if seconds else None
        return found or payment


@dataclass(frozen=True, slots=True)
class PaymentHandler:
    """The durable job of a payment taken at the till for an open invoice."""

    remotes: RemoteAccess
    reference: ReferenceData
    clock: Clock
    settle: timedelta

    async def run(self, work: Work) -> Outcome:
        """One turn; see `app.jobs.work.Handler`."""
        return await self._record(work)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """The payment's own row tells how it stands."""

    async def _record(self, work: Work) -> Outcome:
        async with work.db.begin(work.tenant) as session:
            row = await payments.read(session, work.subject)
            config = await load(session, work.tenant)
        if row is None:
            raise NotFound("document-not-found")
        bank_account = config.settings.payment_bank_accounts.get(row.payment_type_id)
        if bank_account is None:
            return NeedsAttention("payment-type-not-mapped", {"payment_type": row.payment_type_id})
        bexio = await self.remotes.bexio(work.tenant, work.priority)
        francs = await self.reference.of(work.tenant, bexio).currency("CHF")
        await Recording(work, bexio, row.bexio_invoice_id, row, bank_account, self.settle, francs.id).record()
        facts = facts_of(await bexio.invoices.get(row.bexio_invoice_id))
        async with work.db.begin(work.tenant) as session:
            await records.follow(session, [facts], self.clock.now())
        return Done()


def _check(payment: TillPayment, days_away: int) -> None:
    if payment.amount <= 0:
        raise InvalidInput("payment-not-positive", [FieldError("/amount", "The amount must be above zero.")])
    if days_away > OLDEST.days:
        raise InvalidInput("sale-date-out-of-range", [FieldError("/date", "The date is too far away.")])


def _key(invoice: int, transaction_id: str, payment_type: str) -> str:
    return f"open:{invoice}:{transaction_id}:{payment_type}"


def _planned(payment: TillPayment, invoice: int, identity: UUID) -> PlannedPayment:
    content = f"{payment.amount}|{payment.date}"
    return PlannedPayment(
        id=identity,
        document=None,
        natural_key=_key(invoice, payment.transaction_id, payment.payment_type_id),
        transaction_id=payment.transaction_id,
        payment_type_id=payment.payment_type_id,
        amount=payment.amount,
        paid_on=payment.date,
        bexio_invoice_id=invoice,
        hash=hashlib.sha256(content.encode()).digest(),
    )


async def _row(session: AsyncConnection, tenant: UUID, key: str) -> Row[Any]:
    return (await session.execute(_SHOW, {"tenant": tenant, "key": key})).one()


def _view(row: Row[Any], language: str) -> RecordedPayment:
    return RecordedPayment(
        id=row.id,
        transaction_id=row.transaction_id,
        bexio_invoice_id=row.bexio_invoice_id,
        bexio_payment_id=row.bexio_payment_id,
        date=row.paid_on,
        payment_type_id=row.payment_type_id,
        amount=amount(row.amount),
        status=row.shown_status,
        attention=attention_summary(row, language),
        waiting=waiting(row, language),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _open_invoice(invoice: Invoice) -> OpenInvoice:
    return OpenInvoice(
        bexio_id=invoice.id,
        number=invoice.document_nr,
        title=invoice.title,
        contact_bexio_id=invoice.contact_id,
        date=invoice.is_valid_from,
        due=invoice.is_valid_to,
        currency_id=invoice.currency_id,
        total=amount(invoice.total),
        open_amount=amount(invoice.total_remaining_payments),
        status="partial" if invoice.kb_item_status_id == InvoiceStatus.PARTIAL else "open",
    )
