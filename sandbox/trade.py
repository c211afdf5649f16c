"""A shop's trade, day by day: all that tills book, drawn from a seed, to test bookkeeping with.

`Trade.day` gives the completed transactions of a day in order of time: sales by every means of payment, on invoice
too, vouchers sold and redeemed, tips, returns, cancellations of today's and of earlier receipts, expenses, skimming,
loads of customer accounts, and each till's end-of-day row. The same seed gives the same trade.
"""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from sandbox.arcavis import seed, transactions
from sandbox.arcavis.transactions import Receipt, build, reversal_of
from sandbox.arcavis.values import Record
from sandbox.basket import Assortment
from sandbox.receipts import Draw, Habits, receipt_of

__all__ = ["Habits", "Trade", "shop_on"]

_OPENS, _OPEN_MINUTES = time(8, 0), 600
_SKIMS, _CLOSES = time(18, 40), time(18, 45)
_NEW_RATES: Final = date(2024, 1, 1)
_OLD_RATE_OF: Final = {
    Decimal("0.081"): Decimal("0.077"),
    Decimal("0.026"): Decimal("0.025"),
    Decimal("0.038"): Decimal("0.037"),
}
_REMEMBERED = 300


class Trade:
    """The tills of a shop over many days; running numbers, vouchers and receipts to cancel go on from day to day."""

    def __init__(
        self,
        shop: Assortment,
        seed_number: int,
        habits: Habits | None = None,
        last_numbers: Mapping[int, int] | None = None,
    ) -> None:
        self.habits = habits or Habits()
        self._shop = shop
        self._rng = random.Random(seed_number)
        self._numbers = dict(last_numbers or {})
        self._vouchers: dict[str, Decimal] = {}
        self._earlier: list[Record] = []

    def day(self, day: date) -> list[Record]:
        """What all tills booked that day; not every till is open every day, but one always is."""
        shop = shop_on(self._shop, day)
        tills = [each for each in self.habits.tills if self._rng.random() >= self.habits.closed]
        booked: list[Record] = []
        for till in tills or [self.habits.tills[0]]:
            booked += self._till(shop, till, day)
        self._earlier = [*self._earlier, *(row for row in booked if _can_be_cancelled(row))][-_REMEMBERED:]
        return sorted(booked, key=lambda row: (row["ExecutedTime"], row["Id"]))

    def cancel(self, original: Record, at: datetime) -> Record:
        """The receipt that takes back an earlier one of these tills at a moment (Zurich local time); once for each."""
        self._earlier = [row for row in self._earlier if row["Id"] != original["Id"]]
        return reversal_of(original, self._next(original["PointOfSaleId"]), at)

    def _till(self, shop: Assortment, till: int, day: date) -> list[Record]:
        rng, habits = self._rng, self.habits
        count = rng.randint(max(1, habits.receipts // 2), habits.receipts)
        opened, step = datetime.combine(day, _OPENS), timedelta(minutes=_OPEN_MINUTES) / count
        booked: list[Record] = []
        for place in range(count):
            at = opened + place * step
            if rng.random() < habits.cancelled and (original := self._to_cancel(till, booked)) is not None:
                booked.append(reversal_of(original, self._next(till), at))
            else:
                booked.append(build(*receipt_of(Draw(rng, shop, till, self._next(till), at, habits, self._vouchers))))
        if rng.random() < habits.skimmed:
            booked.append(self._skim(shop, till, datetime.combine(day, _SKIMS)))
        closing = Receipt(till, self._next(till), _store(shop, till), datetime.combine(day, _CLOSES))
        booked.append(build(replace(closing, type_id=transactions.END_OF_DAY_TYPE, title="Tagesabschluss")))
        return booked

    def _to_cancel(self, till: int, today: list[Record]) -> Record | None:
        """A receipt of this till, from today or earlier, that was not cancelled yet."""
        gone = {row["AnnulationTransactionId"] for row in today}
        mine = [row for row in today if _can_be_cancelled(row) and row["Id"] not in gone]
        if self._rng.random() < self.habits.cancelled_later or not mine:
            mine = [row for row in self._earlier if row["PointOfSaleId"] == till] or mine
        if not mine:
            return None
        chosen = self._rng.choice(mine)
        self._earlier = [row for row in self._earlier if row["Id"] != chosen["Id"]]
        return chosen

    def _skim(self, shop: Assortment, till: int, at: datetime) -> Record:
        amount = -Decimal(self._rng.randint(1, 40) * 50)
        paid = [transactions.payment(shop.payment_types[seed.CASH], amount)]
        receipt = Receipt(till, self._next(till), _store(shop, till), at, payments=paid, title="Abschöpfung")
        return build(replace(receipt, type_id=transactions.SKIMMING_TYPE), amount)

    def _next(self, till: int) -> int:
        self._numbers[till] = self._numbers.get(till, 0) + 1
        return self._numbers[till]


def shop_on(shop: Assortment, day: date) -> Assortment:
    """The assortment with the VAT rates of a day: before 2024 they were 7.7, 2.5 and 3.7 %."""
    if day >= _NEW_RATES:
        return shop
    articles = [row | {"TaxRate": _OLD_RATE_OF.get(row["TaxRate"], row["TaxRate"])} for row in shop.articles]
    return replace(shop, articles=tuple(articles))


def _store(shop: Assortment, till: int) -> int:
    return shop.tills[till]["StoreId"]


def _can_be_cancelled(row: Record) -> bool:
    """No cancellation itself, no closing, and nothing on invoice: that is cancelled in another way."""
    on_invoice = any(each["PaymentTypeId"] == seed.BEXIO_INVOICE for each in row["TransactionPayments"])
    return not on_invoice and row["AnnulationTransactionId"] is None and not row["IsEndOfDayTransaction"]
