"""A sale that is cancelled in Arcavis, whatever its invoice has become meanwhile."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.connectors.bexio.invoices import InvoiceStatus
from sandbox.bexio.faults import Mode
from sandbox.bexio.ledger import RECEIVABLES
from tests.fixtures.service import audited
from tests.fixtures.shop import CASH, INVOICE_TYPE, TODAY, Body, Shop, Tenant

MIXED: list[Body] = [
    {"payment_type_id": CASH, "amount": "3.60"},
    {"payment_type_id": INVOICE_TYPE, "amount": "10.00"},
]


def owed(tenant: Tenant) -> Decimal:
    return tenant.company.ledger.balance(RECEIVABLES)


async def paid_in_bexio(tenant: Tenant, document: Body, value: str) -> None:
    body = {
        "date": TODAY,
        "value": value,
        "bank_account_id": tenant.company.banking_account("1020")["id"],
    }
    await tenant.shop.in_bexio(tenant, "POST", f"/2.0/kb_invoice/{tenant.invoice(document).id}/payment", body)


async def test_cancelled_before_it_was_sent_it_is_never_made(tenant: Tenant) -> None:
    document = await tenant.cancelled(await tenant.accepted())
    assert (document["status"], document["bexio"], document["attention"]) == ("cancelled", None, None)
    assert tenant.in_bexio(document) == []
    assert tenant.writes() == []


async def test_a_draft_is_deleted(shop: Shop, tenant: Tenant) -> None:
    tenant.fault(Mode.UNAVAILABLE_503, "issue$")
    document = await tenant.worked()
    assert tenant.invoice(document).status == InvoiceStatus.DRAFT
    document = await tenant.cancelled(document)
    await shop.finish()
    document = await tenant.shown(document)
    assert (document["status"], document["bexio"], tenant.in_bexio(document)) == ("cancelled", None, [])
    assert owed(tenant) == 0


async def test_who_does_not_wait_is_told_where_to_look(tenant: Tenant) -> None:
    document = await tenant.issued()
    asked = await tenant.post(f"/invoices/{document['id']}/cancel")
    assert (asked.status_code, asked.headers["Location"]) == (202, f"/invoices/{document['id']}")
    await tenant.shop.work()
    assert (await tenant.get(asked.headers["Location"])).json()["status"] == "cancelled"
    again = await tenant.post(f"/invoices/{document['id']}/cancel")
    await tenant.shop.work()
    assert again.status_code in {200, 202}
    assert (await tenant.shown(document))["status"] == "cancelled"


async def test_an_unpaid_invoice_is_cancelled_in_bexio(tenant: Tenant) -> None:
    document = await tenant.issued()
    assert owed(tenant) == Decimal("13.60")
    document = await tenant.cancelled(document)
    assert (document["status"], document["bexio"]["status"]) == ("cancelled", "cancelled")
    assert tenant.invoice(document).status == InvoiceStatus.CANCELLED
    assert owed(tenant) == 0


@pytest.mark.parametrize("value", ["5.00", "13.60"], ids=["part-paid", "paid"])
async def test_an_invoice_with_payments_waits_for_a_person_who_is_told_what_to_do(tenant: Tenant, value: str) -> None:
    document = await tenant.issued()
    await paid_in_bexio(tenant, document, value)
    document = await tenant.cancelled(document)
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "invoice-has-payments"
    assert document["bexio"]["number"] in document["attention"]["detail"]
    assert document["attention"]["remedy"]
    assert tenant.invoice(document).status in {InvoiceStatus.PARTIAL, InvoiceStatus.PAID}
    assert owed(tenant) == Decimal("13.60") - Decimal(value)


async def test_what_was_paid_at_the_till_itself_is_a_payment_too(tenant: Tenant) -> None:
    document = await tenant.cancelled(await tenant.issued(payments=MIXED))
    assert document["attention"]["code"] == "invoice-has-payments"


@pytest.mark.parametrize("lands", [False, True], ids=["it never came", "it landed"])
async def test_a_payment_without_an_answer_is_waited_for_before_the_invoice_is_cancelled(
    shop: Shop, tenant: Tenant, *, lands: bool
) -> None:
    tenant.fault(Mode.ERROR_AFTER_WRITE if lands else Mode.ERROR_BEFORE, "payment$", times=1)
    document = await tenant.issued(payments=MIXED)
    document = await tenant.cancelled(document)
    assert tenant.invoice(document).status == (InvoiceStatus.PARTIAL if lands else InvoiceStatus.PENDING)
    await shop.finish()
    document = await tenant.shown(document)
    if lands:
        assert document["attention"]["code"] == "invoice-has-payments"
    else:
        assert (document["status"], document["attention"]) == ("cancelled", None)
        assert tenant.invoice(document).status == InvoiceStatus.CANCELLED
        assert [row.state for row in await tenant.rows("select state from payment")] == ["planned"]


async def test_a_draft_that_lands_late_goes_even_while_a_person_is_asked_for(shop: Shop, tenant: Tenant) -> None:
    tenant.fault(Mode.ERROR_BEFORE, "kb_invoice$", times=1)
    document = await tenant.worked(payments=MIXED)
    shop.clock.moved += 5
    await shop.work()
    (invoice,) = tenant.in_bexio(document)
    late = {"api_reference": invoice.api_reference, "contact_id": invoice.head["contact_id"], "user_id": 1}
    await tenant.shop.in_bexio(tenant, "POST", "/2.0/kb_invoice", late)
    assert len(tenant.in_bexio(document)) == 2
    document = await tenant.cancelled(document)
    assert (document["status"], document["attention"]["code"]) == ("attention", "invoice-has-payments")
    await shop.finish()
    assert [one.id for one in tenant.in_bexio(document)] == [invoice.id]
    document = await tenant.shown(document)
    assert (document["status"], document["attention"]["code"]) == ("attention", "invoice-has-payments")


async def test_after_the_payments_are_gone_a_retry_cancels_it(tenant: Tenant) -> None:
    document = await tenant.issued()
    await paid_in_bexio(tenant, document, "5.00")
    document = await tenant.cancelled(document)
    invoice = tenant.invoice(document)
    (payment,) = await in_bexio(tenant, "GET", f"/2.0/kb_invoice/{invoice.id}/payment")
    await in_bexio(tenant, "DELETE", f"/2.0/kb_invoice/{invoice.id}/payment/{payment['id']}")
    document = await tenant.retried(document)
    assert (document["status"], document["attention"]) == ("cancelled", None)
    assert invoice.status == InvoiceStatus.CANCELLED


async def in_bexio(tenant: Tenant, method: str, path: str) -> list[Body]:
    found: object = await tenant.shop.in_bexio(tenant, method, path)
    return found if isinstance(found, list) else []


async def test_cancelling_twice_is_cancelling_once(tenant: Tenant) -> None:
    document = await tenant.cancelled(await tenant.issued())
    writes = len(tenant.writes())
    again = await tenant.cancelled(document)
    assert {**again, "updated_at": ""} == {**document, "updated_at": ""}
    assert len(tenant.writes()) == writes
    assert len(await audited(tenant, "sale.cancel")) == 2


async def test_cancelled_in_bexio_by_a_person_is_cancelled(tenant: Tenant) -> None:
    document = await tenant.issued()
    await in_bexio(tenant, "POST", f"/2.0/kb_invoice/{tenant.invoice(document).id}/cancel")
    document = await tenant.cancelled(document)
    assert (document["status"], document["bexio"]["status"]) == ("cancelled", "cancelled")


@pytest.mark.parametrize("mode", [Mode.TIMEOUT_AFTER_WRITE, Mode.LATE_LANDING, Mode.ERROR_AFTER_WRITE, Mode.RESET])
@pytest.mark.parametrize("path", ["kb_invoice$", "issue$", "cancel$"])
async def test_cancelled_while_a_write_has_no_answer_nobody_is_asked_for_money(
    shop: Shop, tenant: Tenant, mode: Mode, path: str
) -> None:
    await tenant.issued()
    before = owed(tenant)
    tenant.fault(mode, path, times=1, seconds=60)
    document = await tenant.worked()
    document = await tenant.cancelled(document)
    await shop.finish()
    document = await tenant.shown(document)
    assert document["status"] == "cancelled"
    assert {one.status for one in tenant.in_bexio(document)} <= {InvoiceStatus.CANCELLED}
    assert owed(tenant) == before


async def test_the_same_sale_after_its_cancel_stays_cancelled(tenant: Tenant) -> None:
    sale = tenant.sale()
    document = await tenant.cancelled((await tenant.post("/invoices", sale)).json())
    again = await tenant.post("/invoices", sale)
    assert (again.status_code, again.json()["status"]) == (200, "cancelled")
    await tenant.shop.work()
    assert tenant.in_bexio(document) == []


async def test_an_order_is_cancelled_in_the_same_way(tenant: Tenant) -> None:
    document = await tenant.issued(to="/orders")
    answer = await tenant.post(f"/orders/{document['id']}/cancel")
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/orders/{document['id']}")
    await tenant.shop.work()
    assert (await tenant.shown(document))["status"] == "cancelled"
    assert tenant.invoice(document).status == InvoiceStatus.CANCELLED
