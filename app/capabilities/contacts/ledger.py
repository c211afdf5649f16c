"""What one piece of a sync came to, and its one transaction: links, bases, mirror, conflicts and figures together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import conflicts, pairs, records
from app.capabilities.contacts.cases import Case, Step, clashes
from app.capabilities.contacts.conflicts import Waiting
from app.capabilities.contacts.fields import KINDS, Kind, label
from app.capabilities.contacts.mapping import Problem
from app.capabilities.contacts.merge import Base
from app.capabilities.contacts.pairs import Joined
from app.capabilities.contacts.progress import Line, Tally
from app.capabilities.contacts.records import Place, Record
from app.capabilities.parties.evidence import Candidate


@dataclass(slots=True)
class Ledger:
    """Entries to be stored together. `run` is who visited the records, `holder` the work that holds the links."""

    tenant: UUID
    run: UUID
    holder: UUID
    tally: Tally = field(default_factory=Tally)
    _stored: dict[tuple[Place, bool], list[Record]] = field(default_factory=lambda: defaultdict(list))
    _gone: dict[Place, list[int]] = field(default_factory=lambda: defaultdict(list))
    _joined: dict[Kind, list[Joined]] = field(default_factory=lambda: defaultdict(list))
    _left: dict[Kind, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    _waiting: dict[tuple[Kind, int | None, int | None], Waiting] = field(
        default_factory=dict[tuple[Kind, int | None, int | None], Waiting]
    )
    _settled: dict[Kind, tuple[set[int], set[int]]] = field(default_factory=lambda: defaultdict(lambda: (set(), set())))
    _visited: dict[Place, dict[int, bool]] = field(default_factory=lambda: defaultdict(dict))
    _seen: dict[Place, dict[int, Record]] = field(default_factory=lambda: defaultdict(dict))
    _held: list[tuple[Kind, int]] = field(default_factory=list[tuple[Kind, int]])
    _edited: list[tuple[Kind, int]] = field(default_factory=list[tuple[Kind, int]])
    _unfinished: set[int] = field(default_factory=set[int])

    def done(self) -> int:
        """How many records were finished, partners too: they may have changed as well."""
        return sum(map(len, self._visited.values()))

    def place(self, kind: Kind | None) -> Place:
        """Arcavis' contacts of a kind, or bexio's."""
        return Place(self.tenant, "bexio") if kind is None else Place(self.tenant, "arcavis", kind)

    def visit(self, place: Place, identity: int, *, pending: bool = False) -> None:
        """The run is done with a record; `pending` leaves it to another run."""
        before = self._visited[place].get(identity, False)
        self._visited[place][identity] = before or pending

    def unfinished(self, case: Case) -> None:
        """Nobody knows what became of a case.

        Its bexio contact is looked at again, even where it is through as the other kind of contact.
        """
        if case.bexio is not None:
            self._unfinished.add(case.bexio.id)

    def visit_case(self, case: Case, step: Step | None = None) -> None:
        """The run is done with both records of a case, but for changes that it might not copy."""
        postponed = step.postponed if step else frozenset[str]()
        if case.arcavis is not None:
            self._visit_record(self.place(case.kind), case.arcavis, pending="arcavis" in postponed)
        if case.bexio is not None:
            self._visit_record(self.place(None), case.bexio, pending="bexio" in postponed)

    def _visit_record(self, place: Place, record: Record, *, pending: bool) -> None:
        self.visit(place, record.id, pending=pending)
        if not record.gone:
            self._seen[place][record.id] = record

    def held(self, case: Case) -> None:
        """The link of a case is ours until it is stored."""
        if case.pair is not None:
            self._held.append((case.pair.kind, case.pair.arcavis_id))

    def wrote(self, place: Place, record: Record, *, pending: bool = False) -> None:
        """A record as it now stands in its system; `pending` when something in it was not known before."""
        self.tally.writes[place.side] += 1
        self._stored[place, pending].append(record)

    def edited(self, kind: Kind, bexio_id: int) -> None:
        """A bexio contact was changed through its link of one kind: the other kind's link must hear of it."""
        self._edited.append((kind, bexio_id))

    def vanished(self, place: Place, identity: int) -> None:
        """A record turned out not to be there any more."""
        self._gone[place].append(identity)

    def part(self, case: Case, reason: str) -> None:
        """The link of a case no longer counts."""
        if case.pair is not None and case.pair.linked:
            self._left[case.kind][case.pair.arcavis_id] = reason
            line = _line("deactivate", case).model_copy(update={"code": f"contact-{reason}"})
            self.tally.add("inactive", line)
        else:
            self.tally.add("unchanged")
        self.settle(case)

    def hold(self, kind: Kind | None, record: Record) -> None:
        """A record waits for a person."""
        self.tally.add("conflicts", _line("ask", _sole(kind, record)))

    def rest(self, kind: Kind | None, record: Record) -> None:
        """A record is gone, or none of our business: nothing is left to decide about it."""
        for each in KINDS if kind is None else (kind,):
            self.settle(_sole(each, record) if kind is not None else Case(each, None, record))

    def link_made(self, case: Case, base: Base) -> None:
        """Links a contact with the one that was made from it."""
        if case.arcavis is not None and case.bexio is not None:
            self._joined[case.kind].append(Joined(case.arcavis.id, case.bexio.id, base, {"reasons": ["created"]}))

    def settle(self, case: Case) -> None:
        """Nothing is left to decide about a case."""
        arcavis, bexio = self._settled[case.kind]
        if case.arcavis is not None:
            arcavis.add(case.arcavis.id)
        if case.bexio is not None:
            bexio.add(case.bexio.id)

    def join(self, case: Case, step: Step) -> None:
        """A case after its merge: linked, with what the sides agreed on, and what a person must decide."""
        if case.arcavis is None or case.bexio is None:
            return
        evidence = {"reasons": list(case.reasons)}
        conflicting = bool(step.merged.conflicts)
        joined = Joined(case.arcavis.id, case.bexio.id, step.base, evidence, conflict=conflicting)
        self._joined[case.kind].append(joined)
        if step.problem is not None:
            self.fail(case, step.problem)
            return
        if conflicting:
            detail = {"contact": label(case.arcavis.fields), "fields": clashes(step.merged.conflicts)}
            self._wait(Waiting("field", case.kind, case.arcavis.id, case.bexio.id, detail))
            self.tally.add("conflicts", _line("ask", case, fields=sorted(step.merged.conflicts)))
            return
        self.settle(case)
        if case.pair is None:
            self.tally.add("linked", _line("link", case, fields=_written(step), reason=", ".join(case.reasons)))
        elif step.writes:
            self.tally.add("updated", _line("update", case, fields=_written(step)))
        else:
            self.tally.add("unchanged")

    def create(self, case: Case, system: str) -> None:
        """A contact was made on the side that lacked it."""
        self.settle(case)
        self.tally.add("created", _line(f"create-in-{system}", case))

    def ask(self, kind: Kind, arcavis_id: int, contact: str, candidates: Iterable[Candidate]) -> None:
        """A person must say which bexio contact an Arcavis contact is."""
        said = [
            {"bexio_id": one.bexio_id, "label": one.label, "reasons": list(one.reasons), "strong": one.strong}
            for one in candidates
        ]
        self._wait(Waiting("match", kind, arcavis_id, None, {"contact": contact, "candidates": said}))

    def fail(self, case: Case, problem: Problem) -> None:
        """A contact cannot be brought over."""
        record = case.arcavis or case.bexio
        contact = label(record.fields) if record else ""
        arcavis_id = case.arcavis.id if case.arcavis else None
        bexio_id = case.bexio.id if case.bexio else None
        detail = {"contact": contact, "code": problem.code, "params": dict(problem.params)}
        self._wait(Waiting("problem", case.kind, arcavis_id, bexio_id, detail))
        line = _line("fail", case)
        line = line.model_copy(update={"code": problem.code, "params": dict(problem.params)})
        self.tally.add("failed", line)

    def _wait(self, waiting: Waiting) -> None:
        key = (waiting.contact_kind, waiting.arcavis_id, None if waiting.arcavis_id else waiting.bexio_id)
        self._waiting[key] = waiting

    async def store(self, session: AsyncConnection, now: datetime) -> None:
        """Writes all of it; the caller holds the operation and moves the figures in the same transaction."""
        for (place, pending), rows in self._stored.items():
            await records.store(session, place, rows, pending=pending)
        for kind, joined in self._joined.items():
            stored = await pairs.join(session, self.tenant, kind, joined, self.holder, now)
            self._look_again(kind, [one for one in joined if one.arcavis_id not in stored])
        for kind, reasons in self._left.items():
            await pairs.leave(session, self.tenant, kind, reasons, now)
        await conflicts.open_all(session, self.tenant, list(self._waiting.values()), now)
        freed = await self._close(session, now)
        for place, states in self._visited.items():
            unseen = {record.id for record in self._stored.get((place, True), ())}
            seen = {one: pending for one, pending in states.items() if one not in unseen}
            written = {record.id for record in self._stored.get((place, False), ())}
            as_seen = {one: record for one, record in self._seen[place].items() if one not in written}
            await records.visited(session, place, self.run, seen, as_seen)
        for place, ids in self._gone.items():
            await records.mark_gone(session, place, ids)
        await pairs.let_go(session, self.tenant, self._held, self.holder)
        again = freed | await self._shared(session) | self._unfinished
        await records.ask_again(session, self.place(None), sorted(again))

    def _look_again(self, kind: Kind, left_out: Iterable[Joined]) -> None:
        """What somebody else joined meanwhile stays for another run."""
        for one in left_out:
            self.visit(self.place(kind), one.arcavis_id, pending=True)
            self.visit(self.place(None), one.bexio_id, pending=True)

    async def store_nothing(self, session: AsyncConnection) -> None:
        """Of a dry run: notes that it looked at the records, so that it comes to an end."""
        for place, states in self._visited.items():
            await records.looked_at(session, place, self.run, list(states))

    async def _close(self, session: AsyncConnection, now: datetime) -> set[int]:
        """Closes what is settled; the bexio contacts that were held by it."""
        freed = set[int]()
        for kind, (arcavis, bexio) in self._settled.items():
            freed |= (
                await conflicts.close(session, self.tenant, kind, arcavis_ids=arcavis, bexio_ids=bexio, now=now) - bexio
            )
        return freed

    async def _shared(self, session: AsyncConnection) -> set[int]:
        if not self._edited:
            return set()
        known = await pairs.by_bexio(session, self.tenant, [identity for _, identity in self._edited])
        return {
            identity
            for kind, identity in self._edited
            for (other, one), pair in known.items()
            if one == identity and other != kind and pair.linked
        }


def _sole(kind: Kind | None, record: Record) -> Case:
    return Case("customer", None, record) if kind is None else Case(kind, record)


def _written(step: Step) -> list[str]:
    return sorted({*step.merged.to_arcavis, *step.merged.to_bexio, *(("group",) if step.groups is not None else ())})


def _line(action: str, case: Case, *, fields: list[str] | None = None, reason: str | None = None) -> Line:
    record = case.arcavis or case.bexio
    return Line(
        action=action,
        kind=case.kind,
        arcavis_id=case.arcavis.id if case.arcavis else None,
        bexio_id=case.bexio.id if case.bexio else None,
        contact=label(record.fields) if record else "",
        fields=fields or [],
        reason=reason or None,
    )
