"""After an unclear create, a lost request may have landed as a second draft: it is deleted, later and more than once.

bexio refuses to delete what is not a draft, so tidying can never hit an issued invoice.
"""

from __future__ import annotations

from datetime import timedelta

from app.capabilities.documents.issuing import sole_issued
from app.capabilities.documents.turn import Turn
from app.connectors.bexio.invoices import InvoiceStatus
from app.core.errors import ConnectionRefused, RemoteRejected
from app.jobs.outcomes import Halt, Later

PASSES = 3


def _pause(turn: Turn, passed: int) -> timedelta:
    """The first pass when a lost request can have landed, the others well after a frozen worker has thawed."""
    return turn.settle * (1, 4, 20)[passed]


async def tidy(turn: Turn) -> None:
    """Deletes stray drafts; returns when all passes are done, at once when nothing was ever unclear.

    Raises:
        Halt: the next pass is due later, or there are two issued invoices.
    """
    if not turn.work.memo.get("unclear"):
        return
    passed: int = turn.work.memo.get("tidied", 0)
    due = turn.moment("tidy_at")
    if due is None:
        raise Halt(_later(turn, passed))
    if turn.now < due:
        raise Halt(Later(due - turn.now, "tidying"))
    await _pass(turn)
    if passed + 1 < PASSES:
        raise Halt(_later(turn, passed + 1))
    turn.work.note(unclear=False)


def _later(turn: Turn, passed: int) -> Later:
    pause = _pause(turn, passed)
    turn.work.note(tidied=passed, tidy_at=(turn.now + pause).isoformat())
    return Later(pause, "tidying")


async def _pass(turn: Turn) -> None:
    rows = await turn.bexio.invoices.by_api_reference(turn.api_reference)
    sole_issued(rows)
    for row in rows:
        if row.kb_item_status_id == InvoiceStatus.DRAFT:
            bexio = await turn.intend("tidying")
            try:
                await bexio.invoices.delete(row.id)
            except ConnectionRefused:
                raise
            except RemoteRejected:
                # Gone already, or issued meanwhile: the next pass sees which.
                continue
            await turn.work.reached("stray-deleted")
