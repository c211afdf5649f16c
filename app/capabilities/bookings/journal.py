"""The journal of an export: what was posted, line by line, with totals per account and VAT code. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.connectors.bexio.accounts import Account
from app.connectors.bexio.taxes import Tax
from app.core.money import ZERO, vat_within

STANDING = frozenset({"sending", "posted"})


@dataclass(frozen=True, slots=True)
class Stored:
    """A line as it is stored: `amount` is positive from `debit` to `credit`, negative the other way round."""

    sale_day: date
    booked_on: date
    reference: str
    state: str
    bexio_id: int | None
    title: str
    text: str
    debit: int
    credit: int
    amount: Decimal
    tax_id: int | None
    tax_account: int | None
    tax_code: str | None
    receipts: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it stands in bexio: `amount` above zero, VAT included; `vat` is what bexio takes out of it."""

    stored: Stored
    debit: str
    credit: str
    amount: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class AccountTotal:
    """What an export did to an account, VAT on its own account; `balance` is debit less credit."""

    number: str
    name: str
    debit: Decimal
    credit: Decimal

    @property
    def balance(self) -> Decimal:
        """Debit less credit."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class VatTotal:
    """What went through a VAT code; turnover and expense are positive, what was taken back negative."""

    code: str
    rate: Decimal
    gross: Decimal
    vat: Decimal

    @property
    def net(self) -> Decimal:
        """Without VAT."""
        return self.gross - self.vat


@dataclass(frozen=True, slots=True)
class Journal:
    """Lines in the order of days, and the totals of those that stand in bexio or are on their way."""

    lines: tuple[Line, ...]
    accounts: tuple[AccountTotal, ...]
    vat: tuple[VatTotal, ...]


class Chart:
    """Names and numbers of accounts, and rates of codes, as far as bexio told them."""

    def __init__(self, accounts: Iterable[Account] = (), taxes: Iterable[Tax] = ()) -> None:
        self._accounts = {row.id: row for row in accounts}
        self._taxes = {row.id: row for row in taxes}

    def number(self, account_id: int) -> str:
        """The number of an account; bexio's id where the chart is not known."""
        found = self._accounts.get(account_id)
        return found.account_no if found is not None else f"#{account_id}"

    def names(self) -> Mapping[str, str]:
        """Account number -> name."""
        return {row.account_no: row.name for row in self._accounts.values()}

    def tax(self, tax_id: int | None) -> Tax | None:
        """A code."""
        return self._taxes.get(tax_id) if tax_id is not None else None


def journal(stored: Sequence[Stored], chart: Chart) -> Journal:
    """The journal of these lines."""
    lines = [_line(one, chart) for one in stored]
    standing = [line for line in lines if line.stored.state in STANDING]
    return Journal(tuple(lines), _accounts(standing, chart), _vat(standing, chart))


def _line(one: Stored, chart: Chart) -> Line:
    tax = chart.tax(one.tax_id)
    debit, credit = (one.debit, one.credit) if one.amount > 0 else (one.credit, one.debit)
    amount = abs(one.amount)
    vat = vat_within(amount, tax.value) if tax is not None else ZERO
    return Line(one, chart.number(debit), chart.number(credit), amount, vat)


def _accounts(lines: Sequence[Line], chart: Chart) -> tuple[AccountTotal, ...]:
    sums: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for line in lines:
        sums[line.debit][0] += line.amount
        sums[line.credit][1] += line.amount
        tax = chart.tax(line.stored.tax_id)
        if tax is None or tax.account_id is None or line.stored.tax_account is None:
            continue
        # bexio takes the VAT off the side that carries it, and books it on the code's account.
        side = 0 if line.debit == chart.number(line.stored.tax_account) else 1
        sums[chart.number(line.stored.tax_account)][side] -= line.vat
        sums[chart.number(tax.account_id)][side] += line.vat
    names = chart.names()
    return tuple(AccountTotal(number, names.get(number, ""), *sums[number]) for number in sorted(sums))


def _vat(lines: Sequence[Line], chart: Chart) -> tuple[VatTotal, ...]:
    sums: dict[tuple[str, Decimal], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for line in lines:
        tax = chart.tax(line.stored.tax_id)
        if tax is None:
            continue
        is_usual = (tax.type == "sales_tax") == (line.credit == chart.number(line.stored.tax_account or 0))
        sign = 1 if is_usual else -1
        total = sums[tax.code, tax.value]
        total[0] += sign * line.amount
        total[1] += sign * line.vat
    return tuple(VatTotal(code, rate, *sums[code, rate]) for code, rate in sorted(sums))
