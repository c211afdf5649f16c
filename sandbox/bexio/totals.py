"""What a document adds up to, and how it splits over accounts and VAT rates. Pure functions.

Choices where bexio documents little (reference: its worked example, net 17.80 + 7.7 % 1.3706 = 19.1706 -> 19.15,
difference -0.02):

- A line is `amount x unit_price x (1 - discount / 100)`, rounded half up to two decimals.
- VAT is computed once per rate on the sum of that rate's lines, never per line, and shown with four decimals.
  With prices that include VAT it is `sum x rate / (100 + rate)`, otherwise `sum x rate / 100`.
- The total is rounded to the currency's step; `rounding` is that total less the unrounded one, with two decimals.
- `total_gross` is the sum of the lines, `total_net` that sum without VAT and without discount positions' share.
- A discount position lowers the lines before it, split over them in proportion; the last takes the remainder.
- The ledger holds two decimals: VAT per rate is rounded there, revenue takes the rest, and what the rounding of
  the total leaves goes to the rounding account.
- mwst_type 1 and 2 charge no VAT at all. Optional positions do not count.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sandbox.bexio.values import HUNDRED, ZERO, rounded, to_step


@dataclass(frozen=True, slots=True)
class Line:
    """A line's sum after its own discount, with the account and the VAT code and rate (percent) it is booked with."""

    total: Decimal
    account_id: int
    tax_id: int
    rate: Decimal


@dataclass(frozen=True, slots=True)
class Discount:
    """A discount on all lines before it: percent, or an amount."""

    value: Decimal
    is_percentual: bool


@dataclass(frozen=True, slots=True)
class Share:
    """What a document books on one revenue account under one VAT code: without VAT, and its VAT, in cents."""

    account_id: int
    tax_id: int
    net: Decimal
    vat: Decimal


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a document; `taxes` by rate with four decimals; `discounts` in the order of their positions."""

    gross: Decimal
    net: Decimal
    taxes: dict[Decimal, Decimal]
    total: Decimal
    rounding: Decimal
    shares: tuple[Share, ...]
    discounts: tuple[Decimal, ...]

    @property
    def total_taxes(self) -> Decimal:
        """VAT of all rates."""
        return sum(self.taxes.values(), ZERO)


def line_total(amount: Decimal, unit_price: Decimal, discount_in_percent: Decimal) -> Decimal:
    """One line, to the cent."""
    return rounded(amount * unit_price * (1 - discount_in_percent / HUNDRED))


def add_up(items: Sequence[Line | Discount], *, charges_vat: bool, prices_are_net: bool, step: Decimal) -> Totals:
    """The totals of a document's lines and discount positions."""
    lines, discounts = _discounted(items)
    by_tax: dict[tuple[int, Decimal], dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for line in lines:
        by_tax[line.tax_id, line.rate if charges_vat else ZERO][line.account_id] += line.total
    taxes: dict[Decimal, Decimal] = defaultdict(Decimal)
    shares: list[Share] = []
    for (tax_id, rate), accounts in by_tax.items():
        taxable = sum(accounts.values(), ZERO)
        vat = taxable * rate / (HUNDRED if prices_are_net else HUNDRED + rate)
        taxes[rate] += vat
        shares += _shares(accounts, tax_id, rounded(vat), prices_are_net=prices_are_net)
    shown = {rate: rounded(vat, 4) for rate, vat in sorted(taxes.items()) if rate}
    summed = sum((line.total for line in lines), ZERO)
    vat_shown = sum(shown.values(), ZERO)
    exact = summed + vat_shown if prices_are_net else summed
    total = to_step(exact, step)
    return Totals(
        gross=summed - sum(discounts, ZERO),
        net=summed if prices_are_net else summed - vat_shown,
        taxes=shown,
        total=total,
        rounding=rounded(total - exact),
        shares=tuple(shares),
        discounts=tuple(discounts),
    )


def _discounted(items: Sequence[Line | Discount]) -> tuple[list[Line], list[Decimal]]:
    """The lines after all discount positions, and what each of those amounts to (below zero)."""
    lines: list[Line] = []
    discounts: list[Decimal] = []
    for item in items:
        if isinstance(item, Line):
            lines.append(item)
            continue
        base = sum((line.total for line in lines), ZERO)
        off = rounded(base * item.value / HUNDRED) if item.is_percentual else rounded(item.value)
        off = off if base else ZERO
        discounts.append(-off)
        lines = _lowered(lines, base, off)
    return lines, discounts


def _lowered(lines: list[Line], base: Decimal, off: Decimal) -> list[Line]:
    left, result = off, list[Line]()
    for place, line in enumerate(lines, 1):
        part = left if place == len(lines) else rounded(off * line.total / base) if base else ZERO
        left -= part
        result.append(Line(line.total - part, line.account_id, line.tax_id, line.rate))
    return result


def _shares(accounts: dict[int, Decimal], tax_id: int, vat: Decimal, *, prices_are_net: bool) -> list[Share]:
    """One rate's VAT split over its accounts in proportion, to the cent; the last takes the remainder."""
    taxable, left, shares = sum(accounts.values(), ZERO), vat, list[Share]()
    for place, (account_id, summed) in enumerate(accounts.items(), 1):
        part = left if place == len(accounts) else rounded(vat * summed / taxable) if taxable else ZERO
        left -= part
        shares.append(Share(account_id, tax_id, summed if prices_are_net else summed - part, part))
    return shares
