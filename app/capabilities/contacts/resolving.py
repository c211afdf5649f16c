"""What a person decided about a contact, carried out: one side's values, another link, or a contact of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import conflicts, pairs
from app.capabilities.contacts.cases import Case
from app.capabilities.contacts.fields import Kind, Side
from app.capabilities.contacts.ledger import Ledger
from app.capabilities.contacts.reconcile import Reconciler, Terms
from app.capabilities.contacts.records import Record
from app.capabilities.contacts.refreshing import Refreshing
from app.capabilities.contacts.sides import Opening, Sides
from app.capabilities.parties import links
from app.capabilities.parties.links import LinkKey
from app.core.clock import Clock
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, Halt, NeedsAttention, Outcome
from app.jobs.work import Work

KIND = "contacts.resolve"
BOTH: tuple[Side, ...] = ("arcavis", "bexio")
CREATE = "create"
LINK = "link:"


@dataclass(frozen=True, slots=True)
class ResolveHandler:
    """Carries one decision out; see `app.jobs.work.Handler`."""

    opening: Opening
    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """Both contacts are read anew: the decision holds for what they are now."""
        async with work.db.begin(work.tenant) as session:
            row = await conflicts.read(session, work.subject)
        if row is None or row.state != "resolving":
            return Done()
        sides = await self.opening.open(work, writes_to_bexio=True)
        await _Resolving(work, sides, row, self.opening.settle).carry_out()
        return Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """The conflict's own row tells how it stands; one that cannot be carried out is open again."""
        if isinstance(outcome, NeedsAttention):
            await conflicts.reopen(session, operation.subject_id, self.clock.now())


@dataclass(frozen=True, slots=True)
class _Resolving:
    """One decision within one turn."""

    work: Work
    sides: Sides
    row: Row[Any]
    settle: timedelta

    @property
    def kind(self) -> Kind:
        return self.row.contact_kind

    async def carry_out(self) -> None:
        use: str = self.row.resolution
        arcavis_id = int(self.row.arcavis_id)
        if use.startswith(LINK):
            await self._link(arcavis_id, int(use.removeprefix(LINK)))
        elif use == CREATE:
            await self._create(arcavis_id)
        else:
            await self._merge(arcavis_id, self.row.bexio_id, "arcavis" if use == "arcavis" else "bexio")

    async def _merge(self, arcavis_id: int, bexio_id: int, use: Side) -> None:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            pair = (await pairs.by_arcavis(session, work.tenant, self.kind, [arcavis_id])).get(arcavis_id)
        case = Case(self.kind, Record.only(arcavis_id), Record.only(bexio_id), pair)
        await self._reconciler(Terms(use, BOTH)).single(await self._read(case))

    async def _link(self, arcavis_id: int, bexio_id: int) -> None:
        work = self.work
        case = await self._read(Case(self.kind, Record.only(arcavis_id), Record.only(bexio_id)))
        if await self._is_settled(case):
            return
        if case.bexio is None or case.bexio.gone:
            # Another contact may be chosen: the question is open again, and says why.
            params = {"customer": str(arcavis_id), "contact": str(bexio_id)}
            raise Halt(NeedsAttention("contact-gone", params))
        async with work.db.begin(work.tenant) as session:
            taken = (await pairs.by_bexio(session, work.tenant, [bexio_id])).get((self.kind, bexio_id))
        if taken is not None and taken.linked and taken.arcavis_id != arcavis_id:
            # Two Arcavis contacts are one in bexio: invoices go there, the sync keeps to the first of the two.
            key = LinkKey(work.tenant, self.kind, str(arcavis_id))
            async with work.db.begin(work.tenant) as session:
                await links.decide(session, key, bexio_id, self.row.resolved_by, work.clock.now())
            await self._reconciler(self._terms()).rest(Case(self.kind, case.arcavis))
            return
        said = Case(self.kind, case.arcavis, case.bexio, None, (f"said by {self.row.resolved_by}",))
        await self._reconciler(self._terms()).single(said)

    async def _create(self, arcavis_id: int) -> None:
        case = await self._read(Case(self.kind, Record.only(arcavis_id)), sides=("arcavis",))
        if await self._is_settled(case):
            return
        reconciler = self._reconciler(self._terms())
        await reconciler.recover()
        async with self.work.db.begin(self.work.tenant) as session:
            known = (await pairs.by_arcavis(session, self.work.tenant, self.kind, [arcavis_id])).get(arcavis_id)
        if known is None or not known.linked:
            await reconciler.create(case)

    async def _is_settled(self, case: Case) -> bool:
        """Whether the contact is no longer in Arcavis: then nothing is left to decide."""
        if case.arcavis is not None and not case.arcavis.gone:
            return False
        await self._reconciler(self._terms()).rest(Case(self.kind, Record.only(int(self.row.arcavis_id))))
        return True

    async def _read(self, case: Case, sides: tuple[Side, ...] = BOTH) -> Case:
        own = self.sides
        (fresh,) = await Refreshing(self.work, own.arcavis, own.bexio, own.vocabulary).anew([case], sides)
        return fresh

    def _terms(self) -> Terms:
        return Terms(self.sides.settings.contact_conflict_policy, BOTH)

    def _reconciler(self, terms: Terms) -> Reconciler:
        sides, now = self.sides, self.work.clock.now()
        return Reconciler(
            work=self.work,
            bexio=sides.bexio,
            arcavis=sides.arcavis,
            vocabulary=sides.vocabulary,
            terms=terms,
            settle=self.settle,
            run=self.work.subject,
            read_at={"bexio": now, "arcavis": now},
            keep=_keep_nothing,
        )


async def _keep_nothing(session: AsyncConnection, ledger: Ledger) -> None:
    """A single contact has no figures."""


def is_possible(row: Row[Any], use: str) -> bool:
    """Whether a decision fits the conflict."""
    by_kind = {"match": use == CREATE or use.startswith(LINK), "field": use in BOTH}
    return by_kind.get(row.kind, False)
