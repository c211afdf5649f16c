"""Arcavis against our log against what bexio holds now: read, compared, told with a remedy. Writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text

from app.capabilities.bookings.export_service import period
from app.capabilities.bookings.planner import Planned, Planner, Planning
from app.capabilities.bookings.readback import sent
from app.capabilities.bookings.reconcile import Comparison, Drift, Logged, Sums, add_up
from app.core.clock import Clock
from app.core.money import ZERO, amount
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db.session import Database

_LOGGED = text(
    "select id, sale_day, reference, state, bexio_id, request from booking_group where tenant_id = :tenant"
    " and sale_day between :first and :last and state <> 'planned' order by sale_day, sequence"
)
_KNOWN = text("select bexio_id from booking_group where tenant_id = :tenant and state = 'posted'")


@dataclass(frozen=True, slots=True)
class AccountDay:
    """One account on one sale day, debit less credit: what the tills say, what we posted, what bexio holds."""

    day: date
    account: str
    tills: Decimal
    posted: Decimal
    bexio: Decimal


@dataclass(frozen=True, slots=True)
class Reconciled:
    """The result: `drifts` is empty when everything agrees."""

    first: date
    last: date
    drifts: tuple[Drift, ...]
    accounts: tuple[AccountDay, ...]


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The use case over one set of resources. Built once."""

    db: Database
    clock: Clock
    planner: Planner

    async def compare(self, tenant: UUID, first: date, last: date) -> Reconciled:
        """Compares the sale days of a period.

        Raises:
            InvalidInput: `period-not-valid`.
            ConnectionRefused: bexio or Arcavis is not connected.
            RemoteUnavailable: one of them is away.
        """
        days = period(first, last, today(self.clock.now()))
        planning = await self.planner.open(tenant, Priority.BACKOFFICE)
        async with self.db.begin(tenant) as session:
            values = {"tenant": tenant, "first": first, "last": last}
            logged = [
                Logged(row.id, row.sale_day, row.reference, row.state, row.bexio_id, row.request)
                for row in await session.execute(_LOGGED, values)
            ]
            known = frozenset(row.bexio_id for row in await session.execute(_KNOWN, {"tenant": tenant}))
        taxes = {tax.id: tax for tax in planning.terms.ledger.taxes}
        number_of = planning.terms.ledger.number_of
        comparison = Comparison(planning.terms.slug, logged, known, first, last, taxes, number_of)
        async for page in planning.bexio.manual_entries.pages():
            for entry in page:
                comparison.take(entry)
        drifts = list(comparison.drifts())
        told = {drift.reference for drift in drifts}
        journal = await _journal(planning, comparison, first, last)
        drifts += [drift for drift in comparison.check_journal(journal) if drift.reference not in told]
        tills = comparison.posted_sums()
        for day in days:
            planned = await planning.day(day)
            drifts += _missing(planned)
            _add_difference(tills, planned, comparison)
        drifts.sort(key=lambda drift: (drift.day, drift.code, drift.reference or ""))
        return Reconciled(first, last, tuple(drifts), _accounts(planning, tills, comparison))


async def _journal(
    planning: Planning, comparison: Comparison, first: date, last: date
) -> dict[str, dict[int, Decimal]]:
    """What the journal shows for our numbers, which every text of ours ends with; days that were moved included."""
    days = [sent(one.request).day for one in comparison.logged]
    sums: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    async for page in planning.bexio.journal.pages(min([first, *days]), max([last, *days])):
        for row in page:
            head, mark, tail = (row.description or "").rpartition("[")
            if mark and tail.endswith("]") and head and tail.startswith(f"{planning.terms.slug}/"):
                sums[tail[:-1]][row.debit_account_id or 0] += row.booked
                sums[tail[:-1]][row.credit_account_id or 0] -= row.booked
    return sums


def _missing(planned: Planned) -> Iterable[Drift]:
    """A day that would still post something, or that cannot."""
    plan = planned.plan
    if plan.state == "unchanged":
        return
    if plan.state == "held":
        yield Drift("missing", "ledger-held", plan.day, {"day": plan.day.isoformat()})
        return
    total = sum((abs(entry.amount) for entry in plan.entries), ZERO)
    yield Drift("missing", "ledger-missing", plan.day, {"day": plan.day.isoformat(), "amount": amount(total)})


def _add_difference(tills: Sums, planned: Planned, comparison: Comparison) -> None:
    """What the tills say is what was posted, and what would be."""
    for group in planned.plan.groups:
        add_up(tills, planned.plan.day, sent(group.request).lines, comparison.taxes)


def _accounts(planning: Planning, tills: Sums, comparison: Comparison) -> tuple[AccountDay, ...]:
    posted, bexio = comparison.posted_sums(), comparison.bexio_sums()
    ledger = planning.terms.ledger
    keys = sorted({*tills, *posted, *bexio}, key=lambda key: (key[0], ledger.number_of(key[1])))
    rows = (
        AccountDay(
            day, ledger.number_of(account), tills.get((day, account), ZERO), posted.get((day, account), ZERO),
            bexio.get((day, account), ZERO),
        )
        for day, account in keys
    )  # fmt: skip
    return tuple(row for row in rows if row.tills or row.posted or row.bexio)
