"""A shop's morning: three tills sell on invoice while bexio has its troubles, and nobody at the till waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.cli.demo.shop import INVOICE_TYPE, Shop
from app.cli.demo.stage import Stage
from app.cli.failures import CommandFailed

SALES = 40
# A morning with eight mixed payments, of which one is partly by voucher, and without the shop's namesakes.
SEED = 553
REPEATED_EVERY = 5
PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.4
_PACE_SECONDS = 0.12

CREATE, ISSUE = "^/2.0/kb_invoice$", "/issue$"
# After so many sales, this happens to the next such request.
TROUBLES: Mapping[int, Mapping[str, object]] = {
    2: {"mode": "timeout_after_write", "method": "POST", "path": CREATE, "times": 1, "seconds": 25},
    8: {"mode": "error_after_write", "method": "POST", "path": CREATE, "times": 2},
    14: {"mode": "storm_429", "method": "POST", "path": CREATE, "times": 3, "seconds": 2},
    20: {"mode": "reset", "method": "POST", "path": CREATE, "times": 1},
    26: {"mode": "error_after_write", "method": "POST", "path": ISSUE, "times": 1},
    32: {"mode": "error_before", "method": "POST", "path": CREATE, "times": 1},
}


@dataclass(slots=True)
class Sold:
    """One sale: what the till sent, the document it became, how long the till waited, how often it sent it."""

    body: Mapping[str, Any]
    transaction: int
    document: str = ""
    seconds: float = 0.0
    sent: int = 0
    same: bool = True
    cancelled: bool = False
    seen: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def total(self) -> Decimal:
        """What the till took, on invoice and otherwise."""
        return Decimal(self.body["total"])

    def paid(self, kinds: frozenset[str] | None = None) -> list[Decimal]:
        """The parts paid at the till, of these payment types or of all, smallest first."""
        parts = [part for part in self.body["payments"] if part["payment_type_id"] != INVOICE_TYPE]
        return sorted(Decimal(part["amount"]) for part in parts if kinds is None or part["payment_type_id"] in kinds)

    @property
    def settled(self) -> bool:
        """Whether nothing more will happen to it by itself."""
        if self.seen.get("attention") is not None or self.seen.get("status") in {"attention", "cancelled"}:
            return True
        bexio = self.seen.get("bexio")
        return bexio is not None and Decimal(bexio["open_amount"]) == self.total - sum(self.paid())


Told = Callable[[int], None]


async def sell(stage: Stage, shop: Shop, told: Told) -> list[Sold]:
    """The tills sell, each its own customers one after the other; `told` hears how many sales were sent."""
    rung: Any = await stage.arcavis.send(
        "POST", f"/_sandbox/tenants/{shop.environment}/sales", {"count": SALES, "seed": SEED}
    )
    sales = [Sold(one["body"], one["transaction"]["Id"]) for one in rung]
    done = 0

    async def at(till: str) -> None:
        nonlocal done
        for sale in sales:
            if sale.body["point_of_sale"] != till:
                continue
            await send(shop, sale, again=done % REPEATED_EVERY == REPEATED_EVERY - 1)
            done += 1
            if done in TROUBLES:
                await stage.bexio.send("POST", "/_sandbox/faults", TROUBLES[done])
            told(done)
            await asyncio.sleep(_PACE_SECONDS)

    async with asyncio.TaskGroup() as group:
        for till in shop.tills:
            group.create_task(at(till))
    return sales


async def send(shop: Shop, sale: Sold, *, again: bool = False) -> None:
    """Sends a sale; `again` as a till does whose network swallowed the answer: twice more, at the same time."""
    till = shop.tills[sale.body["point_of_sale"]]
    started = time.monotonic()
    first = await till.send("POST", "/invoices", sale.body)
    sale.seconds, sale.document, sale.sent = time.monotonic() - started, first["id"], 1
    if again:
        answers = await asyncio.gather(*(till.send("POST", "/invoices", sale.body) for _ in range(2)))
        sale.sent += len(answers)
        sale.same = all(answer["id"] == sale.document for answer in answers)


async def follow(stage: Stage, shop: Shop, sales: list[Sold], told: Told) -> None:
    """Looks until nothing more happens by itself; `told` hears how many sales are through."""
    by_document = {sale.document: sale for sale in sales}
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        stage.check()
        page: Any = await shop.backoffice.get("/invoices?limit=200")
        for one in page["items"]:
            by_document[one["id"]].seen = one
        through = sum(sale.settled for sale in sales)
        told(through)
        if through == len(sales) or time.monotonic() > deadline:
            return
        await asyncio.sleep(_POLL_SECONDS)


async def cancel_one(stage: Stage, shop: Shop, sales: list[Sold]) -> Sold:
    """A customer changes their mind: the till cancels a receipt that is on an open invoice already."""
    sale = next((one for one in sales if one.settled and not one.paid() and one.seen["attention"] is None), None)
    if sale is None:
        raise CommandFailed(f"No sale has an open invoice; the logs are in {stage.folder}.")
    await stage.arcavis.send("POST", f"/_sandbox/tenants/{shop.environment}/transactions/{sale.transaction}/cancel")
    till = shop.tills[sale.body["point_of_sale"]]
    sale.seen = await till.send("POST", f"/invoices/{sale.document}/cancel", Prefer="wait=15")
    sale.cancelled = True
    return sale
