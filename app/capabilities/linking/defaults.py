"""Settings that both systems know well enough to fill in, for a person to change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import PaymentType as ArcavisPaymentType
from app.connectors.bexio.accounts import Account, AccountType
from app.connectors.bexio.banking_accounts import BankAccount
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.item_settings import INVOICE_CLASS, ItemSetting
from app.connectors.bexio.payment_types import PaymentType
from app.core.errors import ConnectorError

GOODS_REVENUE = "3200"
ROUNDING = "6945"
# "Rechnung" in bexio's four languages.
_ON_INVOICE = frozenset({"rechnung", "facture", "fattura", "invoice"})
_ARCAVIS_ON_INVOICE = "bexio rechnung"

Row = TypeVar("Row")


async def read_bexio(bexio: Bexio, user_id: int) -> dict[str, Any]:
    """What bexio says; a list that cannot be read leaves its settings open."""
    item = next((row for row in await _rows(bexio.item_settings.list) if row.kb_item_class == INVOICE_CLASS), None)
    return {
        "bexio_user_id": user_id,
        **due_days(item),
        **payment_type(await _rows(bexio.payment_types.list), item),
        **account(accounts := await _rows(bexio.accounts.list)),
        **rounding_account(accounts),
        **bank_account(await _rows(bexio.banking_accounts.list), item),
    }


async def read_arcavis(arcavis: Arcavis) -> dict[str, Any]:
    """What Arcavis says, likewise."""
    return invoice_payment_type(await _rows(arcavis.payment_types.list))


def due_days(item: ItemSetting | None) -> dict[str, Any]:
    """The company's own term of payment."""
    days = item.default_time_period_in_days if item else None
    return {"invoice_due_days": days} if days is not None and 0 <= days <= 365 else {}  # noqa: PLR2004 - a year


def payment_type(rows: Sequence[PaymentType], item: ItemSetting | None) -> dict[str, Any]:
    """The one for invoices by its name, or else the company's default."""
    named = next((row.id for row in rows if row.name.strip().casefold() in _ON_INVOICE), None)
    chosen = named or (item.default_payment_type_id if item else None)
    return {"invoice_bexio_payment_type_id": chosen} if chosen else {}


def account(rows: Sequence[Account]) -> dict[str, Any]:
    """Revenue from goods, where the company has that account."""
    fits = any(
        row.account_no == GOODS_REVENUE and row.is_active and row.account_type == AccountType.INCOME for row in rows
    )
    return {"invoice_account_no": GOODS_REVENUE} if fits else {}


def rounding_account(rows: Sequence[Account]) -> dict[str, Any]:
    """Bexio's own account for rounding differences, where the company has it."""
    kinds = {AccountType.EXPENSE, AccountType.INCOME}
    fits = any(row.account_no == ROUNDING and row.is_active and row.account_type in kinds for row in rows)
    return {"rounding_account_no": ROUNDING} if fits else {}


def bank_account(rows: Sequence[BankAccount], item: ItemSetting | None) -> dict[str, Any]:
    """The one that bexio prints on invoices, or the only one."""
    known = {row.id for row in rows}
    default = item.default_client_bank_account_new_id if item else None
    chosen = default if default in known else next(iter(known)) if len(known) == 1 else None
    return {"invoice_bank_account_id": chosen} if chosen else {}


def invoice_payment_type(rows: Sequence[ArcavisPaymentType]) -> dict[str, Any]:
    """The payment type that Arcavis' own guide tells shops to make."""
    named = [row.id for row in rows if row.is_active and row.title.strip().casefold() == _ARCAVIS_ON_INVOICE]
    return {"invoice_payment_type_id": str(named[0])} if len(named) == 1 else {}


def filled(settings: TenantSettings, known: Mapping[str, Any]) -> tuple[TenantSettings, dict[str, str]]:
    """The settings with what nobody chose yet filled in, and what that was, for the audit trail."""
    new = {name: value for name, value in known.items() if name not in settings.model_fields_set}
    chosen = settings.model_dump(exclude_unset=True) | new
    return TenantSettings.model_validate(chosen), {name: str(value) for name, value in new.items()}


async def _rows(read: Callable[[], Awaitable[tuple[Row, ...]]]) -> tuple[Row, ...]:
    try:
        return await read()
    except ConnectorError:
        return ()
