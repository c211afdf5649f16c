"""The simulated bexio's payments, and what each does to the invoice and the ledger."""

from decimal import Decimal

import pytest

from tests.sandbox.bexio_shop import Body, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def bank(shop: Shop, account_no: str) -> int:
    return shop.company.banking_account(account_no)["id"]


async def test_part_then_rest_makes_partial_then_paid(shop: Shop) -> None:
    invoice = await shop.issued()
    path = f"/2.0/kb_invoice/{invoice['id']}/payment"
    first = await shop.post(path, {"value": "10", "bank_account_id": bank(shop, "1000"), "date": "2026-11-19"})
    assert (first.status_code, first.json()["value"], first.json()["title"]) == (201, "10", "Zahlungseingang")
    shown = await shop.shown(invoice)
    assert (shown["kb_item_status_id"], shown["total_remaining_payments"]) == (16, "0.8000")
    await shop.post(path, {"value": "0.80", "bank_account_id": bank(shop, "1021")})
    shown = await shop.shown(invoice)
    assert (shown["kb_item_status_id"], shown["total_remaining_payments"]) == (9, "0.0000")
    assert [row["value"] for row in (await shop.get(path)).json()] == ["10.000000", "0.800000"]
    balances = {number: shop.company.ledger.balance(number) for number in ("1000", "1021", "1100")}
    assert balances == {"1000": Decimal(10), "1021": Decimal("0.80"), "1100": 0}


async def test_a_deleted_payment_opens_the_invoice_again(shop: Shop) -> None:
    invoice = await shop.issued()
    path = f"/2.0/kb_invoice/{invoice['id']}/payment"
    payment = (await shop.post(path, {"value": "10.80", "bank_account_id": 1})).json()
    assert (await shop.delete(f"{path}/{payment['id']}")).json() == {"success": True}
    assert (await shop.shown(invoice))["kb_item_status_id"] == 8
    assert (await shop.get(f"{path}/{payment['id']}")).status_code == 404
    assert shop.company.ledger.balance("1100") == Decimal("10.80")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": "0"},
        {"value": "-1"},
        {"value": "viel"},
        {"value": "10.81"},
        {"value": "1", "bank_account_id": 99},
        {"value": "1", "title": "x"},
        {"value": "1", "date": "2019-01-01"},
    ],
)
async def test_a_payment_that_bexio_does_not_take_is_422(shop: Shop, body: Body) -> None:
    invoice = await shop.issued()
    response = await shop.post(f"/2.0/kb_invoice/{invoice['id']}/payment", body)
    assert (response.status_code, len(shop.company.payments)) == (422, 0)


async def test_a_draft_or_cancelled_invoice_takes_no_payment(shop: Shop) -> None:
    draft, cancelled = await shop.draft(), await shop.issued()
    await shop.post(f"/2.0/kb_invoice/{cancelled['id']}/cancel")
    for invoice in (draft, cancelled):
        response = await shop.post(f"/2.0/kb_invoice/{invoice['id']}/payment", {"value": "1"})
        assert response.status_code == 422


async def test_an_overpayment_becomes_the_customers_credit_when_the_rule_allows_it(shop: Shop) -> None:
    shop.company.rules.accepts_overpayment = True
    invoice = await shop.issued()
    await shop.post(f"/2.0/kb_invoice/{invoice['id']}/payment", {"value": "15", "bank_account_id": 1})
    shown = await shop.shown(invoice)
    assert (shown["kb_item_status_id"], shown["total_remaining_payments"]) == (9, "-4.2000")
    assert shop.company.ledger.balance("2030") == Decimal("-4.20")
    assert shop.company.ledger.balance("1100") == 0


async def test_a_payment_belongs_to_its_invoice(shop: Shop) -> None:
    first, second = await shop.issued(), await shop.issued()
    payment = (await shop.post(f"/2.0/kb_invoice/{first['id']}/payment", {"value": "1"})).json()
    assert (await shop.get(f"/2.0/kb_invoice/{second['id']}/payment/{payment['id']}")).status_code == 404
