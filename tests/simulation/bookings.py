"""One seed: days at the till, exports that meet, a stormy network, kills and freezes; and what bexio must hold."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.capabilities.bookings import exports
from app.capabilities.bookings.entries import Terms
from app.capabilities.bookings.exporting import ExportHandler
from app.capabilities.bookings.exports import EXPORT, REVERSE, Asked
from app.capabilities.bookings.facts import Line, Payment, Receipt
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.plan import plan_hash
from app.capabilities.bookings.planner import Planner, Planning
from app.capabilities.bookings.rules import Filter, Rule
from app.capabilities.tenancy.config import load
from app.capabilities.tenancy.guard import Guarded
from app.connectors.bexio.accounts import Account
from app.connectors.bexio.business_years import BusinessYear
from app.connectors.bexio.calendar_years import CalendarYear
from app.connectors.bexio.taxes import Tax
from app.connectors.bexio.vat_periods import VatPeriod
from app.core.money import to_cent, vat_within
from app.core.priority import Priority
from app.db.session import Database
from app.jobs.work import Handler
from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company
from sandbox.bexio.fresh import fill, seed_fresh
from tests.simulation.network import Line as Wire
from tests.simulation.network import Weather
from tests.simulation.processes import SETTLE, Process, Simulation, Verdict
from tests.simulation.scheduler import START

STORM = timedelta(minutes=6)
HORIZON = timedelta(hours=3)
FIRST = date(2026, 11, 18)
STEP = timedelta(seconds=90)
LOOKED_AT = 0.5


@dataclass(frozen=True)
class Plan:
    """What a seed may do. Chances in percent, per milestone for `kill` and `freeze`."""

    weather: Weather = field(default_factory=Weather)
    processes: int = 2
    kill: float = 3
    freeze: float = 3
    late: float = 50
    reversed: float = 25


class TillPlanner(Planner):
    """Plans as the product does; receipts and books are the simulation's, so that only posting meets the network."""

    simulation: ExportSimulation

    async def open(self, tenant: UUID, priority: Priority, *, keep: bool = False) -> Planning:
        del keep
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
        bexio = await self.remotes.bexio(tenant, priority)
        return TillPlanning(
            self.db, tenant, config, self.simulation.rules, self.simulation.terms, bexio, self.simulation.nothing
        )


class TillPlanning(Planning):
    """Reads what the tills have sold by now."""

    async def receipts(self, day: date) -> AsyncIterator[Receipt]:
        sold: list[Receipt] = self.arcavis  # pyright: ignore[reportAssignmentType] - the tills stand in its place
        for receipt in list(sold):
            if receipt.sale_day == day:
                yield receipt


class ExportSimulation(Simulation):
    """Days at the tills, and who exports and reverses them."""

    sweep_seconds = 15.0
    stormy_until = START + STORM
    module = "accounting_export"

    def __init__(self, db: Database, seed: int, plan: Plan) -> None:
        super().__init__(db, seed, kill=plan.kill, freeze=plan.freeze)
        self.plan = plan
        self.company: Company = seed_fresh(self.world, company_id=self.company_id)
        cash = {"account_no": "1000", "name": "Kasse", "account_type": 3, "tax_id": None, "fibu_account_group_id": 43}
        fill(self.company, "accounts", {**cash, "is_active": True, "is_locked": False})
        self.rules = _rules()
        self.terms = Terms(self.slug, _ledger(self.company), {}, date(2026, 11, 20))
        self.sold: list[Receipt] = []
        self.days = [FIRST + timedelta(days=place) for place in range(self.random.choice([1, 1, 2]))]
        # Drawn apart, so that a seed's weather and deaths are those of before.
        self.looks = Random(f"looks-{seed}")
        self.reversed = False
        self.last: UUID | None = None

    def handlers(self, process: Process) -> Mapping[str, Handler]:
        resources = process.resources
        planner = TillPlanner(self.db, process.clock, resources.remotes, resources.reference)
        object.__setattr__(planner, "simulation", self)
        exporting = ExportHandler(planner, process.clock, timedelta(seconds=SETTLE))
        return {kind: Guarded(exporting, process.clock) for kind in (EXPORT, REVERSE)}

    @property
    def nothing(self) -> Any:  # noqa: ANN401 - stands in for Arcavis
        """What the plannings read instead of Arcavis: the live list of receipts."""
        return self.sold

    async def run(self) -> Verdict:
        async with asyncio.TaskGroup() as group:
            self.group = group
            self.line = Wire(self.scheduler, group, create_app(self.world), self.random, self.plan.weather)
            for _ in range(self.plan.processes):
                self.launch(after=0.0)
            await self.connect(self.processes[0].resources)
            for _ in range(self.random.randint(1, 4)):
                self._sell()
            self._ask_in_the_storm()
            await self._play()
            self.scheduler.drop_waiting()
        if not self.verdict.wrong:
            await self._judge()
        return self.verdict

    # ------------------------------------------------------------------ the shop

    def _sell(self) -> None:
        number = len(self.sold) + 1
        gross = Decimal(self.random.randint(20, 4000)) / 20
        rate = self.random.choice([Decimal("8.1"), Decimal("2.6")])
        sold = Line(None, rate, gross, gross - vat_within(gross, rate))
        payment = Payment(self.random.choice(["1", "2"]), gross)
        day = self.random.choice(self.days)
        self.sold.append(Receipt(str(number), f"1/{number}", day, "1", "1", "1", gross, (sold,), (payment,)))
        self.verdict.sales += 1

    def _ask_in_the_storm(self) -> None:
        """One export, often another one that meets it, a late sale, a reversal."""
        self._start(self._ask(EXPORT), 0.1)
        if self.random.random() < 0.6:
            self._start(self._ask(EXPORT), self.random.choice([0.2, 1, 5, 40, 130]))
        if self._happens(self.plan.late):
            self._start(self._sell_late(), self.random.uniform(0, 200))
        if self._happens(self.plan.reversed):
            self._start(self._ask(REVERSE), self.random.uniform(1, 250))

    def _happens(self, percent: float) -> bool:
        return self.random.uniform(0, 100) < percent

    def _start(self, actor: Any, after: float) -> None:  # noqa: ANN401 - a coroutine
        self.scheduler.start(self.group, actor, after)

    async def _sell_late(self) -> None:
        self._sell()

    async def _ask(self, kind: str, *, at_will: bool = True) -> None:
        seen = await self._preview() if kind == EXPORT and at_will and self.looks.random() < LOOKED_AT else None
        async with self.db.begin(self.tenant) as session:
            reverses = self.last if kind == REVERSE else None
            asked = Asked(kind, tuple(self.days), "simulation", seen, reverses=reverses)
            self.last = await exports.create(session, self.tenant, asked, self.scheduler.now)

    async def _preview(self) -> str:
        """What a person sees before they export: it is what is posted, or nothing is."""
        async with self.db.begin(self.tenant) as session:
            config = await load(session, self.tenant)
        planning = TillPlanning(self.db, self.tenant, config, self.rules, self.terms, self.nothing, self.nothing)
        return plan_hash([(await planning.day(day)).plan for day in self.days], self.terms, self.rules)

    async def _play(self) -> None:
        await self.scheduler.run_until(START + STORM)
        self.line.weather = Weather.calm()
        await self._finish()
        if self.plan.weather.latest > SETTLE:
            await self.scheduler.run_until(self.scheduler.now + timedelta(seconds=self.plan.weather.latest))
        # In calm weather a last export must bring everything to where it should be, whatever stood before.
        self.reversed = self._happens(self.plan.reversed)
        self._start(self._ask(EXPORT, at_will=False), 0.1)
        await self._finish()
        if self.reversed:
            self._start(self._ask(REVERSE), 0.1)
            await self._finish()
        self.judge_crashes()

    async def _finish(self) -> None:
        end = self.scheduler.now + HORIZON
        while self.scheduler.now < end and not self.scheduler.failures:
            await self.scheduler.run_until(self.scheduler.now + STEP)
            self.scheduler.now += timedelta(seconds=1)
            if await self._is_quiet():
                return
        async with self.db.begin(self.tenant) as session:
            left = (await session.execute(_UNFINISHED, {"tenant": self.tenant})).all()
        self.verdict.wrong.append(f"lost: unfinished {[(row.state, row.reason, row.step) for row in left]}")

    async def _is_quiet(self) -> bool:
        async with self.db.begin(self.tenant) as session:
            return (await session.execute(_UNFINISHED, {"tenant": self.tenant})).first() is None

    # ------------------------------------------------------------------ the verdict

    def _judge_entries(self) -> None:
        references = Counter(row["reference_nr"] for row in self.company.manual_entries)
        doubled = {reference: count for reference, count in references.items() if count > 1}
        if doubled:
            self.verdict.wrong.append(f"doubled: {doubled}")

    async def _judge(self) -> None:
        self._judge_entries()
        self.verdict.requests = self.company.requests.total
        async with self.db.begin(self.tenant) as session:
            groups = (await session.execute(_GROUPS, {"tenant": self.tenant})).all()
            parked = (await session.execute(_PARKED, {"tenant": self.tenant})).all()
            untold = (await session.execute(_UNTOLD, {"tenant": self.tenant})).all()
        if untold:
            self.verdict.wrong.append(f"lost: {len(untold)} days said to have changed, of which something was sent")
        self.verdict.attention.update(row.reason for row in parked)
        ours = {row.bexio_id: row.reference for row in groups if row.state == "posted"}
        theirs = {row["id"]: row["reference_nr"] for row in self.company.manual_entries}
        if ours != theirs:
            missing, foreign = set(ours) - set(theirs), set(theirs) - set(ours)
            self.verdict.wrong.append(f"lost or doubled: we hold {missing} that bexio lacks, bexio {foreign}")
        if any(row.state not in {"posted", "lost"} for row in groups):
            self.verdict.wrong.append(f"left on its way: {[row.state for row in groups]}")
        self._judge_ledger()

    def _judge_ledger(self) -> None:
        numbers = {row["id"]: row["account_no"] for row in self.company.accounts}
        held: dict[str, Decimal] = defaultdict(Decimal)
        for row in self.company.ledger.rows():
            held[numbers[row.debit_account_id]] += row.amount
            held[numbers[row.credit_account_id]] -= row.amount
        wanted = dict[str, Decimal]() if self.reversed else self._wanted()
        if {k: v for k, v in held.items() if v} != {k: v for k, v in wanted.items() if v}:
            self.verdict.wrong.append(f"doubled or lost: ledger {dict(held)}, tills {dict(wanted)}")

    def _wanted(self) -> dict[str, Decimal]:
        gross: dict[tuple[date, Decimal], Decimal] = defaultdict(Decimal)
        sums: dict[str, Decimal] = defaultdict(Decimal)
        for receipt in self.sold:
            (line,), (payment,) = receipt.lines, receipt.payments
            gross[receipt.sale_day, line.tax_rate] += line.gross
            sums["1021" if payment.payment_type == "2" else "1000"] += payment.amount
        for (_, rate), amount in gross.items():
            vat = to_cent(amount * rate / (100 + rate))
            sums["2200"] -= vat
            sums["3200"] -= amount - vat
        return sums


def _rules() -> tuple[Rule, ...]:
    def paid(number: int, payment: str, **more: Any) -> Rule:  # noqa: ANN401 - fields of a rule
        wanted = Filter({"payment_type": frozenset({payment})})
        return Rule(UUID(int=number), 1, f"Zahlart {payment}", "payments", "amount", filter=wanted, **more)

    sales = Rule(
        UUID(int=1), 1, "Umsatz", "articles", "gross", debit_account="1000", credit_account="3200", tax_code="@sales"
    )
    return (sales, paid(2, "1", action="ignore"), paid(3, "2", debit_account="1021", credit_account="1000"))


def _ledger(company: Company) -> Ledger:
    return Ledger(
        accounts=tuple(Account.model_validate(row) for row in company.accounts),
        taxes=tuple(Tax.model_validate(row) for row in company.taxes),
        business_years=tuple(BusinessYear.model_validate(row) for row in company.business_years),
        vat_periods=tuple(VatPeriod.model_validate(row) for row in company.vat_periods),
        calendar_years=tuple(CalendarYear.model_validate(row) for row in company.calendar_years),
        currency_id=1,
    )


_UNFINISHED = text(
    "select state, reason, step from operation where tenant_id = :tenant and state not in ('done', 'parked')"
)
_GROUPS = text("select state, bexio_id, reference from booking_group where tenant_id = :tenant")
_UNTOLD = text(
    "select d.sale_day from booking_export_day d where d.tenant_id = :tenant and d.state = 'changed'"
    " and exists (select from booking_group g where g.export_id = d.export_id and g.sale_day = d.sale_day"
    " and g.state <> 'planned')"
)
_PARKED = text("select reason from operation where tenant_id = :tenant and state = 'parked'")
