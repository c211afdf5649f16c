"""The simulated bexio's books: what issuing, cancelling, paying and writing off post, and the journal that shows it."""

from decimal import Decimal

import pytest

from tests.sandbox.bexio_shop import Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


def balances(shop: Shop) -> dict[str, str]:
    return {row.account_no: str(row.balance) for row in shop.company.ledger.trial_balance() if row.balance}


async def test_a_draft_books_nothing(shop: Shop) -> None:
    await shop.draft()
    assert balances(shop) == {}


async def test_issuing_books_receivable_revenue_per_account_vat_and_rounding(shop: Shop) -> None:
    services = {"account_id": shop.company.account("3400")["id"]}
    await shop.issued(shop.line("1", "108.10"), shop.line("1", "26.01", "UR26", **services))
    assert balances(shop) == {
        "1100": "134.10", "2200": "-8.76", "3200": "-100.00", "3400": "-25.35", "6945": "0.01",
    }  # fmt: skip
    assert shop.company.ledger.vat() == {14: Decimal("8.10"), 15: Decimal("0.66")}


async def test_cancelling_reverses_every_row(shop: Shop) -> None:
    invoice = await shop.issued(shop.line("3", "5.04"), shop.line("1", "1.02", "UR26"))
    posted = len(shop.company.ledger.of("KbInvoice", invoice["id"]))
    await shop.post(f"/2.0/kb_invoice/{invoice['id']}/cancel")
    assert balances(shop) == {}
    assert len(shop.company.ledger.of("KbInvoice", invoice["id"])) == 2 * posted
    assert set(shop.company.ledger.vat().values()) == {0}


async def test_mwst_type_1_books_no_vat(shop: Shop) -> None:
    await shop.issued(mwst_type=1, mwst_is_net=True)
    assert balances(shop) == {"1100": "10.80", "3200": "-10.80"}


async def test_a_write_off_moves_the_open_amount_to_losses(shop: Shop) -> None:
    invoice = await shop.issued()
    await shop.post(f"/2.0/kb_invoice/{invoice['id']}/payment", {"value": "5", "bank_account_id": 1})
    await shop.control("POST", "actions/write-off", {"invoice_id": invoice["id"]})
    found = balances(shop)
    assert (found.get("1100"), found["3805"]) == (None, "5.80")


async def test_the_journal_is_filtered_by_day_and_account(shop: Shop) -> None:
    await shop.issued(is_valid_from="2026-11-01")
    await shop.issued(is_valid_from="2026-11-20")
    everything = await shop.get("/3.0/accounting/journal")
    assert everything.headers["X-Total-Count"] == "4"
    first = everything.json()[0]
    assert (first["ref_class"], first["ref_id"], first["amount"]) == ("KbInvoice", 1, 9.99)
    assert first["date"] == "2026-11-01T00:00:00+01:00"
    late = await shop.get("/3.0/accounting/journal", **{"from": "2026-11-02", "to": "2026-11-20"})
    assert {row["ref_id"] for row in late.json()} == {2}
    vat = await shop.get("/3.0/accounting/journal", account_uuid=shop.company.account("2200")["uuid"])
    assert [row["amount"] for row in vat.json()] == [0.81, 0.81]
