"""Every line and payment is hit by exactly one rule: what none hits, and what several hit. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from app.capabilities.bookings.book import DayBook, Misfit
from app.capabilities.bookings.facts import HOUSE_CURRENCY
from app.capabilities.bookings.findings import MOST_EXAMPLES, Finding
from app.capabilities.bookings.rules import DIMENSIONS
from app.capabilities.bookings.texts import Names
from app.core.money import amount

Kind = Literal["coverage-gap", "coverage-overlap", "foreign-currency"]


def kind_of(misfit: Misfit) -> Kind:
    """What is wrong with these lines or payments."""
    if misfit.match.doubled:
        return "coverage-overlap"
    foreign = misfit.traits.currency not in {None, HOUSE_CURRENCY}
    return "foreign-currency" if foreign else "coverage-gap"


def judge(book: DayBook, names: Names) -> Iterator[Finding]:
    """What of a day is not covered exactly once, or cannot be read; its day is held."""
    if book.unread:
        yield _unread(book)
    for misfit in book.misfits:
        yield Finding(
            code=kind_of(misfit),
            severity="error",
            days=(book.day,),
            about=tuple(str(rule.id) for rule in misfit.match.doubled),
            params={
                "what": described(misfit, names),
                "amount": amount(misfit.amount),
                "rules": ", ".join(rule.title for rule in misfit.match.doubled),
                "receipts": _numbers(misfit),
            },
            examples=tuple(misfit.examples),
            count=misfit.receipts,
        )


def _unread(book: DayBook) -> Finding:
    receipts = sorted(book.unread, key=lambda one: (len(one.id), one.id))
    shown = tuple(receipts[:MOST_EXAMPLES])
    said = ", ".join(f"{one.number} (Id {one.id})" for one in shown) + (", …" if len(receipts) > len(shown) else "")
    return Finding("receipt-unreadable", "error", (book.day,), (), {"receipts": said}, shown, len(receipts))


def described(misfit: Misfit, names: Names) -> str:
    """The traits in words that stand on a receipt: `Zahlungen, Zahlart Karte`."""
    traits = misfit.traits
    pairs = ((name, getattr(traits, name)) for name in DIMENSIONS)
    said = [
        f"{names.get(('dimension', name), name)} {names.get((name, value), value)}"
        for name, value in pairs
        if value is not None
    ]
    return ", ".join([names.get(("source", traits.source), traits.source), *said])


def _numbers(misfit: Misfit) -> str:
    shown = ", ".join(example.number for example in misfit.examples)
    return shown if misfit.receipts <= len(misfit.examples) else f"{shown}, …"
