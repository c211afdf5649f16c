"""Every name of Arcavis' API that this service uses, in one place.

The envelope, transactions and their lines are published or seen in public clients; customers, payments and
the helper resources follow Arcavis' naming but are assumed. When a real tenant's Swagger page says otherwise,
this is the one file to correct.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_pascal

from app.core.swiss_time import ZURICH

PAYMENT_TYPES = "/api/paymenttypes"
STORES = "/api/stores"
POINTS_OF_SALE = "/api/pointofsales"
TAXES = "/api/taxes"
TRANSACTION_TYPES = "/api/transactiontypes"
TRANSACTION_PURPOSES = "/api/transactionpurposes"
CUSTOMERS = "/api/customers"
SUPPLIERS = "/api/suppliers"
ARTICLES = "/api/articles"
TRANSACTIONS = "/api/transactions"
ARTICLE_STOCKS = "/api/articlestocks"
UNITS = "/api/units"

PAGE = "page"
PAGE_SIZE = "pageSize"
CHANGED_SINCE = "changedSinceTicks"
DATE_FROM = "dateFrom"
DATE_TO = "dateTo"


def _in_zurich(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=ZURICH)


def _nothing_for_empty(value: object) -> object:
    return None if value == "" else value


LocalTime = Annotated[datetime, AfterValidator(_in_zurich)]
"""A Swiss local time without zone, of up to seven decimals (the seventh is dropped)."""

JsonNumber = Annotated[Decimal, PlainSerializer(float, return_type=float)]
"""An amount with two decimals, or a quantity: as a JSON number it has the text that was meant."""

OptionalText = Annotated[str | None, BeforeValidator(_nothing_for_empty)]
"""A text that Arcavis leaves empty or null when there is none."""


class Named(BaseModel):
    """A record with Arcavis' PascalCase names; what nobody here needs is dropped. Shows its id only."""

    model_config = ConfigDict(
        alias_generator=to_pascal,
        frozen=True,
        extra="ignore",
        coerce_numbers_to_str=True,
        hide_input_in_errors=True,
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [("id", getattr(self, "id", None))]

    __str__ = BaseModel.__repr__


class Envelope(Named):
    """What surrounds every answer. A refused call has status 200 too."""

    is_successful: bool
    message: str | None = None


class Written(Named):
    """What a write answers with: a number, a boolean, an object, according to the resource."""

    result: object


class Body(BaseModel):
    """A record to send: on the wire only the fields that were given."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True, frozen=True, extra="forbid")

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [(None, name) for name in sorted(self.model_fields_set)]

    __str__ = BaseModel.__repr__

    def body(self) -> dict[str, object]:
        """The JSON object to send."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class PaymentType(Named):
    """A way to pay ("Zahlart")."""

    id: int
    title: str
    is_cash: bool = False
    is_active: bool = True
    is_customer_required: bool = False
    currency_iso_code: str | None = None


class Store(Named):
    """A branch."""

    id: int
    title: str


class PointOfSale(Named):
    """A till; `synched_time` (assumed) is when it handed over last, whether or not it had sold anything."""

    id: int
    title: str
    store_id: int | None = None
    is_active: bool = True
    synched_time: LocalTime | None = None


class Tax(Named):
    """A VAT rate; `tax_rate` is a fraction: 0.081."""

    id: int
    title: str
    tax_rate: Decimal
    is_active: bool = True


class TransactionType(Named):
    """A kind of booking ("Buchungsart"): sale, expenses, ..."""

    id: int
    title: str


class ArticleGroups(Named):
    """Of an article, the three groups it belongs to; lines of a receipt carry none."""

    id: int
    main_group_title: OptionalText = None
    trade_group_title: OptionalText = None
    article_group_title: OptionalText = None


class TransactionPurpose(Named):
    """What a booking is for ("Buchungszweck"), chosen when it is closed."""

    id: int
    title: str
    transaction_type_id: int | None = None


class Contact(Named):
    """What customers and suppliers have alike. A company's `name` is its contact person's. Empty texts are None."""

    id: int
    language_id: OptionalText = None
    is_company: bool
    company_name: OptionalText = None
    salutation: OptionalText = None
    firstname: OptionalText = None
    name: OptionalText = None
    street: OptionalText = None
    street_number: OptionalText = None
    street_supplement: OptionalText = None
    po_box: OptionalText = None
    zip: OptionalText = None
    city: OptionalText = None
    country_iso_code: OptionalText = None
    contact_email: OptionalText = None
    contact_phone: OptionalText = None
    contact_mobile: OptionalText = None
    birthdate: OptionalText = None
    external_reference: OptionalText = None
    is_deleted: bool = False

    @property
    def number(self) -> str:
        """The number that people know the contact by; unique among its kind."""
        return ""


class Customer(Contact):
    """A customer."""

    customer_number: OptionalText = None

    @property
    def number(self) -> str:
        """The customer number."""
        return self.customer_number or ""


class Supplier(Contact):
    """A supplier."""

    supplier_number: OptionalText = None

    @property
    def number(self) -> str:
        """The supplier number."""
        return self.supplier_number or ""


class ContactWrite(Body):
    """The fields of a contact to create or change, and no others: what is not given stays as it is."""

    customer_number: str = ""
    supplier_number: str = ""
    language_id: str = ""
    is_company: bool = False
    company_name: str = ""
    salutation: str = ""
    firstname: str = ""
    name: str = ""
    street: str = ""
    street_number: str = ""
    street_supplement: str = ""
    po_box: str = ""
    zip: str = ""
    city: str = ""
    country_iso_code: str = ""
    contact_email: str = ""
    contact_phone: str = ""
    contact_mobile: str = ""
    birthdate: str | None = None
    external_reference: str = ""


class Unit(Named):
    """A unit that articles are sold in."""

    id: int
    title: str


class Article(Named):
    """An article, as far as anybody here looks at it."""

    id: int
    article_number: str
    title: str = ""


class StockLevel(Named):
    """What lies of an article in one store."""

    article_id: int | None = None
    store_id: int
    stock: Decimal


class ArticleWrite(Body):
    """The fields of an article to create or change, and no others. Prices include VAT; groups are made when new."""

    article_number: str
    title: str = ""
    description: str = ""
    price: JsonNumber = Decimal(0)
    buying_price: JsonNumber = Decimal(0)
    tax_id: int = 0
    unit_id: int = 0
    main_group_title: str = ""
    trade_group_title: str = ""
    article_group_title: str = ""
    is_web_api: bool = False


class StockWrite(Body):
    """The stock of an article in one store."""

    article_id: int
    store_id: int
    stock: JsonNumber


class TransactionArticle(Named):
    """A line: prices include VAT, `price` is the line as rounded, `tax_rate` a fraction, `discount` money."""

    receipt_position: int
    article_id: int | None = None
    title: str | None = None
    quantity: Decimal
    tax_rate: Decimal
    unit_price: Decimal
    buying_price: Decimal = Decimal(0)
    discount: Decimal = Decimal(0)
    price: Decimal
    net_price: Decimal | None = None


class TransactionPayment(Named):
    """A part of the payment, in the house currency; `debit` 1 (assumed) is money given out."""

    payment_type_id: int
    title: str | None = None
    amount: Decimal
    currency_iso_code: str | None = None
    debit: int = 0


class TransactionVoucher(Named):
    """A voucher that was redeemed or issued."""

    voucher_id: str
    amount: Decimal
    is_issued: bool = False


class Transaction(Named):
    """A receipt; ids need 64 bits. `sale_day` is a midnight. Cancelling and cancelled one name each other.

    `amount` is what is owed: lines, vouchers sold and the tip (`tip_amount`, assumed).
    """

    id: int
    number: str
    title: str | None = None
    transaction_type_id: int
    is_end_of_day_transaction: bool = False
    sale_day: LocalTime
    sale_time: LocalTime
    point_of_sale_id: int
    store_id: int
    person_id: int | None = None
    amount: Decimal
    amount_open: Decimal
    amount_payed: Decimal
    tip_amount: Decimal = Decimal(0)
    transaction_purpose_id: int | None = None
    synched_time: LocalTime | None = None
    annulation_transaction_id: int | None = None
    remarks: str | None = None
    status_code: int | None = None
    transaction_articles: tuple[TransactionArticle, ...] = ()
    transaction_payments: tuple[TransactionPayment, ...] = ()
    transaction_vouchers: tuple[TransactionVoucher, ...] = ()


class UnreadTransaction(Named):
    """A transaction in a list of which no more than this can be read: enough to name it, and its sale day."""

    id: int
    number: str | None = None
    sale_day: LocalTime
    is_end_of_day_transaction: bool | None = None
    point_of_sale_id: int | None = None


ListedTransaction = Annotated[Transaction | UnreadTransaction, Field(union_mode="left_to_right")]
"""One row that cannot be read takes nothing from the others of its page."""
