"""Exports and their days: what was asked for, and what became of each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings.findings import Finding
from app.core.errors import NotFound
from app.core.priority import Priority
from app.jobs import runs

EXPORT, REVERSE = "bookings.export", "bookings.reverse"
MODULE = "accounting_export"
DayState = Literal["expected", "posted", "unchanged", "held", "failed", "changed"]
SETTLED_DAYS = frozenset({"posted", "unchanged"})
"""What is not among them is tried again when the export is."""

_COLUMNS = (
    "id, kind, first_day, last_day, state, plan_hash, reverses, asked_by, detail, created_at, updated_at, finished_at"
)
_ADD = text(
    "insert into booking_export (id, tenant_id, run_id, kind, first_day, last_day, state, plan_hash, reverses,"
    " asked_by, detail, created_at, updated_at) values (:id, :tenant, :id, :kind, :first, :last, 'waiting',"
    " :plan_hash, :reverses, :asked_by, :detail, :now, :now)"
).bindparams(bindparam("detail", type_=JSONB))
_READ = text(f"select {_COLUMNS} from booking_export where id = :id")  # noqa: S608 - constant
_LIST = text(
    f"select {_COLUMNS} from booking_export where tenant_id = :tenant"  # noqa: S608 - constant
    " and (cast(:after_at as timestamptz) is null or (created_at, id) < (:after_at, cast(:after_id as uuid)))"
    " order by created_at desc, id desc limit :fetch"
)
_STATE = text(
    "update booking_export set state = :state, updated_at = :now, finished_at ="
    " case when :state in ('done', 'failed', 'cancelled') then cast(:now as timestamptz) end where id = :id"
)
_DAYS = text(
    "select sale_day, state, booked_on, digest, entries, proof, findings, updated_at from booking_export_day"
    " where export_id = :export order by sale_day"
)
_DAY = text(
    "insert into booking_export_day (tenant_id, export_id, sale_day, state, booked_on, digest, entries, proof,"
    " findings, updated_at) values (:tenant, :export, :day, :state, :booked_on, :digest, :entries, :proof, :findings,"
    " :now) on conflict (export_id, sale_day) do update set state = excluded.state, booked_on = excluded.booked_on,"
    " digest = excluded.digest, entries = excluded.entries, proof = excluded.proof,"
    " findings = excluded.findings, updated_at = excluded.updated_at"
).bindparams(bindparam("proof", type_=JSONB), bindparam("findings", type_=JSONB))
_OTHER = text(
    "select 1 from run where tenant_id = :tenant and kind in ('bookings.export', 'bookings.reverse')"
    " and state in ('waiting', 'running')"
    " and (created_at, id) < (select created_at, id from run where id = :id) limit 1"
)
_OUTDATED = text(
    "select distinct d.export_id, e.kind from booking_export_day d join booking_export e on e.id = d.export_id"
    " where d.tenant_id = :tenant and d.export_id <> :export and d.sale_day = any(cast(:days as date[]))"
    " and d.state in ('held', 'failed', 'changed') and not exists (select 1 from booking_export_day o"
    " where o.export_id = d.export_id and o.state in ('held', 'failed', 'changed') and not exists ("
    " select 1 from booking_export_day l where l.tenant_id = o.tenant_id and l.sale_day = o.sale_day"
    " and l.updated_at > o.updated_at and l.state in ('posted', 'unchanged')))"
)
_TAKEN_BACK = text(
    "select distinct on (d.sale_day) d.sale_day, e.kind from booking_export_day d"
    " join booking_export e on e.id = d.export_id where d.tenant_id = :tenant and d.state in ('posted', 'unchanged')"
    " and d.sale_day = any(cast(:days as date[])) order by d.sale_day, d.updated_at desc"
)
_POSTED_DAYS = text(
    "select distinct sale_day from booking_group where export_id = :export and state in ('sending', 'posted')"
    " order by sale_day"
)


@dataclass(frozen=True, slots=True)
class Export:
    """An export, or the reversal of one. `days` are those it is about; its id is its run's."""

    id: UUID
    kind: str
    days: tuple[date, ...]
    state: str
    plan_hash: str | None
    reverses: UUID | None
    asked_by: str
    detail: Mapping[str, Any]
    created_at: datetime
    finished_at: datetime | None

    @property
    def reverse(self) -> bool:
        """Whether it takes back."""
        return self.kind == REVERSE


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants exported, or taken back."""

    kind: str
    days: tuple[date, ...]
    asked_by: str
    plan_hash: str | None = None
    reverses: UUID | None = None
    priority: Priority = Priority.BACKOFFICE
    daily: bool = False


@dataclass(frozen=True, slots=True)
class DayResult:
    """What became of a day. `entries` are those in bexio for this export; `findings` as they are stored."""

    day: date
    state: DayState
    booked_on: date
    digest: bytes = field(default=b"", repr=False)
    entries: int = 0
    findings: tuple[Mapping[str, Any], ...] = ()
    proof: Mapping[str, Any] = field(default_factory=dict[str, Any])
    updated_at: datetime | None = None


async def create(session: AsyncConnection, tenant: UUID, asked: Asked, now: datetime) -> UUID:
    """A new export with the run that does it."""
    days = [day.isoformat() for day in asked.days]
    said = {"from": days[0], "to": days[-1], "days": len(days), "daily": asked.daily}
    if asked.reverses is not None:
        said["reverses"] = str(asked.reverses)
    run = await runs.create(
        session, tenant=tenant, kind=asked.kind, priority=asked.priority, now=now, total=len(days), detail=said
    )
    values = {
        "id": run,
        "tenant": tenant,
        "kind": asked.kind,
        "first": asked.days[0],
        "last": asked.days[-1],
        "plan_hash": asked.plan_hash,
        "reverses": asked.reverses,
        "asked_by": asked.asked_by,
        "detail": {"days": days, "daily": asked.daily},
        "now": now,
    }
    await session.execute(_ADD, values)
    return run


async def read(session: AsyncConnection, export: UUID) -> Export:
    """One export of the transaction's tenant.

    Raises:
        NotFound: `export-not-found`.
    """
    row = (await session.execute(_READ, {"id": export})).first()
    if row is None:
        raise NotFound("export-not-found")
    return _export(row)


async def listing(session: AsyncConnection, tenant: UUID, page: Mapping[str, Any]) -> list[Export]:
    """Exports, newest first; `page` as `Paging.values` gives it."""
    return [_export(row) for row in await session.execute(_LIST, {**page, "tenant": tenant})]


def _export(row: Row[Any]) -> Export:
    return Export(
        id=row.id,
        kind=row.kind,
        days=tuple(date.fromisoformat(day) for day in row.detail["days"]),
        state=row.state,
        plan_hash=row.plan_hash,
        reverses=row.reverses,
        asked_by=row.asked_by,
        detail=row.detail,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


async def results(session: AsyncConnection, export: UUID) -> dict[date, DayResult]:
    """What became of its days so far."""
    return {row.sale_day: _result(row) for row in await session.execute(_DAYS, {"export": export})}


def _result(row: Row[Any]) -> DayResult:
    return DayResult(
        day=row.sale_day,
        state=row.state,
        booked_on=row.booked_on,
        digest=row.digest,
        entries=row.entries,
        findings=tuple(row.findings),
        proof=row.proof,
        updated_at=row.updated_at,
    )


async def keep(session: AsyncConnection, tenant: UUID, export: UUID, result: DayResult, now: datetime) -> None:
    """Records what became of a day."""
    values = {
        "tenant": tenant,
        "export": export,
        "day": result.day,
        "state": result.state,
        "booked_on": result.booked_on,
        "digest": result.digest,
        "entries": result.entries,
        "proof": dict(result.proof),
        "findings": [dict(finding) for finding in result.findings],
        "now": now,
    }
    await session.execute(_DAY, values)


def said(finding: Finding) -> dict[str, Any]:
    """A finding as it is stored."""
    return {
        "code": finding.code,
        "severity": finding.severity,
        "days": [day.isoformat() for day in finding.days],
        "about": list(finding.about),
        "params": dict(finding.params),
        "examples": [{"id": one.id, "number": one.number} for one in finding.examples],
        "count": finding.count,
    }


async def note_state(session: AsyncConnection, export: UUID, state: str, now: datetime) -> None:
    """The export's own state, as its run's."""
    await session.execute(_STATE, {"id": export, "state": state, "now": now})


async def must_wait(session: AsyncConnection, tenant: UUID, export: UUID) -> bool:
    """Whether an export that was asked for before is not finished: one at a time."""
    return (await session.execute(_OTHER, {"tenant": tenant, "id": export})).first() is not None


async def outdated(session: AsyncConnection, tenant: UUID, export: UUID, days: Sequence[date]) -> list[Row[Any]]:
    """Earlier exports that were held up over these days and have nothing left to wait for."""
    values = {"tenant": tenant, "export": export, "days": list(days)}
    return list((await session.execute(_OUTDATED, values)).all())


async def taken_back(session: AsyncConnection, tenant: UUID, days: Sequence[date]) -> set[date]:
    """Of these days, those that somebody reversed last: only a person exports them again."""
    rows = await session.execute(_TAKEN_BACK, {"tenant": tenant, "days": list(days)})
    return {row.sale_day for row in rows if row.kind == REVERSE}


async def posted_days(session: AsyncConnection, export: UUID) -> tuple[date, ...]:
    """The days for which an export posted something."""
    return tuple(row.sale_day for row in await session.execute(_POSTED_DAYS, {"export": export}))
