"""What a tenant's bexio company has: accounts, VAT codes and the like; read rarely, looked up often.

Each kind is kept in Postgres for up to `MAX_AGE`, and in this process for up to `MEMORY_AGE`, so that a
look-up on the hot path asks nobody. What is missing is asked for again: it may just have been created.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import ValidationError
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from app.connectors.bexio.accounts import Account
from app.connectors.bexio.banking_accounts import BankAccount
from app.connectors.bexio.business_years import BusinessYear
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.currencies import Currency
from app.connectors.bexio.item_settings import ItemSetting
from app.connectors.bexio.payment_types import PaymentType
from app.connectors.bexio.reference_kinds import (
    ACCOUNTS,
    BANKING_ACCOUNTS,
    BUSINESS_YEARS,
    COUNTRIES,
    CURRENCIES,
    ITEM_SETTINGS,
    KINDS,
    LANGUAGES,
    PAYMENT_TYPES,
    TAXES,
    USERS,
    Kind,
    Row,
)
from app.connectors.bexio.sales_tax import sales_tax
from app.connectors.bexio.taxes import Tax
from app.connectors.bexio.users import User
from app.core.clock import Clock
from app.core.errors import RemoteRejected
from app.db.session import Database

MAX_AGE = timedelta(hours=6)
MEMORY_AGE = timedelta(minutes=2)
# Fifty sales that fail over one unknown account ask bexio once; who has just mended it there need not wait.
SETTLED = timedelta(seconds=5)
MOST_COMPANIES = 256

_REFUSED = 422

_LOAD = text("select name, rows, fetched_at from reference_data where tenant_id = :tenant")
_STORE = text(
    "insert into reference_data (tenant_id, name, rows, fetched_at)"
    " values (:tenant, :name, :rows, :fetched_at)"
    " on conflict (tenant_id, name) do update set rows = excluded.rows, fetched_at = excluded.fetched_at"
    " where reference_data.fetched_at < excluded.fetched_at"
    " or reference_data.rows->>'company' <> excluded.rows->>'company'"
).bindparams(bindparam("rows", type_=JSONB))


@dataclass(frozen=True, slots=True)
class _Copy:
    rows: tuple[Any, ...]
    fetched_at: datetime


@dataclass(slots=True)
class _Shelf:
    """One company's copies in this process, and when they were last compared with Postgres."""

    copies: dict[str, _Copy] = field(default_factory=dict[str, _Copy])
    loaded_at: datetime | None = None
    locks: dict[str, asyncio.Lock] = field(default_factory=dict[str, asyncio.Lock])


class ReferenceData:
    """The reference data of all tenants; built once."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._shelves: OrderedDict[tuple[UUID, str], _Shelf] = OrderedDict()

    def __len__(self) -> int:
        return len(self._shelves)

    def of(self, tenant: UUID, bexio: Bexio) -> CompanyReference:
        """The look-ups of one tenant over its connection; never with another company's ids."""
        key = (tenant, bexio.company)
        shelf = self._shelves.setdefault(key, _Shelf())
        self._shelves.move_to_end(key)
        if len(self._shelves) > MOST_COMPANIES:
            self._shelves.popitem(last=False)
        return CompanyReference(self._db, self._clock, tenant, bexio, shelf)


class CompanyReference:
    """What one bexio company has. Not to be asked inside a transaction: an answer may need the network."""

    def __init__(self, db: Database, clock: Clock, tenant: UUID, bexio: Bexio, shelf: _Shelf) -> None:
        self._db = db
        self._clock = clock
        self._tenant = tenant
        self._bexio = bexio
        self._shelf = shelf

    async def rows(self, kind: Kind[Row]) -> tuple[Row, ...]:
        """All rows of a kind, at most `MAX_AGE` old."""
        if not self._loaded() or not self._younger(kind, MAX_AGE):
            async with self._lock(kind):
                if not self._loaded():
                    await self._load()
                if not self._younger(kind, MAX_AGE):
                    await self._fetch(kind)
        return self._shelf.copies[kind.name].rows

    async def refresh(self, kind: Kind[Row]) -> tuple[Row, ...]:
        """The rows as bexio has them now, for when it calls something unknown; at most `SETTLED` old."""
        async with self._lock(kind):
            if not self._younger(kind, SETTLED):
                await self._load()
            if not self._younger(kind, SETTLED):
                await self._fetch(kind)
        return self._shelf.copies[kind.name].rows

    async def account(self, number: str) -> Account:
        """The active account with this number.

        Raises:
            RemoteRejected: `account-missing`.
        """
        found = await self._find(ACCOUNTS, lambda row: row.account_no == number and row.is_active)
        return _required(found, "account-missing", account=number)

    async def sales_tax(self, rate: Decimal, day: date) -> Tax:
        """The active sales tax of `rate` percent on `day`.

        Raises:
            RemoteRejected: `tax-code-missing` or `tax-code-ambiguous`.
        """
        try:
            return sales_tax(await self.rows(TAXES), rate, day)
        except RemoteRejected as error:
            if error.code not in {"tax-code-missing", "tax-code-ambiguous"}:
                raise
        return sales_tax(await self.refresh(TAXES), rate, day)

    async def currency(self, name: str = "CHF") -> Currency:
        """The currency with this code.

        Raises:
            RemoteRejected: `currency-missing`.
        """
        found = await self._find(CURRENCIES, lambda row: row.name == name)
        return _required(found, "currency-missing", currency=name)

    async def bank_account(self, bank_account_id: int) -> BankAccount:
        """The bank account with this id.

        Raises:
            RemoteRejected: `bank-account-missing`.
        """
        found = await self._find(BANKING_ACCOUNTS, lambda row: row.id == bank_account_id)
        return _required(found, "bank-account-missing", bank_account=bank_account_id)

    async def user(self, user_id: int) -> User | None:
        """The user with this id."""
        return await self._find(USERS, lambda row: row.id == user_id)

    async def payment_type(self, payment_type_id: int) -> PaymentType | None:
        """The payment type with this id."""
        return await self._find(PAYMENT_TYPES, lambda row: row.id == payment_type_id)

    async def item_setting(self, kb_item_class: str) -> ItemSetting | None:
        """The company's defaults for one class of documents (`INVOICE_CLASS`, `ORDER_CLASS`)."""
        return await self._find(ITEM_SETTINGS, lambda row: row.kb_item_class == kb_item_class)

    async def business_year(self, day: date) -> BusinessYear | None:
        """The business year that holds the day."""
        return await self._find(BUSINESS_YEARS, lambda row: row.start <= day <= row.end)

    async def language_id(self, iso_639_1: str) -> int | None:
        """The id of a language; bexio's own short list, so nobody creates one in a hurry."""
        wanted = iso_639_1.lower()
        return next((row.id for row in await self.rows(LANGUAGES) if row.iso_639_1 == wanted), None)

    async def country_id(self, alpha2: str) -> int | None:
        """The id of a country by its two letters."""
        wanted = alpha2.upper()
        return next((row.id for row in await self.rows(COUNTRIES) if row.iso_3166_alpha2 == wanted), None)

    async def _find(self, kind: Kind[Row], fits: Callable[[Row], bool]) -> Row | None:
        found = next(filter(fits, await self.rows(kind)), None)
        return found or next(filter(fits, await self.refresh(kind)), None)

    def _lock(self, kind: Kind[Row]) -> asyncio.Lock:
        return self._shelf.locks.setdefault(kind.name, asyncio.Lock())

    def _loaded(self) -> bool:
        loaded_at = self._shelf.loaded_at
        return loaded_at is not None and self._clock.now() - loaded_at < MEMORY_AGE

    def _younger(self, kind: Kind[Row], age: timedelta) -> bool:
        copy = self._shelf.copies.get(kind.name)
        return copy is not None and self._clock.now() - copy.fetched_at < age

    async def _load(self) -> None:
        """Takes over what Postgres has of this company, in one query."""
        now = self._clock.now()
        async with self._db.begin(self._tenant) as session:
            stored = (await session.execute(_LOAD, {"tenant": self._tenant})).all()
        for name, content, fetched_at in stored:
            held = self._shelf.copies.get(name)
            newer = held is None or held.fetched_at < fetched_at
            if newer and name in KINDS and content["company"] == self._bexio.company:
                # Rows of an older version of this service are read anew.
                with suppress(ValidationError):
                    rows = KINDS[name].rows.validate_python(content["rows"])
                    self._shelf.copies[name] = _Copy(rows, fetched_at)
        self._shelf.loaded_at = now

    async def _fetch(self, kind: Kind[Row]) -> None:
        """Reads a kind from bexio and keeps it."""
        now = self._clock.now()
        rows = await kind.read(self._bexio)
        content = {"company": self._bexio.company, "rows": kind.rows.dump_python(rows, mode="json")}
        values = {"tenant": self._tenant, "name": kind.name, "rows": content, "fetched_at": now}
        async with self._db.begin(self._tenant) as session:
            await session.execute(_STORE, values)
        self._shelf.copies[kind.name] = _Copy(rows, now)


def _required(found: Row | None, code: str, **params: object) -> Row:
    if found is None:
        raise RemoteRejected(code, "bexio", _REFUSED, (), **params)
    return found
