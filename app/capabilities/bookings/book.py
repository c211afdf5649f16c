"""One sale day, added up as its receipts stream in: what each rule collects, what none does, what does not balance.

Memory holds one cell for each (rule, group), never the receipts: whoever wants those hands in a `sink`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from uuid import UUID

import orjson

from app.capabilities.bookings.facts import HOUSE_CURRENCY, Line, Payment, Receipt
from app.capabilities.bookings.findings import MOST_EXAMPLES, Example
from app.capabilities.bookings.rules import DIMENSIONS, RECEIPT, TIP, VOUCHER, Match, RateClass, Rule, Traits, match
from app.capabilities.bookings.texts import needed
from app.capabilities.bookings.vat import BY_LINE
from app.core.money import ZERO, plain

ROUNDING = UUID(int=0)
"""Stands for a rule where an entry comes from none: the rounding of a day."""

MOST_SEEN = 4


@dataclass(slots=True, eq=False)
class Cell:
    """What one rule collects for one group of a day.

    `till_tax` is the VAT that the tills printed for it; `seen` holds for each dimension that texts ask for the first
    few values met.
    """

    rule: Rule
    group: tuple[tuple[str, str], ...]
    tax_rate: str | None
    amount: Decimal = ZERO
    till_tax: Decimal = ZERO
    items: int = 0
    receipts: int = 0
    examples: list[Example] = field(default_factory=list[Example])
    seen: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    mixed: bool = False

    def take(self, example: Example, amount: Decimal) -> None:
        """Adds what one receipt has of it."""
        self.amount += amount
        self.receipts += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(example)

    @property
    def group_key(self) -> str:
        """The group as a text that is always the same."""
        return key_of(self.group)


def key_of(group: tuple[tuple[str, str], ...]) -> str:
    """A group as JSON: `[["store","1"],["tax_rate","8.1"]]`."""
    return orjson.dumps(group).decode()


Sink = Callable[[Cell, Receipt, Decimal], None]
"""Is told what each receipt adds to a cell."""


@dataclass(slots=True, eq=False)
class Misfit:
    """Lines or payments of the same traits that no rule, or more than one, hits."""

    traits: Traits
    match: Match
    amount: Decimal = ZERO
    items: int = 0
    receipts: int = 0
    examples: list[Example] = field(default_factory=list[Example])
    _last: Example | None = None

    def take(self, example: Example, amount: Decimal) -> None:
        """One more of them; those of one receipt come one after the other."""
        self.amount += amount
        self.items += 1
        if self._last is example:
            return
        self._last = example
        self.receipts += 1
        if len(self.examples) < MOST_EXAMPLES:
            self.examples.append(example)


@dataclass(slots=True)
class Sums:
    """The equation of a day: sales + vouchers sold + tips + money moved + difference = payments."""

    sales: Decimal = ZERO
    vouchers_sold: Decimal = ZERO
    tips: Decimal = ZERO
    money: Decimal = ZERO
    payments: Decimal = ZERO
    receipts: int = 0
    items: int = 0

    @property
    def difference(self) -> Decimal:
        """What was paid beyond what was sold."""
        return self.payments - self.sales - self.vouchers_sold - self.tips - self.money


@dataclass(slots=True)
class Differences:
    """Receipts that do not balance by themselves: sums by the account their money went through, and the worst ones."""

    by_account: dict[str | None, Decimal] = field(default_factory=dict[str | None, Decimal])
    worst: list[tuple[Decimal, Example]] = field(default_factory=list[tuple[Decimal, Example]])
    receipts: int = 0

    def take(self, example: Example, difference: Decimal, account: str | None) -> None:
        """One more of them."""
        self.by_account[account] = self.by_account.get(account, ZERO) + difference
        self.receipts += 1
        self.worst.append((difference, example))
        if len(self.worst) > 2 * MOST_EXAMPLES:
            self.trim()

    def trim(self) -> None:
        """Keeps the largest."""
        self.worst.sort(key=lambda pair: (-abs(pair[0]), pair[1].id))
        del self.worst[MOST_EXAMPLES:]


@dataclass(frozen=True, slots=True)
class InvoicedSale:
    """A receipt that was paid on bexio invoice, in whole or in part: its revenue is the invoice's."""

    id: str
    number: str
    amount: Decimal
    cancels: str | None
    cancelled_by: str | None


@dataclass(slots=True)
class _Slot:
    """Where lines or payments of the same traits go; `each` are the rules that make an entry for each receipt."""

    cells: tuple[Cell, ...]
    each: tuple[Rule, ...]
    misfit: Misfit | None


class Matches:
    """What rules make of traits, remembered: a shop has few different ones. For rules that hold on the same days."""

    def __init__(self, rules: tuple[Rule, ...], rate_class: RateClass) -> None:
        self.rules = rules
        self.asked = frozenset(dimension for rule in rules for dimension in _asked(rule))
        self._rate_class = rate_class
        self._known: dict[Traits, Match] = {}
        self._rates: dict[Decimal, str] = {}

    def of(self, traits: Traits) -> Match:
        """The match of these traits."""
        found = self._known.get(traits)
        if found is None:
            found = self._known[traits] = match(self.rules, traits, self._rate_class)
        return found

    def rate(self, rate: Decimal) -> str:
        """A rate as rules write it."""
        found = self._rates.get(rate)
        if found is None:
            found = self._rates[rate] = plain(rate)
        return found


def _asked(rule: Rule) -> frozenset[str]:
    by_rate = {"tax_rate"} if rule.tax_code and rule.source == "articles" else set[str]()
    return rule.filter.dimensions() | frozenset(rule.group_by) | needed(rule.text) | by_rate


@dataclass(slots=True)
class DayBook:
    """Adds up one day. Give it every receipt of the day, in any order; then read it.

    Attributes:
        day: the sale day.
        matches: the rules that hold on it.
        invoice_type: Arcavis' payment type for sales on bexio invoice; their receipts are left out entirely.
        unread: receipts of the day that could not be read, so that the rest does not tell its whole story.
        sink: is told of every receipt's part in every cell.
    """

    day: date
    matches: Matches
    invoice_type: str | None = None
    sink: Sink | None = None
    cells: dict[tuple[UUID, str], Cell] = field(default_factory=dict[tuple[UUID, str], Cell])
    misfits: list[Misfit] = field(default_factory=list[Misfit])
    sums: Sums = field(default_factory=Sums)
    differences: Differences = field(default_factory=Differences)
    invoiced: list[InvoicedSale] = field(default_factory=list[InvoicedSale])
    unread: list[Example] = field(default_factory=list[Example])
    last_synched: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _slots: dict[Traits, _Slot] = field(default_factory=dict[Traits, _Slot])

    def add(self, receipt: Receipt) -> None:
        """Takes one receipt in."""
        if receipt.sale_day != self.day:
            raise ValueError("a receipt of another day")
        if receipt.synched_at is not None:
            known = self.last_synched.get(receipt.point_of_sale, receipt.synched_at)
            self.last_synched[receipt.point_of_sale] = max(known, receipt.synched_at)
        if receipt.is_end_of_day:
            return
        if self.invoice_type is not None and receipt.paid_with(self.invoice_type):
            sale = (receipt.id, receipt.number, receipt.amount, receipt.cancels, receipt.cancelled_by)
            self.invoiced.append(InvoicedSale(*sale))
            return
        _Reading(self, receipt).read()

    def slot(self, traits: Traits) -> _Slot:
        """Where these traits go."""
        found = self._slots.get(traits)
        if found is None:
            found = self._slots[traits] = self._open(traits)
        return found

    def cell(self, rule: Rule, traits: Traits, receipt: str | None = None) -> Cell:
        """What the rule collects for the group of these traits, or for one receipt."""
        names = {*rule.group_by, "tax_rate"} if rule.tax_code == BY_LINE else set(rule.group_by)
        pairs = ((name, getattr(traits, name)) for name in DIMENSIONS if name in names)
        group = tuple((name, value) for name, value in pairs if value is not None)
        if receipt is not None:
            group = (*group, (RECEIPT, receipt))
        key = (rule.id, key_of(group))
        cell = self.cells.get(key)
        if cell is None:
            cell = self.cells[key] = Cell(rule, group, traits.tax_rate)
        elif cell.tax_rate != traits.tax_rate:
            # Several rates in one group: a code that fits one of them does not fit the other.
            cell.mixed = True
        for name in needed(rule.text):
            value = getattr(traits, name)
            known = cell.seen.setdefault(name, [])
            if value is not None and value not in known:
                # The smallest ones, whatever came first: the same sales give the same text.
                known[:] = sorted([*known, value])[:MOST_SEEN]
        return cell

    def _open(self, traits: Traits) -> _Slot:
        matched = self.matches.of(traits)
        misfit = None
        if not matched.exact:
            misfit = Misfit(traits, matched)
            self.misfits.append(misfit)
        booking = [rule for rule in matched.rules if rule.action == "book"]
        together = tuple(self.cell(rule, traits) for rule in booking if RECEIPT not in rule.group_by)
        return _Slot(together, tuple(rule for rule in booking if RECEIPT in rule.group_by), misfit)


class _Reading:
    """One receipt on its way into a book."""

    def __init__(self, book: DayBook, receipt: Receipt) -> None:
        self._book = book
        self._receipt = receipt
        self._example = Example(receipt.id, receipt.number)
        self._parts: dict[Cell, Decimal] = {}
        self._sales = self._vouchers = self._paid = ZERO
        self._asked = asked = book.matches.asked
        self._where = (
            receipt.store if "store" in asked else None,
            receipt.point_of_sale if "point_of_sale" in asked else None,
            receipt.transaction_type if "transaction_type" in asked else None,
            receipt.purpose if "purpose" in asked else None,
        )

    def read(self) -> None:
        """Books every part, and what is left over."""
        receipt = self._receipt
        for line in receipt.lines:
            self._line(line)
        for sold in receipt.vouchers:
            if sold.issued:
                self._vouchers += sold.amount
                self._other(VOUCHER, sold.amount)
        if receipt.tips:
            self._other(TIP, receipt.tips)
        for payment in receipt.payments:
            self._payment(payment)
        self._add_up()
        for cell, amount in self._parts.items():
            cell.take(self._example, amount)
            if self._book.sink is not None:
                self._book.sink(cell, receipt, amount)

    def _line(self, line: Line) -> None:
        asked, groups = self._asked, line.groups
        traits = Traits(
            "articles",
            *self._where,
            groups.main_group if "main_group" in asked else None,
            groups.trade_group if "trade_group" in asked else None,
            groups.article_group if "article_group" in asked else None,
            line.article if "article" in asked else None,
            self._book.matches.rate(line.tax_rate) if "tax_rate" in asked else None,
        )
        slot = self._book.slot(traits)
        if slot.misfit is not None:
            slot.misfit.take(self._example, line.gross)
        self._sales += line.gross
        for cell in self._cells(slot, traits):
            self._put(cell, _VALUES[cell.rule.value](line))
            if cell.rule.value == "gross":
                cell.till_tax += line.tax

    def _other(self, article: str, amount: Decimal) -> None:
        """What is sold besides articles carries no VAT."""
        traits = Traits("articles", *self._where, article=article)
        slot = self._book.slot(traits)
        if slot.misfit is not None:
            slot.misfit.take(self._example, amount)
        for cell in self._cells(slot, traits):
            self._put(cell, amount if cell.rule.value in {"gross", "net"} else ZERO)

    def _payment(self, payment: Payment) -> None:
        asked = self._asked
        traits = Traits(
            "payments",
            *self._where,
            payment_type=payment.payment_type if "payment_type" in asked else None,
            currency=payment.currency if payment.currency != HOUSE_CURRENCY or "currency" in asked else None,
        )
        slot = self._book.slot(traits)
        if slot.misfit is not None:
            slot.misfit.take(self._example, payment.amount)
        self._paid += payment.amount
        for cell in self._cells(slot, traits):
            self._put(cell, payment.amount)

    def _cells(self, slot: _Slot, traits: Traits) -> tuple[Cell, ...]:
        if not slot.each:
            return slot.cells
        return (*slot.cells, *(self._book.cell(rule, traits, self._receipt.id) for rule in slot.each))

    def _put(self, cell: Cell, value: Decimal) -> None:
        self._parts[cell] = self._parts.get(cell, ZERO) + value
        cell.items += 1

    def _add_up(self) -> None:
        receipt, sums = self._receipt, self._book.sums
        money = receipt.amount if not (receipt.lines or self._vouchers or receipt.tips) else ZERO
        sums.sales += self._sales
        sums.vouchers_sold += self._vouchers
        sums.tips += receipt.tips
        sums.money += money
        sums.payments += self._paid
        sums.receipts += 1
        sums.items += len(receipt.lines) + len(receipt.payments)
        if difference := self._paid - self._sales - self._vouchers - receipt.tips - money:
            self._book.differences.take(self._example, difference, self._clearing_account())

    def _clearing_account(self) -> str | None:
        """The account that most of the receipt went through: what is left over lies there."""
        through: dict[str, Decimal] = {}
        for cell, amount in self._parts.items():
            if (account := cell.rule.clearing_account) is not None:
                through[account] = through.get(account, ZERO) + abs(amount)
        return max(through, key=lambda account: (through[account], account)) if through else None


_VALUES: Mapping[str, Callable[[Line], Decimal]] = {
    name: attrgetter(name) for name in ("gross", "net", "tax", "discount", "cost")
}
"""The part of a line that a rule is about."""
