"""Asking for exports and reversals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from app.api.auth import TenantCaller
from app.capabilities.bookings import exports
from app.capabilities.bookings.completeness import days_between
from app.capabilities.bookings.export_schemas import ExportRequest, ExportSummary
from app.capabilities.bookings.exports import EXPORT, REVERSE, Asked, Export
from app.capabilities.bookings.plan import plan_hash
from app.capabilities.bookings.planner import Planner
from app.core.clock import Clock
from app.core.errors import Conflict, FieldError, InvalidInput
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db import audit
from app.db.session import Database

MOST_DAYS = 366
# Words of the API, the same in every language: rules, settings, what bexio has for them, and the days themselves.
PARTS = ("rules", "settings", "accounts", "sales")


@dataclass(frozen=True, slots=True)
class ExportService:
    """The use cases over one set of resources. Built once."""

    db: Database
    clock: Clock
    planner: Planner

    async def start(self, caller: TenantCaller, asked: ExportRequest) -> UUID:
        """Starts an export; returns its id, which is its run's.

        Raises:
            InvalidInput: `period-not-valid`.
            Conflict: `plan-changed`: what the caller saw is not what would be posted now.
        """
        days = period(asked.first, asked.last, today(self.clock.now()))
        if asked.plan_hash is not None:
            await self._compare(caller.tenant, days, asked.plan_hash)
        wanted = Asked(EXPORT, tuple(days), caller.actor, asked.plan_hash)
        return await self._create(caller, wanted, "bookings.export")

    async def reverse(self, caller: TenantCaller, export: UUID, day: date | None) -> UUID:
        """Starts taking back what stands in bexio for the days of an export, or for one of them.

        Raises:
            NotFound: `export-not-found`.
            InvalidInput: `booking-day-not-exported`.
        """
        async with self.db.begin(caller.tenant) as session:
            found = await exports.read(session, export)
        if day is not None and day not in found.days:
            errors = [FieldError("/day", "This is not a day of this export.")]
            raise InvalidInput("booking-day-not-exported", errors, day=day)
        days = found.days if day is None else (day,)
        wanted = Asked(REVERSE, days, caller.actor, reverses=export)
        return await self._create(caller, wanted, "bookings.reverse")

    async def listing(self, tenant: UUID, page: Mapping[str, Any]) -> list[Export]:
        """Exports, newest first."""
        async with self.db.begin(tenant) as session:
            return await exports.listing(session, tenant, page)

    async def _create(self, caller: TenantCaller, wanted: Asked, action: str) -> UUID:
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            export = await exports.create(session, caller.tenant, wanted, now)
            detail = {"from": wanted.days[0].isoformat(), "to": wanted.days[-1].isoformat()}
            if wanted.reverses is not None:
                detail["reverses"] = str(wanted.reverses)
            await audit.append(
                session,
                tenant=caller.tenant,
                now=now,
                actor=caller.actor,
                action=action,
                subject_kind="run",
                subject_id=export,
                detail=detail,
            )
        return export

    async def _compare(self, tenant: UUID, days: list[date], seen: str) -> None:
        planning = await self.planner.open(tenant, Priority.BACKOFFICE)
        plans = [(await planning.day(day)).plan for day in days]
        now = plan_hash(plans, planning.terms, planning.rules)
        if now != seen:
            raise Conflict("plan-changed", what=what_changed(seen, now))


def period(first: date, last: date, latest: date) -> list[date]:
    """The sale days of a period.

    Raises:
        InvalidInput: `period-not-valid`: the wrong way round, too long, or not over yet.
    """
    if last < first:
        raise InvalidInput("period-not-valid", [FieldError("/to", "This lies before the first day.")], most=MOST_DAYS)
    if (last - first).days >= MOST_DAYS:
        errors = [FieldError("/to", "At most {most} days.", {"most": str(MOST_DAYS)})]
        raise InvalidInput("period-not-valid", errors, most=MOST_DAYS)
    if last > latest:
        raise InvalidInput("period-not-valid", [FieldError("/to", "This lies in the future.")], most=MOST_DAYS)
    return days_between(first, last)


def what_changed(seen: str, now: str) -> str:
    """Which parts of a plan are not as they were."""
    before, after = seen.split("."), now.split(".")
    if len(before) != len(after):
        return ", ".join(PARTS)
    return ", ".join(name for name, one, other in zip(PARTS, before, after, strict=True) if one != other)


def summary(export: Export) -> ExportSummary:
    """An export as lists show it."""
    return ExportSummary.model_validate(
        {
            "id": export.id,
            "kind": "reverse" if export.reverse else "export",
            "state": export.state,
            "from": export.days[0],
            "to": export.days[-1],
            "days": len(export.days),
            "daily": bool(export.detail.get("daily")),
            "reverses": export.reverses,
            "asked_by": export.asked_by,
            "created_at": export.created_at,
            "finished_at": export.finished_at,
        }
    )
