"""What the doctor looks at: everything read once, without a single write. A failing read is a finding, not an end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import PaymentType as ArcavisPaymentType
from app.connectors.bexio.accounts import Account
from app.connectors.bexio.banking_accounts import BankAccount
from app.connectors.bexio.business_years import BusinessYear
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contact_groups import ContactGroup
from app.connectors.bexio.contacts import Contact
from app.connectors.bexio.criteria import equal
from app.connectors.bexio.currencies import Currency
from app.connectors.bexio.invoices import Invoice
from app.connectors.bexio.item_settings import ItemSetting
from app.connectors.bexio.payment_types import PaymentType
from app.connectors.bexio.permissions import Permissions
from app.connectors.bexio.taxes import Tax
from app.connectors.bexio.users import User
from app.connectors.bexio.vat_periods import VatPeriod
from app.core.errors import ConnectionRefused, ConnectorError, RemoteUnavailable
from app.core.swiss_time import today

_UNAUTHORIZED = 401
# Nothing carries it: the search shows that searching is allowed.
PROBE = "connector-check"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """A list that could not be read, by its name, and why."""

    name: str
    error: ConnectorError


@dataclass(frozen=True, slots=True)
class BexioFacts:
    """What bexio told."""

    me: User | None = None
    permissions: Permissions | None = None
    users: tuple[User, ...] | None = None
    accounts: tuple[Account, ...] | None = None
    taxes: tuple[Tax, ...] | None = None
    currencies: tuple[Currency, ...] | None = None
    payment_types: tuple[PaymentType, ...] | None = None
    bank_accounts: tuple[BankAccount, ...] | None = None
    item_settings: tuple[ItemSetting, ...] | None = None
    business_years: tuple[BusinessYear, ...] | None = None
    vat_periods: tuple[VatPeriod, ...] | None = None
    contact_groups: tuple[ContactGroup, ...] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the checks know. None is what could not be read."""

    now: datetime
    settings: TenantSettings
    expires_at: datetime | None
    company_name: str | None
    scopes_missing: tuple[str, ...]
    renewal_failures: int
    failures: tuple[Failure, ...]
    bexio: BexioFacts
    arcavis_payment_types: tuple[ArcavisPaymentType, ...] | None

    @property
    def today(self) -> date:
        """The Swiss day: sales are booked on it."""
        return today(self.now)


class Reader:
    """Reads, and keeps what went wrong."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []

    async def read(self, name: str, reading: Callable[[], Awaitable[T]]) -> T | None:
        """What `reading` gives; None when it fails."""
        try:
            return await reading()
        except ConnectorError as error:
            self.failures.append(Failure(name, error))
            return None

    @property
    def is_cut_off(self) -> bool:
        """True when nothing more can be learned: the credentials are refused, or nobody answers."""
        last = self.failures[-1].error if self.failures else None
        refused = isinstance(last, ConnectionRefused) and last.status == _UNAUTHORIZED
        return refused or isinstance(last, RemoteUnavailable)


async def read_bexio(reader: Reader, bexio: Bexio) -> BexioFacts:
    """Everything an invoice needs, at once; nothing after a first read that says there is no use."""
    me = await reader.read("bexio.users.me", bexio.users.me)
    if reader.is_cut_off:
        return BexioFacts()

    async def contacts() -> tuple[Contact, ...]:
        return await bexio.contacts.search(equal("mail", PROBE))

    async def invoices() -> tuple[Invoice, ...]:
        return await bexio.invoices.by_api_reference(PROBE)

    async with asyncio.TaskGroup() as group:
        for name, probe in (("bexio.contacts", contacts), ("bexio.invoices", invoices)):
            group.create_task(reader.read(name, probe))
        permissions = group.create_task(reader.read("bexio.permissions", bexio.permissions))
        users = group.create_task(reader.read("bexio.users", bexio.users.list))
        accounts = group.create_task(reader.read("bexio.accounts", bexio.accounts.list))
        taxes = group.create_task(reader.read("bexio.taxes", bexio.taxes.list))
        currencies = group.create_task(reader.read("bexio.currencies", bexio.currencies.list))
        payment_types = group.create_task(reader.read("bexio.payment_types", bexio.payment_types.list))
        bank_accounts = group.create_task(reader.read("bexio.bank_accounts", bexio.banking_accounts.list))
        item_settings = group.create_task(reader.read("bexio.item_settings", bexio.item_settings.list))
        business_years = group.create_task(reader.read("bexio.business_years", bexio.business_years.list))
        vat_periods = group.create_task(reader.read("bexio.vat_periods", bexio.vat_periods.list))
        contact_groups = group.create_task(reader.read("bexio.contact_groups", bexio.contact_groups.list))
    return BexioFacts(
        me=me,
        permissions=permissions.result(),
        users=users.result(),
        accounts=accounts.result(),
        taxes=taxes.result(),
        currencies=currencies.result(),
        payment_types=payment_types.result(),
        bank_accounts=bank_accounts.result(),
        item_settings=item_settings.result(),
        business_years=business_years.result(),
        vat_periods=vat_periods.result(),
        contact_groups=contact_groups.result(),
    )


async def read_arcavis(reader: Reader, arcavis: Arcavis) -> tuple[ArcavisPaymentType, ...] | None:
    """The payment types of the tills; and whether customers and suppliers can be read, to be kept in sync."""
    payment_types = await reader.read("arcavis.payment_types", arcavis.payment_types.list)
    if not reader.is_cut_off:
        await reader.read("arcavis.customers", lambda: arcavis.customers.page(1, 1))
        await reader.read("arcavis.suppliers", lambda: arcavis.suppliers.page(1, 1))
    return payment_types
