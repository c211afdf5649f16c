"""Explaining entries, and releasing those that somebody deleted in bexio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.api.auth import TenantCaller
from app.capabilities.bookings import entry_store
from app.capabilities.bookings.entry_store import StoredEntry, Wanted
from app.capabilities.bookings.readback import landed
from app.connectors.access import RemoteAccess
from app.connectors.bexio.manual_entries import ManualEntry
from app.core.clock import Clock
from app.core.errors import Conflict
from app.core.priority import Priority
from app.db import audit
from app.db.session import Database


@dataclass(frozen=True, slots=True)
class EntryService:
    """The use cases over one set of resources."""

    db: Database
    clock: Clock
    remotes: RemoteAccess

    async def get(self, tenant: UUID, entry: UUID) -> StoredEntry:
        """One entry with the receipts behind each line.

        Raises:
            NotFound: `entry-not-found`.
        """
        async with self.db.begin(tenant) as session:
            return await entry_store.read(session, entry)

    async def listing(self, tenant: UUID, wanted: Wanted, page: Mapping[str, Any]) -> list[StoredEntry]:
        """Entries, newest first."""
        async with self.db.begin(tenant) as session:
            return await entry_store.listing(session, tenant, wanted, page)

    async def of_receipt(self, tenant: UUID, receipt: str) -> list[Any]:
        """What a receipt has of entries.

        Raises:
            NotFound: `receipt-not-exported`.
        """
        async with self.db.begin(tenant) as session:
            return await entry_store.of_receipt(session, tenant, receipt)

    async def release(self, caller: TenantCaller, entry: UUID) -> StoredEntry:
        """Lets an entry that was deleted in bexio count as not posted, after a look that it is gone.

        Raises:
            NotFound: `entry-not-found`.
            Conflict: `entry-still-there`, `entry-not-posted`.
        """
        found = await self.get(caller.tenant, entry)
        if found.group.state != "posted":
            raise Conflict("entry-not-posted", reference=found.group.reference)
        there = await self._there(caller.tenant, found)
        if there:
            ids = ", ".join(str(one.id) for one in there)
            raise Conflict("entry-still-there", reference=found.group.reference, entries=ids)
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            if not await entry_store.release(session, entry, now):
                raise Conflict("entry-not-posted", reference=found.group.reference)
            await audit.append(
                session,
                tenant=caller.tenant,
                now=now,
                actor=caller.actor,
                action="bookings.release",
                subject_kind="booking_entry",
                subject_id=entry,
                detail={"reference": found.group.reference, "bexio_id": str(found.group.bexio_id)},
            )
            return await entry_store.read(session, entry)

    async def _there(self, tenant: UUID, found: StoredEntry) -> list[ManualEntry]:
        """The entries in bexio that are this one: by its id or its number."""
        bexio = await self.remotes.bexio(tenant, Priority.BACKOFFICE)
        present: list[ManualEntry] = []
        async for page in bexio.manual_entries.pages():
            named = landed(found.group.request, page)
            present += [*named, *(one for one in page if one.id == found.group.bexio_id and one not in named)]
        return present
