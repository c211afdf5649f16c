"""The VAT rates that Swiss law knows, by date of supply (Art. 25 MWSTG and its amendments)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

_RATES: tuple[tuple[date, frozenset[Decimal]], ...] = (
    (date(2024, 1, 1), frozenset({Decimal("8.1"), Decimal("2.6"), Decimal("3.8"), Decimal(0)})),
    (date(2018, 1, 1), frozenset({Decimal("7.7"), Decimal("2.5"), Decimal("3.7"), Decimal(0)})),
    (date(2011, 1, 1), frozenset({Decimal("8.0"), Decimal("2.5"), Decimal("3.8"), Decimal(0)})),
)


def rates_on(day: date) -> frozenset[Decimal]:
    """The rates in percent in force on `day`; empty before 2011."""
    return next((rates for since, rates in _RATES if day >= since), frozenset[Decimal]())
