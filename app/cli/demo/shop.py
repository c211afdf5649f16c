"""The shop that came of an activation: its callers, what its owner still chooses, and what an accountant settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.cli.demo.http import Caller
from app.cli.demo.stage import Stage
from app.cli.failures import CommandFailed

TILLS = ("Kasse 1", "Kasse 2")
INVOICE_TYPE = "7"
CASH, EXPENSE, SKIMMING = "1", "2", "4"
# Arcavis payment type -> bexio account behind the bank account. The voucher (4) is forgotten on purpose.
PAID_AT_TILL = {"1": "1000", "2": "1021", "3": "1022"}
# Number, name, bexio's account type.
ACCOUNTS = (("2031", "Kundenkonten", 4), ("2036", "Trinkgelder", 4), ("6500", "Verwaltungsaufwand", 2))
# What nobody can derive: which accounts cash goes to that leaves the till.
RULES: tuple[Mapping[str, Any], ...] = (
    {"title": "Barausgaben", "kind": EXPENSE, "debit_account": "1000", "credit_account": "6500"},
    {"title": "Abschöpfung", "kind": SKIMMING, "debit_account": "1000", "credit_account": "1020"},
)


@dataclass(frozen=True, slots=True)
class Shop:
    """The tenant's callers: one for each till by its title, and the backoffice; `environment` is its Arcavis."""

    slug: str
    environment: str
    tills: Mapping[str, Caller]
    backoffice: Caller
    findings: list[Mapping[str, Any]]


async def open_shop(stage: Stage) -> Shop:
    """Gives the activated shop its keys, chooses what was left open, and has the doctor look at it."""
    tenants: Any = await stage.operator.get("/tenants")
    (tenant,) = tenants["items"]
    slug = str(tenant["slug"])
    backoffice = await _caller(stage, slug, "backoffice", "Backoffice")
    tills = {title: await _caller(stage, slug, "pos", title) for title in TILLS}
    await _choose(backoffice)
    connection: Any = await backoffice.get("/connection")
    environment = str(connection["arcavis"]["base_url"]).rsplit("/", 1)[-1]
    checked: Any = await backoffice.get("/connection/check")
    return Shop(slug, environment, tills, backoffice, checked["findings"])


async def make_accounts(stage: Stage) -> None:
    """Makes the accounts in bexio that a usual chart lacks and a shop with tips and customer accounts needs."""
    for number, name, kind in ACCOUNTS:
        account = {"account_no": number, "name": name, "account_type": kind}
        await stage.bexio.send("POST", "/_sandbox/actions/add-account", account)


async def settle_books(shop: Shop) -> None:
    """The accountant adds the two booking rules that nobody can derive to those of the activation."""
    for one in RULES:
        only = {"payment_types": [CASH], "transaction_types": [one["kind"]]}
        rule = {name: one[name] for name in ("title", "debit_account", "credit_account")}
        rule |= {"source": "payments", "value": "amount", "filter": only}
        await shop.backoffice.send("POST", "/bookings/rules", rule)


async def _caller(stage: Stage, slug: str, role: str, label: str) -> Caller:
    made = await stage.operator.send("POST", f"/tenants/{slug}/api-keys", {"role": role, "label": label})
    return stage.caller(made["key"])


async def _choose(backoffice: Caller) -> None:
    current = await backoffice.call("GET", "/settings")
    if current.body["invoice_payment_type_id"] != INVOICE_TYPE:
        raise CommandFailed(f"The activation chose payment type {current.body['invoice_payment_type_id']}.")
    accounts: Any = await backoffice.get("/bexio/accounts")
    numbers = {account["id"]: account["number"] for account in accounts["items"]}
    banks: Any = await backoffice.get("/bexio/bank-accounts")
    by_account = {numbers.get(bank["account_id"]): bank["id"] for bank in banks["items"]}
    chosen = {"payment_bank_accounts": {kind: by_account[number] for kind, number in PAID_AT_TILL.items()}}
    await backoffice.send("PATCH", "/settings", chosen, If_Match=current.headers["etag"])
