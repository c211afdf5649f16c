"""Any sale that a till may send, through the whole pipeline: bexio's books hold what the till took."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.core.money import to_cent, to_five_rappen, vat_within
from sandbox.bexio.ledger import RECEIVABLES
from tests.fixtures.shop import CARD, CASH, INVOICE_TYPE, TWINT, Body, Tenant

RATES = ("8.1", "2.6", "3.8", "0")
MOST_LINES = 200
# `make soak ARGS=sales` asks for more.
EXAMPLES = int(os.environ.get("CONNECTOR_TEST_EXAMPLES", "0"))
CENT = Decimal("0.01")

pieces = st.integers(1, 12).map(Decimal)
kilograms = st.integers(1, 3000).map(lambda grams: Decimal(grams) / 1000)
prices = st.integers(1, 50_000).map(lambda cents: Decimal(cents) / 100)


@dataclass(frozen=True)
class Receipt:
    """The lines of a receipt and how it was paid."""

    lines: list[Body]
    payments: list[Body]

    def __repr__(self) -> str:
        """Two hundred lines would be unreadable, and hypothesis warns of them."""
        return f"{len(self.lines)} lines beginning with {self.lines[:3]}, paid by {self.payments}"


def text(value: Decimal) -> str:
    return format(value, "f")


@st.composite
def priced(draw: st.DrawFn) -> Body:
    """An article: sold or taken back, whole or by weight, with a discount up to all of it, rounded as tills do."""
    quantity, price = draw(st.one_of(pieces, kilograms)), draw(prices)
    gross = to_cent(quantity * price)
    discount = gross * draw(st.sampled_from((0, 0, 0, 5, 10, 33, 100))) / 100
    discount = to_five_rappen(discount) if draw(st.booleans()) else to_cent(discount)
    amount = max(gross - discount, Decimal(0))
    amount = to_five_rappen(amount) if draw(st.integers(0, 3)) else amount
    sign = draw(st.sampled_from((1, 1, 1, 1, 1, -1)))
    return {
        "text": draw(st.sampled_from(("Dressing", "Käse & Brot", "Gutschein <10>", ""))),
        "quantity": text(quantity * sign),
        "unit_price": text(price),
        "discount": text(discount),
        "amount": f"{amount * sign:.2f}",
        "tax_rate": draw(st.sampled_from(RATES)),
    }


@st.composite
def receipts(draw: st.DrawFn) -> Receipt:
    """Something that a customer pays: what is taken back is never more than what is sold."""
    some = st.lists(priced(), min_size=1, max_size=8)
    many = st.tuples(some, st.integers(1, MOST_LINES)).map(lambda pair: (pair[0] * MOST_LINES)[: pair[1]])
    lines = list(draw(st.one_of(some, some, many)))
    lines += draw(st.lists(st.just({"text": "Bitte als Geschenk einpacken"}), max_size=2))
    short = sum((Decimal(line["amount"]) for line in lines if "amount" in line), Decimal(0))
    if short <= CENT * 20:
        lines[0] = {**lines[0], **_worth(to_five_rappen(Decimal(lines[0]["amount"]) - short) + draw(pieces))}
    total = sum((Decimal(line["amount"]) for line in lines if "amount" in line), Decimal(0))
    rest, payments = total, list[Body]()
    for kind in draw(st.lists(st.sampled_from((CASH, CARD, TWINT)), max_size=2, unique=True)):
        part = to_cent(rest * draw(st.integers(1, 70)) / 100)
        if CENT <= part < rest:
            payments.append({"payment_type_id": kind, "amount": text(part)})
            rest -= part
    payments.append({"payment_type_id": INVOICE_TYPE, "amount": f"{rest:.2f}"})
    return Receipt(lines, payments)


def _worth(amount: Decimal) -> Body:
    return {"quantity": "1", "unit_price": text(amount), "discount": "0", "amount": f"{amount:.2f}"}


async def assert_the_books_hold(tenant: Tenant, body: Body) -> Decimal:
    """Returns what the customer owes."""
    taken = await tenant.post("/invoices", body)
    assert taken.status_code == 202, (taken.text, body)
    await tenant.shop.finish()
    document = await tenant.shown(taken.json())
    assert document["status"] == "issued", (document, body)
    total, paid = Decimal(body["total"]), sum(Decimal(part["amount"]) for part in body["payments"][:-1])
    shown: dict[str, Any] = await tenant.shop.in_bexio(tenant, "GET", f"/2.0/kb_invoice/{tenant.invoice(document).id}")
    # Where a till did not round its lines, the company's own rounding to 5 Rappen is all that may differ.
    assert Decimal(shown["total"]) == to_five_rappen(total)
    assert Decimal(shown["total_received_payments"]) == paid
    assert len(shown["positions"]) == len(body["lines"])
    expected, lines = defaultdict[Decimal, Decimal](Decimal), defaultdict[Decimal, int](int)
    for line in body["lines"]:
        if "amount" in line:
            rate = Decimal(line["tax_rate"])
            expected[rate] += vat_within(Decimal(line["amount"]), rate)
            lines[rate] += 1
    found = {Decimal(tax["percentage"]): Decimal(tax["value"]) for tax in shown["taxs"]}
    for rate in expected:
        assert abs(found.get(rate, Decimal(0)) - expected[rate]) <= CENT * lines[rate], (rate, found, expected)
    return to_five_rappen(total) - paid


@pytest.mark.timeout(3600 if EXAMPLES else 120)
@settings(
    max_examples=EXAMPLES or 25,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(receipts(), min_size=1, max_size=2))
async def test_bexio_holds_what_the_till_took_to_the_cent(tenant: Tenant, drawn: list[Receipt]) -> None:
    ledger, owed = tenant.company.ledger, tenant.company.ledger.balance(RECEIVABLES)
    for each in drawn:
        body = tenant.sale(*each.lines, payments=each.payments)
        owed += await assert_the_books_hold(tenant, body)
    assert ledger.balance(RECEIVABLES) == owed
    assert sum((line.balance for line in ledger.trial_balance()), Decimal(0)) == 0
