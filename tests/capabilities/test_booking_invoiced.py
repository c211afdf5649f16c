"""What the export leaves out because an invoice holds it, and what a person is asked about it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from sandbox.arcavis import transactions
from sandbox.trade import Habits
from tests.fixtures.exporting import Bookkeeping, expected, open_books
from tests.fixtures.shop import Shop

DAY = date(2026, 11, 19)
NEXT = DAY + timedelta(days=1)


async def asked_of_days(books: Bookkeeping) -> dict[str, str]:
    items = (await books.tenant.get("/attention?state=open")).json()["items"]
    return {item["code"]: item["detail"] for item in items if item["subject_kind"] == "bookings.day"}


async def test_a_sale_on_invoice_that_no_till_sent_is_found(shop: Shop) -> None:
    books = await open_books(shop, habits=Habits(receipts=8, invoice=0.5, mixed=0, cancelled=0))
    books.sell(DAY)
    run = await books.export(DAY)
    (row,) = await books.tenant.rows("select findings from booking_export_day")
    assert run["state"] == "done"
    assert "sale-never-sent" in {finding["code"] for finding in row.findings}


async def test_sales_on_invoice_that_something_is_wrong_with_are_told_to_a_person_until_it_is_mended(
    shop: Shop,
) -> None:
    books = await open_books(shop, habits=Habits(receipts=30, invoice=0.6, mixed=0, cancelled=0, returned=0))
    bodies = books.sell(DAY)
    assert len(bodies) > 10
    assert (await books.export(DAY))["state"] == "done"
    assert "19.11.2026" in (await asked_of_days(books))["sale-never-sent"]
    preview = (await books.tenant.post("/export/bookings/preview", {"from": str(DAY), "to": str(DAY)})).json()
    (found,) = [one for one in preview["findings"] if one["code"] == "sale-never-sent"]
    assert len(found["offers"]) == len(bodies)
    for body in bodies:
        await books.tenant.post("/invoices", body)
    await shop.finish()
    await books.export(DAY)
    assert await asked_of_days(books) == {}
    document = (await books.tenant.get("/invoices?status=issued")).json()["items"][0]
    assert (await books.tenant.post(f"/invoices/{document['id']}/cancel")).is_success
    await shop.finish()
    await books.export(DAY)
    assert list(await asked_of_days(books)) == ["sale-without-invoice"]
    transactions.cancel(books.arcavis, int(document["transaction_id"]))
    await books.export(DAY)
    assert await asked_of_days(books) == {}


async def test_a_receipt_that_pays_an_open_invoice_is_booked_with_the_invoice_only(shop: Shop) -> None:
    books = await open_books(shop, habits=Habits(receipts=8, invoice=0.5, mixed=0, cancelled=0))
    for body in books.sell(DAY):
        assert (await books.tenant.post("/invoices", body)).status_code == 202
    await shop.finish()
    sold = expected(books.receipts(DAY, DAY))
    await books.pay_invoice(DAY)
    (line,) = next(row for row in books.receipts(DAY, DAY) if len(row["TransactionArticles"]) == 1)[
        "TransactionArticles"
    ]
    beside = await books.pay_invoice(NEXT, beside=[line])
    assert (await books.export(DAY, NEXT))["state"] == "done"
    by_card = beside | {
        "Amount": line["Price"],
        "TransactionPayments": [beside["TransactionPayments"][0] | {"Amount": line["Price"]}],
    }
    for account, amount in expected([by_card]).items():
        sold[account] = sold.get(account, Decimal(0)) + amount
    assert books.without_invoices() == sold
    (row,) = await books.tenant.rows("select findings from booking_export_day where sale_day = :day", day=DAY)
    assert "open-invoice-paid" in {finding["code"] for finding in row.findings}
