"""`connection.keep`: looks after each tenant's connection to bexio, so that it does not end unnoticed.

Standing work. An OAuth connection that nobody used for long is used before its refresh token dies; a personal token
that ends soon is announced; a refresh token that bexio does not know to be unneeded is revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.connection.ending import Ending
from app.capabilities.connection.views import days_left
from app.capabilities.mailing import outbox
from app.capabilities.mailing.outbox import Mail
from app.capabilities.tenancy.guard import TOKEN_ENDED, TOKEN_ENDS
from app.connectors.renewals import Renewals
from app.core.clock import Clock
from app.db.attention import Subject, close_codes, raise_item
from app.db.session import Database
from app.jobs.operations import Operation
from app.jobs.outcomes import Later, Outcome
from app.jobs.work import Work

KEEP = "connection.keep"
WARNED_DAYS_AHEAD = 14
EVERY = timedelta(hours=12)
SOONEST = timedelta(minutes=1)
UNREVOKED_PAUSE = timedelta(minutes=10)

_ROW = text(
    "select company_id, kind, state, secret, company_name, expires_at, generation, renew_from, access_until,"
    " renewed_at, keep_by from bexio_connection"
)
# Who was told and put it aside is not told again of the same day.
_DISMISSED = text(
    "select 1 from attention where tenant_id = :tenant and subject_kind = 'connection' and code = :code"
    " and state = 'dismissed' and params->>'day' = :day"
)


@dataclass(frozen=True, slots=True)
class KeepHandler:
    """See the module."""

    db: Database
    clock: Clock
    renewals: Renewals
    ending: Ending

    async def run(self, work: Work) -> Outcome:
        """See `app.jobs.work.Handler`."""
        now = self.clock.now()
        async with self.db.begin(work.tenant) as session:
            row = (await session.execute(_ROW)).first()
        if row is None:
            return Later(EVERY, "next-poll", succeeded=True)
        if row.state == "disconnected":
            done = await self.ending.finish(work.tenant, "system")
            return Later(EVERY if done else UNREVOKED_PAUSE, "next-poll", succeeded=True)
        if row.kind == "oauth":
            if row.state == "connected" and row.keep_by is not None and row.keep_by <= now:
                await self.renewals.renew(work.tenant, self.renewals.held(work.tenant, row))
                async with self.db.begin(work.tenant) as session:
                    row = (await session.execute(_ROW)).first()
            return Later(_until_needed(row, now), "next-poll", succeeded=True)
        async with self.db.begin(work.tenant) as session:
            await announce_end(session, work.tenant, row, now)
        return Later(EVERY, "next-poll", succeeded=True)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Has nothing to record."""


def _until_needed(row: Row[Any] | None, now: datetime) -> timedelta:
    """A connection that dies sooner than the next round is looked after in time."""
    if row is None or row.state != "connected" or row.keep_by is None:
        return EVERY
    return max(SOONEST, min(EVERY, row.keep_by - now))


async def announce_end(session: AsyncConnection, tenant: UUID, row: Row[Any], now: datetime) -> None:
    """One item, and one mail, for a personal token that ends within two weeks, and one once it has."""
    subject = Subject(tenant, "connection", tenant)
    days = days_left(row.expires_at, now)
    if days is None or days > WARNED_DAYS_AHEAD:
        await close_codes(session, subject, [TOKEN_ENDS, TOKEN_ENDED], actor="system", now=now)
        return
    code, other = (TOKEN_ENDED, TOKEN_ENDS) if row.expires_at <= now else (TOKEN_ENDS, TOKEN_ENDED)
    params = {"day": row.expires_at.date().isoformat(), "days": str(max(days, 0))}
    dismissed = {"tenant": tenant, "code": code, "day": params["day"]}
    if (await session.execute(_DISMISSED, dismissed)).first() is not None:
        return
    await raise_item(session, subject, code=code, params=params, now=now)
    if code == TOKEN_ENDS:
        mail = Mail(f"token-expires/{params['day']}", "mail-token-expires", params)
        await outbox.put(session, tenant, mail, now)
    await close_codes(session, subject, [other], actor="system", now=now)
