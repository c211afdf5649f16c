"""The simulated tills: whatever they sell adds up, and the same seed sells the same."""

import json
import random
from collections import Counter
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.arcavis import seed
from sandbox.arcavis.values import Record
from sandbox.till import Shape, demo_assortment, generate_sale, morning, open_tills, sale_body

SHOP = demo_assortment()
SOLD_AT = datetime(2026, 11, 20, 9, 41)  # noqa: DTZ001 - Arcavis' times are local, without zone
THREE_STATES = st.sampled_from([None, True, False])
SHAPES = st.builds(
    Shape,
    lines=st.one_of(st.none(), st.integers(1, 200)),
    mixed=THREE_STATES,
    discounts=THREE_STATES,
    returned=THREE_STATES,
    free=THREE_STATES,
    note=THREE_STATES,
    company=THREE_STATES,
    on_invoice=st.booleans(),
)


def sell(seed_number: int, shape: Shape) -> tuple[Record, Record]:
    sale = generate_sale(random.Random(seed_number), SHOP, 2, 815, SOLD_AT, shape)
    return sale, sale_body(sale, SHOP)


@given(seed_number=st.integers(0, 2**32), shape=SHAPES)
def test_every_sale_adds_up(seed_number: int, shape: Shape) -> None:
    sale = generate_sale(random.Random(seed_number), SHOP, 2, 815, SOLD_AT, shape)
    body = sale_body(sale, SHOP)
    lines = [line for line in body["lines"] if line["amount"] is not None]
    total = Decimal(body["total"])
    assert total == sum(Decimal(line["amount"]) for line in lines)
    assert total == sum(Decimal(part["amount"]) for part in body["payments"])
    assert total == sale["Amount"] == sale["AmountPayed"]
    assert sale["AmountOpen"] == 0
    assert total > 0
    for line in lines:
        exact = Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line["discount"])
        assert abs(Decimal(line["amount"]) - exact) <= Decimal("0.025")
        assert Decimal(line["amount"]) % Decimal("0.05") == 0
        assert Decimal(line["quantity"]) != 0
    assert all(Decimal(part["amount"]) > 0 for part in body["payments"])


@given(seed_number=st.integers(0, 2**32), shape=SHAPES)
def test_every_sale_has_the_shape_that_was_asked_for(seed_number: int, shape: Shape) -> None:
    sale, body = sell(seed_number, shape)
    lines, payments = sale["TransactionArticles"], body["payments"]
    assert shape.lines in {None, len(lines)}
    kinds = {part["payment_type_id"] for part in payments}
    assert ("7" in kinds) == shape.on_invoice
    if shape.on_invoice:
        assert body["customer"] is not None
        assert shape.mixed in {None, len(kinds) > 1}
    if len(lines) > 3 and shape.free and shape.note:
        assert sum(line["Price"] == 0 for line in lines) >= 2
        assert sum(line["ArticleId"] == 0 for line in lines) == 1
    if shape.returned is False:
        assert all(line["Quantity"] > 0 for line in lines)


@given(seed_number=st.integers(0, 2**32))
def test_the_same_seed_sells_the_same(seed_number: int) -> None:
    assert sell(seed_number, Shape()) == sell(seed_number, Shape())


def test_a_body_is_plain_json_in_the_contract_s_shape() -> None:
    sale, body = sell(5, Shape(lines=4, mixed=True, discounts=True, returned=True, note=True, company=True))
    assert json.loads(json.dumps(body)) == body
    assert list(body) == [
        "transaction_id",
        "number",
        "date",
        "store",
        "point_of_sale",
        "currency",
        "customer",
        "lines",
        "payments",
        "total",
        "remarks",
    ]
    assert (body["transaction_id"], body["number"], body["date"]) == ("2000000000815", "2/815", "2026-11-20")
    assert (body["store"], body["point_of_sale"], body["currency"]) == ("Zürich", "Kasse 2", "CHF")
    customer, lines = body["customer"], body["lines"]
    assert set(customer) == {
        "arcavis_id",
        "customer_number",
        "is_company",
        "company_name",
        "salutation",
        "first_name",
        "last_name",
        "street",
        "house_number",
        "address_addition",
        "postcode",
        "city",
        "country",
        "email",
        "phone",
        "mobile",
        "language",
    }
    assert customer["arcavis_id"] == str(sale["PersonId"])
    assert [line["position"] for line in lines] == [1, 2, 3, 4]
    assert set(lines[0]) == {
        "position",
        "article_id",
        "article_number",
        "text",
        "quantity",
        "unit_price",
        "discount",
        "amount",
        "tax_rate",
    }


def test_chance_brings_every_edge_in_a_few_hundred_sales() -> None:
    bodies = [sell(number, Shape())[1] for number in range(400)]
    every_line = [line for body in bodies for line in body["lines"]]
    lines = [line for line in every_line if line["amount"] is not None]
    notes = [line for line in every_line if line["amount"] is None]
    assert {line["tax_rate"] for line in lines} == {"0", "2.6", "3.8", "8.1"}
    assert any(Decimal(line["amount"]) < 0 for line in lines)
    assert any(Decimal(line["amount"]) == 0 for line in lines)
    assert all(line["article_id"] is None for line in notes)
    assert notes
    assert any("." in line["quantity"] for line in lines)
    assert any(
        Decimal(line["quantity"]) * Decimal(line["unit_price"]) - Decimal(line["discount"]) != Decimal(line["amount"])
        for line in lines
    )
    assert {len(body["payments"]) for body in bodies} == {1, 2, 3}


def test_a_text_line_has_no_figures_at_all() -> None:
    _, body = sell(3, Shape(lines=2, note=True, returned=False, free=False))
    figures = ("quantity", "unit_price", "discount", "amount", "tax_rate", "article_id", "article_number")
    assert [body["lines"][1][name] for name in figures] == [None] * len(figures)
    assert body["lines"][1]["text"]


def test_tax_rates_can_be_limited() -> None:
    sale, _ = sell(1, Shape(lines=50, note=False, tax_rates=frozenset({Decimal("0.038")})))
    lines = sale["TransactionArticles"]
    assert {line["TaxRate"] for line in lines} == {Decimal("0.038")}


def test_cash_with_change_nets_to_the_total() -> None:
    sales = [sell(number, Shape(on_invoice=False)) for number in range(60)]
    with_change = [sale for sale, _ in sales if len(sale["TransactionPayments"]) == 2]
    assert with_change
    assert all({row["Debit"] for row in sale["TransactionPayments"]} == {0, 1} for sale in with_change)
    assert all(len(body["payments"]) == 1 for _, body in sales)


def test_a_morning_has_forty_sales_in_order_at_three_tills() -> None:
    sales = morning(open_tills(SHOP, random.Random(7)), date(2026, 11, 20))
    times = [sale["ExecutedTime"] for sale in sales]
    assert times == sorted(times)
    assert (times[0], times[-1][:13]) == ("2026-11-20T08:00:00.000", "2026-11-20T11")
    assert Counter(sale["PointOfSaleId"] for sale in sales) == {1: 14, 2: 13, 3: 13}
    assert len({sale["Id"] for sale in sales}) == 40


@pytest.mark.parametrize("title", ["Bar", "Karte", "TWINT", "Gutschein", "Bexio Rechnung"])
def test_the_shop_has_the_payment_types_of_the_contract(title: str) -> None:
    assert title in {row["Title"] for row in SHOP.payment_types.values()}
    assert SHOP.payment_types[seed.BEXIO_INVOICE]["Title"] == "Bexio Rechnung"


def test_the_shop_has_families_sharing_an_e_mail_and_both_kinds_of_customers() -> None:
    mails = Counter(row["ContactEmail"] for row in SHOP.customers if row["ContactEmail"])
    assert mails["familie.mueller@example.ch"] == 4
    assert Counter(row["IsCompany"] for row in SHOP.customers) == {False: 40, True: 20}
    assert any(not row["ContactEmail"] for row in SHOP.customers)
    assert Counter(row["TaxRate"] for row in SHOP.articles) == {
        Decimal("0.026"): 20,
        Decimal("0.081"): 17,
        Decimal("0.038"): 3,
        Decimal(0): 2,
    }
