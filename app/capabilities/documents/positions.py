"""Till lines as invoice positions that bexio adds up to the till's amounts, to the cent.

bexio multiplies quantity, unit price and discount in percent, each with at most six decimals, and rounds the line to
the Rappen. The till may have rounded the line to 5 Rappen and given its discount as an amount. So every line gets
the shape nearest to what the customer saw whose product is exactly the till's amount.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from app.capabilities.documents.schemas import Line
from app.core.money import ZERO, amount, plain, to_cent

SIX = Decimal("0.000001")
HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a line is written in bexio: `quantity * unit_price * (1 - discount_percent / 100)`."""

    quantity: Decimal
    unit_price: Decimal
    discount_percent: Decimal | None

    def total(self) -> Decimal:
        """What bexio makes of it, rounded to the Rappen."""
        return to_cent(self.product())

    def product(self) -> Decimal:
        """The unrounded product."""
        product = self.quantity * self.unit_price
        return product if self.discount_percent is None else product * (1 - self.discount_percent / HUNDRED)


@dataclass(frozen=True, slots=True)
class Priced:
    """A line with an amount."""

    line: Line
    text: str
    shape: Shape


@dataclass(frozen=True, slots=True)
class Spoken:
    """A text line."""

    text: str


Position = Priced | Spoken


def _exact(shape: Shape, wanted: Decimal) -> bool:
    """True when the rounded line is `wanted`, and an unrounded sum would not drift either."""
    return shape.total() == wanted and abs(shape.product() - wanted) < Decimal("0.0005")


def reproduce(quantity: Decimal, unit_price: Decimal, wanted: Decimal) -> Shape:
    """The most natural shape whose total is exactly `wanted`.

    In this order: price as it is; price with a discount in percent; quantity with an adjusted price; one piece at the
    amount. A returned article (negative quantity) becomes a negative price, since bexio documents no negative
    quantity.
    """
    sign = Decimal(-1) if quantity < 0 else Decimal(1)
    pieces, price = abs(quantity), unit_price * sign
    return next(shape for shape in _shapes(pieces, price, wanted) if _exact(shape, wanted))


def _shapes(pieces: Decimal, price: Decimal, wanted: Decimal) -> Iterator[Shape]:
    gross = pieces * price
    yield Shape(pieces, price, None)
    if gross != 0 and 0 <= wanted / gross < 1:
        percent = ((1 - wanted / gross) * HUNDRED).quantize(SIX, rounding=ROUND_HALF_UP)
        yield Shape(pieces, price, percent)
    if pieces != 0:
        yield Shape(pieces, (wanted / pieces).quantize(SIX, rounding=ROUND_HALF_UP), None)
    yield Shape(Decimal(1), wanted, None)


def position(line: Line) -> Position:
    """A till line as a position. A price that bexio must show otherwise stays readable in the text."""
    if line.is_text:
        return Spoken(line.text or " ")
    quantity, wanted = line.quantity or ZERO, line.amount or ZERO
    unit_price = line.unit_price or ZERO
    shape = reproduce(quantity, unit_price, wanted)
    text = line.text or line.article_number or f"Position {line.position}"
    if shape.quantity != abs(quantity):
        text = f"{text} ({plain(quantity)} x {amount(unit_price)})"
    return Priced(line, text, shape)


def positions(lines: Iterable[Line]) -> list[Position]:
    """All lines in the order of the receipt."""
    return [position(line) for line in sorted(lines, key=lambda line: line.position)]
