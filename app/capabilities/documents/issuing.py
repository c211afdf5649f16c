"""From a recorded sale to exactly one issued invoice.

bexio has no idempotency keys. So: the intent is committed before a create, and after an unclear outcome the invoice
is looked for by our key before anything is written again. What is found is adopted at whatever step it stands. A
draft harms nobody: only issuing counts, only the holder of the lease issues, and stray drafts are tidied away later.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.capabilities.documents import mapping
from app.capabilities.documents.mailing import fix_wish
from app.capabilities.documents.records import BexioFacts
from app.capabilities.documents.turn import Turn, facts_of
from app.capabilities.parties.resolution import Resolution
from app.connectors.bexio.invoices import Invoice, InvoiceStatus, InvoiceWithPositions
from app.connectors.bexio.positions import MAX_POSITIONS, InlinePosition, Position, TextPosition
from app.core.errors import RemoteNotFound, RemoteRejected, RemoteUnavailable
from app.core.money import FIVE_RAPPEN, amount, to_step
from app.jobs.outcomes import Halt, Later, NeedsAttention

DRAFT = InvoiceStatus.DRAFT


async def issue(turn: Turn) -> bool:
    """Goes on until the invoice is issued, from wherever an earlier turn left it.

    Returns whether bexio issued it for this very turn: then nobody can have paid it yet.

    Raises:
        Halt: it must wait, or a person must act.
    """
    if turn.facts is not None:
        return False
    mapping.fix_invoice_type(turn)
    fix_wish(turn)
    lines = await mapping.lines(turn)
    found = await _found(turn)
    if found is not None and found.kb_item_status_id != DRAFT:
        return _adopted(turn, found)
    draft = found or await _created(turn, lines)
    draft = await _completed(turn, draft, lines, fresh=found is None)
    await _compare(turn, draft)
    return await _issued(turn, draft)


async def _found(turn: Turn) -> InvoiceWithPositions | None:
    """The invoice that earlier turns made, if they did."""
    if turn.draft_id is not None:
        try:
            return await turn.bexio.invoices.get(turn.draft_id)
        except RemoteNotFound:
            turn.work.note(draft=None)
            return await _looked_up(turn)
    if turn.work.memo.get("create_sent"):
        return await _looked_up(turn)
    return None


async def _looked_up(turn: Turn) -> InvoiceWithPositions | None:
    """What carries our key: an issued invoice before a draft, the oldest draft before later ones."""
    turn.work.note(unclear=True)
    rows = await turn.bexio.invoices.by_api_reference(turn.api_reference)
    chosen = sole_issued(rows) or min((row for row in rows if row.kb_item_status_id == DRAFT), key=_id, default=None)
    await turn.work.reached("looked-up")
    return await turn.bexio.invoices.get(chosen.id) if chosen else None


def sole_issued(rows: Sequence[Invoice]) -> Invoice | None:
    """The one invoice among them that is no draft.

    Raises:
        Halt: there are several; a person must cancel all but one.
    """
    issued = [row for row in rows if row.kb_item_status_id not in {DRAFT, InvoiceStatus.CANCELLED}]
    if len(issued) > 1:
        numbers = ", ".join(row.document_nr for row in issued)
        raise Halt(NeedsAttention("invoice-doubled", {"invoices": numbers}))
    return issued[0] if issued else next((row for row in rows if row.kb_item_status_id != DRAFT), None)


def _id(row: Invoice) -> int:
    return row.id


def _adopted(turn: Turn, invoice: Invoice) -> bool:
    turn.saw(facts_of(invoice), draft=invoice.id)
    return False


async def _created(turn: Turn, lines: list[InlinePosition]) -> InvoiceWithPositions:
    resolution = await mapping.resolution(turn)
    # A link that stands is used as it is; a contact that is gone meanwhile shows when bexio refuses the invoice.
    contact = turn.opened.contact or await resolution.contact_id()
    invoice = await mapping.invoice(turn, contact, lines[:MAX_POSITIONS])
    before = turn.work.memo.get("create_sent")
    bexio = await turn.intend("creating", contact=contact, create_sent=turn.now.isoformat(), compared=False)
    try:
        created = await bexio.invoices.create(invoice)
    except RemoteUnavailable:
        # Surely not accepted: no more unclear than it was before.
        turn.work.note(create_sent=before)
        raise
    except RemoteRejected as error:
        turn.work.note(create_sent=before)
        await _explain(resolution, contact, error)
        raise
    await turn.work.reached("create-answered")
    return created


async def _explain(resolution: Resolution, contact: int, error: RemoteRejected) -> None:
    """A refused invoice may be the contact's fault: say so, when it is."""
    if error.status in {404, 422} and not await resolution.still_there(contact):
        raise Halt(resolution.gone(contact)) from error


async def _completed(
    turn: Turn, draft: InvoiceWithPositions, lines: list[InlinePosition], *, fresh: bool
) -> InvoiceWithPositions:
    """The draft with all its positions: one create takes at most 150, and may have been saved in part."""
    if turn.work.memo.get("compared") or (fresh and len(lines) <= MAX_POSITIONS):
        return draft
    present = MAX_POSITIONS if fresh else len(draft.positions)
    if present == len(lines) and not fresh and _agree(draft.positions, lines):
        return draft
    if not fresh:
        _wait_for_lost_position(turn)
        if not _agree(draft.positions, lines):
            raise Halt(await _discarded(turn, draft))
    for index in range(present, len(lines)):
        bexio = await turn.intend("adding", draft=draft.id, add_sent=turn.now.isoformat())
        try:
            await bexio.invoices.add_position(draft.id, lines[index])
        except (RemoteUnavailable, RemoteRejected):
            turn.work.note(add_sent=None)
            raise
        await turn.work.reached("position-answered")
    turn.work.note(add_sent=None)
    return await turn.bexio.invoices.get(draft.id)


def _wait_for_lost_position(turn: Turn) -> None:
    """A position that was sent without an answer may still land: adding it again would double the line."""
    sent = turn.moment("add_sent")
    if sent is not None and turn.now < sent + turn.settle:
        raise Halt(Later(sent + turn.settle - turn.now, "position-may-land"))


def _agree(present: Sequence[Position], wanted: Sequence[InlinePosition]) -> bool:
    """True when what is there is the beginning of what should be there."""
    return len(present) <= len(wanted) and all(map(_same, present, wanted))


def _same(present: Position, wanted: InlinePosition) -> bool:
    if isinstance(wanted, TextPosition):
        return present.type == wanted.type_name
    shape = (getattr(wanted, "amount", None), getattr(wanted, "unit_price", None))
    return present.type == wanted.type_name and (present.amount, present.unit_price) == shape


async def _discarded(turn: Turn, draft: Invoice) -> Later:
    """Removes a draft that is not the beginning of this sale; the next turn makes a new one."""
    bexio = await turn.intend("discarding", draft=draft.id)
    await turn.delete(bexio, draft.id)
    await turn.work.reached("draft-discarded")
    turn.work.note(draft=None)
    return Later(timedelta(0), "draft-incomplete")


async def _compare(turn: Turn, draft: Invoice) -> None:
    """The total in bexio must be the till's, but for the company's own rounding to at most 5 Rappen."""
    till = turn.document.sale.total
    currency = await turn.reference.currency(turn.document.sale.currency)
    if draft.total in {till, to_step(till, min(currency.round_factor, FIVE_RAPPEN))}:
        return
    turn.work.note(draft=draft.id, compared=True)
    params = {"bexio": amount(draft.total), "till": amount(till), "invoice": draft.document_nr}
    raise Halt(NeedsAttention("total-differs", params))


async def _issued(turn: Turn, draft: Invoice) -> bool:
    if turn.work.memo.get("unclear"):
        issued = sole_issued(await turn.bexio.invoices.by_api_reference(turn.api_reference))
        if issued is not None:
            return _adopted(turn, issued)
    bexio = await turn.intend("issuing", draft=draft.id)
    try:
        await bexio.invoices.issue(draft.id)
    except RemoteRejected:
        now = await turn.bexio.invoices.get(draft.id)
        if now.kb_item_status_id == DRAFT:
            raise
        return _adopted(turn, now)
    await turn.work.reached("issue-answered")
    turn.saw(BexioFacts(draft.id, draft.document_nr, draft.total, "open", draft.total))
    return True
