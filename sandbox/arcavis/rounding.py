"""Arcavis' rounding: lines to 5 Rappen, net values to 1 Rappen, halves away from zero."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_RAPPEN = Decimal("0.01")
_FIVE_RAPPEN = Decimal("0.05")


def to_rappen(amount: Decimal) -> Decimal:
    """The amount in whole Rappen."""
    return amount.quantize(_RAPPEN, ROUND_HALF_UP)


def to_five_rappen(amount: Decimal) -> Decimal:
    """The amount in steps of 5 Rappen."""
    return to_rappen((amount / _FIVE_RAPPEN).quantize(Decimal(1), ROUND_HALF_UP) * _FIVE_RAPPEN)


def without_tax(gross: Decimal, tax_rate: Decimal) -> Decimal:
    """The net of a gross amount in Rappen; `tax_rate` is a fraction (0.081)."""
    return to_rappen(gross / (1 + tax_rate))


@dataclass(frozen=True, slots=True)
class LineAmounts:
    """A line's money in CHF: gross and net unit price, discount of the whole line, and line total."""

    unit_price: Decimal
    discount: Decimal
    price: Decimal
    net_unit_price: Decimal
    net_discount: Decimal
    net_price: Decimal


def line_amounts(quantity: Decimal, unit_price: Decimal, discount: Decimal, tax_rate: Decimal) -> LineAmounts:
    """A line as the till rounds it.

    `discount` is the whole line's, in CHF. It is rounded to 5 Rappen first, then the line total;
    the nets are taken from the rounded gross values.
    """
    rounded = to_five_rappen(discount)
    price = to_five_rappen(quantity * unit_price - rounded)
    return LineAmounts(
        unit_price=unit_price,
        discount=rounded,
        price=price,
        net_unit_price=without_tax(unit_price, tax_rate),
        net_discount=without_tax(rounded, tax_rate),
        net_price=without_tax(price, tax_rate),
    )
