"""From an accepted sale to an issued invoice: what bexio is asked, and what it then holds."""

from __future__ import annotations

import html
from decimal import Decimal

import pytest

from sandbox.bexio.company import InvoiceStatus
from sandbox.bexio.faults import Mode
from tests.fixtures.shop import MUSTER, NEWCOMER, Body, Shop, Tenant, line_of

CREATE, ISSUE = "POST /2.0/kb_invoice", "POST /2.0/kb_invoice/{id}/issue"
SEARCH = "POST /2.0/kb_invoice/search"


async def test_a_linked_customer_costs_exactly_two_requests(tenant: Tenant) -> None:
    await tenant.issued()
    tenant.company.requests.clear()
    document = await tenant.issued()
    assert tenant.routes() == [CREATE, ISSUE]
    assert tenant.invoice(document).status == InvoiceStatus.PENDING


async def test_the_document_says_what_bexio_holds(tenant: Tenant) -> None:
    document = await tenant.issued()
    invoice = tenant.invoice(document)
    assert document["bexio"] == {
        "id": invoice.id,
        "number": invoice.number,
        "total": "13.60",
        "status": "open",
        "open_amount": "13.60",
        "url": f"https://office.bexio.com/index.php/kb_invoice/show/id/{invoice.id}",
    }
    assert document["attention"] is None
    assert document["waiting"] is None


async def test_the_head_of_the_invoice_follows_the_sale_and_the_settings(tenant: Tenant) -> None:
    await tenant.set(invoice_due_days=10)
    document = await tenant.issued(number="2/815", remarks="Bitte Lieferadresse beachten", customer=french(MUSTER))
    head = tenant.invoice(document).head
    assert head["title"] == "2/815 (Zürich, Kasse 2)"
    assert head["is_valid_from"] == "2026-11-20"
    assert head["is_valid_to"] == "2026-11-30"
    assert head["language_id"] == language(tenant, "fr")
    assert head["bank_account_id"] == tenant.company.banking_account("1020")["id"]
    assert head["payment_type_id"] == 4
    assert head["footer"] == "Bitte Lieferadresse beachten"
    assert head["user_id"] == 1
    assert head["mwst_type"] == 0
    assert head["mwst_is_net"] is False
    assert head["api_reference"] == f"muster/sale/{document['transaction_id']}"


async def test_a_customer_without_language_gets_the_tenants(tenant: Tenant) -> None:
    await tenant.set(language="it")
    document = await tenant.issued(customer={**MUSTER, "language": None})
    assert tenant.invoice(document).head["language_id"] == language(tenant, "it")


SALES: dict[str, list[Body]] = {
    "a line the till rounded to 5 Rappen": [line_of("13.60", quantity="3", unit_price="5.04", discount="1.50")],
    "a percentage that is not a round one": [line_of("19.90", quantity="1", unit_price="29.90", discount="10.00")],
    "a third of a kilogram": [line_of("13.30", quantity="0.333", unit_price="39.90")],
    "a free line beside a paid one": [line_of("10.00"), line_of("0.00", unit_price="4.50", discount="4.50")],
    "a line without price": [line_of("10.00"), line_of("0.00", unit_price="0")],
    "an article taken back": [line_of("50.00"), line_of("-12.50", quantity="-1", unit_price="12.50")],
    "two taken back, with a discount": [
        line_of("50.00"),
        line_of("-22.50", quantity="-2", unit_price="12.50", discount="-2.50"),
    ],
    "all rates at once": [
        line_of("108.10", tax_rate="8.1"),
        line_of("13.60"),
        line_of("190.00", tax_rate="3.8"),
        line_of("20.00", tax_rate="0"),
    ],
    "more than the price": [line_of("12.00", quantity="1", unit_price="10.00")],
    "many pieces of little": [line_of("3.35", quantity="999", unit_price="0.003333")],
    "a single Rappen step": [line_of("0.05", quantity="1", unit_price="0.07", discount="0.02")],
}


@pytest.mark.parametrize("lines", SALES.values(), ids=SALES.keys())
async def test_bexios_lines_add_up_to_the_tills_amounts(tenant: Tenant, lines: list[Body]) -> None:
    document = await tenant.issued(*lines)
    invoice = tenant.invoice(document)
    assert invoice.total == Decimal(document["total"])
    assert [line_total(row) for row in invoice.positions] == [Decimal(line["amount"]) for line in lines]
    debit = sum(row.debit for row in tenant.company.ledger.trial_balance())
    assert debit == sum(row.credit for row in tenant.company.ledger.trial_balance())


async def test_a_text_line_stays_a_text_line(tenant: Tenant) -> None:
    document = await tenant.issued(line_of(), {"text": "Bitte als Geschenk einpacken"}, {"text": ""})
    kinds = [(row["type"], row["text"]) for row in tenant.invoice(document).positions]
    assert kinds[1] == ("KbPositionText", "Bitte als Geschenk einpacken")
    assert kinds[2][0] == "KbPositionText"


async def test_what_the_cashier_typed_is_shown_and_not_interpreted(tenant: Tenant) -> None:
    typed = 'Käse <b>"Gruyère"</b> & Brot < 1 kg\nvom Vortag'
    document = await tenant.issued(line_of(text=typed), {"text": typed}, remarks=typed)
    shown = 'Käse &lt;b&gt;"Gruyère"&lt;/b&gt; &amp; Brot &lt; 1 kg<br>vom Vortag'
    invoice = tenant.invoice(document)
    assert [row["text"] for row in invoice.positions] == [shown, shown]
    assert invoice.head["footer"] == shown
    assert html.unescape(shown.replace("<br>", "\n")) == typed


async def test_a_price_that_bexio_must_show_otherwise_stays_readable(tenant: Tenant) -> None:
    document = await tenant.issued(line_of("0.01", quantity="900000", unit_price="0.01"))
    (row,) = tenant.invoice(document).positions
    assert row["text"].startswith("Dressing")
    assert line_total(row) == Decimal("0.01")


@pytest.mark.parametrize("count", [150, 151, 400])
async def test_long_receipts_keep_every_line_in_order(tenant: Tenant, count: int) -> None:
    await tenant.issued()
    tenant.company.requests.clear()
    document = await tenant.issued(*(line_of(text=f"Artikel {place}") for place in range(count)))
    invoice = tenant.invoice(document)
    assert [row["text"] for row in invoice.positions] == [f"Artikel {place}" for place in range(count)]
    assert invoice.total == Decimal("13.60") * count
    assert len(tenant.writes()) == 2 + max(count - 150, 0)


async def test_a_linked_article_becomes_an_article_position_on_its_own_account(tenant: Tenant) -> None:
    article, other, gone, *_ = tenant.company.articles
    account = tenant.company.account("3400")["id"]
    await tenant.execute(
        "insert into article_link (tenant_id, arcavis_id, bexio_id, account_id, state, created_at, updated_at) values"
        " (:tenant, '1749', :article, :account, 'active', now(), now()),"
        " (:tenant, '1750', :other, null, 'active', now(), now()),"
        " (:tenant, '1751', :gone, :account, 'inactive', now(), now())",
        tenant=tenant.id,
        article=article["id"],
        other=other["id"],
        gone=gone["id"],
        account=account,
    )
    document = await tenant.issued(*(line_of(article_id=str(number)) for number in (1749, 1750, 1751)))
    first, second, third = tenant.invoice(document).positions
    goods = tenant.company.account("3200")["id"]
    assert (first["type"], first["article_id"], first["account_id"]) == ("KbPositionArticle", article["id"], account)
    assert (second["type"], second["account_id"]) == ("KbPositionArticle", goods)
    assert (third["type"], third["account_id"]) == ("KbPositionCustom", goods)
    assert tenant.invoice(document).total == Decimal("40.80")


async def test_the_vat_code_is_the_one_of_the_day_of_the_sale(shop: Shop, tenant: Tenant) -> None:
    document = await tenant.issued(line_of(tax_rate="8.1"), date="2026-10-01")
    (row,) = tenant.invoice(document).positions
    assert tenant.company.taxes[row["tax_id"]]["code"] == "UN81"
    assert tenant.invoice(document).head["is_valid_from"] == "2026-10-01"


@pytest.mark.parametrize(("code", "rate"), [("US38", "3.8"), ("U00", "0")])
async def test_a_vat_code_that_is_off_is_named_with_rate_and_day(tenant: Tenant, code: str, rate: str) -> None:
    tenant.company.tax(code)["is_active"] = False
    document = await tenant.worked(line_of("190.00", tax_rate=rate))
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "tax-code-missing"
    assert f"{rate} %" in document["attention"]["detail"]
    assert "2026-11-20" in document["attention"]["detail"]
    assert not tenant.writes()
    tenant.company.tax(code)["is_active"] = True
    tenant.shop.clock.moved += 60
    document = await tenant.retried(document)
    assert document["status"] == "issued"
    assert document["attention"] is None


@pytest.mark.parametrize("how", ["unknown", "inactive"])
async def test_an_account_that_bexio_lacks_is_named(tenant: Tenant, how: str) -> None:
    tenant.company.account("3400")["is_active"] = False
    await tenant.set(invoice_account_no="3400" if how == "inactive" else "3999")
    document = await tenant.worked()
    assert document["attention"]["code"] == "account-missing"
    assert ("3400" if how == "inactive" else "3999") in document["attention"]["detail"]
    await tenant.set(invoice_account_no="3200")
    assert (await tenant.retried(document))["status"] == "issued"


@pytest.mark.parametrize("setting", ["invoice_account_no", "bexio_user_id"])
async def test_a_missing_setting_waits_for_a_person_and_then_goes_on(tenant: Tenant, setting: str) -> None:
    before = tenant.settings[setting]
    await tenant.set(**{setting: None})
    document = await tenant.worked()
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "settings-incomplete"
    assert setting in document["attention"]["detail"]
    assert not tenant.writes()
    await tenant.set(**{setting: before})
    assert (await tenant.retried(document))["status"] == "issued"
    assert len(tenant.in_bexio(document)) == 1


async def test_a_company_that_rounds_to_5_rappen_may_differ_by_that(shop: Shop) -> None:
    tenant = await shop.tenant(round_factor=Decimal("0.05"))
    document = await tenant.issued(line_of("13.62"))
    assert document["bexio"]["total"] == "13.60"


async def test_a_company_that_rounds_to_francs_may_not(shop: Shop) -> None:
    tenant = await shop.tenant(round_factor=Decimal(1))
    document = await tenant.worked(line_of("13.60"))
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "total-differs"
    assert "14.00" in document["attention"]["detail"]
    assert tenant.invoice(document).status == InvoiceStatus.DRAFT
    tenant.company.currencies[1]["round_factor"] = 0.05
    shop.world.settle()
    await edit(tenant, document, {"title": "neu gerundet"})
    shop.clock.moved += 7 * 3600
    assert (await tenant.retried(document))["status"] == "issued"


async def test_a_draft_that_a_bookkeeper_spoilt_is_not_issued_and_can_be_repaired(shop: Shop, tenant: Tenant) -> None:
    document = await stuck_after_create(shop, tenant)
    invoice = tenant.invoice(document)
    line = f"/2.0/kb_invoice/{invoice.id}/kb_position_custom/{invoice.positions[0]['id']}"
    await bexio(tenant, "POST", line, {"discount_in_percent": "10"})
    await shop.later(300)
    document = await tenant.shown(document)
    assert document["status"] == "attention", document
    assert document["attention"]["code"] == "total-differs"
    assert invoice.status == InvoiceStatus.DRAFT
    await bexio(tenant, "POST", line, {"discount_in_percent": "0"})
    assert (await tenant.retried(document))["status"] == "issued"
    await shop.finish()
    assert len(tenant.in_bexio(document)) == 1


async def test_a_draft_whose_lines_are_not_the_sales_is_written_anew(shop: Shop, tenant: Tenant) -> None:
    document = await stuck_after_create(shop, tenant)
    invoice = tenant.invoice(document)
    line = f"/2.0/kb_invoice/{invoice.id}/kb_position_custom/{invoice.positions[0]['id']}"
    await bexio(tenant, "POST", line, {"unit_price": "99.00"})
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert tenant.invoice(document).total == Decimal("13.60")


async def test_a_long_draft_that_differed_and_was_deleted_is_written_anew_in_full(shop: Shop) -> None:
    tenant = await shop.tenant(round_factor=Decimal(1))
    document = await tenant.worked(*(line_of("0.71") for _ in range(160)))
    assert document["attention"]["code"] == "total-differs"
    await bexio(tenant, "DELETE", f"/2.0/kb_invoice/{tenant.invoice(document).id}")
    tenant.company.currencies[1]["round_factor"] = 0.05
    shop.clock.moved += 7 * 3600
    document = await tenant.retried(document)
    assert document["status"] == "issued", document
    await shop.finish()
    assert len(tenant.invoice(document).positions) == 160


async def test_a_draft_that_a_person_issued_is_adopted(shop: Shop, tenant: Tenant) -> None:
    document = await stuck_after_create(shop, tenant)
    await bexio(tenant, "POST", f"/2.0/kb_invoice/{tenant.invoice(document).id}/issue")
    await shop.finish()
    document = await tenant.shown(document)
    assert document["status"] == "issued"
    assert len(tenant.in_bexio(document)) == 1


@pytest.mark.parametrize("mode", [Mode.TIMEOUT_AFTER_WRITE, Mode.ERROR_AFTER_WRITE, Mode.RESET, Mode.LATE_LANDING])
@pytest.mark.parametrize("path", ["kb_invoice$", "issue$"])
async def test_a_write_without_an_answer_is_not_repeated(shop: Shop, tenant: Tenant, mode: Mode, path: str) -> None:
    await tenant.issued()
    tenant.fault(mode, path, times=1, seconds=40)
    document = await tenant.accepted()
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert [one.status for one in tenant.in_bexio(document)] == [InvoiceStatus.PENDING]


async def test_half_a_draft_is_completed_or_replaced(shop: Shop, tenant: Tenant) -> None:
    tenant.fault(Mode.PARTIAL_500, "kb_invoice$", times=1)
    document = await tenant.accepted(line_of("5.00"), line_of("6.00"), line_of("7.00"), line_of("8.00"))
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert [line_total(row) for row in tenant.invoice(document).positions] == [Decimal(n) for n in (5, 6, 7, 8)]


async def test_a_lost_line_of_a_long_receipt_is_added_once(shop: Shop, tenant: Tenant) -> None:
    tenant.fault(Mode.LATE_LANDING, "kb_position_custom$", times=1, seconds=60)
    document = await tenant.accepted(*(line_of(text=f"Artikel {place}") for place in range(153)))
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"
    assert [row["text"] for row in tenant.invoice(document).positions] == [f"Artikel {n}" for n in range(153)]


async def test_a_closed_business_year_waits_for_a_person(shop: Shop, tenant: Tenant) -> None:
    for year in tenant.company.business_years:
        year["status"] = "closed"
    document = await tenant.worked()
    assert document["status"] == "attention"
    assert document["attention"]["code"] == "bexio-rejected"
    assert tenant.invoice(document).status == InvoiceStatus.DRAFT
    for year in tenant.company.business_years:
        year["status"] = "open"
    assert (await tenant.retried(document))["status"] == "issued"
    assert len(tenant.in_bexio(document)) == 1


async def test_a_429_storm_never_fails_a_sale(shop: Shop, tenant: Tenant) -> None:
    rule = tenant.fault(Mode.STORM_429, "", seconds=3)
    document = await tenant.accepted(customer=NEWCOMER)
    for _ in range(5):
        await shop.later(10)
    shown = await tenant.shown(document)
    assert shown["status"] in {"accepted", "sending"}
    assert shown["waiting"]["code"] in {"bexio-busy", "bexio-budget-spent"}
    shop.world.faults.rules.remove(rule)
    await shop.finish()
    assert (await tenant.shown(document))["status"] == "issued"


async def stuck_after_create(shop: Shop, tenant: Tenant) -> Body:
    """A sale whose draft exists, while bexio is away."""
    rule = tenant.fault(Mode.UNAVAILABLE_503, "issue$")
    document = await tenant.worked()
    assert tenant.invoice(document).status == InvoiceStatus.DRAFT
    shop.world.faults.rules.remove(rule)
    return document


async def bexio(tenant: Tenant, method: str, path: str, body: object = None) -> None:
    """What a bookkeeper does in bexio."""
    await tenant.shop.in_bexio(tenant, method, path, body)


async def edit(tenant: Tenant, document: Body, head: Body) -> None:
    await bexio(tenant, "POST", f"/2.0/kb_invoice/{tenant.invoice(document).id}", head)


def line_total(row: Body) -> Decimal:
    share = 1 - Decimal(row.get("discount_in_percent") or 0) / 100
    return (Decimal(row["amount"]) * Decimal(row["unit_price"]) * share).quantize(Decimal("0.01"))


def language(tenant: Tenant, code: str) -> int:
    return next(row["id"] for row in tenant.company.languages if row["iso_639_1"] == code)


def french(customer: Body) -> Body:
    return {**customer, "language": "fr"}
