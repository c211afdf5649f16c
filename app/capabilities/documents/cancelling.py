"""The sale was cancelled in Arcavis: its invoice is cancelled, its draft deleted, or it is never made."""

from __future__ import annotations

from app.capabilities.documents.issuing import sole_issued
from app.capabilities.documents.records import BexioFacts
from app.capabilities.documents.tender import withdraw_lost_payments
from app.capabilities.documents.turn import LOOK_AGAIN, Turn, facts_of
from app.connectors.bexio.invoices import Invoice, InvoiceStatus
from app.core.errors import ConnectionRefused, RemoteNotFound, RemoteRejected
from app.jobs.outcomes import Halt, Later, NeedsAttention

DRAFT = InvoiceStatus.DRAFT


async def cancel(turn: Turn) -> BexioFacts | None:
    """Goes on until no invoice asks the customer for money; the cancelled invoice, or None when there is none.

    Raises:
        Halt: it must wait, or a person must act.
    """
    invoice = await _found(turn)
    if invoice is None:
        return None
    match invoice.kb_item_status_id:
        case InvoiceStatus.DRAFT:
            bexio = await turn.intend("deleting", draft=invoice.id)
            await turn.delete(bexio, invoice.id)
            await turn.work.reached("draft-deleted")
            turn.work.note(draft=None, bexio=None)
            return None
        case InvoiceStatus.CANCELLED:
            await withdraw_lost_payments(turn)
        case InvoiceStatus.PENDING if not invoice.total_received_payments:
            await withdraw_lost_payments(turn)
            bexio = await turn.intend("cancelling", draft=invoice.id)
            try:
                await bexio.invoices.cancel(invoice.id)
            except ConnectionRefused:
                raise
            except RemoteRejected as error:
                # A lost request may have cancelled it, or the customer paid meanwhile: look anew.
                raise Halt(Later(LOOK_AGAIN, error.code, counted=True)) from error
            await turn.work.reached("cancel-answered")
        case InvoiceStatus.UNPAID:
            raise Halt(_refused(turn, invoice, "invoice-written-off"))
        case _:
            raise Halt(_refused(turn, invoice, "invoice-has-payments"))
    facts = facts_of(invoice)
    cancelled = BexioFacts(facts.id, facts.number, facts.total, "cancelled", facts.open)
    turn.saw(cancelled)
    return cancelled


def _refused(turn: Turn, invoice: Invoice, code: str) -> NeedsAttention:
    turn.saw(facts_of(invoice))
    return NeedsAttention(code, {"invoice": invoice.document_nr})


async def _found(turn: Turn) -> Invoice | None:
    """The invoice as it stands in bexio now. After an unclear create, not before a late one could have landed."""
    known = turn.facts.id if turn.facts else turn.draft_id
    if known is not None:
        try:
            return await turn.bexio.invoices.get(known)
        except RemoteNotFound:
            turn.work.note(draft=None, bexio=None)
    sent = turn.moment("create_sent")
    if sent is None:
        return None
    turn.work.note(unclear=True)
    rows = await turn.bexio.invoices.by_api_reference(turn.api_reference)
    found = sole_issued(rows) or next((row for row in rows if row.kb_item_status_id == DRAFT), None)
    if found is None and turn.now < sent + turn.settle:
        raise Halt(Later(sent + turn.settle - turn.now, "create-may-land"))
    return found
