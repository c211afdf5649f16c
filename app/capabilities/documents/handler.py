"""The durable job of a document: from where it stands towards its goal, one turn at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.documents import records
from app.capabilities.documents.cancelling import cancel
from app.capabilities.documents.issuing import issue
from app.capabilities.documents.mailing import is_wanted, mail
from app.capabilities.documents.records import BexioFacts, Projection
from app.capabilities.documents.tender import paid_at_till, record_payments
from app.capabilities.documents.tidying import tidy
from app.capabilities.documents.turn import Turn, seen_now
from app.connectors.access import RemoteAccess
from app.connectors.bexio.reference import ReferenceData
from app.core.clock import Clock
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, Halt, NeedsAttention, Outcome
from app.jobs.work import Settlement, Work

# These say that what is issued does not stand as the sale does.
BLOCKING = {"invoice-doubled"}


@dataclass(frozen=True, slots=True)
class DocumentHandler:
    """Makes, issues, pays, mails or cancels the invoice of one document."""

    remotes: RemoteAccess
    reference: ReferenceData
    clock: Clock
    settle: timedelta

    async def run(self, work: Work) -> Outcome:
        """One turn; see `app.jobs.work.Handler`."""
        turn = await self._turn(work)
        work.note(goal=turn.document.goal)
        return await (self._cancel(turn) if turn.document.goal == "cancelled" else self._issue(turn))

    async def _turn(self, work: Work) -> Turn:
        opened = await records.open_document(work.db, work.tenant, work.subject)
        bexio = self.remotes.bexio_over(work.tenant, opened.connection, work.priority)
        return Turn(work, opened, bexio, self.reference.of(work.tenant, bexio), self.settle)

    async def _issue(self, turn: Turn) -> Outcome:
        fresh = await issue(turn)
        if self._takes_longer(turn):
            await turn.publish("issued")
        return await self._tidied(turn, await self._finish(turn, fresh=fresh))

    async def _finish(self, turn: Turn, *, fresh: bool) -> NeedsAttention | None:
        """Payments and mail; what a person must do about them, if anything."""
        try:
            await record_payments(turn, fresh=fresh)
            await mail(turn)
        except Halt as halt:
            if isinstance(halt.outcome, NeedsAttention):
                return halt.outcome
            raise
        return None

    def _takes_longer(self, turn: Turn) -> bool:
        """Whether more remote work follows, for which nobody needs to wait."""
        return bool(paid_at_till(turn) or is_wanted(turn))

    async def _cancel(self, turn: Turn) -> Outcome:
        turn.work.note(cancelled=None)
        refusal = await self._cancelled(turn)
        turn.work.note(cancelled=refusal is None)
        return await self._tidied(turn, refusal)

    async def _cancelled(self, turn: Turn) -> NeedsAttention | None:
        """The invoice is cancelled; or what a person must do about it first."""
        try:
            await cancel(turn)
        except Halt as halt:
            if isinstance(halt.outcome, NeedsAttention):
                return halt.outcome
            raise
        return None

    async def _tidied(self, turn: Turn, refusal: NeedsAttention | None) -> Outcome:
        """Even while a person is asked for, a draft that a lost request left behind must go."""
        if refusal is not None and turn.work.memo.get("unclear"):
            await turn.raise_item(refusal)
        await tidy(turn)
        return refusal or Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Projects what the turn found out onto the document."""
        await records.project(session, _projection(operation, outcome), self.clock.now())

    def settlement(self, operation: Operation, outcome: Outcome) -> Settlement:
        """The same and the settling of the operation in one statement; see `app.jobs.work.SettlesAlone`."""
        return records.SETTLE, _projection(operation, outcome).values(self.clock.now())


def _projection(operation: Operation, outcome: Outcome) -> Projection:
    memo = operation.memo
    facts = BexioFacts.from_memo(memo["bexio"]) if memo.get("bexio") else None
    return Projection(
        document=operation.subject_id,
        goal=memo.get("goal", "issued"),
        status=_status(memo, facts, outcome),
        contact=memo.get("contact"),
        facts=facts,
        current=seen_now(operation),
    )


def _status(memo: Mapping[str, Any], facts: BexioFacts | None, outcome: Outcome) -> str:
    """A document counts as issued once bexio has issued it, whatever remains to be done about it."""
    if memo.get("goal") == "cancelled":
        if isinstance(outcome, NeedsAttention):
            return "attention"
        # False: a person is asked for, and what was left behind is still looked for.
        if (cancelled := memo.get("cancelled")) is not None:
            return "cancelled" if cancelled else "attention"
        return "accepted"
    if isinstance(outcome, NeedsAttention) and (facts is None or outcome.code in BLOCKING):
        return "attention"
    return "issued" if facts is not None else "accepted"
