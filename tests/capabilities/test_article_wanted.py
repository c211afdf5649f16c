"""Prices and fingerprints of articles, and what is decided for a page of them: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capabilities.articles.planning import CREATED, UNCHANGED, UPDATED, Decision, Step, batches, decide
from app.capabilities.articles.pricing import till_price
from app.capabilities.articles.records import GONE_IN_ARCAVIS, GONE_IN_BEXIO, Link, Neighbours, Trouble
from app.capabilities.articles.wanted import Catalogue, Problem, Wanted
from app.connectors.arcavis.names import Tax as TillTax
from app.connectors.bexio.articles import Article
from app.connectors.bexio.taxes import Tax
from app.connectors.bexio.units import Unit

RATES = st.sampled_from([Decimal(rate) for rate in ("0", "2.6", "3.8", "8.1", "7.7")])
PRICES = st.decimals(min_value=0, max_value=100_000, places=4)
RUN = UUID("0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a12")
TAX = Tax(id=14, code="UN81", type="sales_tax", value=Decimal("8.1"), is_active=True, display_name="8.1 %")


def till_tax(number: int) -> TillTax:
    return TillTax.model_validate({"Id": number, "Title": "8.1", "TaxRate": 0.081})


CATALOGUE = Catalogue(
    day=date(2026, 11, 20),
    prices_include_vat=True,
    is_vat_subject=True,
    francs_id=1,
    taxes={14: TAX},
    units={1: Unit(id=1, name="Stk.")},
    till_taxes=(till_tax(1),),
    till_units={"stk": 1},
)


def article(number: int = 1, **fields: object) -> Article:
    usual: dict[str, object] = {
        "id": number,
        "article_type_id": 1,
        "intern_code": f"A{number}",
        "intern_name": f"Ware {number}",
        "sale_price": "10.80",
        "tax_income_id": 14,
        "unit_id": 1,
    }
    return Article.model_validate(usual | fields)


def wanted(number: int = 1, **fields: object) -> Wanted:
    found = CATALOGUE.wanted(article(number, **fields))
    assert isinstance(found, Wanted), found
    return found


def link(number: int = 1, **fields: Any) -> Link:  # noqa: ANN401 - any field
    usual: dict[str, Any] = {
        "bexio_id": number,
        "arcavis_id": str(1700 + number),
        "number_key": f"a{number}",
        "fingerprint": wanted(number).fingerprint,
        "account_id": None,
        "state": "active",
        "reason": None,
        "run_id": uuid4(),
        "outcome": CREATED,
        "stock_state": "set",
    }
    return Link(**(usual | fields))


def near(*links: Link, **more: Any) -> Neighbours:  # noqa: ANN401 - any field
    usual: dict[str, Any] = {
        "links": {one.bexio_id: one for one in links},
        "owners": {one.number_key: one.bexio_id for one in links},
        "known": {one.number_key: one.arcavis_id for one in links},
        "numbers": {one.arcavis_id: one.number_key for one in links},
    }
    return Neighbours(**(usual | more))


def outcome(decisions: Sequence[Decision]) -> list[str]:
    return [one.outcome if isinstance(one, Step) else one.problem.code for one in decisions]


@given(PRICES, RATES)
def test_a_price_with_vat_stays_as_it_is_to_the_rappen(price: Decimal, rate: Decimal) -> None:
    assert abs(till_price(price, rate, includes_vat=True) - price) <= Decimal("0.005")


@given(PRICES, RATES)
def test_a_price_without_vat_gets_it_to_the_rappen(price: Decimal, rate: Decimal) -> None:
    gross = till_price(price, rate, includes_vat=False)
    assert gross == gross.quantize(Decimal("0.01"))
    assert abs(gross - price * (1 + rate / 100)) <= Decimal("0.005")


@given(st.decimals(min_value=0, max_value=10_000, places=2), RATES)
def test_a_net_price_of_four_decimals_gives_its_gross_price_back(gross: Decimal, rate: Decimal) -> None:
    net = (gross / (1 + rate / 100)).quantize(Decimal("0.0001"))
    assert till_price(net, rate, includes_vat=False) == gross


@given(PRICES, PRICES, RATES)
def test_a_dearer_article_is_never_cheaper_at_the_till(one: Decimal, other: Decimal, rate: Decimal) -> None:
    low, high = sorted((one, other))
    assert till_price(low, rate, includes_vat=False) <= till_price(high, rate, includes_vat=False)


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Z")), min_size=1, max_size=8)


@given(TEXT, TEXT, TEXT, TEXT)
def test_two_fingerprints_are_equal_when_the_articles_are(name: str, text: str, other: str, more: str) -> None:
    one = wanted(intern_name=name, intern_description=text).fingerprint
    assert one == wanted(intern_name=f" {name} ", intern_description=text, remarks="x", stock_nr=7).fingerprint
    another = wanted(intern_name=other, intern_description=more)
    same = (another.title, another.description) == (name, text)
    assert (one == another.fingerprint) == same


@pytest.mark.parametrize(
    "change",
    [
        {"intern_code": "A2"},
        {"sale_price": "10.85"},
        {"purchase_price": "1"},
        {"intern_description": "x"},
        {"unit_id": None},
    ],
)
def test_every_field_that_is_written_shows_in_the_fingerprint(change: dict[str, Any]) -> None:
    assert wanted(**change).fingerprint != wanted().fingerprint


def test_the_tax_shows_in_the_fingerprint_even_where_the_price_does_not() -> None:
    other = replace(CATALOGUE, till_taxes=(till_tax(9),))
    found = other.wanted(article())
    assert isinstance(found, Wanted)
    assert (found.fingerprint == wanted().fingerprint, found.tax_id) == (False, 9)


def test_a_change_is_sent_without_the_groups_that_the_shop_chose() -> None:
    assert wanted().write(is_new=False).body() == {
        "ArticleNumber": "A1",
        "Title": "Ware 1",
        "Description": "",
        "Price": 10.8,
        "TaxId": 1,
        "UnitId": 1,
    }
    assert {"MainGroupTitle", "IsWebApi"} <= wanted().write(is_new=True).body().keys()


def test_a_new_article_is_made_and_one_that_arcavis_has_is_changed() -> None:
    decisions = decide([article(1), article(2)], CATALOGUE, near(known={"a2": "1702"}), RUN)
    assert outcome(decisions) == [CREATED, UPDATED]


def test_a_linked_article_is_written_when_its_fingerprint_changed_or_it_was_gone() -> None:
    gone = link(3, state="inactive", reason=GONE_IN_BEXIO)
    there = near(link(1), link(2, fingerprint=b"old"), gone)
    assert outcome(decide([article(1), article(2), article(3)], CATALOGUE, there, RUN)) == [UNCHANGED, UPDATED, UPDATED]


def test_what_this_very_run_did_counts_as_what_it_was() -> None:
    there = near(link(1, run_id=RUN, outcome=CREATED), link(2, run_id=RUN, outcome=UPDATED))
    decisions = decide([article(1), article(2)], CATALOGUE, there, RUN)
    assert outcome(decisions) == [CREATED, UPDATED]
    assert not any(isinstance(one, Step) and one.writes for one in decisions)


def test_an_article_that_people_deleted_in_arcavis_is_left_alone() -> None:
    there = near(link(1, state="inactive", reason=GONE_IN_ARCAVIS), owners={})
    assert outcome(decide([article(1)], CATALOGUE, there, RUN)) == [GONE_IN_ARCAVIS]


def test_of_equal_numbers_the_first_that_fits_is_taken_whatever_its_case() -> None:
    page = [article(1, tax_income_id=None), article(2, intern_code="a1 "), article(3, intern_code="A1")]
    assert outcome(decide(page, CATALOGUE, near(), RUN)) == ["article-tax-missing", CREATED, "article-number-double"]


def test_a_number_is_free_when_the_article_that_had_it_is_gone_from_bexio() -> None:
    there = near(owners={"a2": 1}, known={"a2": "1701"}, holders={"1701": 1})
    assert outcome(decide([article(2)], CATALOGUE, there, RUN)) == ["article-number-double"]
    free = near(owners={"a2": 1}, known={"a2": "1701"}, holders={"1701": 1}, missing=frozenset({1}))
    assert outcome(decide([article(2)], CATALOGUE, free, RUN)) == [UPDATED]


def test_an_article_whose_number_differs_in_arcavis_is_not_written() -> None:
    there = near(link(1, number_key="a0"), numbers={"1701": "a0"})
    assert outcome(decide([article(1)], CATALOGUE, there, RUN)) == ["article-number-changed"]


@given(st.lists(st.booleans(), max_size=40), st.integers(1, 7))
def test_batches_cover_a_page_in_order_and_write_no_more_than_told(fits: list[bool], largest: int) -> None:
    page = [article(number, **({} if ok else {"sale_price": None})) for number, ok in enumerate(fits, 1)]
    decisions = decide(page, CATALOGUE, near(), RUN)
    made = list(batches(decisions, largest))
    assert [one for batch in made for one in batch.decisions] == decisions
    assert all(sum(step.writes for step in batch.steps) <= largest for batch in made)
    assert [batch.upto for batch in made] == sorted({batch.upto for batch in made})
    assert not made or made[-1].upto == len(page)


def test_a_problem_tells_the_articles_own_number_and_name() -> None:
    (trouble,) = decide([article(7, sale_price=None, intern_name=" Käse ")], CATALOGUE, near(), RUN)
    assert isinstance(trouble, Trouble)
    assert (trouble.number, trouble.name, trouble.problem) == ("A7", "Käse", Problem("article-price-missing"))
