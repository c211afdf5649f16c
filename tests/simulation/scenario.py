"""One seed: a shop, its sales, two processes, a stormy network, kills and freezes; and what must hold at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
from sqlalchemy import Row, text

from app import bootstrap
from app.api.auth import Role, mint
from app.bootstrap import Resources
from app.connectors.bexio.reference_kinds import KINDS
from app.core.money import to_five_rappen
from app.core.priority import Priority
from app.db.session import Database
from app.jobs.outcomes import MAX_STARTS
from app.jobs.work import Handler
from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company, Document, InvoiceStatus
from sandbox.bexio.seed import seed_shop
from tests.simulation.network import Line, Weather
from tests.simulation.processes import Process, Simulation, Verdict
from tests.simulation.scheduler import START

READY = timedelta(minutes=1)
STORM = timedelta(minutes=7)
HORIZON = timedelta(minutes=90)
Body = dict[str, Any]
MILESTONES = (
    "claimed",
    "contact-intended",
    "contact-answered",
    "creating-intended",
    "create-answered",
    "adding-intended",
    "issuing-intended",
    "issue-answered",
    "payment-intended",
    "payment-answered",
    "payment-recorded",
    "before-settle",
    "settled",
)
INVOICE_TYPE, CASH_TYPE = "7", "1"
# What a person must really decide. Anything else that waits for one is work that the connector did not finish.
CANCELLED_CODES = frozenset({"invoice-has-payments"})
ISSUED_CODES: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Plan:
    """What a seed may do. Chances in percent, per milestone for `kill` and `freeze`."""

    weather: Weather = field(default_factory=Weather)
    processes: int = 2
    kill: float = 2
    freeze: float = 2
    lost_bells: float = 15
    cancels: float = 12
    mixed: float = 25
    long_sales: float = 2
    outage: tuple[float, float] | None = None


class SaleSimulation(Simulation):
    """Sales at the tills, and who cancels them."""

    sweep_seconds = 4.0
    stormy_from = START + READY
    stormy_until = START + STORM
    module = "orders"

    def __init__(self, db: Database, seed: int, plan: Plan) -> None:
        super().__init__(db, seed, kill=plan.kill, freeze=plan.freeze)
        self.plan = plan
        self.company: Company = seed_shop(self.world, company_id=self.company_id)
        self.key = mint(Role.BACKOFFICE)
        self.sales: dict[str, Body] = {}
        self.to_cancel: list[tuple[Body, str]] = []

    def handlers(self, process: Process) -> Mapping[str, Handler]:
        return bootstrap.handlers(process.resources)

    async def run(self) -> Verdict:
        async with asyncio.TaskGroup() as group:
            self.group = group
            bexio = create_app(self.world)
            self.line = Line(self.scheduler, group, bexio, self.random, Weather.calm())
            front = Process(self)
            self.scheduler.start(group, self._set_up(front.resources))
            await self.scheduler.run_until(START + READY)
            self.company.requests.clear()
            self.line.weather = self.plan.weather
            self.front = bootstrap.application(front.resources)
            for _ in range(self.plan.processes):
                self.launch(after=0.0)
            self._sell()
            if self.plan.outage is not None:
                self.scheduler.start(group, self._outage(*self.plan.outage))
            await self._play()
            self.scheduler.drop_waiting()
        await self._judge()
        return self.verdict

    def passed(self, milestone: str) -> None:
        """A sale is cancelled at the very moment that work passes a point."""
        super().passed(milestone)
        for pair in [pair for pair in self.to_cancel if pair[1] == milestone]:
            self.to_cancel.remove(pair)
            self.scheduler.start(self.group, self._cancel(pair[0]))

    async def _play(self) -> None:
        await self.scheduler.run_until(START + STORM)
        self.line.weather = Weather.calm()
        await self._finish(START + HORIZON)
        if self.unlucky:
            self.scheduler.start(self.group, self._retry_unlucky(), 0.01)
            await self.scheduler.run_until(self.scheduler.now + timedelta(seconds=1))
            await self._finish(self.scheduler.now + HORIZON)
        self.judge_crashes()

    async def _finish(self, until: datetime) -> None:
        while self.scheduler.now < until and not self.scheduler.failures:
            if not self.line.out and await self._finished():
                break
            await self.scheduler.run_until(self.scheduler.now + timedelta(seconds=60))
            self.scheduler.now = max(self.scheduler.now, START)

    @property
    def unlucky(self) -> list[UUID]:
        """Work that met as many dying processes as work that kills them: a person is asked, and may say "again"."""
        return [subject for subject, times in self.interrupted.items() if times >= MAX_STARTS]

    async def _retry_unlucky(self) -> None:
        for item in (await self._call("GET", "/attention?state=open")).json()["items"]:
            if item["code"] == "work-kills-its-worker" and UUID(item["subject_id"]) in self.unlucky:
                self.verdict.attention[item["code"]] += 1
                response = await self._call("POST", f"/attention/{item['id']}/retry")
                if not response.is_success:
                    self.verdict.wrong.append(f"retry: {response.status_code} {response.text[:200]}")

    async def _outage(self, begins: float, ends: float) -> None:
        await self.scheduler.wait(begins)
        self.line.out = True
        await self.scheduler.wait(ends - begins)
        self.line.out = False

    async def _finished(self) -> bool:
        async with self.db.begin(self.tenant) as session:
            states = await session.execute(text("select state from operation where tenant_id = :t"), {"t": self.tenant})
            return all(row.state in {"done", "parked"} for row in states)

    # ------------------------------------------------------------------ the shop

    async def _set_up(self, resources: Resources) -> None:
        await self.connect(resources)
        cash = next(iter(self.company.banking_accounts))["id"]
        settings = {
            "invoice_payment_type_id": INVOICE_TYPE,
            "invoice_bexio_payment_type_id": 4,
            "invoice_account_no": "3200",
            "bexio_user_id": 1,
            "payment_bank_accounts": {CASH_TYPE: cash},
        }
        values = {
            "tenant": self.tenant,
            "now": self.scheduler.now,
            "key": uuid4(),
            "hash": self.key.hash,
            "settings": orjson.dumps(settings).decode(),
        }
        async with self.db.begin(self.tenant) as session:
            await session.execute(_KEY, values)
            await session.execute(_SETTINGS, values)
        # Two actors of one process must not wait for each other outside virtual time: nobody fetches in the storm.
        bexio = await resources.remotes.bexio(self.tenant, Priority.TILL)
        for kind in KINDS.values():
            await resources.reference.of(self.tenant, bexio).rows(kind)

    def _sell(self) -> None:
        count = self.random.choice([1, 1, 2, 3])
        customers = [self.random.choice(["501", "502"]) for _ in range(count)]
        base = str(self.random.randrange(1, 10**6))
        for index in range(count):
            # One id is the beginning of the next: an inexact search would mix them up.
            sale = self._sale(base + "1" * index, customers[index])
            self.sales[sale["transaction_id"]] = sale
            when = self.random.uniform(0, 40)
            for _ in range(self.random.choice([1, 1, 2, 3])):
                self.scheduler.start(self.group, self._post(sale), when + self.random.choice([0, 0.01, 3, 25]))
            if self.random.uniform(0, 100) < self.plan.cancels:
                if self.random.random() < 0.5:
                    self.to_cancel.append((sale, self.random.choice(MILESTONES)))
                else:
                    self.scheduler.start(self.group, self._cancel(sale), when + self.random.uniform(0.05, 200))
        self.verdict.sales = count

    def _sale(self, transaction_id: str, customer: str) -> Body:
        many = self.random.uniform(0, 100) < self.plan.long_sales
        lines: list[Body] = []
        for position in range(1, (self.random.randint(151, 170) if many else self.random.randint(1, 6)) + 1):
            quantity = self.random.randint(1, 5)
            price = Decimal(self.random.randint(50, 9000)) / 100
            discount = to_five_rappen(quantity * price * self.random.choice([0, 0, 10, 15]) / 100)
            lines.append(
                {
                    "position": position,
                    "text": f"Artikel {position}",
                    "quantity": str(quantity),
                    "unit_price": str(price),
                    "discount": str(discount),
                    "amount": str(to_five_rappen(quantity * price - discount)),
                    "tax_rate": self.random.choice(["8.1", "2.6"]),
                }
            )
        total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
        payments = [{"payment_type_id": INVOICE_TYPE, "amount": str(total)}]
        if self.random.uniform(0, 100) < self.plan.mixed and total > 1:
            cash = to_five_rappen(total / 3)
            payments = [
                {"payment_type_id": CASH_TYPE, "amount": str(cash)},
                {"payment_type_id": INVOICE_TYPE, "amount": str(total - cash)},
            ]
        return {
            "transaction_id": transaction_id,
            "number": f"1/{transaction_id}",
            "date": "2026-11-20",
            "customer": _CUSTOMERS[customer],
            "lines": lines,
            "payments": payments,
            "total": str(total),
        }

    async def _post(self, sale: Body) -> None:
        response = await self._call("POST", "/invoices", sale=sale)
        if response.status_code not in {200, 202}:
            self.verdict.wrong.append(f"post: {response.status_code} {response.text[:200]}")
        if self.random.uniform(0, 100) >= self.plan.lost_bells:
            process = self.random.choice(self.processes)
            self.scheduler.start(self.group, process.loop.drain(), 0.01)

    async def _cancel(self, sale: Body) -> None:
        found = await self._call("POST", "/invoices", sale=sale)
        response = await self._call("POST", f"/invoices/{found.json()['id']}/cancel")
        if response.status_code not in {200, 202}:
            self.verdict.wrong.append(f"cancel: {response.status_code} {response.text[:200]}")

    async def _call(self, method: str, path: str, sale: Body | None = None) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.front)
        async with httpx.AsyncClient(transport=transport, base_url="http://connector") as client:
            headers = {"Authorization": f"Bearer {self.key.text}"}
            return await client.request(method, path, headers=headers, json=sale)

    # ------------------------------------------------------------------ the verdict

    async def _judge(self) -> None:
        async with self.db.begin(self.tenant) as session:
            rows = (await session.execute(_OUTCOME, {"tenant": self.tenant})).all()
        documents = {row.transaction_id: row for row in rows}
        self.verdict.requests = self.company.requests.total
        for transaction_id, sale in self.sales.items():
            mine = [i for i in self.company.invoices if i.api_reference == f"{self.slug}/sale/{transaction_id}"]
            self._judge_sale(sale, documents.get(transaction_id), mine)
        await self._judge_contacts_and_payments()
        if len(self.company.invoices) != sum(
            1 for i in self.company.invoices if (i.api_reference or "").startswith(self.slug)
        ):
            self.verdict.wrong.append("an invoice without our key")

    async def _judge_contacts_and_payments(self) -> None:
        async with self.db.begin(self.tenant) as session:
            unsettled = (await session.execute(_UNSETTLED, {"tenant": self.tenant})).all()
        if unsettled and not self.verdict.attention.keys() & CANCELLED_CODES:
            self.verdict.wrong.append(f"{len(unsettled)} payments left on their way")
        for name in ("Müller Söhne AG", "Bäumlin-Favre"):
            found = sum(1 for contact in self.company.contacts if contact["name_1"] == name)
            if found > 1:
                self.verdict.wrong.append(f"{found} contacts {name}")

    def _judge_sale(self, sale: Body, row: Row[Any] | None, mine: list[Document]) -> None:
        wrong, name = self.verdict.wrong, sale["transaction_id"]
        if row is None:
            wrong.append(f"{name}: lost, no document")
            return
        if row.state not in {"done", "parked"}:
            wrong.append(f"{name}: unfinished in step {row.step}, {row.reason}")
        if row.code:
            self.verdict.attention[row.code] += 1
            if row.code not in (CANCELLED_CODES if row.goal == "cancelled" else ISSUED_CODES):
                wrong.append(f"{name}: asks for a person without need: {row.code}")
        drafts = [i for i in mine if i.status == InvoiceStatus.DRAFT]
        standing = [i for i in mine if i.status not in {InvoiceStatus.DRAFT, InvoiceStatus.CANCELLED}]
        if len(standing) > 1:
            wrong.append(f"{name}: {len(standing)} issued invoices")
        if drafts:
            wrong.append(f"{name}: {len(drafts)} stray drafts")
        if row.goal == "cancelled":
            if row.code is None and row.status != "cancelled":
                wrong.append(f"{name}: cancelled, but shown as {row.status}")
            if standing and row.code != "invoice-has-payments":
                wrong.append(f"{name}: cancelled, but invoice {standing[0].id} stands")
        else:
            self._judge_issued(sale, row, standing)

    def _judge_issued(self, sale: Body, row: Row[Any], standing: list[Document]) -> None:
        wrong, name = self.verdict.wrong, sale["transaction_id"]
        if not standing:
            wrong.append(f"{name}: lost, no issued invoice ({row.status})")
            return
        invoice = standing[0]
        if row.bexio_id != invoice.id or row.status != "issued":
            wrong.append(f"{name}: we hold {row.bexio_id} {row.status}, bexio has {invoice.id}")
        if invoice.total != Decimal(sale["total"]):
            wrong.append(f"{name}: total {invoice.total}, till {sale['total']}")
        if len(invoice.positions) != len(sale["lines"]):
            wrong.append(f"{name}: {len(invoice.positions)} lines, till {len(sale['lines'])}")
        paid = sum((Decimal(p["amount"]) for p in sale["payments"] if p["payment_type_id"] == CASH_TYPE), Decimal(0))
        if invoice.received != paid:
            wrong.append(f"{name}: payments {invoice.received}, till {paid}")


_KEY = text(
    "insert into api_key (id, tenant_id, role, label, prefix, hash, created_at)"
    " values (:key, :tenant, 'backoffice', 'simulation', 'abx_backoffice_', :hash, :now)"
)
_SETTINGS = text(
    "insert into tenant_settings (tenant_id, values, version, updated_at)"
    " values (:tenant, cast(:settings as jsonb), 1, :now)"
)
_OUTCOME = text(
    "select d.transaction_id, d.status, d.goal, d.bexio_id, o.state, o.step, o.reason, a.code from document d"
    " join operation o on o.subject_id = d.id left join attention a on a.subject_id = d.id and a.state = 'open'"
    " where d.tenant_id = :tenant"
)
_UNSETTLED = text("select 1 from payment where tenant_id = :tenant and state = 'sending'")
_CUSTOMERS = {
    "501": {
        "arcavis_id": "501",
        "is_company": True,
        "company_name": "Müller Söhne AG",
        "street": "Seestrasse",
        "house_number": "12",
        "postcode": "8002",
        "city": "Zürich",
        "country": "CH",
        "email": "buero@mueller-soehne.example",
        "language": "de",
    },
    "502": {
        "arcavis_id": "502",
        "is_company": False,
        "first_name": "Élodie",
        "last_name": "Bäumlin-Favre",
        "street": "Rue du Lac",
        "house_number": "3",
        "postcode": "1003",
        "city": "Lausanne",
        "country": "CH",
        "email": "elodie@famille.example",
        "language": "fr",
    },
}
