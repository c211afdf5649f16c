"""What an export would do, without doing it: nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from app.capabilities.bookings import preview_views as views
from app.capabilities.bookings.entries import DayPlan
from app.capabilities.bookings.export_service import period
from app.capabilities.bookings.findings import Finding, merged
from app.capabilities.bookings.offers import sale_of
from app.capabilities.bookings.plan import plan_hash
from app.capabilities.bookings.planner import Planner, Planning
from app.capabilities.bookings.preflight import check_rules
from app.capabilities.bookings.preview_schemas import Coverage, Preview, PreviewRequest
from app.core.clock import Clock
from app.core.errors import RemoteNotFound
from app.core.priority import Priority
from app.core.swiss_time import today

# Shown of a day: in the plan of a period, and when it is asked for alone.
MOST_ENTRIES, MOST_ENTRIES_OF_ONE_DAY = 100, 1000
NEVER_SENT = "sale-never-sent"
GAPS = frozenset({"coverage-gap", "foreign-currency"})
OVERLAP = "coverage-overlap"


@dataclass(frozen=True, slots=True)
class Previews:
    """The use cases over one set of resources. Built once."""

    clock: Clock
    planner: Planner

    async def preview(self, tenant: UUID, asked: PreviewRequest, language: str) -> Preview:
        """The plan of a period as it would be applied now, with all that stands against it.

        Raises:
            InvalidInput: `period-not-valid`.
            ConnectionRefused: bexio or Arcavis is not connected.
            RemoteUnavailable: one of them is away.
        """
        planning, plans, found, unsent = await self._planned(tenant, asked.first, asked.last, keep=asked.day)
        ledger = planning.terms.ledger
        shown = MOST_ENTRIES if asked.day is None else MOST_ENTRIES_OF_ONE_DAY
        findings = merged([*self._of_rules(planning), *found])
        offers = await self._offers(planning, unsent)
        return Preview.model_validate(
            {
                "from": asked.first,
                "to": asked.last,
                "plan_hash": plan_hash(plans, planning.terms, planning.rules),
                "days": [views.day(plan, ledger, shown) for plan in plans if asked.day in {None, plan.day}],
                "findings": [
                    views.finding(one, language, offers if one.code == NEVER_SENT else ()) for one in findings
                ],
            }
        )

    async def coverage(self, tenant: UUID, first: date, last: date, language: str) -> Coverage:
        """Which lines and payments of a period no rule hits, or more than one.

        Raises:
            InvalidInput: `period-not-valid`.
            ConnectionRefused: bexio or Arcavis is not connected.
            RemoteUnavailable: one of them is away.
        """
        _, plans, found, _ = await self._planned(tenant, first, last)
        findings = merged(found)
        gaps = [one for one in findings if one.code in GAPS]
        overlaps = [one for one in findings if one.code == OVERLAP]
        return Coverage.model_validate(
            {
                "from": first,
                "to": last,
                "covered": not gaps and not overlaps,
                "receipts": sum(plan.sums.receipts for plan in plans),
                "lines_and_payments": sum(plan.sums.items for plan in plans),
                "gaps": [views.finding(one, language) for one in gaps],
                "overlaps": [views.finding(one, language) for one in overlaps],
            }
        )

    async def _planned(
        self, tenant: UUID, first: date, last: date, *, keep: date | None = None
    ) -> tuple[Planning, list[DayPlan], list[Finding], list[str]]:
        """Every day of a period, planned; entries that will not be shown are let go at once.

        Also its sales on invoice that no till sent.
        """
        days = period(first, last, today(self.clock.now()))
        planning = await self.planner.open(tenant, Priority.BACKOFFICE)
        plans: list[DayPlan] = []
        found: list[Finding] = []
        unsent: list[str] = []
        for day in days:
            planned = await planning.day(day)
            found += planned.findings
            unsent += planned.never_sent
            plans.append(planned.plan if keep in {None, day} else replace(planned.plan, entries=(), groups=()))
        return planning, plans, found, unsent

    def _of_rules(self, planning: Planning) -> list[Finding]:
        """What is wrong with the rules and settings whatever the tills sold."""
        found = list(check_rules(planning.rules, planning.terms.ledger, planning.terms.today))
        if not any(rule.active for rule in planning.rules):
            found.append(Finding("booking-rules-missing", "error", about=("booking_rules",)))
        if planning.config.settings.invoice_payment_type_id is None:
            name = "invoice_payment_type_id"
            found.append(Finding("settings-incomplete", "warning", about=(name,), params={"setting": name}))
        return found

    async def _offers(self, planning: Planning, unsent: Sequence[str]) -> list[dict[str, Any]]:
        """Sales that nobody has invoiced, ready to be sent to `POST /invoices`."""
        offered: list[dict[str, Any]] = []
        for sale in unsent:
            transaction = await planning.arcavis.transactions.get(int(sale))
            customer = None
            if transaction.person_id is not None:
                try:
                    customer = await planning.arcavis.customers.get(transaction.person_id)
                except RemoteNotFound:
                    customer = None
            body = sale_of(transaction, customer, planning.terms.names)
            if body is not None:
                offered.append(body)
        return offered
