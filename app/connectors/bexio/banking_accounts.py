"""Bank and cash accounts (`/3.0/banking/accounts`), which payments are recorded on."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import OptionalId, Wire


class BankAccount(Wire):
    """A bank account; `account_id` is its ledger account."""

    id: int
    name: str
    bank_name: str | None = None
    iban_nr: str | None = None
    currency_id: OptionalId = None
    account_id: OptionalId = None
    invoice_mode: str | None = None
    type: str


BANKING_ACCOUNTS = resource_of("/3.0/banking/accounts", BankAccount)
