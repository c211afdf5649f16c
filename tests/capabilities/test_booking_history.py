"""Whatever happens after an export, in whatever order: after the next one the ledger is that of a perfect export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from app.db.session import Database
from sandbox.arcavis import transactions
from sandbox.trade import Habits
from tests.fixtures.exporting import Bookkeeping, expected, is_on_invoice, open_books
from tests.fixtures.shop import Body, open_shop

FIRST = date(2026, 11, 16)
DAYS = 3
HABITS = Habits(receipts=3, invoice=0.05, cancelled=0.1, closed=0.3)

day = st.integers(0, DAYS - 1)
events = st.one_of(
    st.tuples(st.just("sell"), day),
    st.tuples(st.just("sell"), day),
    st.tuples(st.just("cancel"), st.integers(0, 50)),
    st.tuples(st.just("export"), day),
    st.tuples(st.just("export all"), st.just(0)),
    st.tuples(st.just("reverse"), st.integers(0, 5)),
    st.tuples(st.just("reverse a day"), day),
    st.tuples(st.just("lose an answer"), st.just(0)),
)


@dataclass
class History:
    """A shop to which things happen; `stands` is what the ledger must hold for each day now."""

    books: Bookkeeping
    exports: list[Body] = field(default_factory=list[Body])
    stands: dict[date, list[Body]] = field(default_factory=dict[date, list[Body]])

    async def sell(self, place: int) -> None:
        """Late or backdated, as far as exports of the day are concerned."""
        self.books.sell(FIRST + timedelta(days=place))

    async def cancel(self, place: int) -> None:
        """The reversing receipt counts on its own sale day; what is on invoice is cancelled in another way."""
        rows = self.books.receipts(FIRST, LAST)
        rows = [row for row in rows if row["StatusCode"] is None and not is_on_invoice(row)]
        if rows:
            row = rows[place % len(rows)]
            sold = date.fromisoformat(row["SaleDay"][:10])
            at = datetime.combine(min(sold + timedelta(days=place % DAYS), LAST), _EVENING)
            transactions.receive(self.books.arcavis, self.books.trade.cancel(row, at))

    async def export(self, place: int) -> None:
        await self._export(FIRST + timedelta(days=place), FIRST + timedelta(days=place))

    async def export_all(self, _place: int) -> None:
        await self._export(FIRST, LAST)

    async def _export(self, first: date, last: date) -> None:
        run = await self.books.export(first, last)
        assert run["state"] == "done", run
        self.exports.append(run)
        for ahead in range((last - first).days + 1):
            one = first + timedelta(days=ahead)
            self.stands[one] = self.books.receipts(one, one)
        self.check()

    async def reverse(self, place: int) -> None:
        if self.exports:
            run = self.exports[place % len(self.exports)]
            await self.books.reverse(run)
            first, last = (date.fromisoformat(run["detail"][name]) for name in ("from", "to"))
            self.stands = {one: rows for one, rows in self.stands.items() if not first <= one <= last}
            self.check()

    async def reverse_a_day(self, place: int) -> None:
        one = FIRST + timedelta(days=place)
        for run in self.exports:
            if run["detail"]["from"] <= one.isoformat() <= run["detail"]["to"]:
                await self.books.reverse(run, day=one.isoformat())
                self.stands.pop(one, None)
                self.check()
                return

    async def lose_an_answer(self, _place: int) -> None:
        from sandbox.bexio.faults import Mode  # noqa: PLC0415 - here only

        self.books.tenant.fault(Mode.RESET, "manual_entries", method="POST", times=1)

    def check(self) -> None:
        wanted: dict[str, Decimal] = {}
        for rows in self.stands.values():
            for account, amount in expected(rows).items():
                wanted[account] = wanted.get(account, Decimal(0)) + amount
        assert self.books.without_invoices() == {account: amount for account, amount in wanted.items() if amount}


LAST = FIRST + timedelta(days=DAYS - 1)
_EVENING = transactions.datetime(2026, 1, 1, 18, 50).time()


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(happened=st.lists(events, min_size=3, max_size=9), seed=st.integers(0, 10_000))
async def test_after_the_next_export_the_ledger_is_that_of_one_perfect_export(
    shop_database: tuple[AsyncEngine, Database], happened: list[tuple[str, int]], seed: int
) -> None:
    async with open_shop(*shop_database) as shop:
        history = History(await open_books(shop, f"h{uuid4().hex[:8]}", habits=HABITS, seed=seed))
        for name, place in happened:
            act: Callable[[int], Any] = getattr(history, name.replace(" ", "_"))
            await act(place)
        await history.export_all(0)
        assert history.books.without_invoices() == expected(history.books.receipts(FIRST, LAST))
        standing = history.books.without_invoices()
        await history.reverse(len(history.exports) - 1)
        await history.export_all(0)
        assert history.books.without_invoices() == standing
        posted = history.books.posts()
        await history.export_all(0)
        assert history.books.posts() == posted
