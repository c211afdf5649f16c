"""Calendar years (`/3.0/accounting/calendar_years`): whether and how the company accounts for VAT."""

from __future__ import annotations

from datetime import date

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import OptionalId, Wire


class CalendarYear(Wire):
    """A year of VAT; method `effective` or `net_tax`, type `agreed` or `collected`."""

    id: int
    start: date
    end: date
    is_vat_subject: bool
    vat_accounting_method: str | None = None
    vat_accounting_type: str | None = None
    default_tax_income_id: OptionalId = None
    default_tax_expense_id: OptionalId = None


CALENDAR_YEARS = resource_of("/3.0/accounting/calendar_years", CalendarYear)
