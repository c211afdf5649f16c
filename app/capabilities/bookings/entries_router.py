"""`/bookings/entries`, `/bookings/receipts`, `/bookings/reconciliation`: what stands in bexio, and why."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query

from app.api.deps import IdempotencyKey, Language, PageParams
from app.api.pagination import Page, Position
from app.api.problems import problems
from app.capabilities.bookings import entry_views
from app.capabilities.bookings.deps import Accountant, Entries, Reconciling
from app.capabilities.bookings.entry_schemas import BookingEntry, LedgerComparison, ReceiptEntries
from app.capabilities.bookings.entry_store import Wanted
from app.core.errors import Conflict, ConnectionRefused, Forbidden, InvalidInput, NotFound, RemoteUnavailable

router = APIRouter(prefix="/bookings", tags=["bookings"])


@router.get("/entries", responses=problems(Forbidden, InvalidInput))
async def list_booking_entries(
    caller: Accountant,
    service: Entries,
    paging: PageParams,
    bexio_id: Annotated[int | None, Query(ge=1, lt=2**53, description="The entry with this id in bexio.")] = None,
    day: Annotated[date | None, Query(description="Only this sale day.")] = None,
    export: Annotated[UUID | None, Query(description="Only entries of this export.")] = None,
) -> Page[BookingEntry]:
    """Entries that were sent to bexio, the latest first."""
    found = await service.listing(caller.tenant, Wanted(bexio_id, day, export), paging.values)
    return paging.page(found, lambda one: Position(one.group.created_at, one.group.id), entry_views.entry)


@router.get("/entries/{entry_id}", responses=problems(Forbidden, NotFound))
async def explain_booking_entry(entry_id: UUID, caller: Accountant, service: Entries) -> BookingEntry:
    """One entry down to its receipts: rule and version, what should stand, what stood before, who adds how much."""
    return entry_views.entry(await service.get(caller.tenant, entry_id), with_receipts=True)


@router.post(
    "/entries/{entry_id}/release",
    responses=problems(Forbidden, NotFound, Conflict, ConnectionRefused, RemoteUnavailable),
)
async def release_booking_entry(
    entry_id: UUID, caller: Accountant, _key: IdempotencyKey, service: Entries
) -> BookingEntry:
    """Lets an entry that somebody deleted in bexio count as not posted, so that the next export posts it again.

    bexio is asked first: an entry that still stands there is not released.
    """
    return entry_views.entry(await service.release(caller, entry_id), with_receipts=True)


@router.get("/receipts/{transaction_id}", responses=problems(Forbidden, NotFound))
async def explain_receipt(
    transaction_id: Annotated[str, Path(pattern=r"^[0-9]{1,20}$", description="Arcavis' id of the receipt.")],
    caller: Accountant,
    service: Entries,
) -> ReceiptEntries:
    """A receipt up to the entries that contain it, with its part of each."""
    return entry_views.receipt(transaction_id, await service.of_receipt(caller.tenant, transaction_id))


@router.get("/reconciliation", responses=problems(Forbidden, InvalidInput, ConnectionRefused, RemoteUnavailable))
async def reconcile_bookings(
    caller: Accountant,
    service: Reconciling,
    language: Language,
    first: Annotated[date, Query(alias="from", description="First sale day.")],
    last: Annotated[date, Query(alias="to", description="Last sale day.")],
) -> LedgerComparison:
    """Arcavis against our log against what bexio holds now: what is missing, changed, deleted, doubled or foreign."""
    return entry_views.comparison(await service.compare(caller.tenant, first, last), language)
