"""One turn of work on a document: what it needs, and the few things every step does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.capabilities.documents import records
from app.capabilities.documents.records import BexioFacts, OpenedDocument, Projection, StoredDocument
from app.capabilities.tenancy.config import TenantConfig
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.invoices import Invoice, InvoiceStatus
from app.connectors.bexio.reference import CompanyReference
from app.core.errors import ConnectionRefused, RemoteNotFound, RemoteRejected
from app.core.money import to_cent
from app.db import attention
from app.db.attention import Subject
from app.jobs import operations
from app.jobs.operations import Operation
from app.jobs.outcomes import Halt, Later, NeedsAttention
from app.jobs.work import INTENT_LIFE, Work

LOOK_AGAIN = timedelta(seconds=2)

STATUS_NAMES = {
    InvoiceStatus.DRAFT: "draft",
    InvoiceStatus.PENDING: "open",
    InvoiceStatus.PARTIAL: "partial",
    InvoiceStatus.PAID: "paid",
    InvoiceStatus.CANCELLED: "cancelled",
    InvoiceStatus.UNPAID: "written_off",
}


def status_name(invoice: Invoice) -> str:
    """The status number of an invoice in our words."""
    return STATUS_NAMES[InvoiceStatus(invoice.kb_item_status_id)]


def is_understood(invoice: Invoice) -> bool:
    """False for a status that bexio did not have when this was written: such a row must not stop its neighbours."""
    return invoice.kb_item_status_id in set(STATUS_NAMES)


def facts_of(invoice: Invoice) -> BexioFacts:
    """What we keep of an invoice."""
    return BexioFacts(
        id=invoice.id,
        number=invoice.document_nr,
        total=to_cent(invoice.total),
        status=status_name(invoice),
        open=to_cent(invoice.total_remaining_payments),
    )


def seen_now(operation: Operation) -> bool:
    """Whether the turn that holds the operation has itself learned from bexio how the invoice stands."""
    return operation.memo.get("seen_in") == operation.fence


@dataclass(frozen=True, slots=True)
class Turn:
    """A document in hand. `settle` is how long a lost write may still land at bexio."""

    work: Work
    opened: OpenedDocument
    bexio: Bexio
    reference: CompanyReference
    settle: timedelta

    @property
    def document(self) -> StoredDocument:
        """The document as it was when the turn began."""
        return self.opened.document

    @property
    def config(self) -> TenantConfig:
        """Its tenant, with the settings of that moment."""
        return self.opened.config

    @property
    def api_reference(self) -> str:
        """Our natural key as the invoice carries it; no other invoice of the company has it."""
        return f"{self.config.slug}/{self.document.source}/{self.document.sale.transaction_id}"

    @property
    def now(self) -> datetime:
        """The present moment of the injected clock."""
        return self.work.clock.now()

    @property
    def facts(self) -> BexioFacts | None:
        """The issued invoice, once there is one."""
        memo = self.work.memo.get("bexio")
        return BexioFacts.from_memo(memo) if memo else None

    def saw(self, facts: BexioFacts, **memo: object) -> None:
        """Notes how bexio said in this very turn that the invoice stands."""
        self.work.note(bexio=facts.to_memo(), seen_in=self.work.operation.fence, **memo)

    @property
    def invoice_type(self) -> str | None:
        """The Arcavis payment type that means "on invoice" for this sale, once work on it began."""
        return self.work.memo.get("invoice_type")

    @property
    def draft_id(self) -> int | None:
        """The draft that is to become the invoice."""
        return self.work.memo.get("draft")

    def moment(self, name: str) -> datetime | None:
        """A moment that an earlier step left in the memo."""
        text = self.work.memo.get(name)
        return datetime.fromisoformat(text) if text else None

    async def intend(self, step: str, **memo: object) -> Bexio:
        """Commits the intent of a remote write and returns a client that sends only while the intent is young.

        Raises:
            LeaseLost: another worker holds the document.
            Halt: somebody asked for the document again: look at its goal first.
        """
        intended_at = self.now
        await self.work.advance(step, **memo)
        await self.work.reached(f"{step}-intended")
        return self.bexio.until(intended_at + INTENT_LIFE)

    async def delete(self, bexio: Bexio, draft: int) -> None:
        """Deletes a draft that must not stay.

        Raises:
            Halt: it is none (any more): a lost request to issue it may have landed. Look anew.
        """
        try:
            await bexio.invoices.delete(draft)
        except RemoteNotFound:
            return
        except ConnectionRefused:
            raise
        except RemoteRejected as error:
            raise Halt(Later(LOOK_AGAIN, "draft-not-deleted", counted=True)) from error

    async def publish(self, status: str) -> None:
        """Shows how far the document is before the turn ends.

        Raises:
            LeaseLost: another worker holds the document, and knows better.
        """
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            contact = self.work.memo.get("contact")
            current = seen_now(self.work.operation)
            projection = Projection(self.document.id, self.document.goal, status, contact, self.facts, current)
            await records.project(session, projection, self.now)

    async def raise_item(self, refusal: NeedsAttention) -> None:
        """Asks a person while the work itself goes on."""
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            subject = Subject(self.work.tenant, records.KIND, self.document.id)
            await attention.raise_item(session, subject, code=refusal.code, params=refusal.params, now=self.now)
