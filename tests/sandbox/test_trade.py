"""A shop's trade: everything that bookkeeping has to cope with occurs, adds up, and is the same for the same seed."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from sandbox.arcavis import seed, transactions
from sandbox.arcavis.values import Record
from sandbox.basket import demo_assortment
from sandbox.trade import Habits, Trade
from tests.sandbox.arcavis_shop import Shop

FIRST = date(2026, 10, 1)


@pytest.fixture
def shop() -> Shop:
    return Shop()


def month(seed_number: int, first: date = FIRST, days: int = 31) -> list[Record]:
    trade = Trade(demo_assortment(), seed_number)
    return [row for place in range(days) for row in trade.day(first + timedelta(days=place))]


def traits(row: Record) -> set[str]:
    kinds = {each["PaymentTypeId"] for each in row["TransactionPayments"]}
    own = {payment: f"paid {payment}" for payment in kinds}
    return {
        f"type {row['TransactionTypeId']}",
        *own.values(),
        *({"split"} if len(kinds) > 1 else set()),
        *({"change"} if {each["Debit"] for each in row["TransactionPayments"]} == {0, 1} else set()),
        *({"tip"} if row["TipAmount"] else set()),
        *({"sold voucher"} if any(each["IsIssued"] for each in row["TransactionVouchers"]) else set()),
        *({"used voucher"} if any(not each["IsIssued"] for each in row["TransactionVouchers"]) else set()),
        *({"returned"} if row["Amount"] < 0 and row["TransactionArticles"] else set()),
        *({"cancels"} if row["AnnulationTransactionId"] else set()),
        *({"rounding"} if row["AmountOpen"] else set()),
        *({"discount"} if any(line["Discount"] for line in row["TransactionArticles"]) else set()),
        *(f"rate {line['TaxRate']}" for line in row["TransactionArticles"]),
    }


def test_the_same_seed_is_the_same_trade() -> None:
    assert month(3, days=5) == month(3, days=5)
    assert month(3, days=5) != month(4, days=5)


def test_everything_occurs_within_a_month() -> None:
    seen = Counter(trait for row in month(1) for trait in traits(row))
    wanted = {f"type {kind}" for kind in range(1, 6)} | {f"paid {kind}" for kind in (1, 2, 3, 4, 5, 7)}
    wanted |= {"split", "change", "tip", "sold voucher", "used voucher", "returned", "cancels", "rounding", "discount"}
    wanted |= {"rate 0.081", "rate 0.026", "rate 0.038", "rate 0"}
    assert wanted <= set(seen)


def test_every_receipt_adds_up_but_for_the_rounding_of_cash() -> None:
    for row in month(2):
        paid = sum((-each["Amount"] if each["Debit"] else each["Amount"]) for each in row["TransactionPayments"])
        sold = sum((each["Amount"] for each in row["TransactionVouchers"] if each["IsIssued"]), Decimal(0))
        lines = sum((line["Price"] for line in row["TransactionArticles"]), Decimal(0))
        owed = lines + sold + row["TipAmount"]
        if row["TransactionTypeId"] == transactions.SALE_TYPE:
            assert row["Amount"] == owed
        assert abs(row["Amount"] - paid) < Decimal("0.05"), row["Number"]
        assert row["AmountOpen"] == row["Amount"] - paid


def test_cancellations_are_of_the_same_and_of_earlier_days_and_each_receipt_is_cancelled_once() -> None:
    rows = {row["Id"]: row for row in month(5)}
    pairs = [(row, rows[row["AnnulationTransactionId"]]) for row in rows.values() if row["AnnulationTransactionId"]]
    assert {row["SaleDay"] == original["SaleDay"] for row, original in pairs} == {True, False}
    assert max(Counter(original["Id"] for _, original in pairs).values()) == 1
    for row, original in pairs:
        assert row["Amount"] == -original["Amount"]
        assert row["ExecutedTime"] > original["ExecutedTime"]


def test_the_rates_change_with_2024() -> None:
    rows = month(1, date(2023, 12, 31), 2)
    rates = {
        day: {
            line["TaxRate"]
            for row in rows
            if row["SaleDay"][:10] == day
            for line in row["TransactionArticles"]
            if line["Price"]
        }
        for day in ("2023-12-31", "2024-01-01")
    }
    assert Decimal("0.077") in rates["2023-12-31"]
    assert Decimal("0.081") not in rates["2023-12-31"]
    assert Decimal("0.081") in rates["2024-01-01"]


async def test_the_control_api_fills_days_and_gives_the_sales_on_invoice(shop: Shop) -> None:
    answer = await shop.control("POST", "tenants/demo/trade", {"from": "2026-11-01", "to": "2026-11-10"})
    listed = await shop.get("transactions", dateFrom="2026-11-01", dateTo="2026-11-10", page=1, pageSize=5000)
    assert answer["transactions"] == len(listed["Result"]) == len(shop.tenant.transactions)
    assert {row["payments"][-1]["payment_type_id"] for row in answer["bodies"]} == {str(seed.BEXIO_INVOICE)}
    more = await shop.control("POST", "tenants/demo/trade", {"from": "2026-11-11", "to": "2026-11-11"})
    assert len(shop.tenant.transactions) == answer["transactions"] + more["transactions"]


async def test_a_till_that_is_offline_is_not_heard_and_delivers_later(shop: Shop) -> None:
    await shop.control("POST", "tenants/demo/tills/2/offline")
    since = (await shop.get("pointofsales/2"))["Result"]["SynchedTime"]
    shop.wait(days=2)
    answer = await shop.control("POST", "tenants/demo/trade", {"from": "2026-11-20", "to": "2026-11-22"})
    assert answer["held"] > 0
    tills = {row["Id"]: row for row in (await shop.get("pointofsales"))["Result"]}
    assert tills[2]["SynchedTime"] == since < tills[1]["SynchedTime"]
    ticks = (await shop.get("transactions", page=1, pageSize=1))["DataAgeTicks"]
    await shop.control("POST", "tenants/demo/tills/2/online")
    diff = (await shop.get("transactions", changedSinceTicks=ticks))["Result"]
    assert {row["PointOfSaleId"] for row in diff} == {2}
    assert len(diff) == answer["held"]


async def test_cancelling_makes_the_original_reappear(shop: Shop) -> None:
    trade = Trade(demo_assortment(), 1, Habits(cancelled=0, invoice=0))
    for row in trade.day(date(2026, 11, 19)):
        transactions.receive(shop.tenant, row)
    first = min(row["Id"] for row in shop.tenant.transactions.visible() if not row["IsEndOfDayTransaction"])
    ticks = (await shop.get("transactions", page=1, pageSize=1))["DataAgeTicks"]
    await shop.control("POST", f"tenants/demo/transactions/{first}/cancel")
    diff = (await shop.get("transactions", changedSinceTicks=ticks))["Result"]
    assert [row["AnnulationTransactionId"] for row in diff if row["Id"] == first] != [None]
    assert {row["SaleDay"][:10] for row in diff} == {"2026-11-19", "2026-11-20"}
    assert all(row["StatusCode"] == transactions.CANCELLED for row in diff)
