"""Business years (`/3.0/accounting/business_years`): in a locked or closed one nothing can be booked."""

from __future__ import annotations

from datetime import date

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class BusinessYear(Wire):
    """A business year, both days included; `status` is `open`, `locked` or `closed`."""

    id: int
    start: date
    end: date
    status: str


BUSINESS_YEARS = resource_of("/3.0/accounting/business_years", BusinessYear)
