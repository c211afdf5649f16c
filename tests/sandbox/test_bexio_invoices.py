"""The simulated bexio's invoices: from draft to issued, cancelled, written off; what each step refuses."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from sandbox.bexio import invoices
from tests.sandbox.bexio_shop import Body, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def refused(shop: Shop, path: str, body: object = None) -> tuple[int, str]:
    response = await shop.post(path, body)
    return response.status_code, response.text


async def test_a_create_echoes_short_numbers_and_a_read_shows_six_decimals(shop: Shop) -> None:
    created = await shop.draft(shop.line("3", "5.04", "UR26", discount_in_percent="10"), api_reference="k")
    assert (created["total"], created["total_gross"], created["total_taxes"]) == ("13.6", "13.61", "0.3449")
    assert (created["total_rounding_difference"], created["total_remaining_payments"]) == (-0.01, "13.6000")
    line = created["positions"][0]
    assert [line[name] for name in ("amount", "unit_price", "discount_in_percent", "position_total", "tax_value")] == [
        "3", "5.04", "10", "13.61", "2.60",
    ]  # fmt: skip
    assert (line["amount_reserved"], line["pos"], line["internal_pos"]) == (None, "1", 1)
    read = await shop.shown(created)
    line = read["positions"][0]
    assert (read["total"], read["total_received_payments"], read["total_taxes"]) == ("13.600000", "0.000000", "0.3449")
    assert (line["amount"], line["discount_in_percent"], line["amount_open"]) == ("3.000000", "10.0000", "0.000000")
    assert read["taxs"] == [{"percentage": "2.60", "value": "0.3449"}]
    assert (created["document_nr"], created["kb_item_status_id"], created["api_reference"]) == ("RE-00001", 7, "k")


@pytest.mark.parametrize(
    "head",
    [
        {"document_nr": "RE-9"},
        {"contact_id": 999},
        {"contact_id": None},
        {"user_id": 9},
        {"user_id": None},
        {"bank_account_id": 99},
        {"currency_id": 99},
        {"payment_type_id": 99},
        {"language_id": 99},
        {"mwst_type": 3},
        {"is_valid_from": "20.11.2026"},
        {"total": "10"},
        {"kb_item_status_id": 8},
    ],
)
async def test_a_head_that_bexio_does_not_take_is_422_and_saves_nothing(shop: Shop, head: Body) -> None:
    status, text = await refused(shop, "/2.0/kb_invoice", shop.sale(**head))
    assert (status, next(iter(head)) in text, len(shop.company.invoices)) == (422, True, 0)


@pytest.mark.parametrize(
    "line",
    [
        {"account_id": 9999},
        {"account_id": None},
        {"tax_id": None},
        {"tax_id": 9999},
        {"tax_id": 21},
        {"unit_id": 99},
        {"amount": None},
        {"amount": "viel"},
        {"unit_price": "1.1234567"},
        {"position_total": "10"},
        {"type": "KbPositionSubposition"},
        {"type": "KbPositionOther"},
    ],
)
async def test_a_line_that_bexio_does_not_take_is_422_and_saves_nothing(shop: Shop, line: Body) -> None:
    status, _ = await refused(shop, "/2.0/kb_invoice", shop.sale(shop.line(), {**shop.line(), **line}))
    assert (status, len(shop.company.invoices)) == (422, 0)


async def test_an_inactive_tax_or_account_is_422(shop: Shop) -> None:
    shop.company.tax("US38")["is_active"] = False
    shop.company.account("3200")["is_active"] = False
    status, text = await refused(shop, "/2.0/kb_invoice", shop.sale(shop.line(tax="US38")))
    assert (status, "tax_id" in text, "account_id" in text) == (422, True, True)


async def test_the_number_is_required_when_numbering_is_manual(shop: Shop) -> None:
    shop.company.setting("KbInvoice")["use_automatic_enumeration"] = False
    assert (await refused(shop, "/2.0/kb_invoice", shop.sale()))[0] == 422
    assert (await shop.draft(document_nr="2026-7"))["document_nr"] == "2026-7"


async def test_defaults_come_from_the_company(shop: Shop) -> None:
    draft = await shop.draft()
    assert (draft["title"], draft["bank_account_id"], draft["currency_id"]) == ("Rechnung", 1, 1)
    assert (draft["is_valid_from"], draft["is_valid_to"]) == ("2026-11-20", "2026-12-04")
    assert draft["contact_address"] == "Muster AG\nHauptstrasse 1\n8000 Zürich\nSchweiz"


async def test_a_draft_without_positions_is_accepted_but_not_issued(shop: Shop) -> None:
    draft = await shop.draft(positions=[])
    assert (draft["total"], draft["positions"]) == ("0", [])
    assert (await refused(shop, f"/2.0/kb_invoice/{draft['id']}/issue"))[0] == 422


async def test_more_than_150_positions_answer_500_after_a_part_was_saved(shop: Shop) -> None:
    status, _ = await refused(shop, "/2.0/kb_invoice", shop.sale(*[shop.line()] * 151, api_reference="long"))
    assert status == 500
    [saved] = shop.company.invoices
    assert (len(saved.positions), saved.status, saved.api_reference) == (150, 7, "long")


async def test_zero_lines_and_every_position_type_work(shop: Shop) -> None:
    article = {"type": "KbPositionArticle", "amount": "2", "article_id": 1, "unit_price": "8.90"}
    draft = await shop.draft(
        {"type": "KbPositionText", "text": "Vielen Dank", "show_pos_nr": False},
        shop.line("1", "0", text="Gratis"),
        article,
        {"type": "KbPositionSubtotal", "text": "Zwischentotal"},
        {"type": "KbPositionPagebreak", "pagebreak": True},
        {"type": "KbPositionDiscount", "text": "Rabatt", "is_percentual": True, "value": "10"},
    )
    text, free, cheese, subtotal, pagebreak, discount = draft["positions"]
    assert (text["pos"], free["pos"], free["position_total"], cheese["pos"]) == (None, "1", "0", "2")
    assert (cheese["article_id"], cheese["text"], cheese["tax_value"]) == (1, "Bündner Bergkäse 250 g", "2.60")
    assert (subtotal["value"], pagebreak["pagebreak"], discount["discount_total"]) == ("17.800000", True, "1.780000")
    assert (draft["total_gross"], draft["total"]) == ("17.8", "16")
    assert await shop.issued(shop.line("1", "0"))


async def test_position_endpoints_add_show_edit_and_delete_on_a_draft(shop: Shop) -> None:
    invoice = await shop.draft()
    base = f"/2.0/kb_invoice/{invoice['id']}"
    given = {name: value for name, value in shop.line("2", "5").items() if name != "type"}
    added = await shop.post(f"{base}/kb_position_custom", given)
    assert (added.status_code, added.json()["position_total"], added.json()["pos"]) == (201, "10", "2")
    for segment, body in (
        ("kb_position_text", {"text": "Danke"}),
        ("kb_position_subtotal", {"text": "Summe"}),
        ("kb_position_discount", {"text": "Rabatt", "is_percentual": False, "value": "0.80"}),
        ("kb_position_pagebreak", {"pagebreak": True}),
        ("kb_position_subposition", {"text": "Gruppe"}),
        ("kb_position_article", {"article_id": 2, "amount": "1"}),
    ):
        assert (await shop.post(f"{base}/{segment}", body)).status_code == 201
        assert len((await shop.get(f"{base}/{segment}")).json()) == 1
    assert (await shop.shown(invoice))["total"] == "48.500000"
    edited = await shop.post(f"{base}/kb_position_custom/{added.json()['id']}", {"amount": "1"})
    assert edited.json()["position_total"] == "5"
    assert (await shop.delete(f"{base}/kb_position_article/1")).json() == {"success": True}
    assert (await shop.get(f"{base}/kb_position_article/1")).status_code == 404
    assert (await shop.shown(invoice))["total"] == "15.000000"


async def test_an_article_line_refuses_another_article_on_edit(shop: Shop) -> None:
    invoice = await shop.draft({"type": "KbPositionArticle", "amount": "1", "article_id": 1})
    path = f"/2.0/kb_invoice/{invoice['id']}/kb_position_article/1"
    assert (await refused(shop, path, {"article_id": 2}))[0] == 422
    assert (await refused(shop, path, {"amount": "2"}))[0] == 200


async def test_only_a_draft_is_edited_and_its_lines_change_only_then(shop: Shop) -> None:
    invoice = await shop.draft()
    base = f"/2.0/kb_invoice/{invoice['id']}"
    edited = await shop.post(base, {"title": "Neu", "user_id": 1})
    assert (edited.status_code, edited.json()["title"]) == (200, "Neu")
    assert (await refused(shop, base, {"positions": []}))[0] == 422
    await shop.post(f"{base}/issue")
    assert (await refused(shop, base, {"title": "Zu spät"}))[0] == 422
    assert (await refused(shop, f"{base}/kb_position_text", {"text": "x"}))[0] == 422
    assert (await shop.delete(f"{base}/kb_position_custom/1")).status_code == 422


async def test_issuing_twice_is_422(shop: Shop) -> None:
    invoice = await shop.issued()
    assert (await shop.shown(invoice))["kb_item_status_id"] == 8
    assert (await refused(shop, f"/2.0/kb_invoice/{invoice['id']}/issue"))[0] == 422


async def test_only_a_draft_can_be_deleted(shop: Shop) -> None:
    kept, gone = await shop.issued(), await shop.draft()
    assert (await shop.delete(f"/2.0/kb_invoice/{kept['id']}")).status_code == 403
    assert (await shop.delete(f"/2.0/kb_invoice/{gone['id']}")).json() == {"success": True}
    assert list(shop.company.invoices.rows) == [kept["id"]]
    assert (await shop.draft())["id"] == 3


async def test_cancelling_takes_an_issued_unpaid_invoice_only(shop: Shop) -> None:
    draft, issued, partial = await shop.draft(), await shop.issued(), await shop.issued()
    await shop.post(f"/2.0/kb_invoice/{partial['id']}/payment", {"value": "1", "bank_account_id": 1})
    statuses = [(await refused(shop, f"/2.0/kb_invoice/{each['id']}/cancel"))[0] for each in (draft, issued, partial)]
    assert statuses == [422, 200, 422]
    assert (await shop.shown(issued))["kb_item_status_id"] == 19
    assert (await refused(shop, f"/2.0/kb_invoice/{issued['id']}/cancel"))[0] == 422


async def test_an_issue_is_reverted_only_without_payments(shop: Shop) -> None:
    invoice = await shop.issued()
    base = f"/2.0/kb_invoice/{invoice['id']}"
    payment = (await shop.post(f"{base}/payment", {"value": "1", "bank_account_id": 1})).json()
    assert (await refused(shop, f"{base}/revert_issue"))[0] == 422
    await shop.delete(f"{base}/payment/{payment['id']}")
    assert (await refused(shop, f"{base}/revert_issue"))[0] == 200
    assert (await shop.shown(invoice))["kb_item_status_id"] == 7
    assert list(shop.company.ledger.rows()) == []


@pytest.mark.parametrize(("day", "status"), [("2024-12-31", 422), ("2027-01-01", 422), ("2025-01-01", 200)])
async def test_issuing_needs_an_open_business_year(shop: Shop, day: str, status: int) -> None:
    draft = await shop.draft(is_valid_from=day)
    assert (await refused(shop, f"/2.0/kb_invoice/{draft['id']}/issue"))[0] == status


async def test_a_closed_vat_period_refuses_vat_only(shop: Shop) -> None:
    for period in shop.company.vat_periods:
        period["status"] = "closed"
    taxed, free = await shop.draft(), await shop.draft(shop.line(tax="U00"))
    assert (await refused(shop, f"/2.0/kb_invoice/{taxed['id']}/issue"))[0] == 422
    assert (await refused(shop, f"/2.0/kb_invoice/{free['id']}/issue"))[0] == 200


async def test_a_negative_total_is_not_issued(shop: Shop) -> None:
    draft = await shop.draft(shop.line("1", "-5"))
    assert (await refused(shop, f"/2.0/kb_invoice/{draft['id']}/issue"))[0] == 422


@pytest.mark.parametrize(
    ("change", "text"),
    [({"message": "Guten Tag"}, "missing_network_placeholder"), ({"subject": ""}, "missing data")],
)
async def test_a_mail_needs_its_parts_and_the_link(shop: Shop, change: Body, text: str) -> None:
    invoice = await shop.issued()
    path = f"/2.0/kb_invoice/{invoice['id']}/send"
    mail: dict[str, Any] = {"recipient_email": "a@b.ch", "subject": "Rechnung", "message": "Hier: [Network Link]"}
    assert text in (await refused(shop, path, {**mail, **change}))[1]
    assert not shop.company.mails
    assert (await refused(shop, path, mail))[0] == 200
    assert [sent["recipient_email"] for sent in shop.company.mails] == ["a@b.ch"]


async def test_a_pdf_is_a_real_one(shop: Shop) -> None:
    invoice = await shop.issued()
    file = (await shop.get(f"/2.0/kb_invoice/{invoice['id']}/pdf")).json()
    content = base64.b64decode(file["content"])
    assert (content[:8], content[-6:], len(content)) == (b"%PDF-1.4", b"%%EOF\n", file["size"])


async def test_a_copy_is_a_draft_without_the_api_reference(shop: Shop) -> None:
    invoice = await shop.issued(api_reference="k")
    copied = (await shop.post(f"/2.0/kb_invoice/{invoice['id']}/copy", {"contact_id": 3})).json()
    assert (copied["kb_item_status_id"], copied["api_reference"], copied["total"]) == (7, None, "10.8")
    assert copied["contact_address"].startswith("Bäckerei")


async def test_marked_as_sent_is_remembered(shop: Shop) -> None:
    invoice = await shop.issued()
    await shop.post(f"/2.0/kb_invoice/{invoice['id']}/mark_as_sent")
    assert shop.company.invoices[invoice["id"]].is_sent


async def test_a_written_off_invoice_takes_no_payment(shop: Shop) -> None:
    invoice = await shop.issued()
    invoices.write_off(shop.company, shop.company.invoices[invoice["id"]])
    path = f"/2.0/kb_invoice/{invoice['id']}/payment"
    assert (await refused(shop, path, {"value": "1", "bank_account_id": 1}))[0] == 422
    assert (await shop.shown(invoice))["kb_item_status_id"] == 31


async def test_an_archived_contact_is_refused_when_the_rule_says_so(shop: Shop) -> None:
    await shop.delete("/2.0/contact/2")
    assert await shop.draft()
    shop.company.rules.accepts_archived_contact = False
    assert (await refused(shop, "/2.0/kb_invoice", shop.sale()))[0] == 422


async def test_null_leaves_alone_what_cannot_be_empty(shop: Shop) -> None:
    draft = await shop.draft(currency_id=None, bank_account_id=None, is_valid_from=None)
    assert (draft["currency_id"], draft["bank_account_id"], draft["is_valid_from"]) == (1, 1, "2026-11-20")
    edited = await shop.post(f"/2.0/kb_invoice/{draft['id']}", {"currency_id": None, "contact_id": 3})
    assert (edited.json()["currency_id"], edited.json()["contact_address"].startswith("Bäckerei")) == (1, True)


async def test_a_manual_address_stands_in_for_a_contact(shop: Shop) -> None:
    draft = await shop.draft(contact_id=None, contact_address_manual="Laufkundschaft")
    assert (draft["contact_id"], draft["contact_address"]) == (None, "Laufkundschaft")


async def test_a_new_invoice_is_searchable_only_after_the_lag(shop: Shop) -> None:
    shop.company.rules.search_lag_seconds = 5
    await shop.draft(api_reference="k")
    search = [{"field": "api_reference", "value": "k", "criteria": "="}]
    assert (await shop.post("/2.0/kb_invoice/search", search)).json() == []
    assert len((await shop.get("/2.0/kb_invoice")).json()) == 1
    shop.time += timedelta(seconds=5)
    assert len((await shop.post("/2.0/kb_invoice/search", search)).json()) == 1


@pytest.mark.parametrize(("status", "path"), [(422, "mark_as_sent"), (422, "copy")])
async def test_a_cancelled_invoice_is_not_sent_and_a_copy_needs_a_contact(shop: Shop, status: int, path: str) -> None:
    invoice = await shop.issued()
    await shop.post(f"/2.0/kb_invoice/{invoice['id']}/cancel")
    assert (await refused(shop, f"/2.0/kb_invoice/{invoice['id']}/{path}"))[0] == status


@pytest.mark.parametrize("positions", ["x", [1], {"a": 1}])
async def test_positions_that_are_no_list_of_objects_are_422(shop: Shop, positions: object) -> None:
    assert (await refused(shop, "/2.0/kb_invoice", shop.sale(positions=positions)))[0] == 422
