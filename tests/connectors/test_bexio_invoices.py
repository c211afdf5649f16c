from __future__ import annotations

import base64
from datetime import date
from decimal import Decimal

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.connectors.bexio.invoices import InvoiceCreate, InvoiceSend, InvoiceStatus
from app.connectors.bexio.orders import OrderCreate
from app.connectors.bexio.payments import PaymentCreate
from app.connectors.bexio.positions import POSITION as POSITION_SHAPE
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
from app.core.errors import OutcomeUnknown, RemoteRejected, RemoteUnavailable
from tests.connectors.remote import API, Wire

INVOICE = {
    "id": 42,
    "document_nr": "RE-00042",
    "title": "2/815",
    "contact_id": 14,
    "user_id": 1,
    "language_id": 1,
    "bank_account_id": 1,
    "currency_id": 1,
    "payment_type_id": 4,
    "mwst_type": 0,
    "mwst_is_net": False,
    "is_valid_from": "2026-11-20",
    "is_valid_to": "2026-12-20",
    "kb_item_status_id": 7,
    "reference": "",
    "api_reference": "tenant/sale/2000000000815",
    "total_gross": "13.600000",
    "total_net": "13.260000",
    "total_taxes": "0.3446",
    "total_received_payments": "0",
    "total_credit_vouchers": "0",
    "total_remaining_payments": "13.6000",
    "total": "13.6",
    "total_rounding_difference": -0.02,
    "taxs": [{"percentage": "2.60", "value": "0.3446"}],
    "updated_at": "2026-11-20 10:00:00",
}
POSITION = {
    "id": 4,
    "type": "KbPositionCustom",
    "amount": "3.000000",
    "amount_reserved": None,
    "unit_id": None,
    "account_id": 101,
    "tax_id": 15,
    "tax_value": "2.60",
    "text": "Dressing",
    "unit_price": "5.040000",
    "discount_in_percent": "10.052910",
    "position_total": "13.600000",
    "pos": "1",
    "internal_pos": 1,
}
TEXT = {"id": 5, "type": "KbPositionText", "text": "Gratis", "show_pos_nr": False, "internal_pos": 2}
SHOWN = {**INVOICE, "positions": [POSITION, TEXT]}

CUSTOM = CustomPosition(
    amount=Decimal("3.000"),
    unit_price=Decimal("5.040"),
    discount_in_percent=Decimal("10.052910"),
    account_id=101,
    tax_id=15,
    text="Dressing",
)
CUSTOM_BODY: dict[str, object] = {
    "amount": "3",
    "unit_price": "5.04",
    "discount_in_percent": "10.05291",
    "account_id": 101,
    "tax_id": 15,
    "text": "Dressing",
}
ARTICLE = ArticlePosition(
    amount=Decimal(1), unit_price=Decimal("-2.5"), account_id=101, tax_id=15, text="Pfand", unit_id=1, article_id=12
)
EACH_POSITION: list[tuple[AnyPosition, str, dict[str, object]]] = [
    (CUSTOM, "kb_position_custom", CUSTOM_BODY),
    (
        ARTICLE,
        "kb_position_article",
        {
            "amount": "1",
            "unit_price": "-2.5",
            "account_id": 101,
            "tax_id": 15,
            "text": "Pfand",
            "unit_id": 1,
            "article_id": 12,
        },
    ),
    (TextPosition(text="Gratis"), "kb_position_text", {"text": "Gratis", "show_pos_nr": False}),
    (SubtotalPosition(text="Summe"), "kb_position_subtotal", {"text": "Summe"}),
    (
        DiscountPosition(text="Treue", is_percentual=True, value=Decimal("5.0")),
        "kb_position_discount",
        {"text": "Treue", "is_percentual": True, "value": "5"},
    ),
    (PagebreakPosition(), "kb_position_pagebreak", {"pagebreak": True}),
    (Subposition(text="Menü"), "kb_position_subposition", {"text": "Menü", "show_pos_nr": False}),
]


def draft(*positions: InlinePosition) -> InvoiceCreate:
    return InvoiceCreate(
        title="2/815",
        contact_id=14,
        user_id=1,
        language_id=1,
        bank_account_id=None,
        currency_id=1,
        payment_type_id=4,
        is_valid_from=date(2026, 11, 20),
        is_valid_to=date(2026, 12, 20),
        api_reference="tenant/sale/2000000000815",
        positions=positions,
    )


async def test_a_draft_has_gross_prices_and_no_number_of_ours() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice").respond(201, json=SHOWN)
    made = await wire.bexio.invoices.create(draft(CUSTOM, TextPosition(text="Gratis"), ARTICLE))
    assert wire.last_body() == {
        "title": "2/815",
        "contact_id": 14,
        "user_id": 1,
        "language_id": 1,
        "currency_id": 1,
        "payment_type_id": 4,
        "is_valid_from": "2026-11-20",
        "is_valid_to": "2026-12-20",
        "api_reference": "tenant/sale/2000000000815",
        "mwst_type": 0,
        "mwst_is_net": False,
        "positions": [
            {"type": "KbPositionCustom", **CUSTOM_BODY},
            {"type": "KbPositionText", "text": "Gratis", "show_pos_nr": False},
            {"type": "KbPositionArticle", **EACH_POSITION[1][2]},
        ],
    }
    assert made.kb_item_status_id == InvoiceStatus.DRAFT
    assert (made.total, made.total_rounding_difference) == (Decimal("13.6"), Decimal("-0.02"))
    assert [(line.type, line.position_total) for line in made.positions] == [
        ("KbPositionCustom", Decimal("13.600000")),
        ("KbPositionText", None),
    ]


async def test_a_body_is_sent_as_compact_utf_8_json() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice/42/kb_position_text").respond(201, json=TEXT)
    await wire.bexio.invoices.add_position(42, TextPosition(text="Rüebli à 2.50"))
    assert wire.calls.last.request.content == '{"text":"Rüebli à 2.50","show_pos_nr":false}'.encode()


@pytest.mark.parametrize(("position", "segment", "body"), EACH_POSITION)
async def test_a_position_of_each_type_is_added_without_its_type(
    position: AnyPosition, segment: str, body: dict[str, object]
) -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice/42/{segment}").respond(201, json=POSITION)
    added = await wire.bexio.invoices.add_position(42, position)
    assert wire.last_body() == body
    assert added.position_total == Decimal("13.60")


async def test_every_position_that_may_stand_in_a_draft_is_allowed_there() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice").respond(201, json=SHOWN)
    lines = [position for position, *_ in EACH_POSITION if not isinstance(position, Subposition)]
    await wire.bexio.invoices.create(draft(*lines))
    sent = wire.last_body()
    assert isinstance(sent, dict)
    assert len(sent["positions"]) == 6  # pyright: ignore[reportUnknownArgumentType]


def test_a_draft_takes_no_more_than_150_positions() -> None:
    assert len(draft(*[CUSTOM] * 150).positions) == 150
    with pytest.raises(ValidationError):
        draft(*[CUSTOM] * 151)


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6))
def test_a_number_is_written_exactly_and_plainly(number: Decimal) -> None:
    written = str(CUSTOM.model_copy(update={"amount": number}).body()["amount"])
    assert Decimal(written) == number
    assert "E" not in written.upper()
    assert len(written.partition(".")[2]) <= 6
    assert not ("." in written and written.endswith(("0", ".")))


@given(st.decimals(min_value=-1000, max_value=1000, places=9))
def test_a_number_with_more_than_six_decimals_is_refused_and_never_rounded(number: Decimal) -> None:
    fields = {**CUSTOM_BODY, "unit_price": number}
    if number == number.quantize(Decimal("0.000001")):
        assert CustomPosition.model_validate(fields).unit_price == number
    else:
        with pytest.raises(ValidationError):
            CustomPosition.model_validate(fields)


@given(st.integers(min_value=-(10**15) + 1, max_value=10**15 - 1), st.integers(min_value=0, max_value=6))
def test_a_json_number_is_read_exactly(digits: int, places: int) -> None:
    number = Decimal(digits).scaleb(-places)
    line = f'{{"id": 1, "type": "KbPositionCustom", "position_total": {number:f}}}'
    assert POSITION_SHAPE.validate_json(line).position_total == number


async def test_a_sale_is_found_by_exactly_its_key() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice/search").respond(200, json=[INVOICE])
    found = await wire.bexio.invoices.by_api_reference("tenant/sale/2000000000815")
    assert [invoice.document_nr for invoice in found] == ["RE-00042"]
    assert wire.last_body() == [{"field": "api_reference", "value": "tenant/sale/2000000000815", "criteria": "="}]


async def test_actions_are_posts_without_a_body() -> None:
    wire = Wire()
    for action in ("issue", "cancel", "mark_as_sent"):
        wire.post(f"{API}/2.0/kb_invoice/42/{action}").respond(200, json={"success": True})
    wire.delete(f"{API}/2.0/kb_invoice/42").respond(200, json={"success": True})
    invoices = wire.bexio.invoices
    await invoices.issue(42)
    await invoices.mark_as_sent(42)
    await invoices.cancel(42)
    await invoices.delete(42)
    assert wire.sent() == [
        "POST /2.0/kb_invoice/42/issue",
        "POST /2.0/kb_invoice/42/mark_as_sent",
        "POST /2.0/kb_invoice/42/cancel",
        "DELETE /2.0/kb_invoice/42",
    ]


async def test_an_action_without_its_confirmation_leaves_open_what_happened() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice/42/issue").respond(200, json={"success": False})
    with pytest.raises(OutcomeUnknown):
        await wire.bexio.invoices.issue(42)


async def test_a_mail_says_everything_and_holds_the_link() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice/42/send").respond(200, json={"success": True})
    mail = InvoiceSend(recipient_email="a@b.ch", subject="Rechnung", message="Hier: [Network Link]")
    await wire.bexio.invoices.send(42, mail)
    assert wire.last_body() == {
        "recipient_email": "a@b.ch",
        "subject": "Rechnung",
        "message": "Hier: [Network Link]",
        "mark_as_open": False,
        "attach_pdf": True,
    }
    with pytest.raises(ValidationError):
        InvoiceSend(recipient_email="a@b.ch", subject="Rechnung", message="Hier")


async def test_a_pdf_comes_as_its_bytes() -> None:
    wire = Wire()
    printed = b"%PDF-1.7 \xfb\xff\xfe"
    content = base64.b64encode(printed).decode()
    wire.get(f"{API}/2.0/kb_invoice/42/pdf").respond(
        200, json={"name": "a.pdf", "size": 12, "mime": "application/pdf", "content": content}
    )
    assert "+" in content or "/" in content
    assert await wire.bexio.invoices.pdf(42) == printed


async def test_a_pdf_that_is_no_base64_is_not_delivered() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/kb_invoice/42/pdf").respond(200, json={"content": "no base64!"})
    with pytest.raises(RemoteRejected, match="bexio-answer-unreadable"):
        await wire.bexio.invoices.pdf(42)


async def test_payments_are_listed_recorded_and_taken_back() -> None:
    wire = Wire()
    paid = {
        "id": 135,
        "date": "2026-11-20",
        "value": "13.600000",
        "bank_account_id": 1,
        "title": "Zahlungseingang",
        "kb_invoice_id": 42,
    }
    wire.get(f"{API}/2.0/kb_invoice/42/payment").respond(200, json=[paid])
    wire.get(f"{API}/2.0/kb_invoice/42/payment/135").respond(200, json=paid)
    wire.post(f"{API}/2.0/kb_invoice/42/payment").respond(201, json=paid)
    wire.delete(f"{API}/2.0/kb_invoice/42/payment/135").respond(200, json={"success": True})
    payments = wire.bexio.payments(42)
    assert [payment.value for payment in await payments.list()] == [Decimal("13.6")]
    assert (await payments.get(135)).date == date(2026, 11, 20)
    await payments.create(PaymentCreate(date=date(2026, 11, 20), value=Decimal("13.60"), bank_account_id=1))
    assert wire.last_body() == {"date": "2026-11-20", "value": "13.6", "bank_account_id": 1}
    await payments.delete(135)
    assert wire.sent()[0] == "GET /2.0/kb_invoice/42/payment?limit=2000&offset=0"


def test_a_payment_is_above_zero() -> None:
    for value in (Decimal(0), Decimal(-1)):
        with pytest.raises(ValidationError):
            PaymentCreate(date=date(2026, 11, 20), value=value, bank_account_id=1)


async def test_an_order_is_created_searched_and_shown() -> None:
    wire = Wire()
    unpaid = {name: value for name, value in SHOWN.items() if name not in {"is_valid_to", "total_remaining_payments"}}
    order = {**unpaid, "document_nr": "AU-00042", "kb_item_status_id": 5}
    wire.post(f"{API}/2.0/kb_order").respond(201, json=order)
    wire.get(f"{API}/2.0/kb_order/42").respond(200, json=order)
    wire.get(f"{API}/2.0/kb_order").respond(200, json=[order])
    wire.post(f"{API}/2.0/kb_order/search").respond(200, json=[order])
    orders = wire.bexio.orders
    made = await orders.create(
        OrderCreate(
            contact_id=14,
            user_id=1,
            currency_id=1,
            is_valid_from=date(2026, 11, 20),
            api_reference="tenant/order/7",
            positions=(CUSTOM,),
        )
    )
    assert wire.last_body() == {
        "contact_id": 14,
        "user_id": 1,
        "currency_id": 1,
        "is_valid_from": "2026-11-20",
        "api_reference": "tenant/order/7",
        "mwst_type": 0,
        "mwst_is_net": False,
        "positions": [{"type": "KbPositionCustom", **CUSTOM_BODY}],
    }
    assert made.positions[0].text == "Dressing"
    assert (await orders.get(42)).document_nr == "AU-00042"
    assert [[one.id for one in page] async for page in orders.pages()] == [[42]]
    assert [[one.id for one in page] async for page in orders.pages(updated_since="2026-11-20 00:00:00")] == [[42]]


@pytest.mark.parametrize("content", ["<html><title>Just a moment</title></html>", '{"id": 42, "docu', ""])
async def test_a_write_whose_answer_is_no_record_leaves_open_what_happened(content: str) -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice").respond(201, content=content)
    with pytest.raises(OutcomeUnknown):
        await wire.bexio.invoices.create(draft(CUSTOM))
    assert len(wire.calls) == 1


async def test_a_read_that_is_no_json_is_worth_another_try_later() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/kb_invoice/42").respond(200, content="<html></html>")
    with pytest.raises(RemoteUnavailable, match="bexio-answer-unreadable"):
        await wire.bexio.invoices.get(42)


async def test_a_read_of_another_shape_needs_a_person() -> None:
    wire = Wire()
    wire.get(f"{API}/2.0/kb_invoice/42").respond(200, json={**SHOWN, "total": None})
    with pytest.raises(RemoteRejected, match="bexio-answer-unreadable"):
        await wire.bexio.invoices.get(42)


async def test_a_write_that_times_out_is_sent_once() -> None:
    wire = Wire()
    wire.post(f"{API}/2.0/kb_invoice/42/issue").mock(side_effect=httpx.ReadTimeout)
    with pytest.raises(OutcomeUnknown):
        await wire.bexio.invoices.issue(42)
    assert len(wire.calls) == 1
