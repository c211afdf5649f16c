"""The kinds of reference data, by the name they are stored under, and how each is read from bexio."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from app.connectors.bexio import (
    accounts,
    banking_accounts,
    business_years,
    calendar_years,
    contact_groups,
    countries,
    currencies,
    item_settings,
    languages,
    payment_types,
    salutations,
    taxes,
    units,
    users,
    vat_periods,
)
from app.connectors.bexio.client import Bexio

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Kind(Generic[Row]):
    """Rows of one kind: their stored name, their shape, and the call that reads all of them."""

    name: str
    rows: TypeAdapter[tuple[Row, ...]]
    read: Callable[[Bexio], Awaitable[tuple[Row, ...]]]


ACCOUNTS = Kind("accounts", accounts.ACCOUNTS.rows, lambda bexio: bexio.accounts.list())
TAXES = Kind("taxes", taxes.TAXES.rows, lambda bexio: bexio.taxes.list())
CURRENCIES = Kind("currencies", currencies.CURRENCIES.rows, lambda bexio: bexio.currencies.list())
USERS = Kind("users", users.USERS.rows, lambda bexio: bexio.users.list())
PAYMENT_TYPES = Kind("payment_types", payment_types.PAYMENT_TYPES.rows, lambda bexio: bexio.payment_types.list())
UNITS = Kind("units", units.UNITS.rows, lambda bexio: bexio.units.list())
COUNTRIES = Kind("countries", countries.COUNTRIES.rows, lambda bexio: bexio.countries.list())
LANGUAGES = Kind("languages", languages.LANGUAGES.rows, lambda bexio: bexio.languages.list())
CONTACT_GROUPS = Kind("contact_groups", contact_groups.CONTACT_GROUPS.rows, lambda bexio: bexio.contact_groups.list())
SALUTATIONS = Kind("salutations", salutations.SALUTATIONS.rows, lambda bexio: bexio.salutations.list())
BANKING_ACCOUNTS = Kind(
    "banking_accounts", banking_accounts.BANKING_ACCOUNTS.rows, lambda bexio: bexio.banking_accounts.list()
)
ITEM_SETTINGS = Kind("item_settings", item_settings.ITEM_SETTINGS.rows, lambda bexio: bexio.item_settings.list())
BUSINESS_YEARS = Kind("business_years", business_years.BUSINESS_YEARS.rows, lambda bexio: bexio.business_years.list())
VAT_PERIODS = Kind("vat_periods", vat_periods.VAT_PERIODS.rows, lambda bexio: bexio.vat_periods.list())
CALENDAR_YEARS = Kind("calendar_years", calendar_years.CALENDAR_YEARS.rows, lambda bexio: bexio.calendar_years.list())

KINDS: dict[str, Kind[Any]] = {
    kind.name: kind
    for kind in (
        ACCOUNTS,
        TAXES,
        CURRENCIES,
        USERS,
        PAYMENT_TYPES,
        UNITS,
        COUNTRIES,
        LANGUAGES,
        BANKING_ACCOUNTS,
        ITEM_SETTINGS,
        BUSINESS_YEARS,
        VAT_PERIODS,
        CALENDAR_YEARS,
        CONTACT_GROUPS,
        SALUTATIONS,
    )
}
"""All kinds by name."""
