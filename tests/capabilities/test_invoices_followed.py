"""What happened to an invoice in bexio meanwhile is neither forgotten nor overlooked by a later turn of work."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.capabilities.documents.following import KIND
from app.core.priority import Priority
from app.jobs import operations
from sandbox.bexio.faults import Mode
from tests.fixtures.shop import CASH, INVOICE_TYPE, TODAY, Body, Shop, Tenant, line_of


def part(cash: str, invoice: str) -> list[Body]:
    return [{"payment_type_id": CASH, "amount": cash}, {"payment_type_id": INVOICE_TYPE, "amount": invoice}]


async def paid_in_bexio(tenant: Tenant, document: Body, value: str) -> None:
    account = tenant.company.banking_account("1000")["id"]
    body = {"date": TODAY, "value": value, "bank_account_id": account}
    await tenant.shop.in_bexio(tenant, "POST", f"/2.0/kb_invoice/{tenant.invoice(document).id}/payment", body)


async def followed(tenant: Tenant) -> None:
    """What changed in bexio is read, as it is every few minutes."""
    shop = tenant.shop
    async with shop.db.begin(tenant.id) as session:
        now = shop.clock.now()
        await operations.add(session, tenant=tenant.id, kind=KIND, subject=tenant.id, priority=Priority.BULK, now=now)
        await operations.rearm(session, kind=KIND, subject=tenant.id, now=now)
    await shop.work()


async def standing(tenant: Tenant, document: Body) -> tuple[str, str]:
    side = (await tenant.shown(document))["bexio"]
    return side["status"], side["open_amount"]


async def test_a_retry_does_not_make_a_paid_invoice_open_again(tenant: Tenant) -> None:
    document = await tenant.issued()
    await paid_in_bexio(tenant, document, "13.60")
    await followed(tenant)
    assert await standing(tenant, document) == ("paid", "0.00")
    await tenant.retried(document)
    assert await standing(tenant, document) == ("paid", "0.00")


async def test_tidying_up_later_does_not_make_a_paid_invoice_open_again(shop: Shop, tenant: Tenant) -> None:
    await tenant.issued()
    tenant.fault(Mode.ERROR_AFTER_WRITE, "kb_invoice$", times=1)
    document = await tenant.worked()
    await shop.later(10)
    assert await standing(tenant, document) == ("open", "13.60")
    await paid_in_bexio(tenant, document, "13.60")
    await followed(tenant)
    for seconds in (100, 400, 2000):
        await shop.later(seconds)
        assert await standing(tenant, document) == ("paid", "0.00")
    (work,) = await tenant.rows("select state from operation where subject_id = :id", id=document["id"])
    assert work.state == "done"


async def test_a_turn_that_asked_bexio_itself_shows_what_it_was_told(tenant: Tenant) -> None:
    document = await tenant.issued()
    await paid_in_bexio(tenant, document, "5.00")
    await tenant.cancelled(document)
    assert await standing(tenant, document) == ("partial", "8.60")


async def test_cash_that_the_bookkeeper_entered_on_an_adopted_invoice_is_not_doubled(
    shop: Shop, tenant: Tenant
) -> None:
    await tenant.issued()
    tenant.fault(Mode.ERROR_AFTER_WRITE, "issue$", times=1)
    document = await tenant.worked(payments=part("3.60", "10.00"))
    assert document["bexio"] is None
    await paid_in_bexio(tenant, document, "3.60")
    await shop.finish()
    document = await tenant.shown(document)
    assert document["attention"]["code"] == "payment-recorded-by-hand"
    assert tenant.company.ledger.balance("1000") == Decimal("3.60")


@pytest.mark.parametrize(("cash", "sent"), [("13.60", "13.60"), ("13.61", "0.00")])
async def test_no_more_is_paid_at_the_till_than_bexio_asks_for(shop: Shop, cash: str, sent: str) -> None:
    tenant = await shop.tenant(round_factor=Decimal("0.05"))
    rest = str(Decimal("13.62") - Decimal(cash))
    document = await tenant.worked(line_of("13.62"), payments=part(cash, rest))
    assert document["bexio"]["total"] == "13.60"
    assert tenant.company.ledger.balance("1000") == Decimal(sent)
    asked = document["attention"]["code"] if document["attention"] else None
    assert asked == (None if sent == cash else "payment-exceeds-open-amount")
