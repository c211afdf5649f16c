"""One receipt of a day's trade: what kind it is, what is sold, how it is paid."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from math import ceil

from sandbox.arcavis import seed, transactions
from sandbox.arcavis.booking import display_name
from sandbox.arcavis.rounding import to_five_rappen, without_tax
from sandbox.arcavis.transactions import Receipt, payment
from sandbox.arcavis.values import Record
from sandbox.basket import Assortment, Shape, draw_lines

_ZERO = Decimal(0)
Drawn = tuple[Receipt, Decimal | None]


@dataclass(frozen=True, slots=True)
class Habits:
    """How a shop trades. `receipts` is the most per till and day; chances are per receipt unless said otherwise.

    Attributes:
        tills: those that are open.
        receipts: the most per till and day; at least half as many.
        closed: that a till stays closed for a day.
        invoice: that a sale is paid on bexio invoice.
        mixed: that such a sale is paid in part at the till.
        voucher_sold: that a voucher is sold, alone or with goods.
        voucher_redeemed: that a sale is paid with a voucher, in whole or in part.
        returned: that goods come back for money.
        tip: that a card sale has a tip.
        split: that a sale is paid half in cash.
        exact: that its lines are rounded to the Rappen, and only cash to five.
        account: that it goes onto the customer's account.
        expense: that money is taken from the till for a purchase.
        load: that a customer pays onto an account.
        cancelled: that the receipt takes back another one.
        cancelled_later: of those, that it is one of an earlier day.
        skimmed: per day, that cash is taken to the bank.
    """

    tills: tuple[int, ...] = seed.TILLS
    receipts: int = 12
    closed: float = 0.05
    invoice: float = 0.06
    mixed: float = 0.3
    voucher_sold: float = 0.05
    voucher_redeemed: float = 0.06
    returned: float = 0.04
    tip: float = 0.06
    split: float = 0.08
    exact: float = 0.15
    account: float = 0.03
    expense: float = 0.04
    load: float = 0.02
    cancelled: float = 0.05
    cancelled_later: float = 0.5
    skimmed: float = 0.5


@dataclass(frozen=True, slots=True)
class Draw:
    """What a receipt is drawn from; `vouchers` are those in circulation, by id, and change."""

    rng: random.Random
    shop: Assortment
    till: int
    number: int
    at: datetime
    habits: Habits
    vouchers: dict[str, Decimal]

    def happens(self, chance: float) -> bool:
        """Whether something of this chance happens."""
        return self.rng.random() < chance

    def paid(self, kind: int, amount: Decimal) -> Record:
        """A payment of this type."""
        return payment(self.shop.payment_types[kind], amount)

    def receipt(self, lines: list[Record], payments: list[Record], **more: object) -> Receipt:
        """A receipt of this till."""
        made = Receipt(self.till, self.number, self.shop.tills[self.till]["StoreId"], self.at, lines, payments)
        return replace(made, **more)

    def lines(self) -> list[Record]:
        """Goods for at least CHF 0.10."""
        return draw_lines(self.rng, self.shop, Shape(on_invoice=False))

    def customer(self) -> Record:
        """Somebody that the shop knows."""
        return self.rng.choice(self.shop.customers)


def receipt_of(draw: Draw) -> Drawn:
    """A receipt, and its amount where it has no lines."""
    habits = draw.habits
    table: list[tuple[float, Callable[[Draw], Drawn]]] = [
        (habits.expense, _expense),
        (habits.load, _load),
        (habits.voucher_sold, _voucher_sold),
        (habits.voucher_redeemed if draw.vouchers else 0, _voucher_redeemed),
        (habits.returned, _returned),
        (habits.invoice, _on_invoice),
        (habits.account, _on_account),
        (habits.tip, _tipped),
        (habits.split, _split),
    ]
    point = draw.rng.random()
    for chance, make in table:
        if point < chance:
            return make(draw)
        point -= chance
    return _plain(draw)


def _plain(draw: Draw) -> Drawn:
    lines = draw.lines()
    if draw.happens(draw.habits.exact):
        lines = [_to_the_rappen(draw, line) for line in lines]
    return draw.receipt(lines, _at_once(draw, _sum(lines))), None


def _to_the_rappen(draw: Draw, line: Record) -> Record:
    """The line as a scale prices it; a free one stays free."""
    if not line["Price"]:
        return line
    price = line["Price"] + Decimal(draw.rng.randint(-2, 2)) / 100
    return line | {"Price": price, "NetPrice": without_tax(price, line["TaxRate"])}


def _at_once(draw: Draw, total: Decimal) -> list[Record]:
    """Card or TWINT to the Rappen, or cash rounded to five, with change."""
    kind = draw.rng.choice((seed.CASH, seed.CASH, seed.CARD, seed.TWINT))
    if kind != seed.CASH or total <= 0:
        return [draw.paid(kind, total)] if total else []
    rounded = to_five_rappen(total)
    given = Decimal(ceil(rounded / 10) * 10)
    change = rounded - given
    return [draw.paid(seed.CASH, given), *([draw.paid(seed.CASH, change)] if change else [])]


def _split(draw: Draw) -> Drawn:
    lines = draw.lines()
    total = _sum(lines)
    cash = to_five_rappen(total / 2)
    parts = [draw.paid(seed.CASH, cash), draw.paid(seed.CARD, total - cash)]
    return draw.receipt(lines, [part for part in parts if part["Amount"]]), None


def _tipped(draw: Draw) -> Drawn:
    lines = draw.lines()
    tip = Decimal(draw.rng.randint(1, 20)) / 2
    return draw.receipt(lines, [draw.paid(seed.CARD, _sum(lines) + tip)], tip=tip), None


def _returned(draw: Draw) -> Drawn:
    lines = [
        line | {name: -abs(line[name]) for name in ("Quantity", "Price", "NetPrice", "Discount", "NetDiscount")}
        for line in draw.lines()
    ]
    kind = draw.rng.choice((seed.CASH, seed.CARD))
    return draw.receipt(lines, [draw.paid(kind, _sum(lines))]), None


def _on_invoice(draw: Draw) -> Drawn:
    lines = draw.lines()
    total, customer = _sum(lines), draw.customer()
    parts: list[Record] = []
    if draw.happens(draw.habits.mixed) and total > 1:
        parts.append(draw.paid(draw.rng.choice((seed.CASH, seed.CARD)), to_five_rappen(total / 3)))
    rest = total - sum((part["Amount"] for part in parts), _ZERO)
    payments = [*parts, draw.paid(seed.BEXIO_INVOICE, rest)]
    return draw.receipt(lines, payments, **_buyer(customer)), None


def _on_account(draw: Draw) -> Drawn:
    lines = draw.lines()
    return draw.receipt(lines, [draw.paid(seed.ACCOUNT, _sum(lines))], **_buyer(draw.customer())), None


def _voucher_sold(draw: Draw) -> Drawn:
    lines = draw.lines() if draw.happens(0.3) else []
    worth = Decimal(draw.rng.choice((20, 50, 100)))
    name = f"G-{draw.till}-{draw.number}"
    draw.vouchers[name] = worth
    payments = [draw.paid(draw.rng.choice((seed.CASH, seed.CARD)), _sum(lines) + worth)]
    return draw.receipt(lines, payments, vouchers=[_voucher(name, worth, is_issued=True)]), None


def _voucher_redeemed(draw: Draw) -> Drawn:
    lines = draw.lines()
    total = _sum(lines)
    name = draw.rng.choice(sorted(draw.vouchers))
    worth = min(draw.vouchers.pop(name), total)
    rest = [draw.paid(seed.CARD, total - worth)] if total != worth else []
    payments = [draw.paid(seed.VOUCHER, worth), *rest]
    return draw.receipt(lines, payments, vouchers=[_voucher(name, worth, is_issued=False)]), None


def _expense(draw: Draw) -> Drawn:
    amount = -Decimal(draw.rng.randint(20, 2000)) / 20
    purpose = draw.rng.randint(1, 3)
    more = {"type_id": transactions.EXPENSES_TYPE, "purpose_id": purpose, "title": "Ausgaben"}
    return draw.receipt([], [draw.paid(seed.CASH, amount)], **more), amount


def _load(draw: Draw) -> Drawn:
    amount = Decimal(draw.rng.randint(1, 10) * 20)
    more = {"type_id": transactions.ACCOUNT_LOAD_TYPE, "title": "Laden Kundenkonto"}
    kind = draw.rng.choice((seed.CASH, seed.CARD))
    return draw.receipt([], [draw.paid(kind, amount)], **more, **_buyer(draw.customer())), amount


def _voucher(name: str, amount: Decimal, *, is_issued: bool) -> Record:
    return {"VoucherId": name, "VoucherTypeId": 1, "Amount": amount, "IsIssued": is_issued}


def _buyer(customer: Record) -> Record:
    return {"person_id": customer["Id"], "customer_name": display_name(customer)}


def _sum(lines: list[Record]) -> Decimal:
    return sum((line["Price"] for line in lines), _ZERO)
