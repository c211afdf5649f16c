"""What bexio offers to choose from, for set-up screens."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, PlainSerializer

from app.capabilities.linking.company import name_of
from app.connectors.access import RemoteAccess
from app.connectors.bexio.accounts import Account, AccountType
from app.connectors.bexio.banking_accounts import BankAccount
from app.connectors.bexio.payment_types import PaymentType
from app.connectors.bexio.reference import ReferenceData
from app.connectors.bexio.reference_kinds import ACCOUNTS, BANKING_ACCOUNTS, PAYMENT_TYPES, TAXES, USERS, Kind, Row
from app.connectors.bexio.taxes import Tax
from app.connectors.bexio.users import User
from app.core.money import plain
from app.core.priority import Priority

_TYPES = {
    AccountType.INCOME: "income",
    AccountType.EXPENSE: "expense",
    AccountType.ASSET: "asset",
    AccountType.LIABILITY: "liability",
    AccountType.CLOSING: "closing",
}
Rate = Annotated[Decimal, PlainSerializer(plain, return_type=str)]
Choice = TypeVar("Choice")


class Choices(BaseModel, Generic[Choice]):
    """What can be chosen, at most some hours old unless it was asked anew."""

    items: list[Choice]


class AccountChoice(BaseModel):
    """An account of the chart; `number` is what settings and booking rules name."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"id": 101, "number": "3200", "type": "income", "is_active": True, "label": "3200 Handelserlös"}
            ]
        }
    )

    id: int
    number: str
    type: Literal["income", "expense", "asset", "liability", "closing", "other"]
    is_active: bool
    label: str


class TaxChoice(BaseModel):
    """A VAT code; `rate` in percent."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 14,
                    "code": "UN81",
                    "type": "sales_tax",
                    "rate": "8.1",
                    "is_active": True,
                    "label": "UN81 - Lieferungen/Leistungen 8.10%",
                }
            ]
        }
    )

    id: int
    code: str
    type: str
    rate: Rate
    is_active: bool
    label: str


class PaymentTypeChoice(BaseModel):
    """How bexio says that an invoice will be paid."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 4, "label": "Rechnung"}]})

    id: int
    label: str


class UserChoice(BaseModel):
    """A user of the company."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"id": 1, "label": "Max Muster"}]})

    id: int
    label: str


class BankAccountChoice(BaseModel):
    """A bank or cash account; `account_id` is its account in the chart."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"id": 2, "account_id": 116, "iban": None, "label": "Kasse"}]}
    )

    id: int
    account_id: int | None
    iban: str | None
    label: str


@dataclass(frozen=True, slots=True)
class ChoicesService:
    """Reads reference data for callers."""

    remotes: RemoteAccess
    reference: ReferenceData

    async def accounts(self, tenant: UUID, *, refresh: bool) -> Choices[AccountChoice]:
        """The chart of accounts, by number."""
        rows = sorted(await self._rows(tenant, ACCOUNTS, refresh=refresh), key=lambda row: row.account_no)
        return Choices(items=[_account(row) for row in rows])

    async def taxes(self, tenant: UUID, *, refresh: bool) -> Choices[TaxChoice]:
        """All VAT codes, inactive ones too."""
        return Choices(items=[_tax(row) for row in await self._rows(tenant, TAXES, refresh=refresh)])

    async def payment_types(self, tenant: UUID, *, refresh: bool) -> Choices[PaymentTypeChoice]:
        """Payment types of documents."""
        rows = await self._rows(tenant, PAYMENT_TYPES, refresh=refresh)
        return Choices(items=[_payment_type(row) for row in rows])

    async def users(self, tenant: UUID, *, refresh: bool) -> Choices[UserChoice]:
        """The users of the company."""
        return Choices(items=[_user(row) for row in await self._rows(tenant, USERS, refresh=refresh)])

    async def bank_accounts(self, tenant: UUID, *, refresh: bool) -> Choices[BankAccountChoice]:
        """Bank and cash accounts."""
        rows = await self._rows(tenant, BANKING_ACCOUNTS, refresh=refresh)
        return Choices(items=[_bank_account(row) for row in rows])

    async def _rows(self, tenant: UUID, kind: Kind[Row], *, refresh: bool) -> tuple[Row, ...]:
        reference = self.reference.of(tenant, await self.remotes.bexio(tenant, Priority.BACKOFFICE))
        return await reference.refresh(kind) if refresh else await reference.rows(kind)


def _account(row: Account) -> AccountChoice:
    kind = _TYPES.get(AccountType(row.account_type)) if row.account_type in list(AccountType) else None
    return AccountChoice.model_validate(
        {
            "id": row.id,
            "number": row.account_no,
            "type": kind or "other",
            "is_active": row.is_active,
            "label": f"{row.account_no} {row.name}",
        }
    )


def _tax(row: Tax) -> TaxChoice:
    return TaxChoice(
        id=row.id, code=row.code, type=row.type, rate=row.value, is_active=row.is_active, label=row.display_name
    )


def _payment_type(row: PaymentType) -> PaymentTypeChoice:
    return PaymentTypeChoice(id=row.id, label=row.name)


def _user(row: User) -> UserChoice:
    return UserChoice(id=row.id, label=name_of(row))


def _bank_account(row: BankAccount) -> BankAccountChoice:
    return BankAccountChoice(id=row.id, account_id=row.account_id, iban=row.iban_nr, label=row.name)
