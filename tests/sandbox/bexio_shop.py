"""A simulated bexio company with the demo shop, a clock that tests move, and a client in the same process."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company
from sandbox.bexio.seed import seed_shop
from sandbox.bexio.world import World

TOKEN = "pat-shop"
NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
Body = dict[str, Any]


class Shop:
    """The world, its shop and what a client sees of it. `slept` are the seconds that faults waited."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the options of seed_shop
        self.time = NOON
        self.slept: list[float] = []
        self.world = World(lambda: self.time, self._sleep)
        self.world.limits.enabled = False
        self.company: Company = seed_shop(self.world, **options)
        self.world.add_token(self.company.id, TOKEN)
        self.client = self.client_for(TOKEN)

    def client_for(self, token: str) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.world)),
            base_url="http://bexio",
            headers={"Authorization": f"Bearer {token}"},
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        return await self.client.get(path, params=query)

    async def post(self, path: str, body: object = None) -> httpx.Response:
        return await self.client.post(path, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self.client.delete(path)

    async def control(self, method: str, path: str, body: object = None) -> httpx.Response:
        return await self.client.request(method, f"/_sandbox/{path}", json=body)

    def line(self, amount: str = "1", unit_price: str = "10.80", tax: str = "UN81", **more: object) -> Body:
        return {
            "type": "KbPositionCustom",
            "amount": amount,
            "unit_price": unit_price,
            "account_id": self.company.account("3200")["id"],
            "tax_id": self.company.tax(tax)["id"],
            "text": "Käse",
            **more,
        }

    def sale(self, *lines: Body, **head: object) -> Body:
        """An invoice with prices that include VAT; without lines it has one of CHF 10.80 at 8.1 %."""
        return {
            "contact_id": 2,
            "user_id": 1,
            "mwst_type": 0,
            "mwst_is_net": False,
            "positions": list(lines) or [self.line()],
            **head,
        }

    async def draft(self, *lines: Body, **head: object) -> Body:
        response = await self.post("/2.0/kb_invoice", self.sale(*lines, **head))
        assert response.status_code == 201, response.text
        return response.json()

    async def issued(self, *lines: Body, **head: object) -> Body:
        invoice = await self.draft(*lines, **head)
        response = await self.post(f"/2.0/kb_invoice/{invoice['id']}/issue")
        assert response.status_code == 200, response.text
        return invoice

    async def shown(self, invoice: Body) -> Body:
        return (await self.get(f"/2.0/kb_invoice/{invoice['id']}")).json()
