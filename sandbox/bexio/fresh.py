"""A bexio company on its first day, as recorded from a real one in June 2026."""

import json
from functools import cache
from importlib import resources
from typing import Final

from sandbox.bexio import contacts
from sandbox.bexio.company import Company
from sandbox.bexio.table import Table
from sandbox.bexio.values import Record, uuid_of
from sandbox.bexio.world import World

COMPANY_ID: Final = "q69vysq7fkzl"
_WITH_UUID: Final = frozenset({"accounts", "account_groups", "taxes", "banking_accounts"})
_FIRST_CONTACT: Final[Record] = {
    "contact_type_id": 1,
    "name_1": "bexio AG",
    "street_name": "Alte Jonastrasse",
    "house_number": "24",
    "postcode": "8640",
    "city": "Rapperswil",
    "country_id": 1,
    "url": "https://www.bexio.com",
    "contact_group_ids": "1",
    "user_id": 1,
    "owner_id": 1,
}


def seed_fresh(world: World, company_id: str = COMPANY_ID, name: str = "Mustermann AG") -> Company:
    """Bexio's own chart of accounts, VAT codes, choices and one contact; years 2026 (open) and 2025 (closed)."""
    company = world.add_company(company_id, name)
    recorded: dict[str, list[Record]] = json.loads(_recorded())
    company.profile.update({**recorded.pop("company_profile")[0], "name": name})
    for table, rows in recorded.items():
        for row in rows:
            fill(company, table, row)
    contacts.create(company, _FIRST_CONTACT)
    return company


def fill(company: Company, table: str, row: Record) -> Record:
    """Add a row to a table of the company; without an id it takes the next one."""
    rows: Table[Record] = getattr(company, table)
    row_id: int = row.get("id") or rows.next_id()
    unique = {"uuid": uuid_of(company.id, table, row_id)} if table in _WITH_UUID else {}
    return rows.put(row_id, {"id": row_id, **unique, **row})


@cache
def _recorded() -> str:
    return resources.files("sandbox.bexio").joinpath("data/fresh_company.json").read_text(encoding="utf-8")
