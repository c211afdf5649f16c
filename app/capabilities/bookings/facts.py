"""What the tills took, as rules see it: receipts with lines and payments, free of Arcavis' own words.

Prices include VAT. Amounts are francs in Decimal, exact to the Rappen; what goes back to a customer, a return or a
cancellation, is negative, and so is money taken out of a till (expenses, skimming).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from app.core.money import ZERO

HOUSE_CURRENCY = "CHF"


@dataclass(frozen=True, slots=True)
class Groups:
    """The three levels of an article's group, by title; the lines of a receipt carry none."""

    main_group: str | None = None
    trade_group: str | None = None
    article_group: str | None = None


UNGROUPED = Groups()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a receipt. `tax_rate` is a percentage: 8.1. `discount` is what was taken off, VAT included.

    `net` is the till's own, rounded line by line; `cost` is buying price times quantity.
    """

    article: str | None
    tax_rate: Decimal
    gross: Decimal
    net: Decimal
    discount: Decimal = ZERO
    cost: Decimal = ZERO
    groups: Groups = UNGROUPED

    @property
    def tax(self) -> Decimal:
        """The VAT that the till printed."""
        return self.gross - self.net


@dataclass(frozen=True, slots=True)
class Payment:
    """A part of what was paid; negative when given out. `amount` is in francs whatever the `currency`."""

    payment_type: str
    amount: Decimal
    currency: str = HOUSE_CURRENCY


@dataclass(frozen=True, slots=True)
class Voucher:
    """A value voucher that was sold (`issued`) or redeemed. Redeeming also shows as a payment of its payment type."""

    id: str
    amount: Decimal
    issued: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """One completed transaction. A receipt without lines, vouchers and tips moves money: expenses, skimming, loads.

    Attributes:
        id: Arcavis' id, by which it is known for ever.
        number: what people read on it: 2/815.
        sale_day: the day it counts on.
        store: where; an id, as the following ones.
        point_of_sale: at which till.
        transaction_type: what kind of booking it is.
        purpose: why, for kinds that ask for it.
        amount: what it says in total.
        lines: what was sold.
        payments: how it was paid.
        vouchers: those sold and redeemed with it.
        tips: what was given on top, part of the payments and of no line.
        is_end_of_day: a till's closing row, which no rule sees.
        cancels: the receipt that this one takes back.
        cancelled_by: the receipt that took this one back.
        synched_at: when the till handed it over.
    """

    id: str
    number: str
    sale_day: date
    store: str
    point_of_sale: str
    transaction_type: str
    amount: Decimal
    lines: tuple[Line, ...] = ()
    payments: tuple[Payment, ...] = ()
    vouchers: tuple[Voucher, ...] = ()
    tips: Decimal = ZERO
    purpose: str | None = None
    is_end_of_day: bool = False
    cancels: str | None = None
    cancelled_by: str | None = None
    synched_at: datetime | None = None

    @property
    def sales(self) -> Decimal:
        """What the lines come to."""
        return sum((line.gross for line in self.lines), ZERO)

    @property
    def vouchers_sold(self) -> Decimal:
        """Vouchers sold less those taken back."""
        return sum((voucher.amount for voucher in self.vouchers if voucher.issued), ZERO)

    @property
    def money(self) -> Decimal:
        """What a receipt moves that sells nothing: its amount; zero for every other."""
        return ZERO if self.lines or self.vouchers_sold or self.tips else self.amount

    @property
    def paid(self) -> Decimal:
        """What the payments come to."""
        return sum((payment.amount for payment in self.payments), ZERO)

    @property
    def difference(self) -> Decimal:
        """What was paid beyond what was sold: a rounding, or something that is wrong."""
        return self.paid - self.sales - self.vouchers_sold - self.tips - self.money

    def paid_with(self, payment_type: str | None) -> bool:
        """True when any part was paid with this payment type."""
        return any(payment.payment_type == payment_type for payment in self.payments)
