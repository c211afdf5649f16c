"""The bexio contact of a till customer: through the link, else on evidence, else created, exactly once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.capabilities.parties import links
from app.capabilities.parties.evidence import Candidate, Match, Party, Unclear, decide, weigh
from app.capabilities.parties.links import LinkKey
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contacts import Contact, ContactCreate, ContactType
from app.connectors.bexio.criteria import Criterion, equal
from app.core.errors import RemoteRejected, RemoteUnavailable
from app.jobs.outcomes import Halt, Later, NeedsAttention
from app.jobs.work import INTENT_LIFE, Work

BUSY_PAUSE = timedelta(seconds=2)
CLOCK_SKEW = timedelta(minutes=1)


class Ambiguous(Halt):
    """A person must say which of the candidates it is, if any."""

    def __init__(self, outcome: NeedsAttention, candidates: tuple[Candidate, ...]) -> None:
        super().__init__(outcome)
        self.candidates = candidates


@dataclass(frozen=True, slots=True)
class Resolution:
    """One customer to resolve within one turn of work.

    `settle` is how long a lost create may still land; `new_contact` is what to create when bexio has nobody.
    """

    work: Work
    bexio: Bexio
    key: LinkKey
    party: Party
    new_contact: ContactCreate
    settle: timedelta

    async def contact_id(self) -> int:
        """The contact's id in bexio.

        Raises:
            Ambiguous: a person must choose.
            Halt: another operation resolves the customer, or a lost create may still land.
        """
        work = self.work
        now = work.clock.now()
        async with work.db.begin(work.tenant) as session:
            link = await links.take(session, self.key, work.operation.id, now)
        if link.state in {"active", "conflict"}:
            # What is in conflict are values, not who it is.
            return link.bexio_id
        if link.state == "inactive":
            return await self._revive(link.bexio_id)
        if link.holder != work.operation.id:
            raise Halt(Later(BUSY_PAUSE, "contact-being-resolved"))
        return await self._resolve(link.sent_at)

    async def _resolve(self, sent_at: datetime | None) -> int:
        if sent_at is not None and self.work.clock.now() < sent_at + self.settle:
            raise Halt(Later(sent_at + self.settle - self.work.clock.now(), "contact-create-may-land"))
        contacts = await self._search()
        decision = decide(self.party, [(contact.id, party_of(contact)) for contact in contacts])
        if isinstance(decision, Match):
            return await self._join(decision.candidate)
        landed = self._landed(contacts, sent_at)
        if landed is not None:
            return await self._join(landed)
        if isinstance(decision, Unclear):
            await self._release(sent_at=sent_at)
            labels = "; ".join(f"{c.label}: {', '.join(c.reasons)}" for c in decision.candidates[:5])
            params = {"customer": self.key.arcavis_id, "candidates": labels}
            raise Ambiguous(NeedsAttention("contact-ambiguous", params), decision.candidates)
        return await self._create()

    async def _search(self) -> list[Contact]:
        """Everybody who could be the customer. A search that fails is an error, never an empty answer."""
        found: dict[int, Contact] = {}
        for criteria in self._criteria():
            for contact in await self.bexio.contacts.search(*criteria):
                found[contact.id] = contact
        return list(found.values())

    def _criteria(self) -> list[tuple[Criterion, ...]]:
        name = self.new_contact.name_1
        kind = equal("contact_type_id", int(self.new_contact.contact_type_id))
        criteria: list[tuple[Criterion, ...]] = [(equal("name_1", name), kind)]
        if self.party.email:
            criteria.append((equal("mail", self.party.email),))
        if self.party.number.isdigit():
            # Numbers of bexio's contacts are digits only: another one can be nobody's.
            criteria.append((equal("nr", self.party.number),))
        return criteria

    def _landed(self, contacts: list[Contact], sent_at: datetime | None) -> Candidate | None:
        """The contact that a lost create of ours made after all."""
        if sent_at is None:
            return None
        fresh = [contact for contact in contacts if contact.updated_at >= sent_at - CLOCK_SKEW]
        weighed = [weigh(self.party, party_of(contact), contact.id) for contact in fresh]
        candidates = [candidate for candidate in weighed if candidate is not None]
        return candidates[0] if len(candidates) == 1 else None

    async def _create(self) -> int:
        work = self.work
        intended_at = work.clock.now()
        await work.advance("contact-creating")
        async with work.db.begin(work.tenant) as session:
            held = await links.mark_sent(session, self.key, work.operation.id, intended_at)
        if not held:
            raise Halt(Later(BUSY_PAUSE, "contact-being-resolved"))
        await work.reached("contact-intended")
        try:
            contact = await self.bexio.until(intended_at + INTENT_LIFE).contacts.create(self.new_contact)
        except RemoteUnavailable:
            await self._release(sent_at=intended_at)
            raise
        except RemoteRejected as error:
            await self._release(sent_at=intended_at)
            if error.status not in {400, 422}:
                raise
            params = {"customer": self.key.arcavis_id, "reasons": "; ".join(error.reasons)}
            raise Halt(NeedsAttention("contact-rejected", params)) from error
        await work.reached("contact-answered")
        return await self._join(Candidate(contact.id, str(contact.id), strong=True, reasons=("created",)))

    async def _join(self, candidate: Candidate) -> int:
        async with self.work.db.begin(self.work.tenant) as session:
            evidence = {"reasons": list(candidate.reasons)}
            await links.mark_made(session, self.key, candidate.bexio_id, evidence, self.work.clock.now())
        await self.work.reached("contact-linked")
        return candidate.bexio_id

    async def _release(self, *, sent_at: datetime | None) -> None:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            await links.release(session, self.key, work.operation.id, work.clock.now(), sent_at=sent_at)

    def gone(self, bexio_id: int) -> NeedsAttention:
        """What to say when the linked contact is archived or deleted."""
        return NeedsAttention("contact-gone", {"customer": self.key.arcavis_id, "contact": str(bexio_id)})

    async def still_there(self, bexio_id: int) -> bool:
        """Whether the linked contact is neither archived nor deleted; notes it on the link when it is."""
        if await self.bexio.contacts.search(equal("id", bexio_id)):
            return True
        async with self.work.db.begin(self.work.tenant) as session:
            await links.mark_gone(session, self.key, self.work.clock.now())
        return False

    async def _revive(self, bexio_id: int) -> int:
        """A person may have restored the contact since."""
        if not await self.bexio.contacts.search(equal("id", bexio_id)):
            raise Halt(self.gone(bexio_id))
        async with self.work.db.begin(self.work.tenant) as session:
            await links.mark_back(session, self.key, self.work.clock.now())
        return bexio_id


def party_of(contact: Contact) -> Party:
    """The facts of a bexio contact that tell it apart."""
    company = contact.contact_type_id == ContactType.COMPANY
    street = f"{contact.street_name or ''} {contact.house_number or ''}".strip() or contact.address or ""
    return Party(
        is_company=company,
        company_name=contact.name_1 if company else "",
        last_name="" if company else contact.name_1,
        first_name="" if company else contact.name_2 or "",
        street=street,
        postcode=contact.postcode or "",
        city=contact.city or "",
        email=(contact.mail or "").strip(),
        number=contact.nr or "",
    )
