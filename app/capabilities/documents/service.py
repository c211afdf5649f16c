"""What callers do with documents: hand one in, look, cancel, retry. No remote call happens on the way in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import Role, TenantCaller
from app.api.waiting import Settled
from app.capabilities.documents import records, views
from app.capabilities.documents.checks import check
from app.capabilities.documents.records import Listing, StoredDocument
from app.capabilities.documents.schemas import Document, Sale
from app.capabilities.parties import links
from app.capabilities.parties.links import LinkKey
from app.capabilities.tenancy.configs import Configs
from app.connectors.access import RemoteAccess
from app.core.clock import Clock
from app.core.errors import Conflict, Forbidden, InvalidInput
from app.core.ids import uuid7
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db import audit
from app.db.attention import Subject, close_items
from app.db.session import Database
from app.db.statements import Record
from app.jobs import operations
from app.jobs.engine import wake

Source = Literal["sale", "order"]
PRIORITIES = {"sale": Priority.TILL, "order": Priority.BACKOFFICE}
SETTLED_STATUSES = {"issued", "attention", "cancelled"}


@dataclass(frozen=True, slots=True)
class Documents:
    """The use cases over one set of resources. Built once."""

    db: Database
    clock: Clock
    configs: Configs
    remotes: RemoteAccess

    async def accept(
        self,
        caller: TenantCaller,
        verify_again: Callable[[], Awaitable[TenantCaller]],
        sale: Sale,
        source: Source,
        language: str,
    ) -> tuple[Document, bool]:
        """Records a sale with its durable job, in one statement. The same sale again is the same document.

        Returns the document and whether it is new.

        Raises:
            InvalidInput: it cannot become an invoice.
            Conflict: the transaction was recorded with other content.
        """
        try:
            new, row = await self._accept(caller, sale, source)
            if row.outcome == "stale":
                new, row = await self._accept(await verify_again(), sale, source)
        except InvalidInput as refusal:
            new, row = await self._recorded(await verify_again(), sale, source, refusal)
        match row.outcome:
            case "accepted" if new is not None:
                return new, True
            case "same":
                return views.document(row, language), False
            case "other":
                raise Conflict("sale-already-recorded", transaction_id=sale.transaction_id, document=row.id)
            case _:
                raise Conflict("tenant-changing")

    async def _accept(self, caller: TenantCaller, sale: Sale, source: Source) -> tuple[Document, Record]:
        config = await self.configs.get(caller.tenant, caller.config_version)
        now = self.clock.now()
        check(sale, config.settings.invoice_payment_type_id, today(now))
        content, fingerprint = records.content_of(sale)
        document = uuid7(now)
        values = {
            "tenant": caller.tenant,
            "key_hash": caller.key_hash,
            "version": caller.config_version,
            "id": document,
            "operation": uuid7(now),
            "source": source,
            "transaction_id": sale.transaction_id,
            "number": sale.number,
            "date": sale.date,
            "content": content,
            "hash": fingerprint,
            "total": sale.total,
            "priority": PRIORITIES[source].rank,
            "now": now,
        }
        row = await self.db.execute_alone(records.ACCEPT, values)
        if row is None:
            raise RuntimeError("accept_document answers with one row.")
        return views.accepted(sale, source, document, now), row

    async def _recorded(
        self, caller: TenantCaller, sale: Sale, source: Source, refusal: InvalidInput
    ) -> tuple[None, Row[Any]]:
        """A sale that would be refused today may be recorded already: then it is answered as any other repeat."""
        async with self.db.begin(caller.tenant) as session:
            row = await records.known(session, caller.tenant, sale, source)
        if row is None:
            raise refusal
        return None, row

    async def get(self, tenant: UUID, document: UUID, source: Source, language: str) -> Document:
        """One document as it stands now."""
        return views.document(await records.show(self.db, tenant, document, source), language)

    async def settled(
        self,
        settled: Settled,
        tenant: UUID,
        document: UUID,
        source: Source,
        seconds: int,
        language: str,
        *,
        new: bool = False,
    ) -> Document:
        """The document once it is issued, waits for a person or is cancelled; else as it is after `seconds`.

        `new`: this very request has recorded it.
        """

        async def look() -> Document | None:
            seen = await self.get(tenant, document, source, language)
            return seen if seen.status in SETTLED_STATUSES else None

        found = await settled.until(document, seconds, look, new=new) if seconds else None
        return found or await self.get(tenant, document, source, language)

    async def listing(self, tenant: UUID, wanted: Listing, page: Mapping[str, Any]) -> list[Row[Any]]:
        """Documents, newest first, for `views.document`."""
        async with self.db.begin(tenant) as session:
            return await records.listing(session, wanted, page)

    async def cancel(self, caller: TenantCaller, document: UUID, source: Source) -> None:
        """The sale was cancelled in Arcavis. Cancelling twice is cancelling once."""
        async with self.db.begin(caller.tenant) as session:
            found = await self._again(session, caller, document, source, "cancel")
            if found.goal != "cancelled":
                now = self.clock.now()
                await records.set_goal(session, document, goal="cancelled", status="accepted", now=now)

    async def retry(self, caller: TenantCaller, document: UUID, source: Source, contact: int | None = None) -> None:
        """Goes on at once, after whatever held it up was mended. `contact` says who the customer is in bexio.

        Raises:
            Forbidden: a till does not say who a customer is for good.
            Conflict: nobody asked who the customer is.
        """
        if contact is not None and caller.role is not Role.BACKOFFICE:
            raise Forbidden("role-forbidden", role=caller.role.value)
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            found = await self._again(session, caller, document, source, "retry")
            if contact is not None and found.sale.customer is not None:
                await records.require_contact_question(session, caller.tenant, document)
                key = LinkKey(caller.tenant, "customer", found.sale.customer.arcavis_id)
                await links.decide(session, key, contact, caller.actor, now)
            subject = Subject(caller.tenant, records.KIND, document)
            await close_items(session, subject, state="resolved", actor=caller.actor, now=now)

    async def _again(
        self, session: AsyncConnection, caller: TenantCaller, document: UUID, source: Source, action: str
    ) -> StoredDocument:
        """Has the work done again; the operation is locked before its document, as the worker does."""
        now = self.clock.now()
        await operations.rearm(session, kind=records.KIND, subject=document, now=now)
        found = await records.lock(session, document, source)
        await wake(session, Priority.BACKOFFICE)
        await audit.append(
            session,
            tenant=caller.tenant,
            now=now,
            actor=caller.actor,
            action=f"{source}.{action}",
            subject_kind=records.KIND,
            subject_id=document,
        )
        return found

    async def pdf(self, caller: TenantCaller, document: UUID, source: Source) -> bytes:
        """The invoice as bexio prints it.

        Raises:
            Conflict: there is no issued invoice yet.
        """
        row = await records.show(self.db, caller.tenant, document, source)
        if row.bexio_id is None:
            raise Conflict("invoice-not-issued")
        bexio = await self.remotes.bexio(caller.tenant, Priority.BACKOFFICE)
        return await bexio.invoices.pdf(row.bexio_id)
