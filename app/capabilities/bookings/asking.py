"""What a person is asked about sales on invoice: an item for each day and flaw, as long as the flaw is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings.invoiced import WATCHED
from app.db.attention import Subject, close_codes, raise_item

KIND = "bookings.day"

_OPEN = text(
    "select distinct cast(params ->> 'day' as date) as day from attention"
    " where tenant_id = :tenant and subject_kind = 'bookings.day' and state = 'open'"
)


async def ask(
    session: AsyncConnection, tenant: UUID, day: date, findings: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Opens or refreshes the items of a day; those whose flaw is gone are closed."""
    subject = Subject(tenant, KIND, uuid5(tenant, day.isoformat()))
    found = {one["code"]: one["params"] for one in findings if one["code"] in WATCHED}
    for code, params in found.items():
        said = {**params, "receipts": f"{params['receipts']} ({day:%d.%m.%Y})", "day": day.isoformat()}
        await raise_item(session, subject, code=code, params=said, now=now)
    gone = [code for code in WATCHED if code not in found]
    await close_codes(session, subject, gone, actor="system", now=now)


async def asked_about(session: AsyncConnection, tenant: UUID) -> set[date]:
    """The days with an open item: planned again they tell whether it is still so."""
    return {row.day for row in await session.execute(_OPEN, {"tenant": tenant})}
