"""The parts of a sale that were paid at the till, recorded on its invoice."""

from __future__ import annotations

import hashlib

from app.capabilities.documents import payments
from app.capabilities.documents.payments import PlannedPayment, Recording
from app.capabilities.documents.schemas import SalePayment
from app.capabilities.documents.turn import Turn, facts_of
from app.core.ids import uuid7
from app.jobs.outcomes import Halt, Later, NeedsAttention


def paid_at_till(turn: Turn) -> list[tuple[int, SalePayment]]:
    """All payments but those on invoice, each with its place in the sale."""
    numbered = enumerate(turn.document.sale.payments)
    return [(place, part) for place, part in numbered if part.payment_type_id != turn.invoice_type]


async def record_payments(turn: Turn, *, fresh: bool) -> None:
    """Brings every part onto the invoice, once; at once when everything is on invoice.

    `fresh`: bexio issued the invoice for this very turn, so nobody else can have paid it yet.

    Raises:
        Halt: a lost payment may still land, a payment type has no bank account, or somebody was faster.
    """
    if not paid_at_till(turn) or turn.facts is None or turn.work.memo.get("paid"):
        return
    await _plan(turn)
    async with turn.work.db.begin(turn.work.tenant) as session:
        rows = await payments.of_document(session, turn.document.id)
    francs = (await turn.reference.currency("CHF")).id
    number, left = turn.facts.number or str(turn.facts.id), turn.facts.total
    for row in rows:
        refusal = payments.exceeding(number, row.amount, left)
        if refusal is not None:
            raise Halt(refusal)
        bank_account = turn.config.settings.payment_bank_accounts.get(row.payment_type_id)
        if bank_account is None:
            raise Halt(NeedsAttention("payment-type-not-mapped", {"payment_type": row.payment_type_id}))
        recording = Recording(turn.work, turn.bexio, turn.facts.id, row, bank_account, turn.settle, francs, fresh=fresh)
        await recording.record()
        left -= row.amount
    turn.saw(facts_of(await turn.bexio.invoices.get(turn.facts.id)), paid=True)


async def withdraw_lost_payments(turn: Turn) -> None:
    """Before an invoice is cancelled: a payment that was sent without an answer is there by now, or never comes.

    Raises:
        Halt: it may still land.
    """
    async with turn.work.db.begin(turn.work.tenant) as session:
        rows = await payments.of_document(session, turn.document.id)
    for row in rows:
        if row.state != "sending":
            continue
        due = row.sent_at + turn.settle
        if turn.now < due:
            raise Halt(Later(due - turn.now, "payment-may-land"))
        await payments.withdraw(turn.work, row)


async def _plan(turn: Turn) -> None:
    document, sale = turn.document, turn.document.sale
    async with turn.work.db.begin(turn.work.tenant) as session:
        for place, part in paid_at_till(turn):
            key = f"document:{document.id}:{place:03}"
            planned = PlannedPayment(
                id=uuid7(turn.now),
                document=document.id,
                natural_key=key,
                transaction_id=sale.transaction_id,
                payment_type_id=part.payment_type_id,
                amount=part.amount,
                paid_on=sale.date,
                bexio_invoice_id=turn.facts.id if turn.facts else None,
                hash=hashlib.sha256(key.encode()).digest(),
            )
            await payments.plan(session, turn.work.tenant, planned, turn.now)
