"""The public contract of a sale that becomes a bexio invoice."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from app.capabilities.documents.examples import DOCUMENT, SALE
from app.core.errors import InvalidValue

MAX_LINES = 1000
MAX_PAYMENTS = 20


def _decimal_text(pattern: str, message: str) -> BeforeValidator:
    compiled = re.compile(pattern)

    def parse(value: Any) -> Any:  # noqa: ANN401 - whatever JSON held
        if isinstance(value, Decimal):
            return value
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise InvalidValue(message)
        return Decimal(value)

    return BeforeValidator(parse)


def _decimal_schema(pattern: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": [example]})


_MONEY = r"^-?[0-9]{1,9}(\.[0-9]{1,2})?$"
_PRICE = r"^-?[0-9]{1,9}(\.[0-9]{1,6})?$"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RATE = r"^[0-9]{1,2}(\.[0-9]{1,2})?$"

Money = Annotated[
    Decimal,
    _decimal_text(_MONEY, 'This must be an amount as a string, such as "13.60".'),
    _decimal_schema(_MONEY, "13.60"),
]
Price = Annotated[
    Decimal,
    _decimal_text(_PRICE, 'This must be a decimal number as a string, such as "5.04".'),
    _decimal_schema(_PRICE, "5.04"),
]
TaxRate = Annotated[
    Decimal,
    _decimal_text(_RATE, 'This must be a VAT rate in percent as a string, such as "8.1".'),
    _decimal_schema(_RATE, "2.6"),
]


def _day(value: Any) -> Any:  # noqa: ANN401 - whatever JSON held
    """Pydantic alone would take seconds since 1970 and midnights too."""
    if (isinstance(value, str) and _DATE.fullmatch(value) is None) or isinstance(value, int | float):
        raise InvalidValue("This must be a date written YYYY-MM-DD.")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,40}$")]
Short = Annotated[str, StringConstraints(max_length=80)]
Name = Annotated[str, StringConstraints(max_length=255)]


class Strict(BaseModel):
    """Bodies refuse what they do not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Customer(Strict):
    """Who buys. A company needs its name, a person a last or first name."""

    arcavis_id: Id
    customer_number: Short | None = None
    is_company: bool = False
    company_name: Name | None = None
    salutation: Short | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    street: Name | None = None
    house_number: Short | None = None
    address_addition: Name | None = None
    postcode: Short | None = None
    city: Name | None = None
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    email: Name | None = None
    phone: Short | None = None
    mobile: Short | None = None
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] | None = None


class Line(Strict):
    """One receipt line. `amount` is what the till took for it, VAT included, and wins over price and discount.

    A line without quantity, price, amount and rate is a text line.
    """

    position: int = Field(ge=1, le=100_000)
    article_id: Id | None = None
    article_number: Short | None = None
    text: Annotated[str, StringConstraints(max_length=2000)] = ""
    quantity: Price | None = None
    unit_price: Price | None = None
    discount: Price | None = None
    amount: Money | None = None
    tax_rate: TaxRate | None = None

    @property
    def is_text(self) -> bool:
        """True for a line that only says something."""
        return self.quantity is None and self.unit_price is None and self.amount is None


class SalePayment(Strict):
    """One part of how the sale was paid."""

    payment_type_id: Id
    amount: Money


class Sale(Strict):
    """A till sale or a backoffice order to be invoiced by bexio."""

    model_config = ConfigDict(json_schema_extra={"examples": [SALE]})

    transaction_id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
    number: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    date: Day
    store: Short | None = None
    point_of_sale: Short | None = None
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] = "CHF"
    customer: Customer | None = None
    lines: list[Line] = Field(min_length=1, max_length=MAX_LINES)
    payments: list[SalePayment] = Field(min_length=1, max_length=MAX_PAYMENTS)
    total: Money
    remarks: Annotated[str, StringConstraints(max_length=2000)] | None = None


class Retry(Strict):
    """What a person adds when the work goes on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"contact_bexio_id": 67}]})

    contact_bexio_id: int | None = Field(
        default=None, ge=1, lt=2**53, description="The bexio contact that the customer is, where that was not clear."
    )


class BexioSide(BaseModel):
    """The invoice in bexio, as last seen there."""

    id: int
    number: str | None
    total: Annotated[str, Field(examples=["13.60"])]
    status: Literal["draft", "open", "partial", "paid", "cancelled", "written_off"]
    open_amount: Annotated[str, Field(examples=["13.60"])]
    url: str


class AttentionSummary(BaseModel):
    """What waits for a person: what happened and what to do."""

    id: UUID
    code: str
    title: str
    detail: str
    remedy: str
    created_at: datetime


class Waiting(BaseModel):
    """Why it is not finished yet, and when it goes on by itself."""

    code: str
    title: str
    next_attempt_at: datetime


class Document(BaseModel):
    """A sale or order on its way to bexio, and its invoice there."""

    model_config = ConfigDict(json_schema_extra={"examples": [DOCUMENT]})

    id: UUID
    source: Literal["sale", "order"]
    transaction_id: str
    number: str
    date: date
    total: str
    status: Literal["accepted", "sending", "issued", "attention", "cancelled"]
    bexio: BexioSide | None
    attention: AttentionSummary | None
    waiting: Waiting | None
    created_at: datetime
    updated_at: datetime
