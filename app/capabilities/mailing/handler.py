"""Empties the outbox. A mail goes out at most once: when nobody knows whether it did, a person decides."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.mailing import letters, outbox
from app.capabilities.mailing.letters import TEMPLATES
from app.capabilities.mailing.outbox import MAIL_SECRET
from app.connectors.mail import Envelope, Mailer
from app.core.clock import Clock
from app.core.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from app.core.vault import Vault
from app.db.attention import Subject, close_items, raise_item
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, NeedsAttention, Outcome
from app.jobs.work import INTENT_LIFE, Work

SENDING = "sending"
# In the memo: how often the work had been asked for when the message was about to be handed over.
ASKED = "asked"
ENDING = "ending"
SENT = "sent"
ENDINGS = {
    "unclear": "mail-perhaps-sent",
    "refused": "mail-refused",
    "no-address": "mail-address-invalid",
    "no-server": "mail-not-configured",
    "too-late": "mail-too-late",
}
# Items about a recipient are kept apart from those about a mail: there is no work to retry.
RECIPIENT = "mail.recipient"


@dataclass(frozen=True, slots=True)
class MailHandler:
    """Sends one mail of the outbox."""

    mailer: Mailer
    vault: Vault
    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """Goes on with a mail; see `app.jobs.work.Handler`."""
        async with work.db.begin(work.tenant) as session:
            row = await outbox.read(session, work.subject)
        if row is None or row.state == SENT:
            return Done()
        template = TEMPLATES[row.template]
        ending = await self._deliver(work, row)
        work.note(**{ENDING: ending})
        if ending == SENT:
            await self._close(work, row.recipient)
        elif template.must_arrive:
            return NeedsAttention(ENDINGS[ending], {"recipient": row.recipient})
        else:
            await self._tell(work, row.recipient, ENDINGS[ending])
        return Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """A mail that ended forgets what it said. One that a person may send again keeps it until it is too old."""
        if isinstance(outcome, Done):
            await outbox.end(session, operation.subject_id, operation.memo.get(ENDING, SENT), self.clock.now())

    async def _deliver(self, work: Work, row: Row[Any]) -> str:
        """Sends it, once; how it ended: `SENT`, or one of `ENDINGS`.

        Raises:
            RemoteUnavailable: surely not sent; later.
        """
        if (hopeless := self._hopeless(work, row)) is not None:
            return hopeless
        try:
            recipient = letters.address(row.recipient)
        except ValueError:
            return "no-address"
        try:
            async with self.mailer.envelope(recipient) as envelope:
                await self._hand_over(work, envelope, self._message(work, row, recipient))
        except RemoteRejected:
            return "refused"
        except OutcomeUnknown:
            return "unclear"
        return SENT

    def _hopeless(self, work: Work, row: Row[Any]) -> str | None:
        """Why it is not even tried."""
        asked = work.operation.wanted
        if work.step == SENDING and work.memo.get(ASKED) == asked:
            # A worker died, or lost its way, with the message in its hands.
            return "unclear"
        if self.mailer.server is None:
            return "no-server"
        return "too-late" if self.clock.now() >= row.expires_at and asked == 1 else None

    def _message(self, work: Work, row: Row[Any], recipient: Address) -> bytes:
        secret = self.vault.open(work.tenant, MAIL_SECRET, row.secret) if row.secret is not None else None
        said = letters.letter(row.template, row.params, row.language, secret)
        return letters.message(
            said, sender=self.mailer.sender, recipient=recipient, mail=work.subject, now=self.clock.now()
        )

    async def _hand_over(self, work: Work, envelope: Envelope, content: bytes) -> None:
        asked = work.operation.wanted
        await work.reached("mail-before-intent")
        await work.advance(SENDING, **{ASKED: asked})
        meant_at = self.clock.now()
        await work.reached("mail-before-data")
        try:
            # Whoever was frozen since does not send: a person may have asked for it again, and another worker sent it.
            await envelope.send(content, not_after=meant_at + INTENT_LIFE, clock=self.clock)
        except (RemoteUnavailable, RemoteRejected):
            # It surely was not taken: the next turn need not wonder.
            work.note(**{ASKED: 0})
            raise
        await work.reached("mail-after-data")

    async def _tell(self, work: Work, recipient: str, code: str) -> None:
        async with work.db.begin(work.tenant) as session:
            subject = _about(work.tenant, recipient)
            params = {"recipient": recipient}
            await raise_item(session, subject, code=code, params=params, now=self.clock.now())

    async def _close(self, work: Work, recipient: str) -> None:
        async with work.db.begin(work.tenant) as session:
            subject = _about(work.tenant, recipient)
            await close_items(session, subject, state="resolved", actor="system", now=self.clock.now())


def _about(tenant: UUID, recipient: str) -> Subject:
    return Subject(tenant, RECIPIENT, uuid5(NAMESPACE_URL, f"{tenant}/mailto:{recipient}"))
