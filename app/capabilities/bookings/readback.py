"""Finding an entry of ours among those that bexio has: by its number, and by what it says. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from app.connectors.bexio.manual_entries import ManualEntry


@dataclass(frozen=True, slots=True, order=True)
class BookedLine:
    """What a line books; ids and the order of lines are bexio's own."""

    debit_account: int
    credit_account: int
    amount: Decimal
    tax: int
    tax_account: int
    text: str


@dataclass(frozen=True, slots=True)
class Booked:
    """What an entry books, to be compared."""

    day: date
    reference: str
    lines: Mapping[BookedLine, int]

    @property
    def total(self) -> Decimal:
        """The sum of its lines."""
        return sum((line.amount * count for line, count in self.lines.items()), Decimal(0))


def sent(request: bytes) -> Booked:
    """What a request books that was sent, or is to be."""
    body: dict[str, Any] = orjson.loads(request)
    lines = Counter(
        BookedLine(
            line["debit_account_id"],
            line["credit_account_id"],
            Decimal(str(line["amount"])),
            line.get("tax_id") or 0,
            line.get("tax_account_id") or 0,
            line.get("description") or "",
        )
        for line in body["entries"]
    )
    return Booked(date.fromisoformat(body["date"]), body["reference_nr"], lines)


def found(entry: ManualEntry) -> Booked:
    """What an entry books as bexio has it."""
    lines = Counter(
        BookedLine(
            line.debit_account_id or 0,
            line.credit_account_id or 0,
            line.amount.normalize() + 0,
            line.tax_id or 0,
            line.tax_account_id or 0 if line.tax_id else 0,
            line.description or "",
        )
        for line in entry.entries
    )
    return Booked(entry.date, entry.reference_nr or "", lines)


def landed(request: bytes, present: Iterable[ManualEntry]) -> list[ManualEntry]:
    """The entries that carry the number of a request, those that say the same first.

    One that says something else is still ours: somebody edited it since.
    """
    wanted = sent(request)
    ours = [entry for entry in present if entry.reference_nr == wanted.reference]
    return sorted(ours, key=lambda entry: (found(entry) != wanted, entry.id))
