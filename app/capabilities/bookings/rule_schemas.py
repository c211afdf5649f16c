"""The public contract of booking rules, and how it becomes a rule of the core."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    model_validator,
)

from app.api.explanation import Explanation
from app.capabilities.bookings.rules import WITH_VAT, Action, Filter, Rule, Source, Value
from app.capabilities.bookings.texts import unknown_placeholders
from app.capabilities.bookings.vat import RATE_CLASSES, SYMBOLS
from app.capabilities.tenancy.settings import AccountNumber
from app.core.errors import InvalidValue
from app.core.money import plain

MOST_VALUES = 500
STORED = "stored"
"""The validation context in which a rule is read back."""

# Field of the contract -> what it is called in the core.
DIMENSION_OF: Mapping[str, str] = {
    "stores": "store",
    "points_of_sale": "point_of_sale",
    "transaction_types": "transaction_type",
    "purposes": "purpose",
    "main_groups": "main_group",
    "trade_groups": "trade_group",
    "article_groups": "article_group",
    "articles": "article",
    "tax_rates": "tax_rate",
    "payment_types": "payment_type",
    "currencies": "currency",
}
_OF_LINES = frozenset({"main_group", "trade_group", "article_group", "article", "tax_rate"})
_OF_PAYMENTS = frozenset({"payment_type", "currency"})

GroupBy = Literal[
    "sale_day",
    "store",
    "point_of_sale",
    "transaction_type",
    "purpose",
    "main_group",
    "trade_group",
    "article_group",
    "article",
    "tax_rate",
    "payment_type",
    "currency",
    "receipt",
]
One = Annotated[str, StringConstraints(min_length=1, max_length=120)]
Values = Annotated[list[One], Field(max_length=MOST_VALUES)]
Rate = Annotated[str, StringConstraints(pattern=rf"^([0-9]{{1,2}}(\.[0-9]{{1,2}})?|{'|'.join(RATE_CLASSES)})$")]
Rates = Annotated[list[Rate], Field(max_length=MOST_VALUES)]
Currencies = Annotated[list[Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]], Field(max_length=MOST_VALUES)]


def _known_symbol(value: str | None) -> str | None:
    if value is not None and value.startswith("@") and value not in SYMBOLS:
        raise InvalidValue("This must be a VAT code of bexio or one of: {symbols}.", symbols=", ".join(sorted(SYMBOLS)))
    return value


def _known_placeholders(value: str) -> str:
    if unknown := unknown_placeholders(value):
        raise InvalidValue("There are no such placeholders: {unknown}.", unknown=", ".join(unknown))
    return value


TaxCode = Annotated[str, StringConstraints(pattern=r"^\S{1,40}$"), AfterValidator(_known_symbol)]
RuleText = Annotated[str, StringConstraints(max_length=200), AfterValidator(_known_placeholders)]


class RuleFilter(BaseModel):
    """Which lines or payments are meant. An empty list means all; `exclude_...` takes some out.

    Ids are Arcavis', groups are titles. `articles` also takes `voucher` and `tip`: what a receipt sells besides
    articles is meant only by rules that name it. `tax_rates` takes percentages and classes: standard, reduced,
    lodging, zero. A foreign currency is meant only by rules that name it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stores: Values = []
    points_of_sale: Values = []
    transaction_types: Values = []
    purposes: Values = []
    main_groups: Values = []
    trade_groups: Values = []
    article_groups: Values = []
    articles: Values = []
    tax_rates: Rates = []
    payment_types: Values = []
    currencies: Currencies = []
    exclude_stores: Values = []
    exclude_points_of_sale: Values = []
    exclude_transaction_types: Values = []
    exclude_purposes: Values = []
    exclude_main_groups: Values = []
    exclude_trade_groups: Values = []
    exclude_article_groups: Values = []
    exclude_articles: Values = []
    exclude_tax_rates: Rates = []
    exclude_payment_types: Values = []
    exclude_currencies: Currencies = []

    def to_core(self) -> Filter:
        """Without what is empty."""
        chosen: dict[str, list[str]] = self.model_dump(exclude_defaults=True)
        named = {name: frozenset(map(_spelled(name), values)) for name, values in chosen.items() if values}
        return Filter(
            include={DIMENSION_OF[name]: values for name, values in named.items() if not name.startswith("exclude_")},
            exclude={
                DIMENSION_OF[name.removeprefix("exclude_")]: values
                for name, values in named.items()
                if name.startswith("exclude_")
            },
        )


def _spelled(name: str) -> Callable[[str], str]:
    """How the core writes a value: 8.10 is 8.1."""
    if name.removeprefix("exclude_") != "tax_rates":
        return str
    return lambda value: value if value in RATE_CLASSES else plain(Decimal(value))


EXAMPLE: dict[str, Any] = {
    "title": "Umsatz",
    "active": True,
    "position": 10,
    "valid_from": None,
    "valid_to": None,
    "source": "articles",
    "value": "gross",
    "filter": {"tax_rates": ["standard"]},
    "group_by": ["sale_day", "store"],
    "action": "book",
    "debit_account": "1000",
    "credit_account": "3200",
    "tax_code": "@sales",
    "text": "Umsatz {Filiale} {MWST} {Datum}",
}


class RuleContent(BaseModel):
    """A booking rule. `debit_account` and `credit_account` are account numbers; a negative sum swaps them.

    `tax_code` is a code of bexio, or what is wanted of one, so that it outlives a change of rates: `@sales` (by the
    line's own rate), `@sales-standard`, `@material-standard`, `@operating-standard` and the like. `text` may hold
    placeholders, German or English: {Datum}, {Filiale}, {Kasse}, {Zahlart}, {Artikelgruppe}, {MWST}, {Regel}, ...
    """

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [EXAMPLE]})

    title: Annotated[str, StringConstraints(min_length=1, max_length=120, strip_whitespace=True)]
    active: bool = True
    position: Annotated[int, Field(ge=0, le=100_000)] | None = Field(
        None, description="Its place in lists and in the entries of a day; without it the last."
    )
    valid_from: date | None = Field(None, description="First sale day.")
    valid_to: date | None = Field(None, description="Last sale day.")
    source: Source
    value: Value
    filter: RuleFilter = RuleFilter()
    group_by: Annotated[list[GroupBy], Field(max_length=13)] = []
    action: Action = "book"
    debit_account: AccountNumber | None = None
    credit_account: AccountNumber | None = None
    tax_code: TaxCode | None = None
    text: RuleText = ""

    @model_validator(mode="after")
    def _coherent(self, info: ValidationInfo) -> Self:
        if (self.source == "payments") != (self.value == "amount"):
            raise InvalidValue("Payments have the value amount, articles any other one.")
        if self.action == "book" and None in {self.debit_account, self.credit_account}:
            raise InvalidValue("A rule that books needs debit_account and credit_account.")
        if self.action == "ignore" and {self.debit_account, self.credit_account, self.tax_code} != {None}:
            raise InvalidValue("A rule that ignores has neither accounts nor tax_code.")
        if self.debit_account is not None and self.debit_account == self.credit_account:
            raise InvalidValue("debit_account and credit_account must differ.")
        if self.valid_from and self.valid_to and self.valid_to < self.valid_from:
            raise InvalidValue("valid_to lies before valid_from.")
        foreign = _OF_PAYMENTS if self.source == "articles" else _OF_LINES
        asked = self.filter.to_core().dimensions() | set(self.group_by)
        if wrong := sorted(asked & foreign):
            raise InvalidValue("A rule for {source} cannot use: {wrong}.", source=self.source, wrong=", ".join(wrong))
        if self.tax_code and self.source == "payments" and self.tax_code == "@sales":
            raise InvalidValue("A payment has no VAT rate of its own: name the class, as in @sales-standard.")
        # A rule that was stored before this was asked is read still; the preflight holds its days.
        if self.tax_code and self.value not in WITH_VAT and info.context != STORED:
            raise InvalidValue("Only the values gross and amount take a tax_code, not {value}.", value=self.value)
        return self

    def to_core(self, rule_id: UUID, version: int, position: int) -> Rule:
        """The rule that the plan works with."""
        return Rule(
            id=rule_id,
            version=version,
            title=self.title,
            source=self.source,
            value=self.value,
            action=self.action,
            filter=self.filter.to_core(),
            group_by=tuple(name for name in self.group_by if name != "sale_day"),
            debit_account=self.debit_account,
            credit_account=self.credit_account,
            tax_code=self.tax_code,
            text=self.text,
            active=self.active,
            position=position,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )


class RuleView(RuleContent):
    """A stored booking rule. `reason` says why a default rule was made as it is."""

    model_config = ConfigDict(
        extra="forbid",
        title="BookingRule",
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7b01",
                    "version": 1,
                    **EXAMPLE,
                    "reason": {
                        "code": "default-rule-revenue",
                        "title": "Revenue",
                        "detail": "What is sold is revenue: account 3200 Handelserlös is there for it.",
                        "remedy": "Choose other accounts where your accountant prefers them.",
                    },
                    "created_at": "2026-11-20T10:15:30+01:00",
                    "updated_at": "2026-11-20T10:15:30+01:00",
                }
            ]
        },
    )

    id: UUID
    version: int
    reason: Explanation | None
    created_at: datetime
    updated_at: datetime

    @model_validator(mode="after")
    def _coherent(self, info: ValidationInfo) -> Self:  # noqa: ARG002 - as what it stands for
        # What is stored is shown as it is, whatever is asked of new rules since.
        return self


class FoundWithDefaults(Explanation):
    """What could not be told from the tenant's accounts, or is wrong with a rule that was made."""

    severity: Literal["error", "warning", "info"]


class MadeDefaults(BaseModel):
    """What became of the default rules: those made now, and what could not be told from the chart of accounts."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "made": 9,
                    "rules": [],
                    "findings": [
                        {
                            "code": "default-tips-unclear",
                            "severity": "info",
                            "title": "No default rule for tips",
                            "detail": "The chart has no liability account that is named after tips.",
                            "remedy": "Create one in bexio and make the default rules again.",
                        }
                    ],
                }
            ]
        }
    )

    made: int
    rules: list[RuleView]
    findings: list[FoundWithDefaults]
