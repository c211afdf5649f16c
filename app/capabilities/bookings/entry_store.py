"""Entries as they are explained: from an entry down to its receipts, and from a receipt up to its entries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import NotFound

_GROUP = (
    "select g.id, g.export_id, g.sale_day, g.sequence, g.reference, g.booked_on, g.state, g.bexio_id, g.posted_at,"
    " g.created_at, g.request, (select f.id from booking_group f where f.tenant_id = g.tenant_id"
    " and f.sale_day = g.sale_day and f.state = 'posted' and f.sequence < g.sequence order by f.sequence limit 1)"
    " as follows from booking_group g"
)
_ONE = text(f"{_GROUP} where g.id = :id")
_LIST = text(
    f"{_GROUP} where g.tenant_id = :tenant and g.state <> 'planned'"
    " and (cast(:bexio_id as bigint) is null or g.bexio_id = :bexio_id)"
    " and (cast(:day as date) is null or g.sale_day = :day)"
    " and (cast(:export as uuid) is null or g.export_id = :export)"
    " and (cast(:after_at as timestamptz) is null or (g.created_at, g.id) < (:after_at, cast(:after_id as uuid)))"
    " order by g.created_at desc, g.id desc limit :fetch"
)
_LINES = text(
    "select l.id, l.group_id, l.place, l.rule_id, l.rule_version, l.title, l.group_key, l.debit_account,"
    " l.credit_account, l.tax_id, l.tax_account, l.tax_code, l.amount, l.desired, l.posted, l.till_tax, l.receipts,"
    " l.text from booking_line l where l.group_id = any(cast(:groups as uuid[])) order by l.group_id, l.place"
)
_RECEIPTS = text(
    "select line_id, receipt_id, number, amount from booking_line_receipt where line_id = any(cast(:lines as uuid[]))"
    " order by line_id, number, receipt_id"
)
_OF_RECEIPT = text(
    "select g.id as entry_id, g.export_id, g.sale_day, g.reference, g.booked_on, g.state, g.bexio_id, l.rule_id,"
    " l.rule_version, l.title, l.debit_account, l.credit_account, l.tax_code, l.text, r.number, r.amount"
    " from booking_line_receipt r join booking_line l on l.id = r.line_id join booking_group g on g.id = l.group_id"
    " where r.tenant_id = :tenant and r.receipt_id = :receipt and g.state in ('sending', 'posted')"
    " order by g.sale_day, g.sequence, l.place limit :most"
)
_RELEASE = text("update booking_group set state = 'released', updated_at = :now where id = :id and state = 'posted'")
MOST_OF_RECEIPT = 500


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry with its lines, and the receipts behind each line by the line's id."""

    group: Row[Any]
    lines: Sequence[Row[Any]]
    receipts: Mapping[UUID, Sequence[Row[Any]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries a list shows."""

    bexio_id: int | None = None
    day: date | None = None
    export: UUID | None = None


async def read(session: AsyncConnection, entry: UUID) -> StoredEntry:
    """One entry with everything behind it.

    Raises:
        NotFound: `entry-not-found`.
    """
    group = (await session.execute(_ONE, {"id": entry})).first()
    if group is None:
        raise NotFound("entry-not-found")
    lines = (await session.execute(_LINES, {"groups": [entry]})).all()
    receipts: dict[UUID, list[Row[Any]]] = {}
    for row in await session.execute(_RECEIPTS, {"lines": [line.id for line in lines]}):
        receipts.setdefault(row.line_id, []).append(row)
    return StoredEntry(group, lines, receipts)


async def listing(session: AsyncConnection, tenant: UUID, wanted: Wanted, page: Mapping[str, Any]) -> list[StoredEntry]:
    """Entries with their lines, newest first, without the receipts."""
    values = {**page, "tenant": tenant, "bexio_id": wanted.bexio_id, "day": wanted.day, "export": wanted.export}
    groups = (await session.execute(_LIST, values)).all()
    lines: dict[UUID, list[Row[Any]]] = {}
    for row in await session.execute(_LINES, {"groups": [group.id for group in groups]}):
        lines.setdefault(row.group_id, []).append(row)
    return [StoredEntry(group, lines.get(group.id, []), {}) for group in groups]


async def of_receipt(session: AsyncConnection, tenant: UUID, receipt: str) -> list[Row[Any]]:
    """What a receipt has of lines that stand in bexio.

    Raises:
        NotFound: `receipt-not-exported`.
    """
    values = {"tenant": tenant, "receipt": receipt, "most": MOST_OF_RECEIPT}
    rows = list(await session.execute(_OF_RECEIPT, values))
    if not rows:
        raise NotFound("receipt-not-exported", receipt=receipt)
    return rows


async def release(session: AsyncConnection, entry: UUID, now: datetime) -> bool:
    """From now on the entry does not count as posted."""
    return (await session.execute(_RELEASE, {"id": entry, "now": now})).rowcount == 1
