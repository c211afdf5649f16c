"""Whether a day adds up: sales + vouchers sold + tips + money moved + rounding = payments, in Rappen. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.capabilities.bookings.book import DayBook, Differences
from app.capabilities.bookings.findings import Finding
from app.core.money import ZERO, amount


@dataclass(frozen=True, slots=True)
class Rounding:
    """What is left over on one clearing account: positive when more was paid than sold."""

    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Proof:
    """The day's remainders as roundings, or the finding that holds the day."""

    roundings: tuple[Rounding, ...] = ()
    finding: Finding | None = None


def prove(book: DayBook, limit: Decimal) -> Proof:
    """Takes what is left over for rounding as long as it stays within the limit; the receipts are named beyond it."""
    left = {account: rest for account, rest in book.differences.by_account.items() if rest != ZERO}
    total = sum((abs(rest) for rest in left.values()), ZERO)
    if total == ZERO:
        return Proof()
    if total > limit or None in left:
        return Proof(finding=_unbalanced(book, limit))
    known = sorted((account, rest) for account, rest in left.items() if account is not None)
    return Proof(tuple(Rounding(account, rest) for account, rest in known))


def _unbalanced(book: DayBook, limit: Decimal) -> Finding:
    differences: Differences = book.differences
    differences.trim()
    named = [(example, rest) for rest, example in differences.worst]
    return Finding(
        code="day-does-not-balance",
        severity="error",
        days=(book.day,),
        params={
            "difference": amount(book.sums.difference),
            "limit": amount(limit),
            "receipts": ", ".join(f"{example.number} ({amount(rest)})" for example, rest in named),
        },
        examples=tuple(example for example, _ in named),
        count=differences.receipts,
    )
