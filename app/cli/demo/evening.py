"""A shop's evening: the day's bookings go to bexio, once; a till that was silent is heard later and becomes a delta."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.cli.demo.following import finished
from app.cli.demo.http import Caller
from app.cli.demo.morning import Sold, send
from app.cli.demo.shop import Shop
from app.cli.demo.stage import Stage

SEED = 7
RECEIPTS = 30
# The till that has no network during the day; its receipts arrive after the first export.
SILENT_TILL = 2


@dataclass(frozen=True, slots=True)
class Exported:
    """One export: what it was for, and the run it became."""

    what: str
    run: Mapping[str, Any]

    @property
    def entries(self) -> int:
        """How many entries it posted."""
        return int(self.run["counts"].get("entries", 0))


@dataclass(frozen=True, slots=True)
class Evening:
    """What the accountant sees: the plan, the exports, the journal, and whether everything still stands."""

    day: date
    rules: int
    preview: Mapping[str, Any]
    posted: Sequence[Mapping[str, Any]]
    exports: Sequence[Exported]
    reconciliation: Mapping[str, Any]
    journal: Mapping[str, Any]


Told = Callable[[int], None]
STEPS = 7


async def trade(stage: Stage, shop: Shop, day: date) -> list[Sold]:
    """The tills sell the rest of the day, by every means of payment; gives what they sent to us as on invoice."""
    await stage.arcavis.send("POST", f"/_sandbox/tenants/{shop.environment}/tills/{SILENT_TILL}/offline", {})
    asked = {"from": day.isoformat(), "to": day.isoformat(), "seed": SEED, "receipts": RECEIPTS}
    traded: Any = await stage.arcavis.send("POST", f"/_sandbox/tenants/{shop.environment}/trade", asked)
    sales = [Sold(body, int(body["transaction_id"])) for body in traded["bodies"]]
    for sale in sales:
        await send(shop, sale)
    return sales


async def book(stage: Stage, shop: Shop, day: date, told: Told) -> Evening:
    """Previews, posts, posts again, hears the silent till, posts the difference, and reads bexio's books back."""
    rules: Any = await shop.backoffice.get("/bookings/rules?limit=200")
    told(1)
    preview = await _preview(shop, day)
    told(2)
    first = await _export(stage, shop, "the day, as previewed", day, preview["plan_hash"])
    posted = await _manual_entries(stage)
    told(3)
    again = await _export(stage, shop, "the same day again", day)
    told(4)
    await stage.arcavis.send("POST", f"/_sandbox/tenants/{shop.environment}/tills/{SILENT_TILL}/online", {})
    late = await _export(stage, shop, "a till that was heard late", day)
    told(5)
    reconciliation: Any = await shop.backoffice.get(f"/bookings/reconciliation?from={day}&to={day}")
    told(6)
    journal: Any = await shop.backoffice.get(f"/export/bookings/{first.run['id']}")
    told(STEPS)
    return Evening(day, len(rules["items"]), preview, posted, (first, again, late), reconciliation, journal)


async def _manual_entries(stage: Stage) -> Sequence[Mapping[str, Any]]:
    """What stands in bexio, read past the connector as any other program may."""
    other = Caller(stage.bexio.url, stage.access["bexio_token"])
    return await other.get("/3.0/accounting/manual_entries?limit=2000")


async def _preview(shop: Shop, day: date) -> Mapping[str, Any]:
    asked = {"from": day.isoformat(), "to": day.isoformat()}
    return await shop.backoffice.send("POST", "/export/bookings/preview", asked)


async def _export(stage: Stage, shop: Shop, what: str, day: date, plan_hash: str | None = None) -> Exported:
    asked = {"from": day.isoformat(), "to": day.isoformat()} | ({"plan_hash": plan_hash} if plan_hash else {})
    started: Any = await shop.backoffice.send("POST", "/export/bookings", asked, Prefer="wait=10")
    return Exported(what, await finished(stage, shop, started))
