"""Default rules: from the accounts that are there, each with its reason, and nothing invented or guessed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from app.capabilities.bookings.article_groups import ALWAYS, Grouping, Seen, grouping
from app.capabilities.bookings.chart_names import kind_of_payment
from app.capabilities.bookings.defaults import Default, Evidence, derive
from app.capabilities.bookings.facts import UNGROUPED, Groups
from app.capabilities.bookings.findings import Finding
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.preflight import check_rules
from app.capabilities.bookings.rules import Rule
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.arcavis.names import PaymentType, Tax, TransactionPurpose, TransactionType
from app.connectors.bexio.accounts import Account
from app.connectors.bexio.banking_accounts import BankAccount
from app.core import catalogue
from app.core.ids import uuid7
from tests.fixtures.bookings import DAY, INVOICE, TODAY, Tills, altered, ledger, planned, terms
from tests.fixtures.shop import NOON

TITLES = {"1": "Bar", "2": "Karte", "3": "TWINT", "4": "Gutschein", "5": "Rechnung / Konto", INVOICE: "Bexio Rechnung"}
KINDS = {"1": "Verkauf", "2": "Ausgaben", "3": "Laden Kundenkonto", "4": "Abschöpfung", "5": "Tagesabschluss"}
BANKS = tuple(
    BankAccount(id=number, name=name, account_id=account, type="bank")
    for number, name, account in ((4, "Kasse", 300), (2, "Karten", 116))
)
RATES = ("0.081", "0.026", "0.038", "0")


def evidence(books: Ledger | None = None, **settings: Any) -> Evidence:  # noqa: ANN401 - settings of a tenant
    """The shop of the other tests, as both systems show it."""
    payment_types = ({"Id": one, "Title": title, "IsCash": one == "1"} for one, title in TITLES.items())
    purposes = ({"Id": number, "Title": "Porto", "TransactionTypeId": 2} for number in (1, 2, 3))
    rates = ({"Id": place, "Title": rate, "TaxRate": rate, "IsActive": True} for place, rate in enumerate(RATES))
    return Evidence(
        ledger=books or ledger(),
        settings=TenantSettings.model_validate({"invoice_payment_type_id": INVOICE, **settings}),
        payment_types=tuple(map(PaymentType.model_validate, payment_types)),
        transaction_types=tuple(TransactionType.model_validate({"Id": one, "Title": KINDS[one]}) for one in KINDS),
        purposes=tuple(map(TransactionPurpose.model_validate, purposes)),
        till_taxes=tuple(map(Tax.model_validate, rates)),
        bank_accounts=BANKS,
        today=TODAY,
        language="de",
    )


def as_rules(derived: list[Default]) -> tuple[Rule, ...]:
    return tuple(one.content.to_core(uuid7(NOON), 1, place) for place, one in enumerate(derived))


def codes(findings: list[Finding]) -> list[str]:
    return [one.code for one in findings]


MAPPED: dict[str, Any] = {"payment_bank_accounts": {"1": 4, "2": 2}}


def test_a_shop_with_its_accounts_gets_rules_that_cover_everything_the_tills_book() -> None:
    derived, findings = derive(evidence(**MAPPED))
    assert findings == []
    by = as_rules(derived)
    for seed in range(40):
        plan = planned(Tills(seed).day(), by=by, on=terms(rounding_limit=Decimal(100)))
        assert plan.findings == ()
    assert list(check_rules(by, ledger(), TODAY)) == []


def test_every_default_has_a_reason_in_four_languages_that_names_its_accounts() -> None:
    derived, _ = derive(evidence(**MAPPED))
    assert len({one.origin for one in derived}) == len(derived)
    for one in derived:
        said = {language: catalogue.text(one.code, one.params, language) for language in catalogue.LANGUAGES}
        assert len({text.detail for text in said.values()}) == 4
        assert all("…" not in f"{text.title} {text.detail}" for text in said.values())
        if one.content.credit_account is not None:
            accounts = {one.content.debit_account, one.content.credit_account}
            assert all(any(f"{number} " in text.detail for text in said.values()) for number in accounts)
        assert one.content.title == said["de"].title


def test_a_new_company_has_no_cash_account_and_is_told_how_to_make_one() -> None:
    books = ledger()
    fresh = replace(books, accounts=tuple(row for row in books.accounts if row.id < 300))
    derived, findings = derive(evidence(fresh))
    assert (derived, codes(findings)) == ([], ["cash-account-missing"])
    remedy = catalogue.text("cash-account-missing", findings[0].params, "de").remedy
    assert "Banking" in remedy
    assert "Bankkonto hinzufügen" in remedy


def test_what_the_chart_does_not_tell_is_a_finding_and_no_rule() -> None:
    books = ledger()
    bare = replace(books, accounts=tuple(row for row in books.accounts if row.id <= 300))
    derived, findings = derive(evidence(bare))
    assert {one.origin for one in derived} == {
        *(f"revenue-{name}" for name in ("standard", "reduced", "lodging", "zero")),
        "cash-1",
    }
    assert set(codes(findings)) == {
        "default-vouchers-unclear",
        "default-tips-unclear",
        "default-payment-unclear",
        "default-expense-unclear",
        "default-skimming-unclear",
        "default-customer-account-unclear",
    }
    assert all(catalogue.text(one.code, one.params, "it").remedy for one in findings)


def test_2030_is_never_taken_for_vouchers_even_when_it_is_named_after_them() -> None:
    books = altered(terms(), "accounts", lambda row: row.account_no == "2030", name="Gutscheine").ledger
    only = replace(books, accounts=tuple(row for row in books.accounts if row.account_no != "2035"))
    derived, findings = derive(evidence(only, **MAPPED))
    assert "default-vouchers-unclear" in codes(findings)
    assert not any("2030" in {one.content.debit_account, one.content.credit_account} for one in derived)


def test_two_accounts_that_fit_equally_are_no_evidence() -> None:
    books = ledger()
    twin = Account(id=900, account_no="1025", name="TWINT Reserve", account_type=3, is_active=True, is_locked=False)
    derived, findings = derive(evidence(replace(books, accounts=(*books.accounts, twin)), **MAPPED))
    assert "payment-3" not in {one.origin for one in derived}
    assert codes(findings) == ["default-payment-unclear"]
    assert findings[0].params == {"payment_type": "TWINT"}


def test_rates_that_sleep_in_bexio_are_said_and_not_papered_over() -> None:
    asleep = altered(terms(), "taxes", lambda one: one.code in {"US38", "U00"}, is_active=False).ledger
    derived, _ = derive(evidence(asleep, **MAPPED))
    found = list(check_rules(as_rules(derived), asleep, TODAY))
    assert [(one.code, one.params["candidates"]) for one in found] == [
        ("vat-code-sleeps", "US38"),
        ("vat-code-sleeps", "U00"),
    ]


def test_a_company_without_vat_has_one_rule_for_revenue() -> None:
    books = altered(terms(), "calendar_years", lambda _: True, is_vat_subject=False).ledger
    derived, _ = derive(evidence(books, **MAPPED))
    revenue = [one for one in derived if one.origin.startswith("revenue")]
    assert [(one.origin, one.content.tax_code) for one in revenue] == [("revenue", None)]


def test_revenue_goes_to_the_account_of_the_settings_or_to_the_only_one() -> None:
    books = ledger()
    services = Account(
        id=901, account_no="3400", name="Dienstleistungen", account_type=1, is_active=True, is_locked=False
    )
    both = replace(books, accounts=(*books.accounts, services))
    chosen, _ = derive(evidence(both, invoice_account_no="3400", **MAPPED))
    assert chosen[0].content.credit_account == "3400"
    other = replace(both, accounts=tuple(row for row in both.accounts if row.account_no != "3200"))
    only, _ = derive(evidence(other, **MAPPED))
    assert only[0].content.credit_account == "3400"
    none = replace(both, accounts=tuple(row for row in both.accounts if row.account_no not in {"3200", "3400"}))
    _, findings = derive(evidence(none, **MAPPED))
    assert codes(findings) == ["default-revenue-unclear"]


def test_no_default_names_an_account_that_is_not_there_whatever_the_chart_looks_like() -> None:
    books = ledger()
    for seed in range(200):
        rng = Random(seed)
        some = tuple(row for row in books.accounts if rng.random() < 0.7)
        some = tuple(
            row.model_copy(
                update={
                    "is_active": rng.random() < 0.9,
                    "account_type": rng.choice((row.account_type, row.account_type, 1, 2, 3, 4)),
                }
            )
            for row in some
        )
        derived, findings = derive(evidence(replace(books, accounts=some), **(MAPPED if seed % 2 else {})))
        usable = {row.account_no for row in some if row.is_active}
        named = {number for one in derived for number in (one.content.debit_account, one.content.credit_account)} - {
            None
        }
        assert named <= usable
        assert not [
            one
            for one in check_rules(as_rules(derived), replace(books, accounts=some), TODAY)
            if one.code.startswith("booking-account")
        ]
        assert derived or findings


TITLED = {
    "Bar": "cash",
    "Barzahlung Ausland": "other",
    "EC-Karte": "card",
    "Carte de crédit": "card",
    "TWINT": "twint",
    "Bon cadeau": "voucher",
    "Kundenkonto": "customer_account",
    "Check": "other",
}


@pytest.mark.parametrize(("title", "kind"), TITLED.items())
def test_payment_types_are_known_by_their_titles(title: str, kind: str) -> None:
    assert kind_of_payment(title, is_cash=False) == kind
    assert kind_of_payment(title, is_cash=True) == "cash"


def test_an_article_keeps_the_groups_that_its_exported_days_had() -> None:
    tea, coffee = Groups("Food", None, "Tee"), Groups("Food", None, "Kaffee")
    first = Grouping().seen({"1": tea}, DAY)
    assert first.of("1", DAY.replace(year=2020)) == tea
    assert first.fresh == (Seen("1", ALWAYS, tea),)
    later = grouping(first.fresh).seen({"1": coffee, "2": tea}, TODAY)
    assert (later.of("1", DAY), later.of("1", TODAY), later.of("2", DAY)) == (tea, coffee, tea)
    assert later.fresh == (Seen("1", TODAY, coffee), Seen("2", ALWAYS, tea))
    assert later.seen({"1": tea}, TODAY).fresh == later.fresh
    assert (later.of("3", DAY), later.of(None, DAY)) == (UNGROUPED, UNGROUPED)
