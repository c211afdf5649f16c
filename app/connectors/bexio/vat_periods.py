"""VAT periods (`/3.0/accounting/vat_periods`): in a closed one nothing with VAT can be booked."""

from __future__ import annotations

from datetime import date

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class VatPeriod(Wire):
    """A period, both days included; `type` is `quarter`, `semester` or `annual`.

    `status` is `open`, `closed` or `closed_with_message`.
    """

    id: int
    start: date
    end: date
    type: str
    status: str


VAT_PERIODS = resource_of("/3.0/accounting/vat_periods", VatPeriod)
