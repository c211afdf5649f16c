"""What bexio has for entries: accounts, VAT codes, years and periods; and which day is open. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from app.capabilities.bookings.vat import VatCodes
from app.connectors.bexio.accounts import Account
from app.connectors.bexio.business_years import BusinessYear
from app.connectors.bexio.calendar_years import CalendarYear
from app.connectors.bexio.taxes import Tax
from app.connectors.bexio.vat_periods import VatPeriod
from app.connectors.bexio.wire import Wire

OPEN = "open"
NET_TAX = "net_tax"
_MONTHS = ("start_year", "start_month", "end_year", "end_month")


@dataclass(frozen=True)
class Ledger:
    """One company's books as bexio told them. `currency_id` is that of francs."""

    accounts: tuple[Account, ...]
    taxes: tuple[Tax, ...]
    business_years: tuple[BusinessYear, ...]
    vat_periods: tuple[VatPeriod, ...]
    calendar_years: tuple[CalendarYear, ...]
    currency_id: int

    @cached_property
    def vat(self) -> VatCodes:
        """The VAT codes, to be asked."""
        return VatCodes(self.taxes)

    @cached_property
    def _by_number(self) -> Mapping[str, Account]:
        # Of two accounts with one number the active one counts.
        ranked = sorted(self.accounts, key=lambda row: row.is_active)
        return {row.account_no: row for row in ranked}

    @cached_property
    def _by_id(self) -> Mapping[int, Account]:
        return {row.id: row for row in self.accounts}

    def account(self, number: str) -> Account | None:
        """The account with this number, active or not."""
        return self._by_number.get(number)

    def number_of(self, account_id: int) -> str:
        """The number of an account; its id in braces when the chart no longer has it."""
        found = self._by_id.get(account_id)
        return found.account_no if found is not None else f"({account_id})"

    def is_active(self, account_id: int) -> bool:
        """True when the account can be booked on."""
        found = self._by_id.get(account_id)
        return found is not None and found.is_active

    def business_year(self, day: date) -> BusinessYear | None:
        """The business year that holds the day."""
        return next((row for row in self.business_years if row.start <= day <= row.end), None)

    def vat_period(self, day: date) -> VatPeriod | None:
        """The VAT period that holds the day."""
        return next((row for row in self.vat_periods if row.start <= day <= row.end), None)

    def calendar_year(self, day: date) -> CalendarYear | None:
        """How the company accounts for VAT on the day."""
        return next((row for row in self.calendar_years if row.start <= day <= row.end), None)

    def is_open(self, day: date, *, with_vat: bool) -> bool:
        """True when the day can be booked on."""
        return self.closed_by(day, with_vat=with_vat) is None

    def closed_by(self, day: date, *, with_vat: bool) -> tuple[str, Mapping[str, str]] | None:
        """Why the day cannot be booked on, as code and parameters; None when it can."""
        params = {"day": day.isoformat()}
        year = self.business_year(day)
        if year is None:
            return "business-year-missing", params
        if year.status != OPEN:
            return "business-year-not-open", {**params, "status": year.status}
        period = self.vat_period(day) if with_vat else None
        if period is not None and period.status != OPEN:
            return "vat-period-not-open", params
        return None

    def next_open_day(self, day: date, latest: date, *, with_vat: bool) -> date | None:
        """The first day from `day` to `latest` that can be booked on."""
        candidates = sorted({day, *(one for one in self._borders() if day < one <= latest)})
        return next((one for one in candidates if self.is_open(one, with_vat=with_vat)), None)

    def _borders(self) -> Iterator[date]:
        spans: Sequence[BusinessYear | VatPeriod] = (*self.business_years, *self.vat_periods)
        for row in spans:
            yield row.start
            # A day after a closed period may belong to none at all.
            yield row.end + timedelta(days=1)

    def figures(self) -> list[object]:
        """All that a plan depends on, for its hash."""
        dated = {"id", "start", "end", "status"}
        return [
            _rows(self.accounts, {"id", "account_no", "account_type", "is_active"}),
            _rows(self.taxes, {"id", "code", "type", "value", "net_tax_value", "is_active", *_MONTHS}),
            _rows(self.business_years, dated),
            _rows(self.vat_periods, dated),
            _rows(self.calendar_years, {"id", "start", "end", "is_vat_subject", "vat_accounting_method"}),
            self.currency_id,
        ]


def _rows(rows: Sequence[Wire], fields: set[str]) -> list[dict[str, object]]:
    return sorted((row.model_dump(mode="json", include=fields) for row in rows), key=lambda row: row["id"])
