"""One Arcavis environment: its Web-API user, its licences and its data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sandbox.arcavis.table import Table
from sandbox.arcavis.ticks import TickClock
from sandbox.arcavis.values import Record

HELPER_RESOURCES = (
    "paymenttypes",
    "transactiontypes",
    "transactionpurposes",
    "stores",
    "pointofsales",
    "taxes",
    "units",
    "articlegroups",
    "tradegroups",
    "maingroups",
    "users",
    "bookingrules",
)
"""The resources that are only read. `bookingrules` stays empty: our service owns the rules."""


class Module(StrEnum):
    """The licences that decide which resources answer."""

    WEB_API = "web_api"
    ORDERS = "orders"
    ACCOUNTING_EXPORT = "accounting_export"


@dataclass(slots=True)
class ApiUser:
    """The Basic user of a tenant; without the role Web-API it is refused."""

    username: str
    password: str = field(repr=False)
    has_web_api_role: bool = True


class Tenant:
    """A shop's Arcavis: tables, vouchers and stock, all under one strictly rising tick clock.

    `missing_status` is how an unknown id is answered: 404, or 200 with `IsSuccessful: false`.
    """

    def __init__(self, slug: str, user: ApiUser, now: Callable[[], datetime]) -> None:
        self.slug = slug
        self.user = user
        self.modules = {Module.WEB_API, Module.ORDERS, Module.ACCOUNTING_EXPORT}
        self.missing_status = 404
        self.ticks = TickClock(now)
        self.helpers = {name: Table(self.ticks) for name in HELPER_RESOURCES}
        self.customers = Table(self.ticks, first_id=501, key="CustomerNumber")
        self.suppliers = Table(self.ticks, first_id=901, key="SupplierNumber")
        self.articles = Table(self.ticks, first_id=1701, key="ArticleNumber")
        self.stocks = Table(self.ticks)
        self.transactions = Table(self.ticks)
        self.orders = Table(self.ticks)
        self.vouchers: dict[str, Decimal] = {}
        self.last_numbers: dict[int, int] = {}
        self.silent_since: dict[int, datetime] = {}
        """Tills that are switched off or offline, and the local time at which they were last heard."""
        self.held: dict[int, list[Record]] = {}
        """By till: what it sold while it was offline, to be delivered when it is back."""

    def stock_levels(self, article_id: int) -> dict[int, Decimal]:
        """Stock by store; empty when the article's stock is not managed."""
        return self.stocks.get(article_id)["Stock"] if article_id in self.stocks else {}

    def set_stock(self, article_id: int, store_id: int, stock: Decimal) -> None:
        """Set an article's stock in one store."""
        levels = {**self.stock_levels(article_id), store_id: stock}
        self.stocks.put({"Id": article_id, "Stock": levels})

    def payment_type_titled(self, title: str) -> Record | None:
        """The active payment type with this title; Arcavis matches payments by title."""
        return next(
            (row for row in self.helpers["paymenttypes"].visible() if row["Title"] == title and row["IsActive"]),
            None,
        )
