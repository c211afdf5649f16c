"""Business years, VAT periods and calendar years as a bookkeeper opens, closes, adds and removes them."""

from collections.abc import Callable
from typing import Final

from sandbox.bexio import seed, taxes
from sandbox.bexio.company import Company
from sandbox.bexio.errors import BadRequest, NotFound
from sandbox.bexio.table import Table
from sandbox.bexio.values import Record

YEAR_STATES: Final = frozenset({"open", "locked", "closed"})
VAT_STATES: Final = frozenset({"open", "closed", "closed_with_message"})


def set_business_year(company: Company, given: Record) -> Record:
    """`{id | year, status}`: open, locked or closed."""
    return _set_status(company.business_years, given, YEAR_STATES)


def set_vat_period(company: Company, given: Record) -> Record:
    """`{id | date, status}`: open, closed or closed_with_message."""
    return _set_status(company.vat_periods, given, VAT_STATES)


def set_calendar_year(company: Company, given: Record) -> Record:
    """`{id | year, is_vat_subject?, vat_accounting_method?, vat_accounting_type?}`."""
    row = _holding(company.calendar_years, given)
    names = ("is_vat_subject", "vat_accounting_method", "vat_accounting_type")
    row.update({name: given[name] for name in names if name in given})
    return row


def open_year(company: Company, given: Record) -> Record:
    """`{year}`: a business year with its VAT quarters; what is there already is only opened."""
    year = int(given["year"])
    if not any(row["start"].startswith(f"{year}-") for row in company.business_years):
        seed.add_year(company, year)
    for table in (company.business_years, company.vat_periods):
        for row in table:
            if row["start"].startswith(f"{year}-"):
                row.update({"status": "open", "closed_at": None})
    return {"year": year}


def remove_year(company: Company, given: Record) -> Record:
    """`{year}`: as if the year was never made: no business year, VAT periods or calendar year."""
    year = int(given["year"])
    for table in (company.business_years, company.vat_periods, company.calendar_years):
        for row in [row for row in table if row["start"].startswith(f"{year}-")]:
            table.remove(row["id"])
    return {"year": year}


def add_old_rates(company: Company, _given: Record) -> list[Record]:
    """The VAT codes of the rates before 2024."""
    taxes.add_rates_before_2024(company)
    return list(company.taxes)


def _set_status(table: Table[Record], given: Record, states: frozenset[str]) -> Record:
    if given["status"] not in states:
        raise BadRequest(f"status is one of {', '.join(sorted(states))}")
    row = _holding(table, given)
    row["status"] = given["status"]
    return row


def _holding(table: Table[Record], given: Record) -> Record:
    """By `id`, or the one that holds a `date`, or the first day of a `year`."""
    if "id" in given:
        return table[int(given["id"])]
    day = given["date"] if "date" in given else f"{int(given['year'])}-01-01"
    for row in table:
        if row["start"] <= day <= row["end"]:
            return row
    raise NotFound(f"no {table.name} holds {day}")


ACTIONS: Final[dict[tuple[str, str], Callable[[Company, Record], object]]] = {
    ("POST", "actions/set-business-year"): set_business_year,
    ("POST", "actions/set-vat-period"): set_vat_period,
    ("POST", "actions/set-calendar-year"): set_calendar_year,
    ("POST", "actions/open-year"): open_year,
    ("POST", "actions/remove-year"): remove_year,
    ("POST", "actions/add-old-rates"): add_old_rates,
}
