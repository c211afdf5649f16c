"""Currencies (`/3.0/currencies`)."""

from __future__ import annotations

from decimal import Decimal

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class Currency(Wire):
    """A currency; totals are rounded to multiples of `round_factor` (0.05 for CHF unless changed)."""

    id: int
    name: str
    round_factor: Decimal


CURRENCIES = resource_of("/3.0/currencies", Currency)
