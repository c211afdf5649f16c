"""The chart of accounts (`/2.0/accounts`). Accounts are addressed by id; numbers are the company's own."""

from __future__ import annotations

from enum import IntEnum

from app.connectors.bexio.criteria import Criterion
from app.connectors.bexio.resource import Listing, gathered, resource_of, search_pages
from app.connectors.bexio.wire import OptionalId, Wire


class AccountType(IntEnum):
    """`account_type`."""

    INCOME = 1
    EXPENSE = 2
    ASSET = 3
    LIABILITY = 4
    CLOSING = 5


class Account(Wire):
    """An account. `is_locked` means that it cannot be edited; it can be booked on."""

    id: int
    uuid: str | None = None
    account_no: str
    name: str
    account_type: int
    tax_id: OptionalId = None
    is_active: bool
    is_locked: bool


ACCOUNTS = resource_of("/2.0/accounts", Account)


class Accounts(Listing[Account]):
    """The company's accounts."""

    async def search(self, *criteria: Criterion) -> tuple[Account, ...]:
        """Searchable: account_no, fibu_account_group_id, name, account_type."""
        return await gathered(search_pages(self._transport, ACCOUNTS, criteria))
