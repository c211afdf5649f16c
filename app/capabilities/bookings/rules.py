"""Booking rules ("Buchungssätze"): which lines or payments, which value, which accounts, which VAT code. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, NamedTuple
from uuid import UUID

from app.capabilities.bookings.facts import HOUSE_CURRENCY

Source = Literal["articles", "payments"]
Value = Literal["gross", "net", "tax", "discount", "cost", "amount"]
Action = Literal["book", "ignore"]

VOUCHER, TIP = "voucher", "tip"
# What a receipt sells besides articles. Only a rule that names them among its articles means them: a rule for
# "all articles" must not turn a voucher into revenue.
RESERVED_ARTICLES = frozenset({VOUCHER, TIP})

RECEIPT = "receipt"


class Traits(NamedTuple):
    """What rules ask of a line or payment. None where it has no such thing; ids and titles are texts."""

    source: Source
    store: str | None = None
    point_of_sale: str | None = None
    transaction_type: str | None = None
    purpose: str | None = None
    main_group: str | None = None
    trade_group: str | None = None
    article_group: str | None = None
    article: str | None = None
    tax_rate: str | None = None
    payment_type: str | None = None
    currency: str | None = None


DIMENSIONS: tuple[str, ...] = Traits._fields[1:]
"""What rules filter and group by, in the order in which groups are written."""

# A line is settled when its net and its tax are each told to one account; cost and discount are told besides.
SETTLED_BY: Mapping[Value, frozenset[str]] = {
    "gross": frozenset({"net", "tax"}),
    "net": frozenset({"net"}),
    "tax": frozenset({"tax"}),
    "amount": frozenset({"amount"}),
    "discount": frozenset({"discount"}),
    "cost": frozenset({"cost"}),
}
MUST_SETTLE: Mapping[Source, frozenset[str]] = {
    "articles": frozenset({"net", "tax"}),
    "payments": frozenset({"amount"}),
}

WITH_VAT: frozenset[Value] = frozenset({"gross", "amount"})
"""What bexio may split VAT off. In the others is none, or none that may be claimed or is owed."""

RateClass = Callable[[str], str | None]
"""The class of a VAT rate (`standard`, `reduced`, `lodging`, `zero`), so that a filter outlives a change of rates."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines or payments: by dimension the values that are meant, and those that are not.

    `tax_rate` takes percentages ("8.1") and classes of rates ("standard").
    """

    include: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    exclude: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def dimensions(self) -> frozenset[str]:
        """What it asks for."""
        return frozenset(self.include) | frozenset(self.exclude)

    def fits(self, traits: Traits, rate_class: RateClass) -> bool:
        """True when every dimension holds one of the values meant and none of the others."""
        if not self._is_named(traits.article, "article", RESERVED_ARTICLES):
            return False
        foreign = frozenset[str]() if traits.currency in {None, HOUSE_CURRENCY} else frozenset({traits.currency or ""})
        if not self._is_named(traits.currency, "currency", foreign):
            return False
        meant = (_names(traits, dimension, rate_class) & values for dimension, values in self.include.items())
        unmeant = (_names(traits, dimension, rate_class) & values for dimension, values in self.exclude.items())
        return all(meant) and not any(unmeant)

    def _is_named(self, value: str | None, dimension: str, special: frozenset[str]) -> bool:
        return value not in special or value in self.include.get(dimension, frozenset())


def _names(traits: Traits, dimension: str, rate_class: RateClass) -> frozenset[str]:
    """The words by which a filter may mean this value."""
    value: str | None = getattr(traits, dimension)
    if value is None:
        return frozenset()
    if dimension != "tax_rate":
        return frozenset({value})
    known = rate_class(value)
    return frozenset({value, known}) if known else frozenset({value})


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in one of its versions. Accounts are numbers of the chart; `tax_code` as in `vat`."""

    id: UUID
    version: int
    title: str
    source: Source
    value: Value
    action: Action = "book"
    filter: Filter = Filter()
    group_by: tuple[str, ...] = ()
    debit_account: str | None = None
    credit_account: str | None = None
    tax_code: str | None = None
    text: str = ""
    active: bool = True
    position: int = 0
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def settles(self) -> frozenset[str]:
        """Which parts of a line or payment it tells to an account, or leaves out on purpose."""
        return SETTLED_BY[self.value]

    @property
    def clearing_account(self) -> str | None:
        """The account on which what is sold meets what is paid: articles are debited to it, payments credited.

        None where no money goes through it: costs and discounts are told besides.
        """
        if not self.settles & MUST_SETTLE[self.source]:
            return None
        return self.debit_account if self.source == "articles" else self.credit_account

    def holds_on(self, day: date) -> bool:
        """True when it is active and the day lies in its span, both ends included."""
        begun = self.valid_from is None or self.valid_from <= day
        return self.active and begun and (self.valid_to is None or day <= self.valid_to)

    def fits(self, traits: Traits, rate_class: RateClass) -> bool:
        """True when it is about this line or payment."""
        return self.source == traits.source and self.filter.fits(traits, rate_class)


def holding_on(rules: Iterable[Rule], day: date) -> tuple[Rule, ...]:
    """The rules of a day, in their order."""
    return tuple(sorted((rule for rule in rules if rule.holds_on(day)), key=lambda rule: (rule.position, rule.id)))


@dataclass(frozen=True, slots=True)
class Match:
    """Which rules hit a line or payment. `missing`: parts that no rule settles; `doubled`: the rules that meet."""

    rules: tuple[Rule, ...]
    missing: frozenset[str]
    doubled: tuple[Rule, ...]

    @property
    def exact(self) -> bool:
        """True when every part is settled once."""
        return not self.missing and not self.doubled


def match(rules: Sequence[Rule], traits: Traits, rate_class: RateClass) -> Match:
    """The rules of the day that hit, and whether each part is settled exactly once."""
    hits = tuple(rule for rule in rules if rule.fits(traits, rate_class))
    settled = [part for rule in hits for part in rule.settles]
    doubled = {part for part in settled if settled.count(part) > 1}
    return Match(
        rules=hits,
        missing=MUST_SETTLE[traits.source] - frozenset(settled),
        doubled=tuple(rule for rule in hits if rule.settles & doubled),
    )
