"""Bringing changed contacts over: matched, merged, written on both sides, and stored, piece by piece.

A piece is written to the remote systems first and stored in one transaction afterwards. All writes but one say how a
contact shall be, so that a piece whose end nobody saw is simply done again; making a contact in bexio is the exception,
and `creating` takes care of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import conflicts, loading, records
from app.capabilities.contacts.cases import Case, Step, parting, step
from app.capabilities.contacts.creating import AT_ONCE, Creating
from app.capabilities.contacts.editing import Editing, Job, Replanning, answered, make_in_arcavis, record_of
from app.capabilities.contacts.fields import Fields, Kind, Side, label
from app.capabilities.contacts.holding import busy, held
from app.capabilities.contacts.ledger import Ledger
from app.capabilities.contacts.loading import Batch, Question
from app.capabilities.contacts.mapping import Vocabulary, problem_in_arcavis, problem_in_bexio
from app.capabilities.contacts.merge import Base, Policy
from app.capabilities.contacts.pairs import GROUP
from app.capabilities.contacts.records import Place, Record
from app.capabilities.contacts.refreshing import Refreshing
from app.capabilities.contacts.writing import Patience, is_unknown
from app.capabilities.parties.evidence import Candidate
from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contacts import Contact
from app.core.errors import ConnectorError
from app.jobs import operations
from app.jobs.work import INTENT_LIFE, Work

PIECE = 40
# What was read longer ago is looked at again before it is overwritten: a person may have changed it since.
FRESH = timedelta(seconds=60)
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")
Keep = Callable[[AsyncConnection, Ledger], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be done: who wins a conflict, which systems may be written to, and whether anything is done at all."""

    policy: Policy
    writable: tuple[Side, ...]
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Works on batches of changed contacts within one turn of work.

    `run` marks what it dealt with; `read_at` is when each side was read; `keep` stores the figures of a piece in the
    transaction that stores the piece.
    """

    work: Work
    bexio: Bexio
    arcavis: Arcavis
    vocabulary: Vocabulary
    terms: Terms
    settle: timedelta
    run: UUID
    read_at: Mapping[Side, datetime]
    keep: Keep

    async def of_bexio(self, rows: Sequence[Record]) -> None:
        """Deals with changed bexio contacts.

        Raises:
            ConnectorError: a remote is away; what was done until then is stored.
        """
        work = self.work
        async with work.db.begin(work.tenant) as session:
            batch = await loading.of_bexio(session, work.tenant, rows, self.vocabulary.groups)
        await self._settle_quiet(None, batch)
        await self._linked(batch.linked)
        await self._make_in_arcavis(batch.alone)

    async def of_arcavis(self, kind: Kind, rows: Sequence[Record]) -> None:
        """Deals with changed Arcavis contacts of a kind; see `of_bexio`."""
        work = self.work
        async with work.db.begin(work.tenant) as session:
            batch = await loading.of_arcavis(session, work.tenant, kind, rows)
        await self._settle_quiet(kind, batch)
        await self._linked(batch.linked)
        await self._make_in_bexio(kind, batch.alone)

    async def single(self, case: Case) -> None:
        """Deals with one case on which a person decided."""
        await self._linked([case])

    async def create(self, case: Case) -> None:
        """Makes the contact of one case in bexio, as a person decided."""
        await self._make_in_bexio(case.kind, [case])

    async def ask(self, question: Question) -> None:
        """Has a person say which bexio contact it is."""
        ledger, record = self._ledger(), question.record
        ledger.ask(question.kind, record.id, label(record.fields), question.candidates)
        ledger.visit(ledger.place(question.kind), record.id)
        await self._store(ledger)

    async def rest(self, case: Case) -> None:
        """Nothing is left to do about a case."""
        ledger = self._ledger()
        ledger.settle(case)
        ledger.visit_case(case)
        await self._store(ledger)

    async def recover(self) -> None:
        """Brings to an end what an earlier turn sent to bexio without hearing of it.

        Raises:
            Halt: it may still land.
        """
        for kind, found in (await self._creating().recover()).items():
            ledger = self._ledger()
            for record, contact in found.adopted:
                self._created(ledger, Case(kind, record), contact)
            self._ask(ledger, kind, found.unclear)
            await self._store(ledger)
            await self.work.reached("contacts-recovered")

    @staticmethod
    def _ask(ledger: Ledger, kind: Kind, unclear: Sequence[tuple[Record, tuple[Candidate, ...]]]) -> None:
        for record, candidates in unclear:
            ledger.ask(kind, record.id, label(record.fields), candidates)
            ledger.tally.add("conflicts")
            ledger.visit(ledger.place(kind), record.id)

    def _ledger(self) -> Ledger:
        return Ledger(self.work.tenant, self.run, self.work.operation.id)

    def _creating(self) -> Creating:
        user = self.vocabulary.user or 0
        return Creating(self.work, self.bexio, self.vocabulary, user, self.settle, self.read_at["bexio"])

    def _step(self, case: Case, writable: tuple[Side, ...] | None = None) -> Step:
        sides = self.terms.writable if writable is None else writable
        return step(case, self.terms.policy, sides, self.vocabulary)

    async def _store(self, ledger: Ledger) -> None:
        """One transaction for all of it, fenced: whoever lost the work stores nothing."""
        work = self.work
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            if self.terms.dry_run:
                await ledger.store_nothing(session)
            else:
                await ledger.store(session, work.clock.now())
            await self.keep(session, ledger)
        await work.reached("contacts-stored")

    async def _settle_quiet(self, kind: Kind | None, batch: Batch) -> None:
        """What needs no write: questions for a person, and contacts that are none of our business (any more)."""
        ledger = self._ledger()
        place = ledger.place(kind)
        for question in batch.questions:
            record = question.record
            ledger.ask(question.kind, record.id, label(record.fields), question.candidates)
        for row in batch.held:
            ledger.hold(kind, row)
            ledger.visit(place, row.id)
        for row in batch.idle:
            ledger.tally.add("unchanged")
            ledger.rest(kind, row)
            ledger.visit(place, row.id)
        if batch.held or batch.idle:
            await self._store(ledger)
        if kind is None and not self.terms.dry_run:
            await self._ask_again_about([*batch.held, *batch.idle, *(one.bexio for one in batch.linked if one.bexio)])

    async def _ask_again_about(self, rows: Sequence[Record]) -> None:
        """A candidate has changed: the question in which it stands may have another answer now."""
        work = self.work
        async with work.db.begin(work.tenant) as session:
            named = await conflicts.naming(session, work.tenant, [row.id for row in rows])
            for kind, ids in named.items():
                await records.ask_again(session, Place(work.tenant, "arcavis", kind), ids)

    async def _linked(self, cases: Sequence[Case]) -> None:
        for piece in _pieces(cases, PIECE):
            ledger, waits = self._ledger(), False
            jobs = [job for case in await self._complete(piece) if (job := self._plan(ledger, case)) is not None]
            if not self.terms.dry_run:
                planned = await self._refreshed(ledger, jobs)
                jobs = await held(self.work, planned)
                waits = len(jobs) < len(planned)
                await self._write(jobs)
            for job in jobs:
                ledger.held(job.case)
                self._enter(ledger, job)
                if job.error is not None:
                    ledger.unfinished(job.case)
            await self._store(ledger)
            _raise_first(job.error for job in jobs)
            if waits:
                raise busy()

    def _plan(self, ledger: Ledger, case: Case) -> Job | None:
        """The case's merge; None when its link does not count."""
        reason = parting(case, self.vocabulary.groups)
        if reason is None:
            return Job(case, self._step(case))
        if case.pair is not None:
            ledger.part(case, reason)
        else:
            ledger.tally.add("unchanged")
        ledger.visit_case(case)
        return None

    async def _complete(self, cases: Sequence[Case]) -> Sequence[Case]:
        """The cases with the partners that were never read, as those that a sale linked are."""
        return await self._refreshing().complete(cases)

    async def _refreshed(self, ledger: Ledger, jobs: Sequence[Job]) -> list[Job]:
        """The jobs planned anew on what their targets hold now, where they were read long ago."""
        now = self.work.clock.now()
        stale: set[Side] = {side for side, moment in self.read_at.items() if now - moment > FRESH}
        wanted = [job for job in jobs if stale and job.step.writes]
        if not wanted:
            return list(jobs)
        rest = [job for job in jobs if job not in wanted]
        cases = await self._refreshing().anew([job.case for job in wanted], stale)
        return rest + [job for case in cases if (job := self._plan(ledger, case)) is not None]

    def _refreshing(self) -> Refreshing:
        return Refreshing(self.work, self.arcavis, self.bexio, self.vocabulary)

    async def _write(self, jobs: Sequence[Job]) -> None:
        writing = [job for job in jobs if job.step.writes]
        if not writing:
            return
        await self.work.advance("contacts-writing")
        until = self.work.clock.now() + INTENT_LIFE
        replanning = Replanning(self._step, self.terms.writable)
        patience = Patience(self.work)
        editing = Editing(self.arcavis.until(until), self.bexio.until(until), self.vocabulary, replanning, patience)
        await editing.write(writing)
        await self.work.reached("contacts-written")

    def _enter(self, ledger: Ledger, job: Job) -> None:
        case, planned = job.case, job.step
        if case.arcavis is None or case.bexio is None or job.error is not None:
            return
        if job.gone is not None:
            place = ledger.place(case.kind if job.gone == "arcavis" else None)
            ledger.vanished(place, case.arcavis.id if job.gone == "arcavis" else case.bexio.id)
            return
        if planned.merged.to_arcavis:
            after = Record(case.arcavis.id, planned.arcavis_after, case.arcavis.number, (), case.arcavis.made_from)
            ledger.wrote(ledger.place(case.kind), after)
        if job.answer is not None:
            after = record_of(job.answer, self.vocabulary)
            base, changed = answered(planned, case.bexio.fields, after.fields)
            planned = planned.with_base(base)
            ledger.wrote(ledger.place(None), after, pending=changed)
            ledger.edited(case.kind, case.bexio.id)
        ledger.join(case, planned)
        ledger.visit_case(case, planned)
        if is_unknown(planned.problem):
            ledger.visit(ledger.place(case.kind), case.arcavis.id, pending=True)
            ledger.visit(ledger.place(None), case.bexio.id, pending=True)

    async def _make_in_arcavis(self, cases: Sequence[Case]) -> None:
        for piece in _pieces(cases, PIECE):
            ledger = self._ledger()
            wanted: dict[int, tuple[Kind, Record, str]] = {}
            numbers = await self._numbers(piece)
            for index, case in enumerate(piece):
                record = case.bexio
                if record is None:
                    continue
                if "arcavis" not in self.terms.writable:
                    ledger.visit(ledger.place(None), record.id, pending=True)
                elif (problem := problem_in_arcavis(record.fields)) is not None:
                    ledger.fail(case, problem)
                    ledger.visit(ledger.place(None), record.id)
                elif self.terms.dry_run:
                    ledger.create(case, "arcavis")
                    ledger.visit(ledger.place(None), record.id)
                else:
                    wanted[index] = (case.kind, record, numbers[index])
            error = await self._save(ledger, piece, wanted) if wanted else None
            await self._store(ledger)
            _raise_first([error])

    async def _save(
        self, ledger: Ledger, piece: Sequence[Case], wanted: Mapping[int, tuple[Kind, Record, str]]
    ) -> ConnectorError | None:
        await self.work.advance("contacts-making")
        arcavis = self.arcavis.until(self.work.clock.now() + INTENT_LIFE)
        first: ConnectorError | None = None
        patience = Patience(self.work)
        for index, outcome in (await make_in_arcavis(arcavis, wanted)).items():
            kind, record, number = wanted[index]
            if isinstance(outcome, int):
                made = Record(outcome, record.fields, number, (), record.id)
                ledger.wrote(ledger.place(kind), made)
                case = Case(kind, made, record)
                ledger.link_made(case, self._base(kind, made.fields, record))
                ledger.create(case, "arcavis")
                ledger.visit(ledger.place(None), record.id)
            elif (problem := patience.problem(f"arcavis/{kind}/of {record.id}", outcome)) is not None:
                ledger.fail(piece[index], problem)
                ledger.visit(ledger.place(None), record.id, pending=is_unknown(problem))
            else:
                ledger.unfinished(piece[index])
                first = first or outcome
        await self.work.reached("contacts-made")
        return first

    async def _numbers(self, piece: Sequence[Case]) -> list[str]:
        """The numbers under which contacts are made in Arcavis: told by bexio's id, and nobody else's there."""
        wanted = [f"B-{case.bexio.id}" if case.bexio else "" for case in piece]
        work = self.work
        taken = set[tuple[Kind, str]]()
        async with work.db.begin(work.tenant) as session:
            for kind in {case.kind for case in piece}:
                keys = [f"#:{number.casefold()}" for number in wanted if number]
                found = await records.by_key(session, Place(work.tenant, "arcavis", kind), keys)
                taken |= {(kind, key) for key in found.ids}
        return [
            f"BX-{number}" if (case.kind, f"#:{number.casefold()}") in taken else number
            for case, number in zip(piece, wanted, strict=True)
        ]

    def _base(self, kind: Kind, arcavis: Fields, bexio: Record) -> Base:
        """What the two hold of which one was made from the other."""
        group = self.vocabulary.groups.get(kind)
        is_in = group is not None and group in bexio.groups
        return Base(arcavis.values(), {**bexio.fields.values(), GROUP: str(group) if is_in else ""})

    async def _make_in_bexio(self, kind: Kind, cases: Sequence[Case]) -> None:
        for piece in _pieces(cases, AT_ONCE):
            ledger = self._ledger()
            wanted: list[Record] = []
            for case in piece:
                record = case.arcavis
                if record is None:
                    continue
                if "bexio" not in self.terms.writable:
                    ledger.visit(ledger.place(kind), record.id, pending=True)
                elif (problem := problem_in_bexio(record.fields, self.vocabulary)) is not None:
                    ledger.fail(case, problem)
                    ledger.visit(ledger.place(kind), record.id)
                elif self.terms.dry_run:
                    ledger.create(case, "bexio")
                    ledger.visit(ledger.place(kind), record.id)
                else:
                    wanted.append(record)
            error = await self._create(ledger, kind, wanted) if wanted else None
            await self._store(ledger)
            _raise_first([error])

    async def _create(self, ledger: Ledger, kind: Kind, wanted: Sequence[Record]) -> ConnectorError | None:
        result = await self._creating().make(kind, wanted)
        for record, contact in result.made:
            self._created(ledger, Case(kind, record), contact)
        for record, problem in result.refused:
            ledger.fail(Case(kind, record), problem)
            ledger.visit(ledger.place(kind), record.id, pending=is_unknown(problem))
        self._ask(ledger, kind, result.unclear)
        for record in result.busy:
            ledger.visit(ledger.place(kind), record.id, pending=True)
        return result.error

    def _created(self, ledger: Ledger, case: Case, contact: Contact) -> None:
        """A contact that bexio has now: linked, with what it really holds as the base."""
        if case.arcavis is None:
            return
        made = record_of(contact, self.vocabulary)
        whole = Case(case.kind, case.arcavis, made)
        ledger.wrote(ledger.place(None), made)
        ledger.link_made(whole, self._base(case.kind, case.arcavis.fields, made))
        ledger.create(whole, "bexio")
        ledger.visit(ledger.place(case.kind), case.arcavis.id)


def _pieces(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    for begin in range(0, len(items), size):
        yield items[begin : begin + size]


def _raise_first(errors: Iterable[ConnectorError | None]) -> None:
    """What could be done was stored; why the rest could not decides when it is tried again."""
    for error in errors:
        if error is not None:
            raise error
