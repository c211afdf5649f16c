"""Receipts that pay open bexio invoices: their money stands in bexio with the invoice, so the export leaves it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings.facts import Payment, Receipt
from app.capabilities.bookings.findings import MOST_EXAMPLES, Example, Finding

# Payments of a document belong to a sale on invoice, which is left out by its payment type.
_RECORDED = text(
    "select transaction_id, payment_type_id, sum(amount) as amount from payment where tenant_id = :tenant"
    " and document_id is null group by transaction_id, payment_type_id"
)
_POSTED_SINCE = text(
    "select distinct l.sale_day from payment p"
    " join booking_line_receipt r on r.tenant_id = p.tenant_id and r.receipt_id = p.transaction_id"
    " join booking_line l on l.id = r.line_id"
    " where p.tenant_id = :tenant and p.document_id is null and p.created_at >= :since"
)

Recorded = Mapping[str, Mapping[str, Decimal]]
"""Transaction id -> payment type -> what of it was recorded on open invoices."""


async def recorded(session: AsyncConnection, tenant: UUID) -> Recorded:
    """What tills had recorded on open invoices; also what is still on its way to bexio."""
    found: dict[str, dict[str, Decimal]] = {}
    for row in await session.execute(_RECORDED, {"tenant": tenant}):
        found.setdefault(row.transaction_id, {})[row.payment_type_id] = row.amount
    return found


async def exported_before(session: AsyncConnection, tenant: UUID, since: datetime) -> set[date]:
    """The sale days whose entries hold a receipt that a till told us later to be the payment of an invoice."""
    return {row.sale_day for row in await session.execute(_POSTED_SINCE, {"tenant": tenant, "since": since})}


@dataclass(slots=True)
class LeavingOut:
    """Takes off a day's receipts what was recorded on invoices, and remembers which they were."""

    recorded: Recorded
    found: list[Example] = field(default_factory=list[Example])

    def rest(self, receipt: Receipt) -> Receipt | None:
        """The receipt without what it paid on invoices: None when it sells nothing."""
        parts = self.recorded.get(receipt.id)
        if parts is None:
            return receipt
        self.found.append(Example(receipt.id, receipt.number))
        if not (receipt.lines or receipt.vouchers or receipt.tips):
            return None
        taken = tuple(Payment(payment_type, -amount) for payment_type, amount in parts.items())
        return replace(receipt, amount=receipt.amount - sum(parts.values()), payments=(*receipt.payments, *taken))

    def findings(self, day: date) -> Iterator[Finding]:
        """Tells that they were left out; nothing is wrong with it."""
        if self.found:
            yield _finding(day, sorted(self.found, key=lambda one: (len(one.id), one.id)))


def _finding(day: date, receipts: Sequence[Example]) -> Finding:
    shown = tuple(receipts[:MOST_EXAMPLES])
    numbers = ", ".join(one.number for one in shown) + (", …" if len(receipts) > len(shown) else "")
    return Finding("open-invoice-paid", "info", (day,), (), {"receipts": numbers}, shown, len(receipts))
