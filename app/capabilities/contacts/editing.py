"""Changing contacts that exist, on both sides at once. Each write says how the contact shall be: twice is once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.capabilities.contacts.cases import Case, Step
from app.capabilities.contacts.fields import NAMES, Fields, Kind, Side
from app.capabilities.contacts.mapping import (
    Problem,
    Vocabulary,
    arcavis_changes,
    arcavis_contact,
    bexio_changes,
    from_bexio,
)
from app.capabilities.contacts.merge import Base
from app.capabilities.contacts.records import Record
from app.capabilities.contacts.writing import Patience, contacts_of, together
from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contacts import Contact
from app.core.errors import ConnectorError, RemoteNotFound


@dataclass(slots=True)
class Job:
    """A case on its way: what is planned, what bexio answered, where it turned out to be gone, why it must wait."""

    case: Case
    step: Step
    answer: Contact | None = None
    gone: Side | None = None
    error: ConnectorError | None = None

    @property
    def goes_on(self) -> bool:
        """Whether nothing came between."""
        return self.gone is None and self.error is None


@dataclass(frozen=True, slots=True)
class Replanning:
    """How a step is planned again when one side refused its part."""

    plan: Callable[[Case, tuple[Side, ...]], Step]
    writable: tuple[Side, ...]

    def without(self, job: Job, side: Side, problem: Problem) -> None:
        """The rest of the step goes on; what was refused is the contact's problem."""
        left: tuple[Side, ...] = tuple(one for one in self.writable if one != side)
        job.step = replace(self.plan(job.case, left), problem=problem)


@dataclass(frozen=True, slots=True)
class Editing:
    """One piece of changes. The clients send only while the piece's intent is young."""

    arcavis: Arcavis
    bexio: Bexio
    vocabulary: Vocabulary
    replanning: Replanning
    patience: Patience

    async def write(self, jobs: Sequence[Job]) -> None:
        """Writes to Arcavis, then to bexio; each job tells afterwards how it went."""
        await self._round([job for job in jobs if job.step.merged.to_arcavis], "arcavis", self._to_arcavis)
        await self._round([job for job in jobs if job.goes_on and job.step.to_bexio], "bexio", self._to_bexio)

    async def _round(self, jobs: Sequence[Job], side: Side, call: Callable[[Job], Awaitable[Contact | int]]) -> None:
        for job, outcome in zip(jobs, await together([partial(call, job) for job in jobs]), strict=True):
            if isinstance(outcome, Contact):
                job.answer = outcome
            elif isinstance(outcome, RemoteNotFound):
                job.gone = side
            elif isinstance(outcome, ConnectorError):
                if (problem := self.patience.problem(_key(side, job.case), outcome)) is None:
                    job.error = outcome
                else:
                    self.replanning.without(job, side, problem)

    async def _to_arcavis(self, job: Job) -> int:
        record = job.case.arcavis
        if record is None:
            raise ValueError("nothing to change")
        changes = arcavis_changes(job.step.merged.to_arcavis, job.step.arcavis_after)
        return await contacts_of(self.arcavis, job.case.kind).change(record.id, changes)

    async def _to_bexio(self, job: Job) -> Contact:
        record = job.case.bexio
        if record is None:
            raise ValueError("nothing to change")
        planned = job.step
        changes = bexio_changes(planned.merged.to_bexio, planned.bexio_after, self.vocabulary, groups=planned.groups)
        return await self.bexio.contacts.edit(record.id, changes)


def _key(side: Side, case: Case) -> str:
    record = case.arcavis or case.bexio
    return f"{side}/{case.kind}/{record.id if record else 0}"


async def make_in_arcavis(
    arcavis: Arcavis, wanted: Mapping[int, tuple[Kind, Record, str]]
) -> dict[int, int | ConnectorError]:
    """Makes contacts in Arcavis from bexio's, by (kind, record, number): saving one twice under its number is once."""

    async def save(kind: Kind, record: Record, number: str) -> int:
        return await contacts_of(arcavis, kind).save(arcavis_contact(record.fields, kind, record.id, number))

    outcomes = await together([partial(save, *one) for one in wanted.values()])
    return dict(zip(wanted, outcomes, strict=True))


def record_of(contact: Contact, vocabulary: Vocabulary) -> Record:
    """A bexio contact as it is kept."""
    return Record(contact.id, from_bexio(contact, vocabulary), contact.nr or "", tuple(contact.contact_group_ids))


def answered(planned: Step, before: Fields, answer: Fields) -> tuple[Base, bool]:
    """The base as bexio really stored what was written, and whether it shows a change that was not known before."""
    written = planned.merged.to_bexio
    bexio = {**planned.base.bexio, **{name: getattr(answer, name) for name in written}}
    changed = any(getattr(answer, name) != getattr(before, name) for name in NAMES if name not in written)
    return Base(planned.base.arcavis, bexio), changed
