"""The booking export through the whole shop: what the tills took stands in bexio, once and to the Rappen."""

from __future__ import annotations

from datetime import date

import pytest

from tests.fixtures.exporting import Bookkeeping, expected, open_books
from tests.fixtures.shop import Shop

DAY = date(2026, 11, 19)


@pytest.fixture
async def books(shop: Shop) -> Bookkeeping:
    return await open_books(shop)


async def test_a_day_becomes_one_entry_and_a_second_run_posts_nothing(books: Bookkeeping) -> None:
    books.sell(DAY)
    run = await books.export(DAY)
    assert run["state"] == "done", run
    assert len(books.entries()) == 1
    assert books.balances() == expected(books.receipts(DAY, DAY))
    again = await books.export(DAY)
    assert (again["state"], again["counts"]["unchanged"]) == ("done", 1)
    assert books.posts() == 1
