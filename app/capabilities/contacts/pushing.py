"""One contact, now: the backoffice saved it. Read in Arcavis, matched and merged as in a run, written to bexio."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import conflicts, loading, pairs
from app.capabilities.contacts.cases import ARCHIVED, DELETED, Case
from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.ledger import Ledger
from app.capabilities.contacts.loading import Question
from app.capabilities.contacts.mapping import bexio_contact, problem_in_bexio
from app.capabilities.contacts.matching import best
from app.capabilities.contacts.reconcile import LONG_AGO, Reconciler, Terms
from app.capabilities.contacts.records import Record
from app.capabilities.contacts.refreshing import Refreshing
from app.capabilities.contacts.sides import Opening, Sides
from app.capabilities.parties.links import LinkKey
from app.capabilities.parties.resolution import Ambiguous, Resolution
from app.core.clock import Clock
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, NeedsAttention, Outcome
from app.jobs.work import Work

KIND = "contacts.push"
WRITABLE = ("bexio",)

_ASK = text(
    "insert into contact_push as p (id, tenant_id, kind, arcavis_id, state, updated_at)"
    " values (:id, :tenant, :kind, :arcavis_id, 'accepted', :now) on conflict (id) do update set state = 'accepted',"
    " code = null, params = '{}', updated_at = excluded.updated_at"
)
_READ = text("select id, kind, arcavis_id, state, bexio_id, code, params, updated_at from contact_push where id = :id")
_END = text(
    "update contact_push set state = :state, bexio_id = :bexio_id, code = :code, params = :params, updated_at = :now"
    " where id = :id"
).bindparams(bindparam("params", type_=JSONB))


def subject_of(tenant: UUID, kind: Kind, arcavis_id: int) -> UUID:
    """The id of the work for one contact: however often it is saved, there is one."""
    return uuid5(NAMESPACE_OID, f"{tenant}/{kind}/{arcavis_id}")


async def ask(session: AsyncConnection, tenant: UUID, kind: Kind, arcavis_id: int, now: datetime) -> UUID:
    """Notes that a contact is to be brought over; the id of the work for it."""
    push = subject_of(tenant, kind, arcavis_id)
    values = {"id": push, "tenant": tenant, "kind": kind, "arcavis_id": str(arcavis_id), "now": now}
    await session.execute(_ASK, values)
    return push


async def read(session: AsyncConnection, push: UUID) -> Row[Any] | None:
    """How far it is."""
    return (await session.execute(_READ, {"id": push})).first()


@dataclass(frozen=True, slots=True)
class PushHandler:
    """Brings one contact over; see `app.jobs.work.Handler`."""

    opening: Opening
    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """Reads, matches, merges, writes."""
        async with work.db.begin(work.tenant) as session:
            row = await read(session, work.subject)
        if row is None:
            return Done()
        sides = await self.opening.open(work, writes_to_bexio=True)
        push = _Push(work, sides, row.kind, int(row.arcavis_id), self.opening.settle)
        await push.bring_over()
        return Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Shows what came of it: linked, in conflict, or why not."""
        row = await read(session, operation.subject_id)
        if row is None or not isinstance(outcome, Done | NeedsAttention):
            return
        values: dict[str, Any] = {"id": operation.subject_id, "now": self.clock.now()}
        if isinstance(outcome, NeedsAttention):
            said = {"state": "attention", "bexio_id": None, "code": outcome.code, "params": outcome.params}
        else:
            said = await _ended(session, operation.tenant_id, row.kind, int(row.arcavis_id))
        await session.execute(_END, values | said)


async def _ended(session: AsyncConnection, tenant: UUID, kind: Kind, arcavis_id: int) -> dict[str, Any]:
    pair = (await pairs.by_arcavis(session, tenant, kind, [arcavis_id])).get(arcavis_id)
    waiting = await conflicts.of_arcavis(session, tenant, kind, arcavis_id)
    bexio_id = pair.bexio_id if pair else None
    if waiting is not None and waiting.kind == "problem":
        detail = waiting.detail
        return {"state": "failed", "bexio_id": bexio_id, "code": detail["code"], "params": detail["params"]}
    if waiting is not None:
        return {"state": "conflict", "bexio_id": bexio_id, "code": f"contact-{waiting.kind}-open", "params": {}}
    if pair is None or not pair.linked:
        reason = pair.reason or ARCHIVED if pair and pair.state == "inactive" else DELETED
        return {"state": "inactive", "bexio_id": bexio_id, "code": f"contact-{reason}", "params": {}}
    return {"state": "synced", "bexio_id": bexio_id, "code": None, "params": {}}


@dataclass(frozen=True, slots=True)
class _Push:
    """One contact within one turn."""

    work: Work
    sides: Sides
    kind: Kind
    arcavis_id: int
    settle: timedelta

    async def bring_over(self) -> None:
        work, sides = self.work, self.sides
        refreshing = Refreshing(work, sides.arcavis, sides.bexio, sides.vocabulary)
        known = Record.only(self.arcavis_id)
        (case,) = await refreshing.anew([Case(self.kind, known)], {"arcavis"})
        record = case.arcavis
        if record is None:
            return
        reconciler = self._reconciler()
        try:
            if await self._is_alone(record) and await self._made(record):
                # From here on it is linked, and what the two hold is compared as always.
                await work.reached("contact-pushed")
        except Ambiguous as found:
            # bexio was searched further than the mirror reaches: the question is the one that a run would ask.
            await reconciler.ask(Question(self.kind, record, best(found.candidates)))
        else:
            await reconciler.of_arcavis(self.kind, [record])

    async def _is_alone(self, record: Record) -> bool:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            batch = await loading.of_arcavis(session, work.tenant, self.kind, [record])
        return bool(batch.alone)

    async def _made(self, record: Record) -> bool:
        """Links the contact with what bexio has by now, or makes it there. The mirror may never have been read."""
        vocabulary, user = self.sides.vocabulary, self.sides.vocabulary.user
        if user is None or problem_in_bexio(record.fields, vocabulary) is not None:
            return False
        group = vocabulary.groups.get(self.kind)
        groups = () if group is None else (group,)
        resolution = Resolution(
            work=self.work,
            bexio=self.sides.bexio,
            key=LinkKey(self.work.tenant, self.kind, str(self.arcavis_id)),
            party=record.party,
            new_contact=bexio_contact(record.fields, vocabulary, user, groups=groups),
            settle=self.settle,
        )
        await resolution.contact_id()
        return True

    def _reconciler(self) -> Reconciler:
        sides = self.sides
        now = self.work.clock.now()
        return Reconciler(
            work=self.work,
            bexio=sides.bexio,
            arcavis=sides.arcavis,
            vocabulary=sides.vocabulary,
            terms=Terms(sides.settings.contact_conflict_policy, WRITABLE),
            settle=self.settle,
            run=self.work.subject,
            read_at={"bexio": LONG_AGO, "arcavis": now},
            keep=_keep_nothing,
        )


async def _keep_nothing(session: AsyncConnection, ledger: Ledger) -> None:
    """A single contact has no figures."""
