"""kill -9 of real workers around a renewal of tokens that work once: what follows is a person's call, never a loop."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter as Counts
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from app import bootstrap
from app.bootstrap import Resources
from app.connectors.oidc.scopes import NEEDED
from app.connectors.renewals import LEASE
from app.core import log
from app.settings import Settings
from sandbox.server import REDIRECT_URI
from tests.fixtures.person import Person, query_of
from tests.processes.killable import Trap
from tests.processes.points import PLAIN
from tests.processes.shop import Shop, Stage, opened_shop, opened_stage, sale
from tests.processes.spawning import start_worker

# What each moment of death leads to: the codes of what then waits for a person.
POINTS = {"before-renewal": [], "tokens-answered": ["bexio-refresh-refused"], "tokens-stored": []}
LIFETIME = 4
PATIENCE = LEASE.total_seconds() + 30
VERIFIER, NONCE = "v" * 43, "n" * 43


@dataclass
class Report:
    """How often each point was met, and what was wrong."""

    killed: Counts[str] = field(default_factory=Counts[str])
    wrong: list[str] = field(default_factory=list[str])

    def __str__(self) -> str:
        return f"{dict(self.killed)}; wrong: {self.wrong or 'nothing'}"


@dataclass
class Signed:
    """A shop that is connected by sign-in, and its service in this process."""

    shop: Shop
    resources: Resources
    api: httpx.AsyncClient

    async def sign_in(self) -> None:
        """A person connects bexio."""
        oidc = self.resources.oidc
        url = await oidc.authorization_url(
            redirect_uri=REDIRECT_URI, state="s", nonce=NONCE, verifier=VERIFIER, scopes=NEEDED
        )
        back = await Person(self.shop.stage.bexio, self.api).decide(url, f"{self.shop.company}/1")
        code = query_of(back)["code"]
        grant = await oidc.exchange(code=code, redirect_uri=REDIRECT_URI, verifier=VERIFIER, nonce=NONCE)
        found = await self.resources.linking.identify(self.shop.tenant, grant)
        async with self.shop.db.begin(self.shop.tenant) as session:
            now = self.resources.clock.now()
            await self.resources.linking.link(session, self.shop.tenant, found, grant, actor="person", now=now)

    async def sell(self, number: int) -> str:
        """A sale; its document."""
        response = await self.api.post("/invoices", json=sale(1, number, PLAIN), headers=self.shop.headers)
        assert response.status_code == 202, response.text
        return response.json()["id"]

    async def becomes(self, document: str, status: str) -> bool:
        """Whether the sale gets there in time, or an item says that a person is needed first."""
        for _ in range(int(PATIENCE / 0.1)):
            seen = (await self.api.get(f"/invoices/{document}", headers=self.shop.headers)).json()
            if seen["status"] == status:
                return True
            if await self.items():
                return False
            await asyncio.sleep(0.1)
        return False

    async def items(self) -> list[str]:
        """The open items about the connection."""
        return [code for code in await self.shop.attention() if code.startswith("bexio-")]

    async def sessions(self) -> list[dict[str, int]]:
        """bexio's side of the company's sign-ins."""
        found = await self.shop.stage.control("GET", "realm/sessions")
        return [one for one in found if one["company"] == self.shop.company]


@asynccontextmanager
async def _signed(stage: Stage) -> AsyncGenerator[Signed]:
    async with opened_shop(stage) as shop:
        access = stage.access
        shop.options |= {
            "bexio_issuer_url": access["issuer_url"],
            "bexio_client_id": access["client_id"],
            "bexio_client_secret": access["client_secret"],
        }
        async with bootstrap.open_resources(Settings(**shop.options)) as resources:
            transport = httpx.ASGITransport(app=bootstrap.application(resources))
            async with httpx.AsyncClient(transport=transport, base_url="http://connector") as api:
                signed = Signed(shop, resources, api)
                await signed.sign_in()
                yield signed


async def run(times: int) -> Report:
    """Every point `times` times, side by side: most of it is waiting for leases to end."""
    report = Report()
    async with opened_stage() as stage, asyncio.TaskGroup() as group:
        log.configure("error", json=True, stream=(stage.folder / "shops.log").open("ab"))
        await stage.control("POST", "realm/rules", {"access_seconds": LIFETIME})
        for point in POINTS:
            for number in range(times):
                group.create_task(_killed(stage, point, number, report))
    return report


async def _killed(stage: Stage, point: str, number: int, report: Report) -> None:
    name = f"{point} ({number})"
    async with _signed(stage) as signed:
        folder, shop = stage.folder, signed.shop
        await asyncio.sleep(LIFETIME)
        document = await signed.sell(1)
        trap = Trap(point, folder / f"{shop.slug}.reached")
        first = start_worker(shop.options, folder / f"{shop.slug}-first.log", trap)
        if await first.ended(PATIENCE) != -signal.SIGKILL:
            report.wrong.append(f"{name}: never reached")
            return
        report.killed[point] += 1
        second = start_worker(shop.options, folder / f"{shop.slug}-second.log")
        try:
            issued = await signed.becomes(document, "issued")
            items = await signed.items()
            refused = sum(one["refused"] for one in await signed.sessions())
            expected = POINTS[point]
            if (issued, items, refused > 0) != (not expected, expected, bool(expected)):
                report.wrong.append(f"{name}: issued {issued}, items {items}, refused {refused}")
            if expected:
                await signed.sign_in()
                if not await signed.becomes(document, "issued") or await signed.items():
                    report.wrong.append(f"{name}: connecting again did not help")
            # The current token and, once, the one before it: more would be a loop.
            if refused > len(expected) * 2 or len(await shop.invoices()) != 1:
                report.wrong.append(f"{name}: {refused} refusals, {len(await shop.invoices())} invoices")
        finally:
            second.kill()
