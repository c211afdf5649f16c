from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from app.capabilities.documents.positions import Priced, Spoken, position, positions, reproduce
from app.capabilities.documents.schemas import Line
from app.core.money import to_five_rappen

QUANTITIES = st.one_of(st.integers(1, 500).map(Decimal), st.integers(1, 20_000).map(lambda n: Decimal(n) / 1000))
PRICES = st.integers(0, 500_000).map(lambda n: Decimal(n) / 100)


def bexio_total(quantity: Decimal, price: Decimal, percent: Decimal | None) -> Decimal:
    """bexio's arithmetic, written down a second time on purpose."""
    gross = quantity * price
    net = gross - gross * (percent or Decimal(0)) / 100
    return net.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


@given(QUANTITIES, PRICES, st.decimals(0, 1, places=4), st.sampled_from([1, -1]))
@example(Decimal(3), Decimal("5.04"), Decimal("0.1"), 1)
def test_every_till_line_is_reproduced_to_the_cent(
    quantity: Decimal, price: Decimal, share: Decimal, sign: int
) -> None:
    gross = quantity * price
    taken = to_five_rappen(gross - to_five_rappen(gross * share)) * sign
    shape = reproduce(quantity * sign, price, taken)
    assert bexio_total(shape.quantity, shape.unit_price, shape.discount_percent) == taken
    for value in (shape.quantity, shape.unit_price, shape.discount_percent or Decimal(0)):
        assert value == value.quantize(Decimal("0.000001"))
    assert shape.quantity > 0


@given(QUANTITIES, PRICES, st.integers(-1_000_000, 1_000_000).map(lambda n: Decimal(n) / 100))
def test_even_an_amount_that_price_and_discount_do_not_explain_is_reproduced(
    quantity: Decimal, price: Decimal, taken: Decimal
) -> None:
    shape = reproduce(quantity, price, taken)
    assert bexio_total(shape.quantity, shape.unit_price, shape.discount_percent) == taken


def test_what_the_customer_saw_is_kept_where_it_adds_up() -> None:
    plain = reproduce(Decimal(2), Decimal("4.50"), Decimal("9.00"))
    assert (plain.quantity, plain.unit_price, plain.discount_percent) == (Decimal(2), Decimal("4.50"), None)
    discounted = reproduce(Decimal(3), Decimal("5.04"), Decimal("13.60"))
    assert discounted.unit_price == Decimal("5.04")
    assert discounted.discount_percent == Decimal("10.052910")
    rounded_up = reproduce(Decimal(1), Decimal("13.63"), Decimal("13.65"))
    assert (rounded_up.unit_price, rounded_up.discount_percent) == (Decimal("13.65"), None)


def test_free_lines_keep_their_price_and_get_a_full_discount() -> None:
    free = reproduce(Decimal(1), Decimal("12.00"), Decimal(0))
    assert (free.unit_price, free.discount_percent) == (Decimal("12.00"), Decimal("100.000000"))


def test_a_returned_article_is_a_negative_price_not_a_negative_quantity() -> None:
    shape = reproduce(Decimal(-2), Decimal("4.50"), Decimal("-9.00"))
    assert (shape.quantity, shape.unit_price) == (Decimal(2), Decimal("-4.50"))


def test_text_lines_stay_text_and_lines_keep_the_order_of_the_receipt() -> None:
    lines = [
        Line(position=2, text="Danke"),
        Line.model_validate(
            {"position": 1, "text": "Öl", "quantity": "1", "unit_price": "3.00", "amount": "3.00", "tax_rate": "2.6"}
        ),
    ]
    first, second = positions(lines)
    assert isinstance(first, Priced)
    assert first.text == "Öl"
    assert second == Spoken("Danke")


def test_a_line_that_had_to_be_rewritten_says_what_the_till_showed() -> None:
    line = Line.model_validate(
        {"position": 1, "text": "Kies", "quantity": "5000", "unit_price": "0.03", "amount": "151.37", "tax_rate": "8.1"}
    )
    written = position(line)
    assert isinstance(written, Priced)
    assert written.shape.total() == Decimal("151.37")
    if written.shape.quantity != 5000:
        assert "5000 x 0.03" in written.text
