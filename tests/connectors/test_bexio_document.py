"""Held against what bexio says of itself: its recorded answers, and its OpenAPI document where that is at hand."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from app.connectors.bexio import (
    accounts,
    articles,
    banking_accounts,
    business_years,
    calendar_years,
    company_profile,
    contact_groups,
    contacts,
    countries,
    currencies,
    invoices,
    item_settings,
    languages,
    payment_types,
    payments,
    positions,
    salutations,
    taxes,
    units,
    users,
)
from app.connectors.bexio.contacts import ContactCreate, ContactEdit, ContactType
from app.connectors.bexio.invoices import InvoiceCreate, InvoiceWithPositions
from app.connectors.bexio.orders import OrderCreate
from app.connectors.bexio.payments import PaymentCreate
from tests.connectors import bexio_document
from tests.connectors.remote import API

RECORDED = Path(__file__).parent / "recorded" / "bexio.json"
READS: list[tuple[str, str, TypeAdapter[Any]]] = [
    ("GET", "/2.0/accounts", accounts.ACCOUNTS.rows),
    ("GET", "/2.0/article", articles.ARTICLES.rows),
    ("GET", "/2.0/article/{article_id}", articles.ARTICLES.row),
    ("GET", "/2.0/company_profile", company_profile.COMPANY_PROFILE.rows),
    ("GET", "/2.0/contact", contacts.CONTACTS.rows),
    ("POST", "/2.0/contact", contacts.CONTACTS.row),
    ("GET", "/2.0/contact/{contact_id}", contacts.CONTACTS.row),
    ("POST", "/2.0/contact/{contact_id}", contacts.CONTACTS.row),
    ("GET", "/2.0/contact_group", contact_groups.CONTACT_GROUPS.rows),
    ("POST", "/2.0/contact_group", contact_groups.CONTACT_GROUPS.row),
    ("GET", "/2.0/country", countries.COUNTRIES.rows),
    ("GET", "/2.0/kb_invoice", invoices.INVOICES.rows),
    ("POST", "/2.0/kb_invoice", TypeAdapter(InvoiceWithPositions)),
    ("GET", "/2.0/kb_invoice/{invoice_id}", TypeAdapter(InvoiceWithPositions)),
    ("POST", "/2.0/kb_invoice/{invoice_id}", TypeAdapter(InvoiceWithPositions)),
    ("GET", "/2.0/kb_invoice/{invoice_id}/payment", TypeAdapter(tuple[payments.Payment, ...])),
    ("POST", "/2.0/kb_invoice/{invoice_id}/payment", TypeAdapter(payments.Payment)),
    ("GET", "/2.0/kb_item_setting", item_settings.ITEM_SETTINGS.rows),
    ("GET", "/2.0/language", languages.LANGUAGES.rows),
    ("GET", "/2.0/payment_type", payment_types.PAYMENT_TYPES.rows),
    ("GET", "/2.0/salutation", salutations.SALUTATIONS.rows),
    ("GET", "/2.0/unit", units.UNITS.rows),
    ("POST", "/2.0/{kb_document_type}/{document_id}/kb_position_article", positions.POSITION),
    ("POST", "/2.0/{kb_document_type}/{document_id}/kb_position_custom", positions.POSITION),
    ("POST", "/2.0/{kb_document_type}/{document_id}/kb_position_subposition", positions.POSITION),
    ("GET", "/3.0/accounting/business_years", business_years.BUSINESS_YEARS.rows),
    ("GET", "/3.0/accounting/calendar_years", calendar_years.CALENDAR_YEARS.rows),
    ("GET", "/3.0/banking/accounts", banking_accounts.BANKING_ACCOUNTS.rows),
    ("GET", "/3.0/currencies", currencies.CURRENCIES.rows),
    ("GET", "/3.0/taxes", taxes.TAXES.rows),
    ("GET", "/3.0/users", users.USERS.rows),
    ("GET", "/3.0/users/me", users.USERS.row),
]


def recorded(method: str, path: str) -> object:
    """What bexio answered on 2026-06-18 (codebar-ag/laravel-bexio, fixtures of its tests, MIT)."""
    return json.loads(RECORDED.read_bytes())[f"{method} {path}"]


@pytest.mark.parametrize(("method", "path", "shape"), READS)
def test_a_recorded_answer_is_read_as_it_was_written(method: str, path: str, shape: TypeAdapter[Any]) -> None:
    answer = recorded(method, path)
    read: object = json.loads(shape.dump_json(shape.validate_json(json.dumps(answer))))
    assert read
    assert same(read, answer)


def same(read: object, written: object) -> bool:
    """Equal but for what is normal form here: exact numbers, UTC, one word for nothing, only what is needed."""
    if isinstance(read, dict) and isinstance(written, dict):
        source = cast("dict[str, object]", written)
        return all(same(value, source.get(name)) for name, value in cast("dict[str, object]", read).items())
    if isinstance(read, list) and isinstance(written, list):
        rows, sources = cast("list[object]", read), cast("list[object]", written)
        return len(rows) == len(sources) and all(map(same, rows, sources))
    if read is None:
        return written in {None, 0, ""}
    if isinstance(read, str) and isinstance(written, int | float):
        return Decimal(read) == Decimal(str(written))
    if isinstance(read, str) and isinstance(written, str) and read.endswith("Z"):
        return read[:10] == written[:10]
    return read == written


def test_an_invoice_recorded_in_bexio_keeps_every_rappen() -> None:
    shape = TypeAdapter(InvoiceWithPositions)
    invoice = shape.validate_python(recorded("GET", "/2.0/kb_invoice/{invoice_id}"))
    assert (invoice.total, invoice.total_remaining_payments) == (Decimal(100), Decimal(100))
    assert [line.position_total for line in invoice.positions] == [None, Decimal(100)]


TEXTS = st.text(max_size=40)
AMOUNTS = st.decimals(min_value=-(10**6), max_value=10**6, places=6)
IDS = st.integers(min_value=1, max_value=10**9)
DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 1, 1))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def fields(**strategies: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=strategies)


PRICED = {
    "amount": AMOUNTS,
    "unit_price": AMOUNTS,
    "account_id": IDS,
    "tax_id": IDS,
    "text": TEXTS,
    "discount_in_percent": maybe(st.decimals(min_value=0, max_value=100, places=6)),
    "unit_id": maybe(IDS),
}
LINES = st.one_of(
    st.builds(positions.CustomPosition, **PRICED),
    st.builds(positions.ArticlePosition, **PRICED, article_id=IDS),
    st.builds(positions.TextPosition, text=TEXTS, show_pos_nr=st.booleans()),
    st.builds(positions.SubtotalPosition, text=TEXTS),
    st.builds(positions.DiscountPosition, text=TEXTS, is_percentual=st.booleans(), value=AMOUNTS),
    st.builds(positions.PagebreakPosition),
)
SUBPOSITIONS = st.builds(positions.Subposition, text=TEXTS, show_pos_nr=st.booleans())
HEAD: dict[str, st.SearchStrategy[Any]] = {
    "title": maybe(TEXTS),
    "contact_id": IDS,
    "user_id": IDS,
    "language_id": maybe(IDS),
    "bank_account_id": maybe(IDS),
    "currency_id": IDS,
    "payment_type_id": maybe(IDS),
    "header": maybe(TEXTS),
    "footer": maybe(TEXTS),
    "is_valid_from": DAYS,
    "api_reference": TEXTS,
    "template_slug": maybe(TEXTS),
    "positions": st.lists(LINES, max_size=6).map(tuple),
}
DETAILS = fields(
    nr=maybe(st.from_regex(r"[0-9]{1,8}", fullmatch=True)),
    name_2=maybe(TEXTS),
    salutation_id=maybe(st.integers(min_value=0, max_value=4)),
    birthday=maybe(DAYS),
    postcode=maybe(TEXTS),
    city=maybe(TEXTS),
    country_id=maybe(IDS),
    mail=maybe(st.emails()),
    mail_second=maybe(st.emails()),
    phone_fixed=maybe(TEXTS),
    phone_mobile=maybe(TEXTS),
    remarks=maybe(TEXTS),
    language_id=maybe(IDS),
    contact_group_ids=st.lists(IDS, max_size=3).map(tuple),
)
NO_ADDRESS: dict[str, Any] = {}
ADDRESS = st.just(NO_ADDRESS) | st.fixed_dictionaries(
    {"street_name": st.text(min_size=1)}, optional={"house_number": TEXTS, "address_addition": maybe(TEXTS)}
)
OWNERS = st.fixed_dictionaries(
    {
        "contact_type_id": st.sampled_from(ContactType),
        "name_1": st.text(min_size=1),
        "user_id": IDS,
        "owner_id": IDS,
    }
)


def allowed(method: str, path: str, body: object) -> None:
    """Fails when bexio's document is at hand and does not allow the body there."""
    if bexio_document.available():
        bexio_document.check(httpx.Request(method, API + path, json=body))


@given(DETAILS, ADDRESS, OWNERS)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_contact_that_can_be_built_is_allowed(
    details: dict[str, Any], address: dict[str, Any], owners: dict[str, Any]
) -> None:
    body = ContactCreate(**details, **address, **owners).body()
    assert set(body) == {*details, *address, *owners}
    assert body.get("salutation_id") != 0
    allowed("POST", "/2.0/contact", body)
    allowed("POST", "/2.0/contact/_bulk_create", [body, body])


@given(DETAILS, ADDRESS)
def test_every_edit_that_can_be_built_is_allowed(details: dict[str, Any], address: dict[str, Any]) -> None:
    body = ContactEdit(**details, **address).body()
    assert set(body) == {*details, *address}
    allowed("POST", "/2.0/contact/1", body)


@given(st.fixed_dictionaries({**HEAD, "is_valid_to": DAYS, "reference": maybe(TEXTS)}))
def test_every_invoice_that_can_be_built_is_allowed(given_fields: dict[str, Any]) -> None:
    body = InvoiceCreate(**given_fields).body()
    assert (body["mwst_type"], body["mwst_is_net"]) == (0, False)
    assert "document_nr" not in body
    assert None not in body.values()
    allowed("POST", "/2.0/kb_invoice", body)


@given(st.fixed_dictionaries(HEAD))
def test_every_order_that_can_be_built_is_allowed(given_fields: dict[str, Any]) -> None:
    allowed("POST", "/2.0/kb_order", OrderCreate(**given_fields).body())


@given(LINES | SUBPOSITIONS)
def test_every_position_that_can_be_built_is_allowed_where_it_is_added(line: positions.AnyPosition) -> None:
    body = line.body()
    assert "type" not in body
    allowed("POST", f"/2.0/kb_invoice/42/{line.segment}", body)


@given(DAYS, st.decimals(min_value="0.01", max_value=10**9, places=2), IDS)
def test_every_payment_that_can_be_built_is_allowed(day: date, value: Decimal, bank_account: int) -> None:
    body = PaymentCreate(date=day, value=value, bank_account_id=bank_account).body()
    assert Decimal(str(body["value"])) == value
    allowed("POST", "/2.0/kb_invoice/42/payment", body)


WRONG: list[tuple[str, str, object]] = [
    ("POST", "/2.0/contact", {"name_1": "Müller"}),
    ("POST", "/2.0/contact/1", {"address": "Hauptstrasse 1"}),
    ("POST", "/2.0/contact/1", {"unknown": 1}),
    ("POST", "/2.0/kb_invoice", {"positions": [{"type": "KbPositionCustom", "amount": 3}]}),
    ("POST", "/2.0/kb_invoice", {"positions": [{"type": "KbPositionCustom", "article_id": 3}]}),
    ("POST", "/2.0/kb_invoice/1/payment", {"value": 13.6}),
    ("POST", "/2.0/kb_invoice/search", [{"field": "id", "value": "1", "criteria": "is"}]),
]


def test_the_document_refuses_what_bexio_refuses() -> None:
    for method, path, body in WRONG if bexio_document.available() else []:
        with pytest.raises(jsonschema.ValidationError):
            allowed(method, path, body)
