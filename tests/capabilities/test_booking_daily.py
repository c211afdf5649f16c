"""The daily export: complete days at their time, changed days again, and a silent till is told to a person."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest

from app.capabilities.bookings.completeness import Till, Traded, end_of, last_time, next_time, silent_tills
from app.capabilities.bookings.daily import KIND
from app.capabilities.tenancy import standing
from app.core.swiss_time import ZURICH
from sandbox.arcavis import tills, transactions
from sandbox.trade import Habits
from tests.fixtures.exporting import Bookkeeping, expected, open_books
from tests.fixtures.shop import Body, Shop

TODAY = date(2026, 11, 20)
HOUR = 3600.0
QUIET = Habits(receipts=3, cancelled=0, invoice=0, closed=0)


@pytest.fixture
async def books(shop: Shop) -> Bookkeeping:
    """A shop at noon whose owner has just switched the daily export on, for four in the morning."""
    opened = await open_books(shop, habits=QUIET)
    opened.arcavis.helpers["pointofsales"].get(9)["IsActive"] = False
    await opened.tenant.set(daily_booking_export_enabled=True, daily_booking_export_time="04:00:00")
    await wake(opened)
    return opened


async def wake(books: Bookkeeping) -> None:
    tenant = books.tenant
    async with tenant.shop.db.begin(tenant.id) as session:
        await standing.start(session, tenant.id, [KIND], tenant.shop.clock.now())
    await tenant.shop.work()


async def night(books: Bookkeeping, nights: int = 1) -> None:
    """Until noon of the next day, hour by hour, as a worker lives it."""
    for _ in range(24 * nights):
        await books.shop.later(HOUR)


async def exports(books: Bookkeeping) -> list[Body]:
    return (await books.tenant.get("/export/bookings")).json()["items"]


async def items(books: Bookkeeping) -> list[Body]:
    return (await books.tenant.get("/attention?state=open")).json()["items"]


async def test_every_night_the_day_before_is_exported_once(books: Bookkeeping) -> None:
    assert await exports(books) == []
    for place in range(3):
        books.sell(TODAY + timedelta(days=place))
        await night(books)
    listed = await exports(books)
    assert [(one["from"], one["daily"], one["state"]) for one in listed] == [
        ("2026-11-22", True, "done"),
        ("2026-11-21", True, "done"),
        ("2026-11-20", True, "done"),
    ]
    assert books.balances() == expected(books.receipts(TODAY, TODAY + timedelta(days=2)))
    assert books.posts() == 3


async def test_a_late_sale_is_exported_the_night_after_it_arrived(books: Bookkeeping) -> None:
    books.sell(TODAY)
    await night(books)
    transactions.receive(books.arcavis, books.trade.day(TODAY)[0])
    books.sell(TODAY + timedelta(days=1))
    await night(books)
    assert books.balances() == expected(books.receipts(TODAY, TODAY + timedelta(days=1)))
    assert len(books.entries()) == 3


async def test_a_day_is_waited_for_until_its_last_till_is_heard(books: Bookkeeping) -> None:
    tills.go_offline(books.arcavis, 2)
    for row in books.trade.day(TODAY):
        tills.hand_over(books.arcavis, row)
    for _ in range(22):
        await books.shop.later(HOUR)
    assert books.entries() == []
    assert await items(books) == []
    await night(books)
    (item,) = await items(books)
    assert item["code"] == "till-silent"
    assert "Kasse 2" in item["detail"]
    assert [one["from"] for one in await exports(books)] == []
    tills.go_online(books.arcavis, 2)
    await books.shop.later(HOUR)
    assert await items(books) == []
    assert {one["from"] for one in await exports(books)} == {"2026-11-20"}
    assert books.balances() == expected(books.receipts(TODAY, TODAY + timedelta(days=1)))


async def test_other_days_do_not_wait_for_a_silent_till_that_closed_them(books: Bookkeeping) -> None:
    books.sell(TODAY)
    tills.go_offline(books.arcavis, 1)
    await night(books)
    # Till 1 was switched off in the evening after its closing: the day is complete without a word from it at night.
    assert books.balances() == expected(books.receipts(TODAY, TODAY))


async def test_a_till_out_of_use_holds_nothing_back(books: Bookkeeping) -> None:
    tills.go_offline(books.arcavis, 3)
    books.arcavis.helpers["pointofsales"].get(3)["IsActive"] = False
    books.sell(TODAY)
    await night(books)
    assert len(await exports(books)) == 1


async def test_what_somebody_took_back_stays_taken_back(books: Bookkeeping) -> None:
    books.sell(TODAY)
    await night(books)
    (export,) = await exports(books)
    await books.reverse(export)
    transactions.receive(books.arcavis, books.trade.day(TODAY)[0])
    await night(books)
    assert books.balances() == {}
    await books.export(TODAY)
    assert books.balances() == expected(books.receipts(TODAY, TODAY))


async def test_switched_off_it_does_nothing_and_begins_anew_when_switched_on(books: Bookkeeping) -> None:
    await books.tenant.set(daily_booking_export_enabled=False)
    await wake(books)
    books.sell(TODAY)
    await night(books)
    assert await exports(books) == []
    await books.tenant.set(daily_booking_export_enabled=True)
    await wake(books)
    books.sell(TODAY + timedelta(days=1))
    await night(books)
    assert [one["from"] for one in await exports(books)] == ["2026-11-21"]


async def test_an_outage_of_arcavis_at_four_in_the_morning_only_delays(books: Bookkeeping) -> None:
    from sandbox.arcavis.faults import Fault, FaultKind  # noqa: PLC0415 - here only

    books.sell(TODAY)
    await books.shop.later(15 * HOUR)
    books.shop.arcavis.faults.add(Fault(FaultKind.UNAVAILABLE, times=None))
    await books.shop.later(2 * HOUR)
    assert await exports(books) == []
    books.shop.arcavis.faults.clear()
    await books.shop.later(HOUR)
    assert len(await exports(books)) == 1
    assert books.balances() == expected(books.receipts(TODAY, TODAY))


async def test_a_day_of_an_afternoon_export_goes_out_the_same_evening_once_every_till_has_closed(
    books: Bookkeeping,
) -> None:
    await books.tenant.set(daily_booking_export_time="20:00:00")
    await wake(books)
    books.sell(TODAY)
    await books.shop.later(9 * HOUR)
    assert [one["from"] for one in await exports(books)] == ["2026-11-20"]


async def test_a_late_sale_of_today_goes_out_with_the_second_look_of_the_evening(books: Bookkeeping) -> None:
    await books.tenant.set(daily_booking_export_time="20:00:00")
    await wake(books)
    books.sell(TODAY)
    await books.shop.later(9 * HOUR)
    assert len(books.entries()) == 1
    transactions.receive(books.arcavis, books.trade.day(TODAY)[0])
    await books.tenant.set(daily_booking_export_time="22:30:00")
    await wake(books)
    await books.shop.later(2 * HOUR)
    assert len(books.entries()) == 2
    assert books.balances() == expected(books.receipts(TODAY, TODAY))
    await night(books)
    assert len(books.entries()) == 2


async def test_a_receipt_that_cannot_be_read_stops_no_other_night(books: Bookkeeping) -> None:
    books.sell(TODAY)
    odd = next(row for row in books.receipts(TODAY, TODAY) if row["TransactionArticles"])
    first, *more = odd["TransactionArticles"]
    books.arcavis.transactions.put(odd | {"TransactionArticles": [first | {"Discount": None}, *more]})
    await night(books)
    books.sell(TODAY + timedelta(days=1))
    await night(books)
    assert [item["code"] for item in await items(books)] == ["receipt-unreadable"]
    assert books.balances() == expected(books.receipts(TODAY + timedelta(days=1), TODAY + timedelta(days=1)))


async def test_a_sale_that_was_never_sent_is_told_until_the_night_after_it_was(shop: Shop) -> None:
    books = await open_books(shop, habits=Habits(receipts=6, invoice=0.5, mixed=0, cancelled=0, returned=0, closed=0))
    books.arcavis.helpers["pointofsales"].get(9)["IsActive"] = False
    await books.tenant.set(daily_booking_export_enabled=True, daily_booking_export_time="04:00:00")
    await wake(books)
    bodies = books.sell(TODAY)
    await night(books, 2)
    assert [item["code"] for item in await items(books)] == ["sale-never-sent"]
    for body in bodies:
        assert (await books.tenant.post("/invoices", body)).status_code == 202
    await night(books)
    assert await items(books) == []


async def test_no_day_is_given_up_however_long_a_till_is_silent(books: Bookkeeping) -> None:
    long_ago = TODAY - timedelta(days=70)
    tills.go_offline(books.arcavis, 2)
    books.arcavis.silent_since[2] = datetime.combine(long_ago, time(12))
    for row in books.trade.day(TODAY):
        tills.hand_over(books.arcavis, row)
    # As after a bit more than two months of nights.
    moved = {"since": long_ago.isoformat(), "through": (long_ago - timedelta(days=1)).isoformat()}
    statement = "update cursor set value = cast(value as jsonb) || cast(:moved as jsonb) where name = :name"
    await books.tenant.execute(statement, moved=json.dumps(moved), name=KIND)
    await night(books)
    (row,) = await books.tenant.rows("select value from cursor where name = :name", name=KIND)
    assert len(json.loads(row.value)["waiting"]) == 71
    assert await exports(books) == []
    tills.go_online(books.arcavis, 2)
    await books.shop.later(HOUR)
    assert [(one["from"], one["days"]) for one in await exports(books)] == [(long_ago.isoformat(), 71)]
    assert books.balances() == expected(books.receipts(TODAY, TODAY))


async def test_a_payment_that_the_till_tells_after_its_day_was_exported_is_taken_back(shop: Shop) -> None:
    books = await open_books(shop, habits=Habits(receipts=6, invoice=0.5, mixed=0, cancelled=0, closed=0))
    books.arcavis.helpers["pointofsales"].get(9)["IsActive"] = False
    await books.tenant.set(daily_booking_export_enabled=True, daily_booking_export_time="04:00:00")
    await wake(books)
    for body in books.sell(TODAY):
        assert (await books.tenant.post("/invoices", body)).status_code == 202
    await shop.work()
    sold = expected(books.receipts(TODAY, TODAY))
    await books.pay_invoice(TODAY, tell=False)
    await night(books)
    assert books.without_invoices() != sold
    answer = await books.tenant.post(*books.till_payment, role="pos")
    assert answer.status_code == 202
    await night(books)
    assert books.without_invoices() == sold


# ---------------------------------------------------------------------- pure


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "clock", "wanted"),
    [
        ("2026-11-20T03:59:00+01:00", "04:00", "2026-11-20T04:00:00+01:00"),
        ("2026-11-20T04:00:00+01:00", "04:00", "2026-11-21T04:00:00+01:00"),
        # The hour that is left out in March: an hour later by the clock.
        ("2026-03-29T00:30:00+01:00", "02:30", "2026-03-29T03:30:00+02:00"),
        ("2026-03-29T03:30:00+02:00", "02:30", "2026-03-30T02:30:00+02:00"),
        # The hour that comes twice in October: the first one.
        ("2026-10-25T00:30:00+02:00", "02:30", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30:00+02:00", "02:30", "2026-10-26T02:30:00+01:00"),
        ("2026-10-25T02:29:00+01:00", "02:30", "2026-10-26T02:30:00+01:00"),
    ],
)
def test_the_next_time_by_swiss_clocks(now: str, clock: str, wanted: str) -> None:
    assert next_time(at(now), time.fromisoformat(clock)) == at(wanted)


def test_a_year_of_nights_has_one_export_each_whatever_the_clocks_do() -> None:
    for clock in (time(0, 0), time(2, 0), time(2, 30), time(3, 0), time(23, 59)):
        moment, seen = at("2026-01-01T12:00:00+01:00").astimezone(UTC), list[date]()
        for _ in range(365):
            moment = next_time(moment, clock)
            assert last_time(moment, clock) == moment
            assert last_time(moment + timedelta(hours=5), clock) == moment
            seen.append(moment.astimezone(ZURICH).date())
        assert seen == [seen[0] + timedelta(days=place) for place in range(365)]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-11-20", 24)])
def test_a_sale_day_ends_at_swiss_midnight(day: str, hours: int) -> None:
    before = date.fromisoformat(day) - timedelta(days=1)
    assert end_of(date.fromisoformat(day)) - end_of(before) == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("heard", "active", "sold", "closed", "silent"),
    [
        ("2026-11-21T00:00:00+01:00", True, True, False, False),
        ("2026-11-20T23:59:59+01:00", True, True, False, True),
        ("2026-11-20T18:45:00+01:00", True, True, True, False),
        ("2026-11-01T18:45:00+01:00", False, True, False, False),
        ("2026-11-01T18:45:00+01:00", True, False, False, True),
        (None, True, False, False, False),
        (None, True, True, False, True),
        (None, True, True, True, False),
    ],
)
def test_when_a_till_may_still_hold_receipts(
    heard: str | None, *, active: bool, sold: bool, closed: bool, silent: bool
) -> None:
    till = Till("1", "Kasse 1", active, at(heard) if heard else None)
    traded = Traded(frozenset({"1"} if sold else ()), frozenset({"1"} if closed else ()))
    assert silent_tills(TODAY, [till], traded) == ([till] if silent else [])
