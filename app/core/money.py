"""Swiss money: Decimal, exact to the Rappen."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
FIVE_RAPPEN = Decimal("0.05")
ZERO = Decimal(0)


def to_step(value: Decimal, step: Decimal) -> Decimal:
    """`value` rounded half away from zero to a multiple of `step`, written with the decimals of the step."""
    return ((value / step).quantize(Decimal(1), rounding=ROUND_HALF_UP) * step).quantize(step)


def to_cent(value: Decimal) -> Decimal:
    """Rounded half away from zero to 0.01."""
    return value.quantize(CENT, rounding=ROUND_HALF_UP)


def to_five_rappen(value: Decimal) -> Decimal:
    """Rounded half away from zero to 0.05, as a Swiss till does."""
    return to_step(value, FIVE_RAPPEN)


def vat_within(gross: Decimal, rate: Decimal) -> Decimal:
    """The VAT contained in a gross amount at `rate` percent, to the Rappen: 108.10 at 8.1 holds 8.10."""
    return to_cent(gross * rate / (100 + rate))


def plain(value: Decimal) -> str:
    """A decimal string without exponent and without superfluous zeros: `Decimal("5.040") -> "5.04"`."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def amount(value: Decimal) -> str:
    """A money string with two decimals: `Decimal("13.6") -> "13.60"`."""
    return format(to_cent(value), "f")
