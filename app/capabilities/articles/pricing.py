"""What an article costs at a till: with VAT, in whole Rappen. Pure."""

from __future__ import annotations

from decimal import Decimal

from app.core.money import to_cent

_HUNDRED = Decimal(100)


def till_price(price: Decimal, rate: Decimal, *, includes_vat: bool) -> Decimal:
    """The price of bexio as Arcavis holds it: VAT of `rate` percent is added where it is not in it.

    To the Rappen, halves away from zero. Not to 5 Rappen: tills round each line, and a price per 100 g or per metre
    would lose up to 2.5 Rappen for each of them.
    """
    return to_cent(price if includes_vat else price * (_HUNDRED + rate) / _HUNDRED)
