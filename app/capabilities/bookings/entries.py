"""What a plan is made of: positions, what was posted for them, entries, groups, days. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from app.capabilities.bookings.book import Sums
from app.capabilities.bookings.findings import Example, Finding
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.proof import Rounding
from app.capabilities.bookings.texts import Names
from app.capabilities.tenancy.settings import ClosedPeriodPolicy
from app.core.money import ZERO

State = Literal["ready", "unchanged", "held"]


@dataclass(frozen=True, slots=True)
class Position:
    """What an amount is told to, for a sale day: by this the posted and the desired are compared.

    Accounts and codes are part of it, so that a rule that now names others takes back the old entry by itself.
    """

    rule: UUID
    group_key: str
    debit_account: int
    credit_account: int
    tax: int | None = None
    tax_account: int | None = None

    @property
    def order(self) -> tuple[str, str, int, int, int]:
        """A place that is always the same."""
        return (str(self.rule), self.group_key, self.debit_account, self.credit_account, self.tax or 0)


@dataclass(frozen=True, slots=True)
class Posted:
    """What stands in bexio for a position, or is on its way: positive from debit to credit.

    `lines` are the amounts that it is made of, but for those that cancel each other out: bexio rounds the VAT of each.
    """

    position: Position
    lines: tuple[Decimal, ...]
    rule_version: int
    title: str
    text: str
    tax_code: str | None = None

    @property
    def amount(self) -> Decimal:
        """What the lines come to."""
        return sum(self.lines, ZERO)


def left_of(lines: Iterable[Decimal]) -> tuple[Decimal, ...]:
    """The lines without those that another one takes back, whose VAT it takes back as well."""
    left: Counter[Decimal] = Counter()
    for line in lines:
        if left[-line]:
            left[-line] -= 1
        elif line:
            left[line] += 1
    return tuple(sorted(left.elements()))


@dataclass(frozen=True, slots=True)
class Entry:
    """What is to be posted for a position. A negative `amount` swaps the sides.

    `desired` is what should stand there, `posted` what does. A position has one entry of the difference, or several
    whose sum it is. `till_tax` is the VAT that the tills printed, `ledger_tax` what bexio splits off the desired
    amount.
    """

    position: Position
    place: int
    rule_version: int
    title: str
    text: str
    amount: Decimal
    desired: Decimal
    posted: Decimal
    tax_code: str | None = None
    till_tax: Decimal = ZERO
    ledger_tax: Decimal = ZERO
    receipts: int = 0
    examples: tuple[Example, ...] = ()

    @property
    def debit_account(self) -> int:
        """The account that is debited."""
        return self.position.debit_account if self.amount > 0 else self.position.credit_account

    @property
    def credit_account(self) -> int:
        """The account that is credited."""
        return self.position.credit_account if self.amount > 0 else self.position.debit_account


@dataclass(frozen=True, slots=True)
class Group:
    """One manual group entry: `request` is the body as it is sent, `reference` its number in bexio."""

    sequence: int
    reference: str
    booked_on: date
    entries: tuple[Entry, ...]
    request: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """A day: `held` with the findings that hold it, `ready` with what is to be posted, or `unchanged`.

    `entries` are those that differ from what was posted, shown for a held day as well as far as they are known.
    """

    day: date
    state: State
    booked_on: date
    sums: Sums
    roundings: tuple[Rounding, ...]
    entries: tuple[Entry, ...]
    groups: tuple[Group, ...]
    findings: tuple[Finding, ...]
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan needs to know besides the receipts: the same for every day of it."""

    slug: str
    ledger: Ledger
    names: Names
    today: date
    policy: ClosedPeriodPolicy = "hold"
    rounding_account: str | None = None
    rounding_limit: Decimal = Decimal("1.00")
    rounding_text: str = "Rundungsdifferenz"


@dataclass(frozen=True, slots=True)
class Desired:
    """What should stand for a position."""

    amount: Decimal
    rule_version: int
    title: str
    place: int
    text: str
    tax_code: str | None = None
    till_tax: Decimal = ZERO
    receipts: int = 0
    examples: tuple[Example, ...] = ()
