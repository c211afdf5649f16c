"""Every named point of the pipelines, and how a sale comes to pass it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.basket import Shape
from tests.processes.shop import Shop

PATIENCE = 20.0
CREATE, SEARCH = "^/2.0/kb_invoice$", "^/2.0/kb_invoice/search$"

PLAIN = Shape(lines=3, mixed=False, returned=False, free=False, note=False)
LONG = Shape(lines=152, mixed=False, returned=False, free=False, note=False)
MIXED = Shape(lines=4, mixed=True)


@dataclass
class Counter:
    """The shop's counter: its tills and backoffice, and the sale that was just made."""

    shop: Shop
    api: httpx.AsyncClient
    sale: dict[str, Any]
    document: str = ""

    async def sell(self) -> None:
        """Hands the sale in."""
        response = await self.api.post("/invoices", json=self.sale, headers=self.shop.headers)
        assert response.status_code == 202, response.text
        self.document = response.json()["id"]

    async def post(self, path: str, body: object = None) -> None:
        """Another call of the shop."""
        response = await self.api.post(path, json=body, headers=self.shop.headers)
        assert response.status_code in {200, 202}, response.text

    async def status(self) -> dict[str, Any]:
        """How the sale stands."""
        return (await self.api.get(f"/invoices/{self.document}", headers=self.shop.headers)).json()

    async def issued(self) -> dict[str, Any]:
        """The sale once bexio has issued its invoice."""
        for _ in range(int(PATIENCE / 0.05)):
            if (seen := await self.status())["status"] == "issued":
                return seen
            await asyncio.sleep(0.05)
        raise AssertionError("not issued")

    async def drafted(self) -> dict[str, Any]:
        """The draft once bexio has it."""
        for _ in range(int(PATIENCE / 0.05)):
            if found := await self.shop.invoices():
                return found[0]
            await asyncio.sleep(0.05)
        raise AssertionError("no draft")


Play = Callable[[Counter], Awaitable[None]]


async def nothing(counter: Counter) -> None:
    """Nobody does anything beside."""


async def lost_create(counter: Counter) -> None:
    """bexio saves the draft and answers 500; the search that follows takes its time."""
    await counter.shop.fault("error_after_write", "POST", CREATE)
    await counter.shop.fault("latency", "POST", SEARCH, seconds=3)


async def cancel(counter: Counter) -> None:
    """The customer brings everything back."""
    await counter.issued()
    await counter.post(f"/invoices/{counter.document}/cancel")


async def cancel_draft(counter: Counter) -> None:
    """The sale is cancelled while its draft is all there is."""
    await counter.drafted()
    await counter.post(f"/invoices/{counter.document}/cancel")


async def meddle(counter: Counter) -> None:
    """A person writes into the draft: it is no longer the beginning of the sale."""
    draft = await counter.drafted()
    await counter.shop.bexio("POST", f"/2.0/kb_invoice/{draft['id']}/kb_position_text", {"text": "Merci"})
    line = next(one for one in draft["positions"] if one["type"] == "KbPositionCustom")
    path = f"/2.0/kb_invoice/{draft['id']}/kb_position_custom/{line['id']}"
    await counter.shop.bexio("POST", path, {"amount": "77"})


async def stray(counter: Counter) -> None:
    """A lost create lands as a second draft."""
    draft = await counter.drafted()
    copied = ("title", "contact_id", "user_id", "api_reference", "mwst_type", "mwst_is_net", "is_valid_from")
    await counter.shop.bexio("POST", "/2.0/kb_invoice", {name: draft[name] for name in copied})


async def pay_open(counter: Counter) -> None:
    """The customer comes back and pays the invoice at the till."""
    seen = await counter.issued()
    payment = {
        "transaction_id": f"{counter.sale['transaction_id']}9",
        "date": counter.sale["date"],
        "payment_type_id": "1",
        "amount": counter.sale["total"],
    }
    await counter.post(f"/invoices/open/{seen['bexio']['id']}/payments", payment)


@dataclass(frozen=True)
class Point:
    """One place to be killed at. `ends` is `issued`, `cancelled`, `unmade`, or the code that a person gets."""

    milestone: str
    name: str = ""
    shape: Shape = PLAIN
    stranger: bool = False
    before: Play = nothing
    beside: Play = nothing
    ends: str = "issued"
    paid_later: bool = False
    settings: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def title(self) -> str:
        return self.name or self.milestone


_MAIL = {"invoice_send_mail": True}

POINTS = [
    Point("claimed"),
    Point("contact-intended", stranger=True),
    Point("contact-answered", stranger=True),
    Point("contact-linked", stranger=True),
    Point("creating-intended"),
    Point("create-answered"),
    Point("looked-up", before=lost_create),
    Point("adding-intended", shape=LONG),
    Point("position-answered", shape=LONG),
    Point("discarding-intended", before=lost_create, beside=meddle),
    Point("draft-discarded", before=lost_create, beside=meddle),
    Point("issuing-intended"),
    Point("issue-answered"),
    Point("payment-intended", shape=MIXED),
    Point("payment-answered", shape=MIXED),
    Point("payment-recorded", shape=MIXED),
    Point("payment-intended", name="open-payment-intended", beside=pay_open, paid_later=True),
    Point("payment-answered", name="open-payment-answered", beside=pay_open, paid_later=True),
    Point("mailing-intended", stranger=True, settings=_MAIL, ends="mail-outcome-unknown"),
    Point("mail-answered", stranger=True, settings=_MAIL, ends="mail-outcome-unknown"),
    Point("cancelling-intended", beside=cancel, ends="cancelled"),
    Point("cancel-answered", beside=cancel, ends="cancelled"),
    Point("deleting-intended", before=lost_create, beside=cancel_draft, ends="unmade"),
    Point("draft-deleted", before=lost_create, beside=cancel_draft, ends="unmade"),
    Point("tidying-intended", before=lost_create, beside=stray),
    Point("stray-deleted", before=lost_create, beside=stray),
    Point("before-settle"),
    Point("settled"),
]
# Where a frozen worker could still do harm when it thaws.
FREEZES = [
    Point("creating-intended"),
    Point("create-answered"),
    Point("issuing-intended"),
    Point("payment-intended", shape=MIXED),
    Point("cancelling-intended", beside=cancel, ends="cancelled"),
]
