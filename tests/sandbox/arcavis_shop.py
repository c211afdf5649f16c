"""A seeded simulated Arcavis with a client that speaks HTTP to it."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from sandbox.arcavis.app import create_app
from sandbox.arcavis.seed import DEMO_PASSWORD, DEMO_USERNAME, seed_shop
from sandbox.arcavis.values import Record
from sandbox.arcavis.world import World
from sandbox.sales import sales_routes

WEBSHOP_CART: Record = {
    "Customer": {
        "CustomerNumber": "WP-17",
        "LanguageId": "de",
        "IsCompany": "false",
        "Firstname": "Anna",
        "Name": "Muster",
        "Zip": "8000",
        "City": "Zürich",
        "CountryIsoCode": "CH",
    },
    "Amount": 31.5,
    "AmountOpen": 31.5,
    "Remarks": "4711",
    "TransactionArticles": [
        {
            "ReceiptPosition": 1,
            "ArticleId": 1701,
            "Quantity": 3,
            "TaxRate": "",
            "UnitPrice": 5.0,
            "Price": 15.0,
        },
        {"ReceiptPosition": 2, "ArticleId": 0, "Title": "Versand", "Price": 16.5},
    ],
    "TransactionPayments": [
        {"Title": "TWINT", "Amount": 31.5, "CurrencyIsoCode": "CHF", "Debit": 0, "ExchangeRate": 1}
    ],
}
"""The cart of a shop system, booleans as text and numbers as "", after the public WordPress clients."""


class Shop:
    """The world, its demo tenant, a clock that a test moves, and the waits that faults asked for."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
        self.waited: list[float] = []
        self.world = World(lambda: self.moment, self._sleep)
        self.tenant = seed_shop(self.world)
        app = create_app(self.world, sales_routes(self.world))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://arcavis")
        self.headers = basic(DEMO_USERNAME, DEMO_PASSWORD)

    async def _sleep(self, seconds: float) -> None:
        self.waited.append(seconds)

    def wait(self, **span: float) -> None:
        """Let time pass."""
        self.moment += timedelta(**span)

    async def send(self, method: str, resource: str, body: object = None, **query: object) -> httpx.Response:
        """One call of the API."""
        return await self.client.request(
            method,
            f"/demo/api/{resource}",
            headers=self.headers,
            json=body,
            params={name: str(value) for name, value in query.items()},
        )

    async def call(self, method: str, resource: str, body: object = None, **query: object) -> dict[str, Any]:
        """One call that must answer 200; returns the envelope."""
        response = await self.send(method, resource, body, **query)
        assert response.status_code == 200, response.text
        return response.json()

    async def get(self, resource: str, **query: object) -> dict[str, Any]:
        """Read; returns the envelope."""
        return await self.call("GET", resource, **query)

    async def control(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """One call of the control API that must answer 200."""
        response = await self.client.request(method, f"/_sandbox/{path}", json=body)
        assert response.status_code == 200, response.text
        return response.json()


def basic(username: str, password: str) -> dict[str, str]:
    """The header of Basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()}


def ids(envelope: dict[str, Any]) -> list[int]:
    """The ids in a list answer."""
    return [row["Id"] for row in envelope["Result"]]
