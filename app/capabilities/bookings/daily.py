"""The daily export: at its time the days that are complete, and every past day that has changed since.

The cursor over changes, the days still waited for, and the export that was asked for are written in one transaction:
a change is never forgotten, whatever dies in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings import asking, exports, paid_invoices
from app.capabilities.bookings.completeness import (
    Till,
    Traded,
    days_between,
    end_of,
    last_time,
    next_time,
    silent_tills,
)
from app.capabilities.bookings.exports import EXPORT, MODULE, Asked
from app.capabilities.tenancy.config import TenantConfig, load
from app.connectors.access import RemoteAccess
from app.connectors.arcavis.client import Arcavis
from app.core.clock import Clock
from app.core.errors import ConnectionRefused, RemoteRejected
from app.core.priority import Priority
from app.core.swiss_time import ZURICH, today
from app.db.attention import Subject, close_items, raise_item
from app.jobs import operations
from app.jobs.operations import Operation
from app.jobs.outcomes import Later, Outcome
from app.jobs.work import Work

KIND = "bookings.daily"
STATE = "bookings.daily"
# A till that is switched off over night speaks up in the morning; after this long somebody should look.
ALARM = timedelta(hours=12)
RETRY = timedelta(hours=1)
IDLE = timedelta(days=1)
# What was written around the last look may have been seen by it, or not: its days are planned once more.
OVERLAP = timedelta(minutes=10)

_READ = text("select value from cursor where name = :name")
_KEEP = text(
    "insert into cursor (tenant_id, name, value, updated_at) values (:tenant, :name, :value, :now)"
    " on conflict (tenant_id, name) do update set value = excluded.value, updated_at = excluded.updated_at"
)
_FORGET = text("delete from cursor where tenant_id = :tenant and name = :name")
_EXPORTED = text(
    "select distinct sale_day from booking_export_day where tenant_id = :tenant"
    " and sale_day = any(cast(:days as date[])) and state in ('posted', 'unchanged')"
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the daily export is. `since` is its first day, `through` the last one that is no longer to come."""

    ticks: int
    since: date
    through: date
    waiting: tuple[date, ...]
    looked_at: datetime

    def dumped(self) -> str:
        """As text, for the cursor's row."""
        return orjson.dumps(
            {
                "ticks": self.ticks,
                "since": self.since,
                "through": self.through,
                "waiting": self.waiting,
                "looked_at": self.looked_at,
            }
        ).decode()

    @classmethod
    def read(cls, value: str) -> Progress:
        """From the cursor's row."""
        said: Mapping[str, Any] = orjson.loads(value)
        return cls(
            ticks=said["ticks"],
            since=date.fromisoformat(said["since"]),
            through=date.fromisoformat(said["through"]),
            waiting=tuple(date.fromisoformat(day) for day in said["waiting"]),
            looked_at=datetime.fromisoformat(said["looked_at"]),
        )


@dataclass(frozen=True, slots=True)
class DailyHandler:
    """The standing work of a tenant that wants its bookings exported every day."""

    remotes: RemoteAccess
    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """Looks whether it is time; see `app.jobs.work.Handler`."""
        async with work.db.begin(work.tenant) as session:
            config = await load(session, work.tenant)
            value = (await session.execute(_READ, {"name": STATE})).scalar_one_or_none()
            if not config.settings.daily_booking_export_enabled or MODULE not in config.modules:
                # Switched on again it begins anew: what lies between was left out on purpose.
                await session.execute(_FORGET, {"tenant": work.tenant, "name": STATE})
                return Later(IDLE, "next-poll", succeeded=True)
        try:
            arcavis = await self.remotes.arcavis(work.tenant)
            progress = await self._round(work, config, arcavis, Progress.read(value) if value else None)
        except ConnectionRefused:
            raise
        except RemoteRejected as error:
            # Standing work never ends: a person is told, and the next round tries again.
            async with work.db.begin(work.tenant) as session:
                subject = Subject(work.tenant, KIND, work.subject)
                await raise_item(session, subject, code=error.code, params=error.params, now=self.clock.now())
            return Later(RETRY, error.code)
        now = self.clock.now()
        pause = next_time(now, config.settings.daily_booking_export_time) - now
        return Later(min(pause, RETRY) if progress.waiting else pause, "next-poll", succeeded=True)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Everything was stored with the export that it led to."""

    async def _round(self, work: Work, config: TenantConfig, arcavis: Arcavis, progress: Progress | None) -> Progress:
        now = self.clock.now()
        day = today(now)
        if progress is None:
            progress = Progress(await arcavis.transactions.now(), day, day - timedelta(days=1), (), now)
            async with work.db.begin(work.tenant) as session:
                await operations.hold(session, work.operation)
                await _keep(session, work.tenant, progress, now)
            return progress
        if not _is_due(progress, config, now):
            return progress
        return await self._look(work, arcavis, progress, now)

    async def _look(self, work: Work, arcavis: Arcavis, progress: Progress, now: datetime) -> Progress:
        day = today(now)
        ticks, changed = await _changes(arcavis, progress.ticks)
        candidates = {*progress.waiting, *days_between(progress.through + timedelta(days=1), day)}
        tills = [
            _till(row.id, row.title, row.is_active, row.synched_time) for row in await arcavis.points_of_sale.list()
        ]
        silent = {one: await _silent(arcavis, one, tills) for one in sorted(candidates)}
        complete = {one for one, missing in silent.items() if not missing}
        waiting = sorted(one for one in candidates - complete if one < day)
        # A day that went out in its evening stays so, whatever makes us look again before midnight.
        through = day if day in complete else max(progress.through, day - timedelta(days=1))
        following = replace(progress, ticks=ticks, through=through, waiting=tuple(waiting), looked_at=now)
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            changed |= await paid_invoices.exported_before(session, work.tenant, progress.looked_at - OVERLAP)
            changed = {one for one in changed if one < day or one <= progress.through} - set(waiting)
            days = complete | await _known(session, work.tenant, progress.since, changed)
            days |= await asking.asked_about(session, work.tenant) - set(waiting)
            days -= await exports.taken_back(session, work.tenant, sorted(days))
            if days:
                asked = Asked(EXPORT, tuple(sorted(days)), "system", priority=Priority.BULK, daily=True)
                await exports.create(session, work.tenant, asked, now)
            await _keep(session, work.tenant, following, now)
            await _alarm(session, work, {one: silent[one] for one in waiting}, now)
        return following


def _is_due(progress: Progress, config: TenantConfig, now: datetime) -> bool:
    """Whether its time has come since the last look, or a day is waited for."""
    if progress.looked_at < last_time(now, config.settings.daily_booking_export_time):
        return True
    return bool(progress.waiting) and now >= progress.looked_at + RETRY


async def _changes(arcavis: Arcavis, ticks: int) -> tuple[int, set[date]]:
    """The next cursor, and the sale days of what is new or changed."""
    cursor: int | None = None
    days = set[date]()
    async for page in arcavis.transactions.changes(ticks):
        cursor = cursor or page.data_age_ticks
        days |= {row.sale_day.date() for row in page.result if not row.is_end_of_day_transaction}
    return cursor or ticks, days


async def _silent(arcavis: Arcavis, day: date, tills: Sequence[Till]) -> list[Till]:
    """The tills that may still hold receipts of a day; its closings are only read when they matter."""
    if not silent_tills(day, tills, Traded(sold=frozenset(till.id for till in tills))):
        return []
    sold, closed = set[str](), set[str]()
    async for page in arcavis.transactions.pages(day, day):
        for row in page.result:
            (closed if row.is_end_of_day_transaction else sold).add(str(row.point_of_sale_id))
    return silent_tills(day, tills, Traded(frozenset(sold), frozenset(closed)))


def _till(till: int, title: str, active: bool, heard: datetime | None) -> Till:  # noqa: FBT001 - a till's own fields
    return Till(str(till), title, active, heard)


async def _known(session: AsyncConnection, tenant: UUID, since: date, days: Iterable[date]) -> set[date]:
    """Of changed days, those that the daily export is about, or that somebody exported before."""
    asked = set(days)
    rows = await session.execute(_EXPORTED, {"tenant": tenant, "days": sorted(asked)})
    return {day for day in asked if day >= since} | {row.sale_day for row in rows}


async def _keep(session: AsyncConnection, tenant: UUID, progress: Progress, now: datetime) -> None:
    values = {"tenant": tenant, "name": STATE, "value": progress.dumped(), "now": now}
    await session.execute(_KEEP, values)


async def _alarm(session: AsyncConnection, work: Work, silent: Mapping[date, Sequence[Till]], now: datetime) -> None:
    """Tells a person about tills that stay silent; says so no more once they are heard."""
    subject = Subject(work.tenant, KIND, work.subject)
    late = {day: tills for day, tills in silent.items() if now >= end_of(day) + ALARM}
    if not late:
        await close_items(session, subject, state="resolved", actor="system", now=now)
        return
    heard = {till.title: till.heard_at for tills in late.values() for till in tills}
    params = {
        "tills": ", ".join(sorted(heard)),
        "day": min(late).isoformat(),
        "count": str(len(late)),
        "heard": ", ".join(_when(heard[title]) for title in sorted(heard)),
    }
    await raise_item(session, subject, code="till-silent", params=params, now=now)


def _when(moment: datetime | None) -> str:
    return "?" if moment is None else moment.astimezone(ZURICH).strftime("%d.%m.%Y %H:%M")
