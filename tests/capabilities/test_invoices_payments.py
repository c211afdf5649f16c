"""Money and mail around an invoice: parts paid at the till, open invoices paid there, and the customer's mail."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.connectors.bexio.invoices import InvoiceStatus
from sandbox.bexio.faults import Mode
from tests.fixtures.shop import CARD, CASH, INVOICE_TYPE, TODAY, TWINT, VOUCHER, Body, Shop, Tenant


def parts(**amounts: str) -> list[Body]:
    kinds = {"cash": CASH, "card": CARD, "twint": TWINT, "voucher": VOUCHER, "invoice": INVOICE_TYPE}
    return [{"payment_type_id": kinds[name], "amount": amount} for name, amount in amounts.items()]


def booked(tenant: Tenant, account: str) -> Decimal:
    return tenant.company.ledger.balance(account)


async def test_what_was_paid_at_the_till_is_recorded_on_the_bank_account_of_its_kind(tenant: Tenant) -> None:
    document = await tenant.issued(payments=parts(cash="2.00", card="3.60", twint="1.00", invoice="7.00"))
    assert (document["bexio"]["status"], document["bexio"]["open_amount"]) == ("partial", "7.00")
    assert [booked(tenant, account) for account in ("1000", "1021", "1022")] == [
        Decimal("2.00"),
        Decimal("3.60"),
        Decimal("1.00"),
    ]
    assert booked(tenant, "1100") == Decimal("7.00")


async def test_a_part_whose_kind_has_no_bank_account_waits_and_goes_on_when_it_has(tenant: Tenant) -> None:
    document = await tenant.worked(payments=parts(voucher="3.60", invoice="10.00"))
    assert document["attention"]["code"] == "payment-type-not-mapped"
    assert VOUCHER in document["attention"]["detail"]
    assert document["attention"]["remedy"]
    accounts = {**tenant.settings["payment_bank_accounts"], VOUCHER: tenant.company.banking_account("1000")["id"]}
    await tenant.set(payment_bank_accounts=accounts)
    document = await tenant.retried(document)
    assert (document["status"], document["bexio"]["open_amount"]) == ("issued", "10.00")


async def test_a_payment_is_seen_where_its_answer_says(tenant: Tenant) -> None:
    document = await tenant.issued()
    taken = await tenant.post(f"/invoices/open/{document['bexio']['id']}/payments", payment(document, "5.00"))
    await tenant.shop.work()
    seen = await tenant.get(taken.headers["Location"], role="pos")
    assert (seen.status_code, seen.json()["status"], seen.json()["id"]) == (200, "recorded", taken.json()["id"])
    missing = await tenant.get(f"/invoices/open/payments/{document['id']}")
    assert (missing.status_code, missing.json()["code"]) == (404, "payment-not-found")


async def test_a_key_that_was_used_for_one_payment_is_refused_for_another(tenant: Tenant) -> None:
    document = await tenant.issued()
    path, key = f"/invoices/open/{document['bexio']['id']}/payments", {"Idempotency-Key": "till-1-4711"}
    assert (await tenant.post(path, payment(document, "5.00"), headers=key)).status_code == 202
    again = await tenant.post(path, payment(document, "5.00"), headers=key)
    assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
    other = await tenant.post(path, payment(document, "5.00", transaction_id="4712"), headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")


@pytest.mark.parametrize("mode", [Mode.TIMEOUT_AFTER_WRITE, Mode.LATE_LANDING, Mode.ERROR_AFTER_WRITE, Mode.RESET])
async def test_a_part_without_an_answer_is_recorded_once(shop: Shop, tenant: Tenant, mode: Mode) -> None:
    await tenant.issued()
    tenant.fault(mode, "payment$", times=1, seconds=60)
    document = await tenant.accepted(payments=parts(cash="2.00", card="2.00", invoice="9.60"))
    await shop.finish()
    document = await tenant.shown(document)
    assert (document["status"], document["bexio"]["open_amount"]) == ("issued", "9.60")
    assert (booked(tenant, "1000"), booked(tenant, "1021")) == (Decimal("2.00"), Decimal("2.00"))


def payment(document: Body, amount: str = "13.60", **changes: str) -> Body:
    given = {"transaction_id": "4711", "date": TODAY, "payment_type_id": CASH, "amount": amount}
    return {**given, **changes}


async def test_an_open_invoice_is_found_by_number_and_by_customer_until_it_is_paid(tenant: Tenant) -> None:
    document = await tenant.issued()
    for query in (f"number={document['bexio']['number']}", "contact=501"):
        (found,) = (await tenant.get(f"/invoices/open?{query}", role="pos")).json()["items"]
        assert (found["bexio_id"], found["open_amount"]) == (document["bexio"]["id"], "13.60")
    assert (await tenant.get("/invoices/open?number=RE-99999")).json()["items"] == []
    assert (await tenant.get("/invoices/open?contact=nobody")).json()["items"] == []
    refused = await tenant.get("/invoices/open")
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/number")
    answer = await tenant.post(f"/invoices/open/{document['bexio']['id']}/payments", payment(document), role="pos")
    assert answer.status_code == 202, answer.text
    await tenant.shop.work()
    assert (await tenant.get("/invoices/open?contact=501")).json()["items"] == []
    assert tenant.invoice(document).status == InvoiceStatus.PAID
    assert booked(tenant, "1000") == Decimal("13.60")
    assert (await tenant.shown(document))["bexio"]["status"] == "paid"


async def test_the_same_payment_again_is_recorded_once_and_another_amount_is_refused(tenant: Tenant) -> None:
    document = await tenant.issued()
    path = f"/invoices/open/{document['bexio']['id']}/payments"
    first = await tenant.post(path, payment(document, "5.00"))
    again = await tenant.post(path, payment(document, "5.00"))
    assert (first.status_code, again.status_code, again.json()["id"]) == (202, 200, first.json()["id"])
    other = await tenant.post(path, payment(document, "6.00"))
    assert (other.status_code, other.json()["code"]) == (409, "payment-conflict")
    await tenant.shop.work()
    assert (await tenant.post(path, payment(document, "5.00"))).json()["status"] == "recorded"
    second = await tenant.post(path, payment(document, "5.00", transaction_id="4712"))
    assert second.status_code == 202
    await tenant.shop.work()
    assert booked(tenant, "1000") == Decimal("10.00")


@pytest.mark.parametrize("mode", [Mode.TIMEOUT_AFTER_WRITE, Mode.LATE_LANDING, Mode.ERROR_AFTER_WRITE, Mode.RESET])
async def test_a_payment_at_the_till_without_an_answer_is_recorded_once(shop: Shop, tenant: Tenant, mode: Mode) -> None:
    document = await tenant.issued()
    tenant.fault(mode, "payment$", times=1, seconds=60)
    await tenant.post(f"/invoices/open/{document['bexio']['id']}/payments", payment(document, "5.00"))
    await shop.finish()
    assert booked(tenant, "1000") == Decimal("5.00")
    assert (await tenant.shown(document))["bexio"]["open_amount"] == "8.60"


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"amount": "0.00"}, "payment-not-positive", "/amount"),
        ({"amount": "-1.00"}, "payment-not-positive", "/amount"),
        ({"date": "1999-01-01"}, "sale-date-out-of-range", "/date"),
        ({"amount": "1.234"}, "invalid-input", "/amount"),
        ({"note": "x"}, "invalid-input", "/note"),
    ],
)
async def test_a_payment_that_cannot_be_is_refused_and_leaves_nothing(
    tenant: Tenant, changes: Body, code: str, pointer: str
) -> None:
    answer = await tenant.post("/invoices/open/42/payments", payment({}, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert answer.json()["remedy"]
    assert await tenant.rows("select 1 from payment") == await tenant.rows("select 1 from operation") == []


async def test_a_payment_of_an_invoice_that_bexio_lacks_waits_for_a_person(tenant: Tenant) -> None:
    answer = await tenant.post("/invoices/open/4242/payments", payment({}))
    assert answer.status_code == 202
    await tenant.shop.finish()
    (item,) = (await tenant.get("/attention?state=open")).json()["items"]
    assert item["subject_kind"] == "payment"
    assert item["remedy"]


async def test_the_customer_gets_one_mail_when_the_setting_says_so(tenant: Tenant) -> None:
    await tenant.issued()
    assert sent(tenant) == 0
    await tenant.set(invoice_send_mail=True)
    await tenant.issued()
    assert sent(tenant) == 1
    await tenant.issued(customer={**SOMEBODY, "email": None})
    assert sent(tenant) == 1


@pytest.mark.parametrize("mode", [Mode.TIMEOUT_AFTER_WRITE, Mode.ERROR_AFTER_WRITE, Mode.RESET])
async def test_a_mail_without_an_answer_is_not_sent_on_a_guess(shop: Shop, tenant: Tenant, mode: Mode) -> None:
    await tenant.set(invoice_send_mail=True)
    await tenant.issued()
    tenant.fault(mode, "send$", times=1, seconds=60)
    document = await tenant.accepted()
    await shop.finish()
    document = await tenant.shown(document)
    assert (document["status"], document["bexio"]["status"]) == ("issued", "open")
    assert document["attention"]["code"] == "mail-outcome-unknown"
    assert document["bexio"]["number"] in document["attention"]["detail"]
    assert sent(tenant) == 2


async def test_a_mail_that_bexio_had_no_time_for_is_sent_later(tenant: Tenant) -> None:
    await tenant.set(invoice_send_mail=True)
    tenant.fault(Mode.STORM_429, "send$", times=3, seconds=20)
    document = await tenant.worked()
    assert document["bexio"]["status"] == "open"
    assert sent(tenant) == 0
    await tenant.shop.finish()
    assert (await tenant.shown(document))["attention"] is None
    assert sent(tenant) == 1


SOMEBODY: Body = {
    "arcavis_id": "501",
    "customer_number": "K-501",
    "is_company": True,
    "company_name": "Muster AG",
    "email": "info@muster.ch",
}


def sent(tenant: Tenant) -> int:
    """Mails that bexio sent."""
    return len(tenant.company.mails)


async def test_an_invoice_in_euro_is_neither_offered_nor_paid_as_francs(tenant: Tenant) -> None:
    document = await tenant.issued()
    tenant.invoice(document).head["currency_id"] = 2
    for query in (f"number={document['bexio']['number']}", "contact=501"):
        assert (await tenant.get(f"/invoices/open?{query}")).json()["items"] == []
    await tenant.post(f"/invoices/open/{document['bexio']['id']}/payments", payment(document))
    await tenant.shop.work()
    (item,) = (await tenant.get("/attention?state=open")).json()["items"]
    assert (item["subject_kind"], item["code"]) == ("payment", "currency-not-supported")
    assert booked(tenant, "1000") == 0


async def test_a_setting_that_changes_later_mails_no_old_invoices(tenant: Tenant) -> None:
    document = await tenant.issued()
    await tenant.set(invoice_send_mail=True)
    await tenant.retried(document)
    assert sent(tenant) == 0
