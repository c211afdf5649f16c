"""The client against the simulated bexio, in process: what one sends, the other accepts, and books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import httpx
import pytest

from app.connectors.bexio.client import Bexio
from app.connectors.bexio.contacts import ContactCreate, ContactEdit, ContactType
from app.connectors.bexio.criteria import equal
from app.connectors.bexio.invoices import InvoiceCreate, InvoiceSend, InvoiceStatus
from app.connectors.bexio.orders import OrderCreate, OrderStatus
from app.connectors.bexio.payments import PaymentCreate
from app.connectors.bexio.positions import (
    AnyPosition,
    ArticlePosition,
    CustomPosition,
    DiscountPosition,
    InlinePosition,
    PagebreakPosition,
    Subposition,
    SubtotalPosition,
    TextPosition,
)
from app.connectors.bexio.sales_tax import sales_tax
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import ConnectionRefused, RemoteNotFound, RemoteRejected
from app.core.swiss_time import to_local_text
from sandbox.bexio.app import create_app
from sandbox.bexio.seed import COMPANY_ID, seed_shop
from sandbox.bexio.world import World
from tests.connectors.conftest import ManualClock

DAY = date(2026, 11, 20)
TOKEN = "sandbox-token"
Connect = Callable[[str], Bexio]


@pytest.fixture
def world(clock: ManualClock) -> World:
    world = World(clock.now, clock.sleep)
    seed_shop(world)
    world.add_token(COMPANY_ID, TOKEN)
    return world


@pytest.fixture
def connect(world: World, clock: ManualClock) -> Connect:
    def with_token(token: str) -> Bexio:
        clients = HttpClients(lambda _: httpx.ASGITransport(create_app(world)))
        upstream = Upstream("bexio", COMPANY_ID, "http://bexio")
        return Bexio(Transport(upstream, clients, clock, f"Bearer {token}", jitter=lambda: 0.0))

    return with_token


@pytest.fixture
def bexio(connect: Connect) -> Bexio:
    return connect(TOKEN)


def person(**fields: object) -> ContactCreate:
    known = {"contact_type_id": ContactType.PERSON, "name_1": "Müller", "user_id": 1, "owner_id": 1}
    return ContactCreate.model_validate(known | fields)


async def priced(bexio: Bexio, amount: str, price: str, rate: str = "8.1") -> CustomPosition:
    (account,) = await bexio.accounts.search(equal("account_no", "3200"))
    tax = sales_tax(await bexio.taxes.list(), Decimal(rate), DAY)
    return CustomPosition(
        amount=Decimal(amount), unit_price=Decimal(price), account_id=account.id, tax_id=tax.id, text="Ware"
    )


async def draft(bexio: Bexio, *lines: InlinePosition) -> InvoiceCreate:
    (chf,) = [row for row in await bexio.currencies.list() if row.name == "CHF"]
    contact = (await bexio.contacts.search(equal("contact_type_id", 1)))[0]
    return InvoiceCreate(
        title="2/815",
        contact_id=contact.id,
        user_id=(await bexio.users.me()).id,
        language_id=1,
        bank_account_id=(await bexio.banking_accounts.list())[0].id,
        currency_id=chf.id,
        payment_type_id=4,
        is_valid_from=DAY,
        is_valid_to=DAY + timedelta(days=30),
        api_reference=uuid4().hex,
        positions=lines,
    )


async def test_everything_that_is_only_read_is_read(bexio: Bexio) -> None:
    (company,) = await bexio.company_profile.list()
    assert company.name == "Feinkost Zürihorn AG"
    for listing in (
        bexio.accounts,
        bexio.articles,
        bexio.banking_accounts,
        bexio.business_years,
        bexio.calendar_years,
        bexio.contact_groups,
        bexio.countries,
        bexio.currencies,
        bexio.item_settings,
        bexio.languages,
        bexio.payment_types,
        bexio.salutations,
        bexio.units,
        bexio.users,
        bexio.vat_periods,
    ):
        assert await listing.list()
    assert {tax.code for tax in await bexio.taxes.active_sales(DAY)} >= {"UN81", "UR26"}
    assert (await bexio.permissions()).components


async def test_contacts_are_made_found_changed_and_followed(bexio: Bexio, clock: ManualClock) -> None:
    group = await bexio.contact_groups.create("Laufkundschaft")
    before = to_local_text(clock.now())
    made = await bexio.contacts.create(
        person(
            name_2="Zoë",
            salutation_id=0,
            street_name="Hauptstrasse",
            house_number="1a",
            postcode="8004",
            city="Zürich",
            country_id=1,
            mail="zoe@example.ch",
            phone_mobile=None,
            contact_group_ids=(group.id,),
        )
    )
    assert (made.contact_group_ids, made.salutation_id) == ((group.id,), None)
    assert await bexio.contacts.search(equal("mail", "zoe@example.ch")) == (await bexio.contacts.get(made.id),)
    changed = await bexio.contacts.edit(made.id, ContactEdit(city="Winterthur"))
    assert (changed.city, changed.street_name, changed.mail) == ("Winterthur", "Hauptstrasse", "zoe@example.ch")
    recent = [row.id async for page in bexio.contacts.pages(updated_since=before) for row in page]
    assert made.id in recent


async def test_contacts_are_made_in_bulk(bexio: Bexio) -> None:
    made = await bexio.contacts.bulk_create([person(name_2=str(one)) for one in range(20)])
    assert [row.name_2 for row in made] == [str(one) for one in range(20)]


async def test_an_invoice_lives_from_draft_to_paid_and_back(bexio: Bexio) -> None:
    lines = (await priced(bexio, "3", "5.04"), TextPosition(text="Gratis"), await priced(bexio, "1", "2.50", "2.6"))
    order = await draft(bexio, *lines)
    made = await bexio.invoices.create(order)
    assert (made.kb_item_status_id, made.api_reference) == (InvoiceStatus.DRAFT, order.api_reference)
    assert made.total + Decimal(0) == Decimal("17.60")
    assert sum((line.position_total or Decimal(0)) for line in made.positions) == Decimal("17.62")
    assert made.total_rounding_difference == Decimal("-0.02")
    await bexio.invoices.issue(made.id)
    await bexio.invoices.mark_as_sent(made.id)
    (found,) = await bexio.invoices.by_api_reference(order.api_reference)
    assert found.kb_item_status_id == InvoiceStatus.PENDING
    payments = bexio.payments(made.id)
    bank = (await bexio.banking_accounts.list())[0].id
    first = await payments.create(PaymentCreate(date=DAY, value=Decimal(10), bank_account_id=bank))
    assert (await bexio.invoices.get(made.id)).kb_item_status_id == InvoiceStatus.PARTIAL
    await payments.create(PaymentCreate(date=DAY, value=Decimal("7.60"), bank_account_id=bank))
    paid = await bexio.invoices.get(made.id)
    assert (paid.kb_item_status_id, paid.total_remaining_payments) == (InvoiceStatus.PAID, 0)
    assert {one.value for one in await payments.list()} == {Decimal(10), Decimal("7.60")}
    await payments.delete(first.id)
    assert (await bexio.invoices.get(made.id)).total_remaining_payments == Decimal(10)
    assert await bexio.invoices.pdf(made.id)


async def test_an_issued_invoice_is_cancelled_and_a_draft_is_deleted(bexio: Bexio) -> None:
    line = await priced(bexio, "1", "20")
    issued = await bexio.invoices.create(await draft(bexio, line))
    await bexio.invoices.issue(issued.id)
    with pytest.raises(RemoteRejected):
        await bexio.invoices.delete(issued.id)
    await bexio.invoices.cancel(issued.id)
    assert (await bexio.invoices.get(issued.id)).kb_item_status_id == InvoiceStatus.CANCELLED
    stray = await bexio.invoices.create(await draft(bexio, line))
    await bexio.invoices.delete(stray.id)
    with pytest.raises(RemoteNotFound):
        await bexio.invoices.get(stray.id)


async def test_positions_of_every_type_are_added_to_a_draft(bexio: Bexio) -> None:
    line = await priced(bexio, "1", "20")
    article = (await bexio.articles.list())[0]
    made = await bexio.invoices.create(await draft(bexio, line))
    more: list[AnyPosition] = [
        ArticlePosition(article_id=article.id, **dict(line)),
        TextPosition(text="Danke"),
        SubtotalPosition(text="Zwischentotal"),
        DiscountPosition(text="Treue", is_percentual=True, value=Decimal("12.5")),
        PagebreakPosition(),
        Subposition(text="Weiteres"),
    ]
    for position in more:
        await bexio.invoices.add_position(made.id, position)
    shown = await bexio.invoices.get(made.id)
    assert [row.type for row in shown.positions] == [line.type_name, *[one.type_name for one in more]]
    assert shown.total == Decimal("35.00")


async def test_a_mail_is_sent_for_an_issued_invoice(bexio: Bexio) -> None:
    made = await bexio.invoices.create(await draft(bexio, await priced(bexio, "1", "20")))
    await bexio.invoices.issue(made.id)
    mail = InvoiceSend(recipient_email="a@example.ch", subject="Rechnung", message="Hier: [Network Link]")
    await bexio.invoices.send(made.id, mail)


async def test_an_order_is_made(bexio: Bexio) -> None:
    head = dict(await draft(bexio, await priced(bexio, "2", "4.50")))
    fields = {name: head[name] for name in OrderCreate.model_fields}
    made = await bexio.orders.create(OrderCreate(**fields))
    shown = await bexio.orders.get(made.id)
    assert (shown.kb_item_status_id, shown.total) == (OrderStatus.PENDING, Decimal(9))
    assert [row.id for row in await bexio.orders.search(equal("contact_id", shown.contact_id or 0))] == [made.id]


async def test_an_unknown_token_is_refused(connect: Connect) -> None:
    with pytest.raises(ConnectionRefused):
        await connect("nobody").users.me()
