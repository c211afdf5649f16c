"""Transactions of the simulated Arcavis: rounding, check and booking, cancellation, orders."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arcavis import transactions
from sandbox.arcavis.errors import BusinessError
from sandbox.arcavis.pricing import LineInput, price_line
from sandbox.arcavis.rounding import line_amounts, to_five_rappen, to_rappen
from sandbox.arcavis.seed import ACCOUNT, BEXIO_INVOICE, CASH
from tests.sandbox.arcavis_shop import WEBSHOP_CART, Shop, ids

SOLD_AT = datetime(2026, 11, 17, 18, 30)  # noqa: DTZ001 - Arcavis' times are local, without zone


@pytest.fixture
def shop() -> Shop:
    return Shop()


def on_invoice(**changes: object) -> dict[str, Any]:
    """A sale of one cheese (8.90) on invoice to Muster AG."""
    sale: dict[str, Any] = {
        "PersonId": 501,
        "PointOfSaleId": 2,
        "TransactionArticles": [{"ArticleId": 1701}],
        "TransactionPayments": [{"Title": "Bexio Rechnung", "Amount": 8.9}],
    }
    return sale | changes


def test_the_published_example_line_is_reproduced() -> None:
    line = price_line(
        LineInput(
            position=1,
            title="Dressing",
            quantity=Decimal(3),
            unit_price=Decimal("5.04"),
            tax_rate=Decimal("0.025"),
            discount_percent=Decimal(10),
        )
    )
    expected = {
        "Discount": Decimal("1.50"),
        "Price": Decimal("13.60"),
        "NetUnitPrice": Decimal("4.92"),
        "NetDiscount": Decimal("1.46"),
        "NetPrice": Decimal("13.27"),
    }
    assert {name: line[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [("13.62", "13.60"), ("13.625", "13.65"), ("13.57", "13.55"), ("-13.62", "-13.60"), ("-0.025", "-0.05")],
)
def test_lines_are_rounded_to_five_rappen_with_halves_away_from_zero(amount: str, rounded: str) -> None:
    assert to_five_rappen(Decimal(amount)) == Decimal(rounded)


@given(
    quantity=st.decimals("-100", "100", places=3),
    unit_price=st.decimals("0", "1000", places=2),
    discount=st.decimals("0", "100", places=2),
    rate=st.sampled_from([Decimal(0), Decimal("0.026"), Decimal("0.038"), Decimal("0.081")]),
)
def test_a_line_taken_back_is_the_exact_mirror_of_the_line_sold(
    quantity: Decimal, unit_price: Decimal, discount: Decimal, rate: Decimal
) -> None:
    sold = line_amounts(quantity, unit_price, discount, rate)
    back = line_amounts(-quantity, unit_price, -discount, rate)
    assert (sold.price, sold.net_price) == (-back.price, -back.net_price)
    assert sold.price % Decimal("0.05") == 0
    assert abs(sold.price - (quantity * unit_price - sold.discount)) <= Decimal("0.025")
    assert to_rappen(sold.net_price) == sold.net_price


async def test_checking_a_cart_prices_it_and_saves_nothing(shop: Shop) -> None:
    answer = await shop.call("PUT", "transactions", WEBSHOP_CART)
    assert answer["Result"]["AmountOpen"] == 31.5
    assert [line["Price"] for line in answer["Result"]["TransactionArticles"]] == [15.0, 16.5]
    assert (await shop.get("transactions"))["Result"] == []
    assert len((await shop.get("customers"))["Result"]) == 60


async def test_booking_a_lenient_cart_saves_sale_customer_and_stock(shop: Shop) -> None:
    answer = await shop.call("POST", "transactions", WEBSHOP_CART)
    assert answer["Message"] == "Success"
    assert answer["Result"] == 9_000_000_000_001
    sale = (await shop.get(f"transactions/{answer['Result']}"))["Result"]
    assert (sale["Number"], sale["Amount"], sale["AmountOpen"], sale["Remarks"]) == ("9/1", 31.5, 0, "4711")
    assert sale["TransactionArticles"][0]["TaxRate"] == 0.026
    customer = (await shop.get(f"customers/{sale['PersonId']}"))["Result"]
    assert (customer["CustomerNumber"], customer["IsCompany"]) == ("WP-17", False)
    stock = (await shop.get("articlestocks/1701"))["Result"]
    assert [(row["StoreId"], row["Stock"]) for row in stock] == [(1, 43), (2, 23)]


async def test_the_same_cart_twice_makes_two_sales_of_one_customer(shop: Shop) -> None:
    first = (await shop.call("POST", "transactions", WEBSHOP_CART))["Result"]
    second = (await shop.call("POST", "transactions", WEBSHOP_CART))["Result"]
    assert second == first + 1
    assert len({row["PersonId"] for row in (await shop.get("transactions"))["Result"]}) == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"PersonId": None}, "CustomerRequired"),
        ({"PersonId": 99_999}, "CustomerNotFound"),
        ({"TransactionArticles": [{"ArticleId": 99_999}]}, "ArticleNotFound"),
        ({"TransactionPayments": [{"Title": "Bitcoin", "Amount": 8.9}]}, "PaymentTypeNotFound"),
        ({"TransactionVouchers": [{"VoucherId": "G-0"}]}, "VoucherInvalid"),
        ({"PointOfSaleId": 77}, "PointOfSaleNotFound"),
        ({"TransactionPayments": [{"Title": "Rechnung / Konto", "Amount": 500.05}]}, "NotEnoughFunds"),
    ],
)
async def test_a_broken_rule_answers_200_and_changes_nothing(shop: Shop, changes: dict[str, Any], message: str) -> None:
    answer = await shop.call("POST", "transactions", on_invoice(**changes))
    assert answer == {"Result": None, "IsSuccessful": False, "Message": message}
    assert (await shop.get("transactions"))["Result"] == []


async def test_a_voucher_pays_as_its_payment_type_until_it_is_used_up(shop: Shop) -> None:
    cart = on_invoice(
        TransactionArticles=[{"ArticleId": 1703, "Quantity": "2"}],
        TransactionVouchers=[{"VoucherId": "G-1003", "Amount": ""}],
        TransactionPayments=[{"Title": "Bexio Rechnung", "Amount": "16.50"}],
    )
    assert (await shop.call("PUT", "transactions", cart))["Result"]["AmountOpen"] == 16.5
    sale_id = (await shop.call("POST", "transactions", cart))["Result"]
    sale = (await shop.get(f"transactions/{sale_id}"))["Result"]
    paid = [(row["Title"], row["Amount"]) for row in sale["TransactionPayments"]]
    assert paid == [("Bexio Rechnung", 16.5), ("Gutschein", 20.5)]
    assert (sale["AmountPayed"], sale["AmountOpen"]) == (37, 0)
    assert (await shop.call("PUT", "transactions", cart))["Result"]["TransactionVouchers"] == []
    transactions.cancel(shop.tenant, sale_id)
    assert shop.tenant.vouchers["G-1003"] == Decimal("20.50")


async def test_a_customer_account_is_drawn_loaded_and_given_back(shop: Shop) -> None:
    on_account = on_invoice(TransactionPayments=[{"Title": "Rechnung / Konto", "Amount": 8.9}])
    sale_id = (await shop.call("POST", "transactions", on_account))["Result"]
    assert shop.tenant.customers.get(501)["AccountBalance"] == Decimal("-8.90")
    transactions.cancel(shop.tenant, sale_id)
    assert shop.tenant.customers.get(501)["AccountBalance"] == 0
    load = transactions.Receipt(
        1, 90, 1, SOLD_AT, person_id=501, type_id=transactions.ACCOUNT_LOAD_TYPE, title="Laden Kundenkonto"
    )
    transactions.book_money(shop.tenant, load, CASH, Decimal(100))
    assert shop.tenant.customers.get(501)["AccountBalance"] == 100
    assert shop.tenant.helpers["paymenttypes"].get(ACCOUNT)["IsAccount"] is True


async def test_a_cancelled_sale_reappears_and_its_reversal_mirrors_it(shop: Shop) -> None:
    sale_id = (await shop.call("POST", "transactions", on_invoice()))["Result"]
    shop.wait(days=1)
    ticks = (await shop.get("transactions"))["DataAgeTicks"]
    reversal = await shop.control("POST", f"tenants/demo/transactions/{sale_id}/cancel")
    diff = await shop.get("transactions", changedSinceTicks=ticks)
    original = next(row for row in diff["Result"] if row["Id"] == sale_id)
    assert sorted(ids(diff)) == [sale_id, sale_id + 1]
    assert original["AnnulationTransactionId"] == reversal["Id"] == sale_id + 1
    assert reversal["AnnulationTransactionId"] == sale_id
    assert {original["StatusCode"], reversal["StatusCode"]} == {1}
    assert (reversal["Number"], reversal["SaleDay"]) == ("2/2", "2026-11-21T00:00:00")
    assert (original["Amount"], reversal["Amount"], reversal["AmountPayed"]) == (8.9, -8.9, -8.9)
    assert reversal["TransactionArticles"][0]["Quantity"] == -1
    assert [(row["PaymentTypeId"], row["Debit"]) for row in reversal["TransactionPayments"]] == [(BEXIO_INVOICE, 1)]
    assert shop.tenant.stock_levels(1701)[1] == 46


async def test_a_sale_is_cancelled_only_once(shop: Shop) -> None:
    sale_id = (await shop.call("POST", "transactions", on_invoice()))["Result"]
    reversal = transactions.cancel(shop.tenant, sale_id)
    for each in (sale_id, reversal["Id"]):
        with pytest.raises(BusinessError):
            transactions.cancel(shop.tenant, each)


async def test_the_end_of_day_row_is_marked_and_carries_no_money(shop: Shop) -> None:
    row = await shop.control("POST", "tenants/demo/tills/3/close")
    assert (row["IsEndOfDayTransaction"], row["Amount"], row["Number"]) == (True, 0, "3/1")
    assert (row["TransactionArticles"], row["TransactionPayments"]) == ([], [])


async def test_cash_expenses_are_negative_with_money_given_out(shop: Shop) -> None:
    expense = transactions.Receipt(1, 5, 1, SOLD_AT, type_id=transactions.EXPENSES_TYPE, purpose_id=1, title="Ausgaben")
    row = transactions.book_money(shop.tenant, expense, CASH, Decimal("-12.50"))
    assert (row["Amount"], row["AmountPayed"], row["AmountOpen"]) == (Decimal("-12.50"), Decimal("-12.50"), 0)
    assert [(each["Amount"], each["Debit"]) for each in row["TransactionPayments"]] == [(Decimal("12.50"), 1)]


async def test_a_late_till_keeps_its_sale_day_and_shows_when_it_synchronised(shop: Shop) -> None:
    ticks = (await shop.get("transactions"))["DataAgeTicks"]
    line = price_line(LineInput(1, "Käse", Decimal(1), Decimal("8.90"), Decimal("0.026"), article_id=1701))
    late = transactions.build(transactions.Receipt(3, 815, 2, SOLD_AT, lines=[line]))
    transactions.receive(shop.tenant, late)
    transactions.receive(shop.tenant, late)
    row = (await shop.get("transactions", changedSinceTicks=ticks))["Result"][0]
    assert (row["Id"], row["Number"]) == (3_000_000_000_815, "3/815")
    assert row["SaleDay"] == "2026-11-17T00:00:00"
    assert row["ExecutedTime"] == "2026-11-17T18:30:00.000"
    assert row["SynchedTime"] == "2026-11-20T10:00:00.0000000"
    assert shop.tenant.stock_levels(1701)[2] == 22
    with pytest.raises(BusinessError):
        transactions.receive(shop.tenant, late | {"Amount": Decimal(9)})


async def test_transactions_are_filtered_by_sale_day_inclusively_and_by_type(shop: Shop) -> None:
    for day in ("2026-10-31", "2026-11-01", "2026-11-30", "2026-12-01"):
        await shop.call("POST", "transactions", on_invoice(SaleDay=day))
    november = await shop.get("transactions", dateFrom="2026-11-01", dateTo="2026-11-30")
    assert [row["SaleDay"][:10] for row in november["Result"]] == ["2026-11-01", "2026-11-30"]
    assert (await shop.get("transactions", transactionTypeId=2))["Result"] == []


async def test_an_order_is_priced_booked_once_and_named_on_its_transaction(shop: Shop) -> None:
    order_id = (
        await shop.call(
            "POST",
            "orders",
            {
                "Reference": "Apéro",
                "PersonId": "503",
                "StoreId": 2,
                "OrderArticles": [{"ArticleId": 1721, "Quantity": "6", "DiscountPercent": 10}],
            },
        )
    )["Result"]
    order = (await shop.get(f"orders/{order_id}"))["Result"]
    assert (order["Amount"], order["StatusCode"], order["TransactionId"]) == (85.3, 0, None)
    booked = await shop.control("POST", f"tenants/demo/orders/{order_id}/book", {"payment_type_id": 7})
    transaction, body = booked["transaction"], booked["body"]
    assert transaction["GroupReference"] == order["Number"]
    assert (transaction["StoreId"], transaction["Amount"], transaction["AmountOpen"]) == (2, 85.3, 0)
    assert (body["customer"]["customer_number"], body["total"]) == ("K-503", "85.30")
    assert (await shop.get(f"orders/{order_id}"))["Result"]["TransactionId"] == transaction["Id"]
    again = await shop.client.post(f"/_sandbox/tenants/demo/orders/{order_id}/book", json={"payment_type_id": 7})
    assert (again.status_code, again.json()) == (400, {"error": "OrderAlreadyBooked"})
    changed = await shop.call("POST", "orders", {"Id": order_id, "Remarks": "too late"})
    assert changed["Message"] == "OrderAlreadyBooked"
