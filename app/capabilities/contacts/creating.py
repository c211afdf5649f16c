"""Making contacts in bexio, which has no key to make a request safe to repeat: intent first, then write, then look.

The intent is the link's row: it is committed before the request leaves, and nobody else makes a contact for it
meanwhile. When nothing tells what became of a request, it is waited for as long as it may still land; then the contacts
that are new in bexio since are read, and those that are ours are adopted. Only what is not there is made again.

After a second such request each contact is made by itself, so that one on which bexio fails keeps no other back. A
request for several that bexio refuses may have made some of them all the same: that is looked up at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.capabilities.contacts import pairs, records
from app.capabilities.contacts.fields import KINDS, Fields, Kind, party
from app.capabilities.contacts.mapping import Problem, Vocabulary, bexio_contact, from_bexio
from app.capabilities.contacts.pairs import Pair
from app.capabilities.contacts.records import Place, Record
from app.capabilities.contacts.writing import Patience, refused
from app.capabilities.parties.evidence import Candidate, Match, Unclear, decide
from app.capabilities.parties.normalising import normal_number
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contacts import Contact, ContactCreate
from app.connectors.bexio.resource import PAGE_SIZE
from app.core.errors import ConnectorError, OutcomeUnknown
from app.core.swiss_time import changed_since
from app.jobs import operations
from app.jobs.outcomes import Halt, Later
from app.jobs.work import INTENT_LIFE, Work

# bexio documents no limit; public clients send this many.
AT_ONCE = 50
CLOCK_SKEW = timedelta(minutes=1)
# So many requests for several contacts may be lost before each of them is made by itself.
MOST_TOGETHER = 2


@dataclass(slots=True)
class Made:
    """What became of contacts that were to be made. `error` is why the rest was not tried, or is not known.

    For `unclear` ones a person must say which of bexio's new contacts they are.
    """

    made: list[tuple[Record, Contact]] = field(default_factory=list[tuple[Record, Contact]])
    refused: list[tuple[Record, Problem]] = field(default_factory=list[tuple[Record, Problem]])
    busy: list[Record] = field(default_factory=list[Record])
    unclear: list[tuple[Record, tuple[Candidate, ...]]] = field(
        default_factory=list[tuple[Record, tuple[Candidate, ...]]]
    )
    error: ConnectorError | None = None


@dataclass(slots=True)
class Recovered:
    """What was found of contacts whose making nobody saw end. For `unclear` ones a person must say which it is."""

    adopted: list[tuple[Record, Contact]] = field(default_factory=list[tuple[Record, Contact]])
    unclear: list[tuple[Record, tuple[Candidate, ...]]] = field(
        default_factory=list[tuple[Record, tuple[Candidate, ...]]]
    )


@dataclass(frozen=True, slots=True)
class Creating:
    """Makes contacts within one turn of work. `read_at` is when bexio was last read: nothing older is unknown."""

    work: Work
    bexio: Bexio
    vocabulary: Vocabulary
    user: int
    settle: timedelta
    read_at: datetime

    async def make(self, kind: Kind, wanted: Sequence[Record]) -> Made:
        """Makes at most `AT_ONCE` contacts in one request; one by one when bexio refuses them together or is silent."""
        result = Made()
        together: list[Record] = []
        apart: list[Record] = []
        patience = Patience(self.work)
        for record in wanted:
            if (problem := patience.given_up(_key(kind, record), "bexio")) is not None:
                result.refused.append((record, problem))
            else:
                (apart if patience.tries(_key(kind, record)) >= MOST_TOGETHER else together).append(record)
        if together:
            await self._make(kind, together, result)
        if apart and result.error is None:
            await self._one_by_one(kind, apart, result)
        return result

    async def _make(self, kind: Kind, wanted: Sequence[Record], result: Made) -> None:
        intended_at, free, numbers = await self._intend(kind, wanted)
        result.busy += [record for record in wanted if record.id not in free]
        chosen = sorted(
            (record for record in wanted if record.id in free), key=lambda one: (one.id not in numbers, one.id)
        )
        if not chosen:
            return
        await self.work.reached("contacts-intended")
        bexio = self.bexio.until(intended_at + INTENT_LIFE)
        bodies = [self._body(kind, record, numbers.get(record.id)) for record in chosen]
        try:
            made = await _sent(bexio, bodies)
        except OutcomeUnknown as error:
            Patience(self.work).missed(_key(kind, record) for record in chosen)
            result.error = error
        except ConnectorError as error:
            await self._failed(kind, chosen, error, intended_at, result, numbered=bool(numbers))
        else:
            await self.work.reached("contacts-answered")
            result.made += zip(chosen, made, strict=True)

    async def _failed(
        self,
        kind: Kind,
        chosen: Sequence[Record],
        error: ConnectorError,
        intended_at: datetime,
        result: Made,
        *,
        numbered: bool,
    ) -> None:
        """The request was refused, or surely did not arrive."""
        problem = refused(error)
        if problem is not None and len(chosen) > 1:
            try:
                left = await self._not_made(kind, chosen, intended_at, result)
            except ConnectorError as silence:
                # The intent stands: the next turn looks.
                result.error = silence
                return
            await self._one_by_one(kind, left, result)
            return
        await self._release(kind, chosen)
        if problem is None:
            result.error = error
        elif numbered:
            # The number may be what bexio did not like: it is only a wish.
            await self._without_number(kind, chosen[0], result)
        else:
            result.refused.append((chosen[0], problem))

    async def _not_made(
        self, kind: Kind, chosen: Sequence[Record], intended_at: datetime, result: Made
    ) -> list[Record]:
        """Those of a refused request that bexio does not have. It may have kept the valid ones; those are adopted."""
        work = self.work
        fresh = await self._fresh(intended_at - CLOCK_SKEW, work.clock.now())
        ids = {record.id for record in chosen}
        async with work.db.begin(work.tenant) as session:
            open_ = await pairs.sent(session, work.tenant, work.operation.id)
        found = await self._adopt(kind, [one for one in open_ if one.kind == kind and one.arcavis_id in ids], fresh)
        result.made += found.adopted
        result.unclear += found.unclear
        known = {record.id for record, _ in (*found.adopted, *found.unclear)}
        return [record for record in chosen if record.id not in known]

    async def recover(self) -> dict[Kind, Recovered]:
        """Adopts what earlier requests of this work made after all; nothing is in flight afterwards.

        Raises:
            Halt: a request may still land.
        """
        work = self.work
        async with work.db.begin(work.tenant) as session:
            open_ = await pairs.sent(session, work.tenant, work.operation.id)
        moments = [pair.sent_at for pair in open_ if pair.sent_at is not None]
        if not moments:
            return {}
        now = work.clock.now()
        if now < max(moments) + self.settle:
            raise Halt(Later(max(moments) + self.settle - now, "contact-create-may-land"))
        fresh = await self._fresh(min(moments) - CLOCK_SKEW, now)
        await work.reached("contacts-looked-up")
        found: dict[Kind, Recovered] = {}
        for kind in KINDS:
            found[kind] = await self._adopt(kind, [pair for pair in open_ if pair.kind == kind], fresh)
        return found

    async def _intend(self, kind: Kind, wanted: Sequence[Record]) -> tuple[datetime, set[int], dict[int, str]]:
        """Commits that contacts are about to be made; which of them are free for it, and their numbers."""
        work = self.work
        await work.advance("contacts-creating")
        intended_at = work.clock.now()
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            free = await pairs.intend(
                session,
                work.tenant,
                kind,
                [record.id for record in wanted],
                holder=work.operation.id,
                now=intended_at,
                settled=self.read_at - self.settle,
            )
            known = await records.by_key(
                session, Place(work.tenant, "bexio"), [f"#:{normal_number(one.number)}" for one in wanted if one.number]
            )
        return intended_at, free, _numbers([one for one in wanted if one.id in free], known.ids)

    def _body(self, kind: Kind, record: Record, number: str | None) -> ContactCreate:
        group = self.vocabulary.groups.get(kind)
        groups = () if group is None else (group,)
        return bexio_contact(record.fields, self.vocabulary, self.user, groups=groups, number=number)

    async def _one_by_one(self, kind: Kind, chosen: Sequence[Record], result: Made) -> None:
        """A contact whose making nobody saw end keeps no other one back; a bexio that is away does."""
        for record in chosen:
            one = Made()
            await self._make(kind, [record], one)
            result.made += one.made
            result.refused += one.refused
            result.busy += one.busy
            result.error = result.error or one.error
            if one.error is not None and not isinstance(one.error, OutcomeUnknown):
                return

    async def _without_number(self, kind: Kind, record: Record, result: Made) -> None:
        bare = Record(record.id, record.fields, groups=record.groups, made_from=record.made_from)
        one = Made()
        await self._make(kind, [bare], one)
        result.made += [(record, contact) for _, contact in one.made]
        result.refused += [(record, problem) for _, problem in one.refused]
        result.busy += [record for _ in one.busy]
        result.error = one.error

    async def _release(self, kind: Kind, chosen: Iterable[Record]) -> None:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            ids = [record.id for record in chosen]
            await pairs.release(session, work.tenant, kind, ids, work.operation.id)

    async def _fresh(self, since: datetime, now: datetime) -> list[Contact]:
        """The contacts that bexio has since and that we do not know: not one that was only changed."""
        work = self.work
        found: list[Contact] = []
        last = 0
        while True:
            page = await self.bexio.contacts.page_after(last, updated_since=changed_since(since, now))
            async with work.db.begin(work.tenant) as session:
                known = await records.by_id(session, Place(work.tenant, "bexio"), [one.id for one in page])
                linked = await pairs.by_bexio(session, work.tenant, [one.id for one in page])
            taken = {identity for _, identity in linked}
            found += [one for one in page if one.id not in known and one.id not in taken]
            if len(page) < PAGE_SIZE:
                return found
            last = page[-1].id

    async def _adopt(self, kind: Kind, open_: Sequence[Pair], fresh: list[Contact]) -> Recovered:
        work = self.work
        place = Place(work.tenant, "arcavis", kind)
        async with work.db.begin(work.tenant) as session:
            wanted = await records.by_id(session, place, [pair.arcavis_id for pair in open_])
        found = _ours(wanted, fresh, self.vocabulary)
        adopted = {record.id for record, _ in found.adopted}
        async with work.db.begin(work.tenant) as session:
            missing = [pair.arcavis_id for pair in open_ if pair.arcavis_id not in adopted]
            await pairs.release(session, work.tenant, kind, missing, work.operation.id)
        return found


def _key(kind: Kind, record: Record) -> str:
    return f"bexio/{kind}/new {record.id}"


async def _sent(bexio: Bexio, bodies: Sequence[ContactCreate]) -> tuple[Contact, ...]:
    if len(bodies) == 1:
        return (await bexio.contacts.create(bodies[0]),)
    return await bexio.contacts.bulk_create(bodies)


def _numbers(wanted: Sequence[Record], taken: Mapping[str, tuple[int, ...]]) -> dict[int, str]:
    """The numbers that may go along: bexio's are digits, and each is given once."""
    free: dict[int, str] = {}
    used = set[str]()
    for record in wanted:
        number = normal_number(record.number)
        if number.isdecimal() and number not in used and not taken.get(f"#:{number}"):
            used.add(number)
            free[record.id] = number
    return free


def _ours(wanted: Mapping[int, Record], fresh: list[Contact], vocabulary: Vocabulary) -> Recovered:
    """Which new contacts are those that were sent: word for word, or else the only one that fits on evidence."""
    by_fields: defaultdict[Fields, list[Contact]] = defaultdict(list)
    for contact in sorted(fresh, key=lambda one: -one.id):
        by_fields[from_bexio(contact, vocabulary)].append(contact)
    found = Recovered()
    rest: list[Record] = []
    for record in wanted.values():
        same = by_fields.get(record.fields)
        if same:
            found.adopted.append((record, same.pop()))
        else:
            rest.append(record)
    left = {one.id: one for some in by_fields.values() for one in some}
    for record in rest:
        candidates = [(one.id, party(from_bexio(one, vocabulary), one.nr or "")) for one in left.values()]
        decision = decide(record.party, candidates)
        if isinstance(decision, Match):
            found.adopted.append((record, left.pop(decision.candidate.bexio_id)))
        elif isinstance(decision, Unclear):
            found.unclear.append((record, decision.candidates))
    return found
