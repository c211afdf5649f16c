"""Arcavis as one tenant's connection sees it: an attribute per resource over one transport, cheap to make."""

from __future__ import annotations

from datetime import datetime

from pydantic import TypeAdapter

from app.connectors.arcavis import names
from app.connectors.arcavis.articles import Articles, ArticleStocks
from app.connectors.arcavis.contacts import CUSTOMERS, SUPPLIERS, Contacts
from app.connectors.arcavis.envelope import Changing, Listing, resource_of, whole
from app.connectors.arcavis.names import (
    ArticleGroups,
    Customer,
    PaymentType,
    PointOfSale,
    Store,
    Supplier,
    Tax,
    TransactionPurpose,
    TransactionType,
    Unit,
)
from app.connectors.arcavis.transactions import Transactions
from app.connectors.arcavis.writing import saved
from app.connectors.transport import Transport

_ID = TypeAdapter(int)
_PAYMENT_TYPES = resource_of(names.PAYMENT_TYPES, PaymentType)
_STORES = resource_of(names.STORES, Store)
_POINTS_OF_SALE = resource_of(names.POINTS_OF_SALE, PointOfSale)
_TAXES = resource_of(names.TAXES, Tax)
_UNITS = resource_of(names.UNITS, Unit)
_TRANSACTION_TYPES = resource_of(names.TRANSACTION_TYPES, TransactionType)
_ARTICLE_GROUPS = resource_of(names.ARTICLES, ArticleGroups)
_TRANSACTION_PURPOSES = resource_of(names.TRANSACTION_PURPOSES, TransactionPurpose)


class Arcavis:
    """One Arcavis environment."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.customers: Contacts[Customer] = Contacts(transport, CUSTOMERS)
        self.suppliers: Contacts[Supplier] = Contacts(transport, SUPPLIERS)
        self.transactions = Transactions(transport)
        self.articles = Articles(transport)
        self.article_stocks = ArticleStocks(transport)
        self.units: Listing[Unit] = Listing(transport, _UNITS)
        self.payment_types: Listing[PaymentType] = Listing(transport, _PAYMENT_TYPES)
        self.stores: Listing[Store] = Listing(transport, _STORES)
        self.points_of_sale: Listing[PointOfSale] = Listing(transport, _POINTS_OF_SALE)
        self.taxes: Listing[Tax] = Listing(transport, _TAXES)
        self.transaction_types: Listing[TransactionType] = Listing(transport, _TRANSACTION_TYPES)
        self.article_groups: Changing[ArticleGroups] = Changing(transport, _ARTICLE_GROUPS)
        self.transaction_purposes: Listing[TransactionPurpose] = Listing(transport, _TRANSACTION_PURPOSES)

    @property
    def environment(self) -> str:
        """The address of the environment that the connection belongs to."""
        return self._transport.upstream.base_url

    def until(self, moment: datetime) -> Arcavis:
        """The same environment for a write that must leave by `moment`; see `Transport.until`."""
        return Arcavis(self._transport.until(moment))

    async def make_payment_type(self, title: str) -> int:
        """A payment type that asks for the customer and is no cash; its id. Arcavis lets titles repeat.

        Raises:
            OutcomeUnknown: it may have been made.
        """
        body = {"Title": title, "IsCash": False, "IsActive": True, "IsCustomerRequired": True, "CurrencyIsoCode": "CHF"}
        return await saved(self._transport, "POST", names.PAYMENT_TYPES, body, _ID)

    async def ping(self) -> None:
        """Reads the smallest list, to see that address, user, role and module are right.

        Raises:
            ConnectionRefused: wrong user or password, no role "Web-API", or the module is not licensed.
            RemoteRejected: what answers there does not speak like Arcavis.
            RemoteUnavailable: nobody answers there, or not in JSON.
        """
        await whole(self._transport, _STORES)
