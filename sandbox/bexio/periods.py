"""Whether a day can be booked on: its business year and, with VAT, its VAT period have to be open."""

from datetime import date

from sandbox.bexio.company import Company
from sandbox.bexio.errors import Invalid
from sandbox.bexio.table import Table
from sandbox.bexio.values import Record

NO_YEAR = "Base VAT setting cannot be created because no fiscal year exists."


def check_open(company: Company, day: date, *, with_vat: bool) -> None:
    """Refuse a day that can not be booked on.

    Raises:
        Invalid: no business year, a closed or locked one, or a closed VAT period for a booking with VAT. bexio's own
            words are known for the first case only.
    """
    year = _holding(company.business_years, day)
    if year is None:
        raise Invalid(NO_YEAR)
    if year["status"] != "open":
        raise Invalid(f"The business year is {year['status']}.")
    period = _holding(company.vat_periods, day)
    if with_vat and period is not None and period["status"] != "open":
        raise Invalid("The VAT period is closed.")


def lock_of(company: Company, day: date, *, with_vat: bool) -> str | None:
    """Why a booking of that day can not be changed any more, in bexio's words for `locked_info`, or None."""
    year = _holding(company.business_years, day)
    if year is not None and year["status"] != "open":
        return f"{year['status']}_business_year"
    period = _holding(company.vat_periods, day)
    return "closed_tax_period" if with_vat and period is not None and period["status"] != "open" else None


def _holding(table: Table[Record], day: date) -> Record | None:
    on = day.isoformat()
    return next((row for row in table if row["start"] <= on <= row["end"]), None)
