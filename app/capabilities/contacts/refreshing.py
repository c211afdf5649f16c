"""Looking at single contacts again: partners that were never read, and targets that were read long ago."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.capabilities.contacts import records
from app.capabilities.contacts.cases import Case
from app.capabilities.contacts.editing import record_of
from app.capabilities.contacts.fields import Kind, Side
from app.capabilities.contacts.mapping import Vocabulary, from_arcavis, referenced
from app.capabilities.contacts.records import Place, Record
from app.capabilities.contacts.writing import contacts_of, together
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import Contact
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.criteria import Criterion
from app.core.errors import ConnectorError, RemoteNotFound
from app.jobs.work import Work


def record_from(contact: Contact) -> Record:
    """An Arcavis contact as it is kept."""
    return Record(
        contact.id, from_arcavis(contact), contact.number, made_from=referenced(contact), gone=contact.is_deleted
    )


@dataclass(frozen=True, slots=True)
class Refreshing:
    """Reads single contacts and keeps them."""

    work: Work
    arcavis: Arcavis
    bexio: Bexio
    vocabulary: Vocabulary

    async def complete(self, cases: Sequence[Case]) -> list[Case]:
        """The cases with the partners that were never read, as those that a sale linked are."""
        open_ = [case for case in cases if case.pair is not None and (case.arcavis is None or case.bexio is None)]
        if not open_:
            return list(cases)
        read = dict(zip(map(id, open_), await self.anew(open_, {"arcavis", "bexio"}), strict=True))
        return [read.get(id(case), case) for case in cases]

    async def anew(self, cases: Sequence[Case], sides: Collection[Side]) -> list[Case]:
        """The cases with what those sides hold now; a record that is gone is marked so.

        Raises:
            ConnectorError: a remote is away.
        """
        bexio = await self._from_bexio(cases) if "bexio" in sides else None
        arcavis = await self._from_arcavis(cases) if "arcavis" in sides else None
        fresh: list[Case] = []
        for case in cases:
            there, here = case.bexio, case.arcavis
            if bexio is not None:
                there = bexio.get(_bexio_id(case)) or _gone(there)
            if arcavis is not None:
                here = arcavis.get((case.kind, _arcavis_id(case))) or _gone(here)
            fresh.append(replace(case, arcavis=here, bexio=there))
        return fresh

    async def _from_bexio(self, cases: Sequence[Case]) -> dict[int, Record]:
        ids = sorted({_bexio_id(case) for case in cases})
        found = await self.bexio.contacts.search(Criterion("id", "in", tuple(ids))) if ids else ()
        rows = [record_of(contact, self.vocabulary) for contact in found]
        await self._keep(Place(self.work.tenant, "bexio"), rows, set(ids) - {row.id for row in rows})
        return {row.id: row for row in rows}

    async def _from_arcavis(self, cases: Sequence[Case]) -> dict[tuple[Kind, int], Record]:
        wanted: list[tuple[Kind, int]] = sorted({(case.kind, _arcavis_id(case)) for case in cases})
        calls = [partial(contacts_of(self.arcavis, kind).get, identity) for kind, identity in wanted]
        found: dict[tuple[Kind, int], Record] = {}
        for (kind, identity), outcome in zip(wanted, await together(calls), strict=True):
            if isinstance(outcome, ConnectorError):
                if not isinstance(outcome, RemoteNotFound):
                    raise outcome
                await self._keep(Place(self.work.tenant, "arcavis", kind), [], {identity})
                continue
            row = record_from(outcome)
            found[kind, identity] = row
            place = Place(self.work.tenant, "arcavis", kind)
            await self._keep(place, [] if row.gone else [row], {row.id} if row.gone else set())
        return found

    async def _keep(self, place: Place, rows: Sequence[Record], gone: Collection[int]) -> None:
        async with self.work.db.begin(self.work.tenant) as session:
            await records.store(session, place, rows, pending=True)
            await records.mark_gone(session, place, sorted(gone))


def _bexio_id(case: Case) -> int:
    known = case.bexio.id if case.bexio else case.pair.bexio_id if case.pair else None
    return known or 0


def _arcavis_id(case: Case) -> int:
    return case.arcavis.id if case.arcavis else case.pair.arcavis_id if case.pair else 0


def _gone(record: Record | None) -> Record | None:
    return replace(record, gone=True) if record else None
