from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.connectors.arcavis.client import Arcavis
from app.core.errors import ConnectionRefused, RemoteNotFound, RemoteRejected, RemoteUnavailable
from tests.connectors.remote import TILL, Wire

# As the vendor's webhook page shows it, with payments and vouchers in the style of the published booking body.
TRANSACTION = {
    "Id": 2000000000815,
    "Number": "2/815",
    "Title": "Verkauf",
    "TransactionTypeId": 1,
    "IsEndOfDayTransaction": False,
    "SaleDay": "2022-03-28T00:00:00",
    "SaleTime": "2022-03-28T10:57:13.673",
    "PointOfSaleId": 2,
    "UserId": 1,
    "PersonId": 501,
    "StoreId": 1,
    "Amount": 13.6,
    "AmountOpen": 0,
    "AmountPayed": 13.60,
    "ExecutedTime": "2022-03-28T10:57:13.673",
    "SynchedTime": "2022-03-28T10:57:24.2338216",
    "AnnulationTransactionId": None,
    "Remarks": "",
    "StatusCode": None,
    "TransactionArticles": [
        {
            "TransactionId": 2000000000815,
            "Title": "Dressing",
            "ReceiptPosition": 1,
            "ArticleId": 1749,
            "Quantity": 3,
            "TaxRate": 0.025,
            "UnitPrice": 5.04,
            "Discount": 1.5,
            "DiscountPercent": 10,
            "Price": 13.6,
            "NetPrice": 13.27,
            "ExtJson": "{}",
        }
    ],
    "TransactionPayments": [
        {"PaymentTypeId": 7, "Title": "Bexio Rechnung", "Amount": 13.6, "CurrencyIsoCode": "CHF", "Debit": 0}
    ],
    "TransactionVouchers": [{"VoucherId": "G-123", "VoucherTypeId": 1, "Amount": 10.05, "IsIssued": False}],
}
CUSTOMER = {
    "Id": 501,
    "CustomerNumber": "K-501",
    "LanguageId": "de",
    "IsCompany": True,
    "CompanyName": "Müller & Söhne AG",
    "Salutation": "",
    "Firstname": "Max",
    "Name": "Müller",
    "Street": "Hauptstrasse",
    "StreetNumber": 1,
    "PoBox": "",
    "Zip": "8000",
    "City": "Zürich",
    "CountryIsoCode": "CH",
    "ContactEmail": "info@example.ch",
    "Birthdate": None,
    "IsDeleted": False,
}


def envelope(result: object, **beside: object) -> dict[str, Any]:
    return {"Result": result, "IsSuccessful": True, "Message": "", **beside}


REFUSAL = {"Result": None, "IsSuccessful": False, "Message": "NotEnoughFunds"}


async def test_a_transaction_is_read_to_the_rappen() -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/transactions/2000000000815").respond(200, json=envelope(TRANSACTION))
    sale = await wire.arcavis.transactions.get(2000000000815)
    line, payment, voucher = (
        sale.transaction_articles[0],
        sale.transaction_payments[0],
        sale.transaction_vouchers[0],
    )
    assert (sale.id, sale.number, sale.amount_payed) == (2000000000815, "2/815", Decimal("13.6"))
    assert (line.tax_rate, line.price, line.discount) == (Decimal("0.025"), Decimal("13.6"), Decimal("1.5"))
    assert (payment.payment_type_id, payment.amount, payment.debit) == (7, Decimal("13.6"), 0)
    assert voucher.amount == Decimal("10.05")
    assert wire.calls.last.request.headers["Authorization"] == "Basic d2ViYXBpOjEyMzQ1Ng=="


async def test_local_times_are_swiss_with_up_to_seven_decimals() -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/transactions/1").respond(200, json=envelope(TRANSACTION))
    sale = await wire.arcavis.transactions.get(1)
    assert sale.sale_day.date() == date(2022, 3, 28)
    assert sale.sale_time == datetime(2022, 3, 28, 8, 57, 13, 673000, tzinfo=UTC)
    assert sale.synched_time == datetime(2022, 3, 28, 8, 57, 24, 233821, tzinfo=UTC)


async def test_empty_texts_are_none() -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/customers/501").respond(200, json=envelope(CUSTOMER))
    customer = await wire.arcavis.customers.get(501)
    assert (customer.salutation, customer.po_box, customer.contact_phone) == (None, None, None)
    assert (customer.street_number, customer.company_name) == ("1", "Müller & Söhne AG")
    assert "Müller" not in repr(customer) + str(customer)


async def test_all_pages_are_read_and_the_first_carries_the_cursor() -> None:
    wire = Wire()
    answers = [
        envelope([CUSTOMER], DataAgeTicks=636458124504177201, DeletedIds=[], TotalPages=2),
        envelope([{**CUSTOMER, "Id": 502}], DataAgeTicks=636458124504177202, TotalPages=2),
    ]
    route = wire.get(f"{TILL}/api/customers")
    route.side_effect = [httpx.Response(200, json=one) for one in answers]
    pages = [page async for page in wire.arcavis.customers.pages()]
    assert [one.id for page in pages for one in page.result] == [501, 502]
    assert pages[0].data_age_ticks == 636458124504177201
    assert wire.sent() == [
        "GET /api/customers?page=1&pageSize=500",
        "GET /api/customers?page=2&pageSize=500",
    ]


async def test_changes_since_come_whole_with_what_was_deleted() -> None:
    wire = Wire()
    diff = envelope([CUSTOMER], DataAgeTicks=636458124504177299, DeletedIds=[7, 8])
    wire.get(f"{TILL}/api/customers").respond(200, json=diff)
    changes = await wire.arcavis.customers.changed_since(636458124504177201)
    assert (changes.data_age_ticks, changes.deleted_ids) == (636458124504177299, (7, 8))
    assert wire.sent() == ["GET /api/customers?changedSinceTicks=636458124504177201"]


async def test_sale_days_are_asked_for_with_both_ends() -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/transactions").respond(200, json=envelope([TRANSACTION], TotalPages=1))
    days = wire.arcavis.transactions.pages(date(2026, 11, 1), date(2026, 11, 30))
    assert [[sale.id for sale in page.result] async for page in days] == [[2000000000815]]
    assert wire.sent() == ["GET /api/transactions?dateFrom=2026-11-01&dateTo=2026-11-30&page=1&pageSize=500"]


HELPERS: list[tuple[Callable[[Arcavis], Awaitable[Any]], str, dict[str, Any]]] = [
    (
        lambda arcavis: arcavis.payment_types.list(),
        "paymenttypes",
        {"Id": 7, "Title": "Bexio Rechnung", "IsCash": False, "IsActive": True, "IsCustomerRequired": True},
    ),
    (lambda arcavis: arcavis.stores.list(), "stores", {"Id": 1, "Title": "Zürich"}),
    (
        lambda arcavis: arcavis.points_of_sale.list(),
        "pointofsales",
        {"Id": 2, "Title": "Kasse 2", "StoreId": 1},
    ),
    (
        lambda arcavis: arcavis.taxes.list(),
        "taxes",
        {"Id": 1, "Title": "Normalsatz", "TaxRate": 0.081, "IsActive": True},
    ),
    (lambda arcavis: arcavis.transaction_types.list(), "transactiontypes", {"Id": 1, "Title": "Verkauf"}),
]


@pytest.mark.parametrize(("read", "resource", "row"), HELPERS)
async def test_helper_resources_are_read_whole(
    read: Callable[[Arcavis], Awaitable[Any]], resource: str, row: dict[str, Any]
) -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/{resource}").respond(200, json=envelope([row]))
    (found,) = await read(wire.arcavis)
    assert (found.id, found.title) == (row["Id"], row["Title"])
    assert wire.sent() == [f"GET /api/{resource}"]


async def test_a_refusal_with_status_200_is_a_refusal() -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/paymenttypes").respond(200, json=REFUSAL)
    with pytest.raises(RemoteRejected) as refused:
        await wire.arcavis.payment_types.list()
    assert (refused.value.code, refused.value.reasons) == ("arcavis-refused", ("NotEnoughFunds",))
    assert not isinstance(refused.value, RemoteNotFound)
    assert len(wire.calls) == 1


@pytest.mark.parametrize("status", [200, 404])
async def test_an_unknown_id_is_not_found_however_it_is_said(status: int) -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/customers/9").respond(status, json={**REFUSAL, "Message": "NotFound"})
    with pytest.raises(RemoteNotFound, match="arcavis-not-found"):
        await wire.arcavis.customers.get(9)


@pytest.mark.parametrize("content", ["<html>Wartung</html>", '{"Result": [{"Id": 1'])
async def test_an_answer_that_is_no_json_is_worth_another_try_later(content: str) -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/stores").respond(200, content=content)
    with pytest.raises(RemoteUnavailable, match="arcavis-answer-unreadable"):
        await wire.arcavis.stores.list()


@pytest.mark.parametrize("answer", [[], {"Hello": "world"}, envelope(None), envelope([{"Id": "x"}])])
async def test_what_does_not_speak_like_arcavis_does_not_pass_the_check(answer: object) -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/stores").respond(200, json=answer)
    with pytest.raises(RemoteRejected, match="arcavis-answer-unreadable"):
        await wire.arcavis.ping()


async def test_the_check_reads_one_small_list() -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/stores").respond(200, json=envelope([{"Id": 1, "Title": "Zürich"}]))
    await wire.arcavis.ping()
    assert wire.sent() == ["GET /api/stores"]


@pytest.mark.parametrize("status", [401, 403])
async def test_wrong_credentials_and_missing_licences_are_told_apart_from_failures(status: int) -> None:
    wire = Wire()
    wire.get(f"{TILL}/api/stores").respond(status, json={**REFUSAL, "Message": "Unauthorized"})
    with pytest.raises(ConnectionRefused):
        await wire.arcavis.ping()
