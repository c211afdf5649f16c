"""What cannot be noisy: round trips to Postgres and requests to bexio, counted one by one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from app import bootstrap
from app.bootstrap import Resources
from app.jobs.work import WorkLoop
from app.settings import Settings
from benchmarks import sales
from benchmarks.bexio import new_world
from benchmarks.database import plain
from benchmarks.report import Figure, Result
from benchmarks.sales import CASH_TYPE, INVOICE_TYPE
from benchmarks.stage import Stage
from benchmarks.wire import Wire, counted
from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company

LINKED = sales.sale("any")["customer"]
MIXED = [{"payment_type_id": CASH_TYPE, "amount": "83.70"}, {"payment_type_id": INVOICE_TYPE, "amount": "100.00"}]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one sale cost: round trips on its way in and while it was worked on, requests to bexio by route."""

    accepting: int
    working: int
    requests: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.requests.values())


@dataclass(frozen=True, slots=True)
class Counter:
    """The service and bexio in this process, with the wire to Postgres tapped."""

    stage: Stage
    resources: Resources
    client: httpx.AsyncClient
    loop: WorkLoop
    company: Company
    wire: Wire

    async def sell(self, **changes: Any) -> tuple[Cost, dict[str, Any]]:
        """Sells, works it off, and returns what that cost and the document."""
        body = sales.sale(self._new_id(), **changes)
        self.company.requests.clear()
        accepting, accepted = await self._post(body)
        self.wire.clear()
        await self.loop.turn()
        working = self.wire.round_trips
        answer = await self.client.get(accepted.headers["Location"])
        document: dict[str, Any] = answer.raise_for_status().json()
        if document["status"] != "issued":
            raise RuntimeError(f"The sale is not issued: {document}")
        return Cost(accepting, working, dict(self.company.requests.by_route)), document

    async def accept_again(self) -> int:
        """Round trips of a sale that is sent once more."""
        body = sales.sale(self._new_id())
        await self._post(body)
        await self.loop.turn()
        return (await self._post(body))[0]

    async def mail_invoices(self, *, wanted: bool) -> None:
        async with self.resources.db.begin(self.stage.shop.tenant) as session:
            change = "update tenant_settings set values = values || jsonb_build_object('invoice_send_mail', :wanted)"
            await session.execute(text(change.replace(":wanted", "cast(:wanted as boolean)")), {"wanted": wanted})

    async def _post(self, body: dict[str, Any]) -> tuple[int, httpx.Response]:
        self.wire.clear()
        answer = await self.client.post("/invoices", json=body)
        return self.wire.round_trips, answer.raise_for_status()

    def _new_id(self) -> str:
        return _new_id()


_new_id = sales.new_ids()


@asynccontextmanager
async def counter(stage: Stage) -> AsyncGenerator[Counter]:
    """A warm service: pools are filled, statements prepared, reference data read."""
    world, company = new_world()
    async with counted(stage.database) as (database, wire):
        settings = Settings.model_validate(
            {
                "database_url": plain(database),
                "encryption_keys": stage.shop.encryption_keys,
                "bexio_api_url": "https://bexio.test",
            }
        )
        async with bootstrap.open_resources(
            settings, connect=lambda _: httpx.ASGITransport(app=create_app(world))
        ) as resources:
            transport = httpx.ASGITransport(app=bootstrap.application(resources))
            headers = {"Authorization": f"Bearer {stage.shop.key}"}
            async with httpx.AsyncClient(transport=transport, base_url="http://connector", headers=headers) as client:
                loop = bootstrap.worker(resources).loop
                made = Counter(stage, resources, client, loop, company, wire)
                for customer in (LINKED, LINKED, _stranger(0)):
                    await made.sell(customer=customer)
                yield made


def _stranger(number: int) -> dict[str, Any]:
    """Somebody that bexio does not know yet."""
    return {
        "arcavis_id": f"900{number}",
        "is_company": True,
        "company_name": f"Neue Kundin {number} GmbH",
        "street": "Seestrasse",
        "house_number": "12",
        "postcode": "8002",
        "city": "Zürich",
        "country": "CH",
        "email": f"post{number}@neue-kundin.example",
        "language": "de",
    }


async def measure(stage: Stage) -> Result:
    """Counts everything once."""
    async with counter(stage) as counted_:
        linked, document = await counted_.sell()
        replayed = await counted_.accept_again()
        new, _ = await counted_.sell(customer=_stranger(1))
        known, _ = await counted_.sell(customer=_stranger(1))
        mixed, _ = await counted_.sell(payments=MIXED)
        await counted_.mail_invoices(wanted=True)
        mailed, _ = await counted_.sell(customer=_stranger(1))
        await counted_.mail_invoices(wanted=False)
        counted_.company.requests.clear()
        (await counted_.client.get(f"/invoices/{document['id']}/pdf")).raise_for_status()
        pdf = counted_.company.requests.total
    requests = "bexio requests, "
    figures = [
        Figure("SQL round trips per accepted sale", linked.accepting, "", 3, 1),
        Figure("SQL round trips of the same sale again", replayed, "", 3, 2),
        Figure("SQL round trips of the work on a sale", linked.working, "", 8, 6),
        Figure(f"{requests}linked customer", linked.total, "", 2, 2),
        Figure(f"{requests}new customer, first sale", new.total, ""),
        Figure(f"{requests}new customer, later sale", known.total, "", 2, 2),
        Figure(f"{requests}part paid at the till", mixed.total, ""),
        Figure(f"{requests}with a mail", mailed.total, ""),
        Figure(f"{requests}PDF", pdf, "", 1, 1),
    ]
    notes = [f"{name}: {cost.requests}" for name, cost in {"linked": linked, "new": new, "mixed": mixed}.items()]
    return Result("counts", figures, notes)
