"""Which VAT code a sale's line gets: by rate, on the day of the sale. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from app.connectors.bexio.taxes import SALES_TAX, Tax
from app.core.errors import RemoteRejected
from app.core.money import plain

# bexio's own codes for turnover: UN81 (standard), UR26 (reduced), US38 (lodging), U00 (none).
_STANDARD = re.compile(r"U(?:[NRS]\d+|00)")
_REFUSED = 422


def sales_tax(taxes: Sequence[Tax], rate: Decimal, day: date) -> Tax:
    """The active sales tax of `rate` percent that holds on `day`.

    Of several, the one with bexio's own code; codes that a company added for special cases are not guessed.

    Raises:
        RemoteRejected: `tax-code-missing`, or `tax-code-ambiguous` with the candidates.
    """
    fitting = [
        tax for tax in taxes if tax.type == SALES_TAX and tax.is_active and tax.value == rate and tax.holds_on(day)
    ]
    chosen = fitting if len(fitting) == 1 else [tax for tax in fitting if _STANDARD.fullmatch(tax.code)]
    if len(chosen) == 1:
        return chosen[0]
    if not fitting:
        raise RemoteRejected("tax-code-missing", "bexio", _REFUSED, rate=plain(rate), day=day.isoformat())
    codes = ", ".join(sorted(f"{tax.code} ({tax.id})" for tax in fitting))
    raise RemoteRejected(
        "tax-code-ambiguous", "bexio", _REFUSED, rate=plain(rate), day=day.isoformat(), candidates=codes
    )
