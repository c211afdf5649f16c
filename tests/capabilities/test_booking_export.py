"""The booking export through the whole shop: what the tills took stands in bexio, once and to the Rappen."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.arcavis import transactions
from sandbox.bexio import accounting_periods
from sandbox.bexio.faults import Mode
from sandbox.trade import Habits
from tests.connectors import bexio_document
from tests.fixtures.exporting import Bookkeeping, expected, open_books
from tests.fixtures.service import audited, connect, opened
from tests.fixtures.shop import Shop

DAY = date(2026, 11, 19)
NEXT = DAY + timedelta(days=1)
QUIET = Habits(receipts=4, cancelled=0, invoice=0, closed=0)


@pytest.fixture
async def books(shop: Shop) -> Bookkeeping:
    return await open_books(shop, habits=QUIET)


async def open_items(books: Bookkeeping) -> dict[str, Any]:
    return {item["code"]: item for item in (await books.tenant.get("/attention?state=open")).json()["items"]}


async def test_a_day_becomes_one_entry_and_a_second_run_posts_nothing(books: Bookkeeping) -> None:
    books.sell(DAY)
    run = await books.export(DAY)
    assert run["state"] == "done", run
    assert run["counts"] == {
        "done": 1, "posted": 1, "unchanged": 0, "held": 0, "failed": 0, "changed": 0, "entries": 1,
    }  # fmt: skip
    assert len(books.entries()) == 1
    assert books.balances() == expected(books.receipts(DAY, DAY))
    again = await books.export(DAY)
    assert (again["state"], again["counts"]["unchanged"]) == ("done", 1)
    assert books.posts() == 1
    lines = [line["action"] for line in (await books.tenant.get("/audit")).json()["items"]]
    assert lines[:4] == ["bookings.export.done", "bookings.export", "bookings.export.done", "bookings.export"]


@pytest.mark.skipif(not bexio_document.available(), reason="bexio's document is not at hand")
async def test_what_is_posted_fits_bexios_document(books: Bookkeeping) -> None:
    import httpx  # noqa: PLC0415 - only to speak of a request

    books.sell(DAY)
    await books.export(DAY)
    (row,) = await books.tenant.rows("select request from booking_group")
    bexio_document.check(httpx.Request("POST", "https://x/3.0/accounting/manual_entries", content=row.request))


async def test_a_late_a_cancelled_and_a_backdated_sale_become_one_entry_of_the_difference(books: Bookkeeping) -> None:
    books.sell(DAY)
    await books.export(DAY)
    late = books.trade.day(DAY)[0]
    transactions.receive(books.arcavis, late)
    original = books.receipts(DAY, DAY)[0]
    transactions.cancel(books.arcavis, original["Id"])
    run = await books.export(DAY, NEXT)
    assert run["counts"]["posted"] == 2
    assert books.balances() == expected(books.receipts(DAY, NEXT))
    second = (await books.tenant.get(f"/bookings/entries?day={DAY}")).json()["items"][0]
    first = (await books.tenant.get(f"/bookings/entries?day={DAY}")).json()["items"][1]
    assert second["follows"] == first["id"]
    shown = (await books.tenant.get(f"/bookings/entries/{second['id']}")).json()
    numbers = {one["number"] for line in shown["lines"] for one in line["receipts"]}
    assert numbers == {late["Number"]}


async def test_an_entry_is_explained_down_to_its_receipts_and_a_receipt_up_to_its_entries(books: Bookkeeping) -> None:
    books.sell(DAY)
    await books.export(DAY)
    (posted,) = books.entries()
    (listed,) = (await books.tenant.get(f"/bookings/entries?bexio_id={posted['id']}")).json()["items"]
    shown = (await books.tenant.get(f"/bookings/entries/{listed['id']}")).json()
    assert len(shown["lines"]) == len(posted["entries"])
    for line in shown["lines"]:
        if line["rule"] != "Rundungsdifferenz":
            assert sum(Decimal(one["amount"]) for one in line["receipts"]) == Decimal(line["amount"])
    receipt = books.receipts(DAY, DAY)[0]
    up = (await books.tenant.get(f"/bookings/receipts/{receipt['Id']}")).json()
    assert {one["entry_id"] for one in up["shares"]} == {listed["id"]}
    assert up["number"] == receipt["Number"]
    assert (await books.tenant.get("/bookings/receipts/9")).json()["code"] == "receipt-not-exported"


async def test_a_reversal_takes_everything_back_once_and_exporting_again_restores_it(books: Bookkeeping) -> None:
    books.sell(DAY, 2)
    export = await books.export(DAY, NEXT)
    before = books.balances()
    assert (await books.reverse(export))["counts"]["posted"] == 2
    assert books.balances() == {}
    assert (await books.reverse(export))["counts"]["unchanged"] == 2
    assert books.balances() == {}
    assert books.company.ledger.vat() == dict.fromkeys(books.company.ledger.vat(), Decimal(0))
    await books.export(DAY, NEXT)
    assert books.balances() == before
    one_day = await books.reverse(export, day=DAY.isoformat())
    assert one_day["counts"]["done"] == 1
    assert books.balances() == expected(books.receipts(NEXT, NEXT))


async def test_a_day_that_is_not_of_the_export_cannot_be_reversed(books: Bookkeeping) -> None:
    books.sell(DAY)
    export = await books.export(DAY)
    answer = await books.tenant.post(f"/export/bookings/{export['id']}/reverse", {"day": "2026-01-01"})
    assert (answer.status_code, answer.json()["code"]) == (422, "booking-day-not-exported")


async def test_a_held_day_blocks_no_other_and_is_done_by_a_retry(books: Bookkeeping) -> None:
    books.sell(DAY, 2)
    wrong = books.receipts(DAY, DAY)[0]
    books.arcavis.transactions.put(wrong | {"TransactionPayments": []})
    run = await books.export(DAY, NEXT)
    assert (run["state"], run["reason"]["code"]) == ("failed", "booking-days-held")
    assert (run["counts"]["posted"], run["counts"]["held"]) == (1, 1)
    assert books.balances() == expected(books.receipts(NEXT, NEXT))
    item = (await open_items(books))["day-does-not-balance"]
    assert wrong["Number"] in item["detail"]
    books.arcavis.transactions.put(wrong)
    assert (await books.tenant.post(f"/attention/{item['id']}/retry")).status_code == 200
    await books.shop.finish()
    assert (await books.run(run["id"]))["state"] == "done"
    assert books.balances() == expected(books.receipts(DAY, NEXT))
    assert await open_items(books) == {}


@pytest.mark.parametrize("flaw", [{"Discount": None}, {"TaxRate": ""}, {"Quantity": None}])
async def test_a_receipt_that_cannot_be_read_holds_its_own_day_only_and_is_named(
    books: Bookkeeping, flaw: dict[str, Any]
) -> None:
    books.sell(DAY, 2)
    whole = next(row for row in books.receipts(DAY, DAY) if row["TransactionArticles"])
    first, *more = whole["TransactionArticles"]
    books.arcavis.transactions.put(whole | {"TransactionArticles": [first | flaw, *more]})
    run = await books.export(DAY, NEXT)
    assert (run["counts"]["posted"], run["counts"]["held"]) == (1, 1)
    assert books.balances() == expected(books.receipts(NEXT, NEXT))
    item = (await open_items(books))["receipt-unreadable"]
    assert str(whole["Id"]) in item["detail"]
    assert whole["Number"] in item["detail"]
    books.arcavis.transactions.put(whole)
    await books.tenant.post(f"/attention/{item['id']}/retry")
    await books.shop.finish()
    assert books.balances() == expected(books.receipts(DAY, NEXT))


async def test_a_day_of_which_nothing_can_be_read_fails_and_the_next_one_goes_on(books: Bookkeeping) -> None:
    books.sell(DAY, 2)
    whole = books.receipts(DAY, DAY)[0]
    books.arcavis.transactions.put(whole | {"PointOfSaleId": "?"})
    run = await books.export(DAY, NEXT)
    assert (run["counts"]["posted"], run["counts"]["failed"]) == (1, 1)
    assert list(await open_items(books)) == ["arcavis-answer-unreadable"]
    books.arcavis.transactions.put(whole)
    await books.tenant.post(f"/runs/{run['id']}/retry")
    await books.shop.finish()
    assert books.balances() == expected(books.receipts(DAY, NEXT))


async def test_another_export_of_the_held_day_closes_the_item(books: Bookkeeping) -> None:
    books.sell(DAY)
    wrong = books.receipts(DAY, DAY)[0]
    books.arcavis.transactions.put(wrong | {"TransactionPayments": []})
    await books.export(DAY)
    assert list(await open_items(books)) == ["day-does-not-balance"]
    books.arcavis.transactions.put(wrong)
    assert (await books.export(DAY))["state"] == "done"
    assert await open_items(books) == {}


async def test_a_day_that_bexio_refuses_blocks_no_other_and_says_why(books: Bookkeeping) -> None:
    books.sell(DAY, 2)
    await books.export(NEXT)
    # The year is closed between our look at it and our entry: the plan was right when it was made.
    accounting_periods.set_business_year(books.company, {"year": 2026, "status": "closed"})
    run = await books.export(DAY)
    assert (run["state"], run["counts"]["failed"]) == ("failed", 1)
    item = (await open_items(books))["bexio-rejected"]
    assert "closed" in item["detail"]
    assert books.balances() == expected(books.receipts(NEXT, NEXT))
    accounting_periods.set_business_year(books.company, {"year": 2026, "status": "open"})
    await books.tenant.post(f"/runs/{run['id']}/retry")
    await books.shop.finish()
    assert books.balances() == expected(books.receipts(DAY, NEXT))
    assert books.entries()[-1]["reference_nr"].endswith("/1")


async def test_a_closed_year_holds_or_moves_to_the_next_open_day(books: Bookkeeping) -> None:
    last = date(2025, 12, 31)
    books.sell(last)
    accounting_periods.set_business_year(books.company, {"year": 2025, "status": "closed"})
    held = await books.export(last)
    assert held["counts"]["held"] == 1
    assert books.entries() == []
    await books.tenant.set(closed_period_policy="next_open_day")
    assert (await books.export(last))["state"] == "done"
    (entry,) = books.entries()
    assert entry["date"] == "2026-01-01"
    assert all("31.12.2025" in line["description"] for line in entry["entries"])
    assert books.balances() == expected(books.receipts(last, last))


async def test_a_preview_that_is_outdated_is_not_posted(books: Bookkeeping) -> None:
    books.sell(DAY)
    preview = (await books.tenant.post("/export/bookings/preview", {"from": str(DAY), "to": str(DAY)})).json()
    transactions.receive(books.arcavis, books.trade.day(DAY)[0])
    answer = await books.ask(DAY, plan_hash=preview["plan_hash"])
    assert (answer.status_code, answer.json()["code"]) == (409, "plan-changed")
    assert "sales" in answer.json()["detail"]
    assert books.entries() == []
    preview = (await books.tenant.post("/export/bookings/preview", {"from": str(DAY), "to": str(DAY)})).json()
    await books.tenant.set(rounding_limit="9.00")
    answer = await books.ask(DAY, plan_hash=preview["plan_hash"])
    assert "settings" in answer.json()["detail"]


async def test_what_was_shown_is_what_is_posted_even_if_a_sale_comes_in_between(books: Bookkeeping) -> None:
    books.sell(DAY, 2)
    period = {"from": str(DAY), "to": str(NEXT)}
    preview = (await books.tenant.post("/export/bookings/preview", period)).json()
    asked = await books.ask(DAY, NEXT, plan_hash=preview["plan_hash"])
    assert asked.status_code == 202, asked.text
    transactions.receive(books.arcavis, books.trade.day(DAY)[0])
    await books.shop.finish()
    run = await books.run(asked.json()["id"])
    assert (run["state"], run["reason"]["code"]) == ("failed", "plan-changed")
    assert "sales" in run["reason"]["detail"]
    assert books.entries() == []


@pytest.mark.parametrize("mode", [Mode.ERROR_AFTER_WRITE, Mode.ERROR_BEFORE])
async def test_what_was_shown_is_posted_also_when_bexios_answer_is_lost(books: Bookkeeping, mode: Mode) -> None:
    books.sell(DAY, 2)
    period = {"from": str(DAY), "to": str(NEXT)}
    preview = (await books.tenant.post("/export/bookings/preview", period)).json()
    books.tenant.fault(mode, "manual_entries", method="POST", times=1)
    run = await books.export(DAY, NEXT, plan_hash=preview["plan_hash"])
    assert (run["state"], run["counts"]["posted"], run["counts"]["changed"]) == ("done", 2, 0)
    assert books.balances() == expected(books.receipts(DAY, NEXT))


async def test_exports_of_one_tenant_take_turns(books: Bookkeeping) -> None:
    books.sell(DAY)
    first, second = await books.ask(DAY), await books.ask(DAY)
    await books.shop.finish()
    runs = [await books.run(one.json()["id"]) for one in (first, second)]
    assert [run["counts"]["posted"] for run in runs] == [1, 0]
    assert len(books.entries()) == 1


@pytest.mark.parametrize("mode", [Mode.ERROR_AFTER_WRITE, Mode.RESET, Mode.HALF_PAGE, Mode.TIMEOUT_AFTER_WRITE])
async def test_an_entry_whose_answer_was_lost_is_adopted(books: Bookkeeping, mode: Mode) -> None:
    books.sell(DAY, 2)
    books.tenant.fault(mode, "manual_entries", method="POST", times=1, seconds=60)
    run = await books.export(DAY, NEXT)
    assert (run["state"], run["counts"]["posted"]) == ("done", 2)
    assert len(books.entries()) == books.posts() == 2
    assert books.balances() == expected(books.receipts(DAY, NEXT))


async def test_an_entry_that_lands_a_minute_late_is_not_posted_twice(books: Bookkeeping) -> None:
    books.sell(DAY)
    books.tenant.fault(Mode.LATE_LANDING, "manual_entries", method="POST", times=1, seconds=60)
    assert (await books.export(DAY))["state"] == "done"
    assert len(books.entries()) == 1


async def test_a_request_that_never_arrived_is_sent_again(books: Bookkeeping) -> None:
    books.sell(DAY)
    books.tenant.fault(Mode.ERROR_BEFORE, "manual_entries", method="POST", times=1)
    assert (await books.export(DAY))["state"] == "done"
    assert len(books.entries()) == 1
    assert books.entries()[0]["reference_nr"].endswith("/2")


async def test_a_storm_of_429_burns_nothing(books: Bookkeeping) -> None:
    books.sell(DAY)
    books.tenant.fault(Mode.STORM_429, "manual_entries", method="POST", times=3, seconds=5)
    assert (await books.export(DAY))["state"] == "done"
    assert books.entries()[0]["reference_nr"].endswith("/1")


async def test_a_cancelled_run_begins_no_day_and_goes_on_when_it_is_retried(books: Bookkeeping) -> None:
    books.sell(DAY)
    asked = (await books.ask(DAY)).json()
    await books.tenant.post(f"/runs/{asked['id']}/cancel")
    await books.shop.finish()
    assert (await books.run(asked["id"]))["state"] == "cancelled"
    assert books.entries() == []
    assert (await books.tenant.post(f"/runs/{asked['id']}/retry")).status_code == 200
    await books.shop.finish()
    assert (await books.run(asked["id"]))["state"] == "done"
    assert books.balances() == expected(books.receipts(DAY, DAY))


async def test_a_company_that_holds_exported_bookings_is_not_exchanged_for_another(books: Bookkeeping) -> None:
    other = await opened(books.shop, "other")
    books.sell(DAY)
    await books.export(DAY)
    assert (await books.tenant.call("DELETE", "/connection/bexio")).status_code == 204
    refused = await connect(books.tenant, other.token)
    assert (refused.status_code, refused.json()["code"]) == (409, "bexio-company-differs")
    assert len(await books.tenant.rows("select company_id from bexio_connection")) == 1


@pytest.mark.parametrize(
    ("first", "last"), [("2026-11-20", "2026-11-19"), ("2025-01-01", "2026-11-19"), ("2026-11-20", "2026-12-24")]
)
async def test_an_impossible_period_is_refused(books: Bookkeeping, first: str, last: str) -> None:
    answer = await books.tenant.post("/export/bookings", {"from": first, "to": last})
    assert (answer.status_code, answer.json()["code"]) == (422, "period-not-valid")


async def test_without_the_module_nothing_is_exported(shop: Shop) -> None:
    tenant = await shop.tenant("plain", modules=())
    answer = await tenant.post("/export/bookings", {"from": str(DAY), "to": str(DAY)})
    assert (answer.status_code, answer.json()["code"]) == (403, "module-not-active")


async def test_exports_are_listed_newest_first_to_their_tenant_only(books: Bookkeeping) -> None:
    stranger = await open_books(books.shop, "stranger", habits=QUIET)
    books.sell(DAY)
    export = await books.export(DAY)
    await books.reverse(export)
    items = (await books.tenant.get("/export/bookings")).json()["items"]
    assert [(item["kind"], item["state"], item["reverses"]) for item in items] == [
        ("reverse", "done", export["id"]),
        ("export", "done", None),
    ]
    for path in ("/export/bookings", "/bookings/entries"):
        assert (await stranger.tenant.get(path)).json()["items"] == []
    receipt = books.receipts(DAY, DAY)[0]["Id"]
    assert (await stranger.tenant.get(f"/bookings/receipts/{receipt}")).status_code == 404


async def test_the_same_key_starts_one_export(books: Bookkeeping) -> None:
    books.sell(DAY)
    body = {"from": str(DAY), "to": str(DAY)}
    answers = [await books.tenant.post("/export/bookings", body, headers={"Idempotency-Key": "once"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len((await books.tenant.get("/export/bookings")).json()["items"]) == 1
    assert len(await audited(books.tenant, "bookings.export")) == 1
