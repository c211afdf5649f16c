"""The simulated bexio as a process of its own, with a fixed latency: `python -m benchmarks.bexio PORT`.

Its control API (`/_sandbox/`) sets latency and limits while it runs.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import uvicorn

from benchmarks.sales import DAY, LINES
from sandbox.bexio.app import create_app
from sandbox.bexio.company import Company
from sandbox.bexio.seed import seed_shop
from sandbox.bexio.world import World

COMPANY = "benchmark"
TOKEN = "token-of-the-benchmark"  # noqa: S105 - of the simulator
PLENTY = 1_000_000
"""The largest limit that the budget believes."""


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)


def new_world() -> tuple[World, Company]:
    """A shop's company that knows our token."""
    world = World(now)
    company = seed_shop(world, company_id=COMPANY)
    world.add_token(COMPANY, TOKEN)
    return world, company


@cache
def _ids() -> tuple[int, dict[str, int], int]:
    """Account, VAT codes by rate, and currency, as every new world numbers them."""
    _, company = new_world()
    return company.account("3200")["id"], {"2.6": company.tax("UR26")["id"], "8.1": company.tax("UN81")["id"]}, 1


def draft(transaction_id: str) -> dict[str, Any]:
    """The invoice of `benchmarks.sales.sale` as one sends it to bexio."""
    account, taxes, currency = _ids()
    return {
        "title": "2/815",
        "contact_id": 2,
        "user_id": 1,
        "language_id": 1,
        "currency_id": currency,
        "payment_type_id": 4,
        "mwst_type": 0,
        "mwst_is_net": False,
        "is_valid_from": DAY,
        "is_valid_to": (date.fromisoformat(DAY) + timedelta(days=30)).isoformat(),
        "api_reference": f"inline/{transaction_id}",
        "positions": [
            {
                "type": "KbPositionCustom",
                "amount": quantity,
                "unit_price": price,
                "account_id": account,
                "tax_id": taxes[rate],
                "text": text,
            }
            for _, _, text, quantity, price, _, _, rate in LINES
        ],
    }


if __name__ == "__main__":
    made, _ = new_world()
    uvicorn.run(create_app(made, served=True), port=int(sys.argv[1]), access_log=False, log_level="warning")
