"""Setting up the shop as an operator and its owner would: a tenant, its keys, both connections, its settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.cli.demo.http import Caller
from app.cli.demo.stage import Stage

SLUG = "demo"
TILLS = ("Kasse 1", "Kasse 2", "Kasse 3")
INVOICE_TYPE = "7"
REVENUE_ACCOUNT = "3200"
# Arcavis payment type -> bexio account behind the bank account. The voucher (4) is forgotten on purpose.
PAID_AT_TILL = {"1": "1000", "2": "1021", "3": "1022"}


@dataclass(frozen=True, slots=True)
class Shop:
    """The tenant's callers: one for each till by its title, and the backoffice."""

    tills: Mapping[str, Caller]
    backoffice: Caller
    findings: list[Mapping[str, Any]]


async def open_shop(stage: Stage) -> Shop:
    """Creates and connects the tenant, chooses its settings, and has the doctor look at it."""
    access = stage.access
    arcavis = {
        "base_url": access["arcavis_url"],
        "username": access["arcavis_username"],
        "password": access["arcavis_password"],
    }
    tenant: dict[str, object] = {
        "slug": SLUG,
        "name": "Feinkost Zürihorn AG",
        "language": "de",
        "arcavis": arcavis,
        "modules": [],
    }
    await stage.operator.send("POST", "/tenants", tenant)
    backoffice = await _caller(stage, "backoffice", "Backoffice")
    tills = {title: await _caller(stage, "pos", title) for title in TILLS}
    await backoffice.send("PUT", "/connection/bexio", {"personal_access_token": access["bexio_token"]})
    await _choose(backoffice)
    checked = await backoffice.get("/connection/check")
    return Shop(tills, backoffice, checked["findings"])


async def _caller(stage: Stage, role: str, label: str) -> Caller:
    made = await stage.operator.send("POST", f"/tenants/{SLUG}/api-keys", {"role": role, "label": label})
    return stage.caller(made["key"])


async def _choose(backoffice: Caller) -> None:
    current = await backoffice.call("GET", "/settings")
    accounts: Any = await backoffice.get("/bexio/accounts")
    numbers = {account["id"]: account["number"] for account in accounts["items"]}
    banks: Any = await backoffice.get("/bexio/bank-accounts")
    by_account = {numbers.get(bank["account_id"]): bank["id"] for bank in banks["items"]}
    chosen = {
        "invoice_payment_type_id": INVOICE_TYPE,
        "invoice_account_no": REVENUE_ACCOUNT,
        "payment_bank_accounts": {kind: by_account[number] for kind, number in PAID_AT_TILL.items()},
    }
    await backoffice.send("PATCH", "/settings", chosen, If_Match=current.headers["etag"])
