"""What an export of bookings asks of bexio, counted request by request: one write per sale day is the floor."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import create_async_engine

from app.db.session import Database
from benchmarks.database import fresh_database
from benchmarks.report import Figure, Result
from benchmarks.stage import Stage
from sandbox.arcavis import transactions
from sandbox.trade import Habits
from tests.fixtures.exporting import Bookkeeping, open_books
from tests.fixtures.shop import open_shop

FIRST, DAYS = date(2026, 10, 1), 30
LAST = FIRST + timedelta(days=DAYS - 1)


async def measure(stage: Stage) -> Result:
    """Exports a month, the same month again, one late sale, and a single day as every night."""
    async with fresh_database(stage.server) as made:
        address = made.render_as_string(hide_password=False)
        owner, db = create_async_engine(address), Database(address)
        try:
            async with open_shop(owner, db) as shop:
                return await _count(await open_books(shop, habits=Habits(receipts=4, invoice=0)))
        finally:
            await db.close()
            await owner.dispose()


async def _count(books: Bookkeeping) -> Result:
    books.sell(FIRST, DAYS)
    month = await _exported(books, FIRST, LAST)
    again = await _exported(books, FIRST, LAST)
    transactions.receive(books.arcavis, books.trade.day(FIRST)[0])
    late = await _exported(books, FIRST, LAST)
    books.sell(LAST + timedelta(days=1))
    await books.shop.later(60)
    night = await _exported(books, LAST + timedelta(days=1), LAST + timedelta(days=1))
    writes = "POST /3.0/accounting/manual_entries"
    figures = [
        Figure("bexio writes per exported day, a month", month[writes] / DAYS, "", 1, 1),
        Figure("bexio writes, the same month again", again[writes], "", 0, 0),
        Figure("bexio writes, one late sale in the month", late[writes], "", 1, 1),
        Figure("bexio requests per exported day, a month", sum(month.values()) / DAYS, "", 1.3, 1),
        Figure("bexio requests of a single day, with all that is read before", sum(night.values()), "", 7, 1),
    ]
    return Result("bookings", figures, [f"month: {dict(month)}", f"a single day: {dict(night)}"])


async def _exported(books: Bookkeeping, first: date, last: date) -> Counter[str]:
    """The requests of one export, by method and route."""
    books.company.requests.clear()
    run = await books.export(first, last)
    if run["state"] != "done":
        raise RuntimeError(f"The export is not done: {run}")
    return Counter(books.company.requests.by_route)
