from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capabilities.parties.evidence import (
    Match,
    Party,
    Unclear,
    Unknown,
    decide,
)
from app.capabilities.parties.normalising import normal, normal_company, normal_street

ANNA = Party(
    is_company=False,
    company_name="",
    last_name="Müller",
    first_name="Anna",
    street="Bahnhofstrasse 5",
    postcode="8400",
    city="Winterthur",
    email="familie@mueller.example",
    number="501",
)
FIRM = replace(ANNA, is_company=True, company_name="Müller & Söhne AG", last_name="", first_name="", number="")


@pytest.mark.parametrize(
    ("contact", "kind"),
    [
        (ANNA, Match),
        (replace(ANNA, last_name="Mueller", street="Bahnhofstr. 5", email="", number=""), Match),
        (replace(ANNA, street="", postcode="", city="", number=""), Match),
        (replace(ANNA, first_name="Peter", number="77"), Unknown),
        (replace(ANNA, email="other@example.ch", street="Seeweg 1", number=""), Unknown),
        (replace(ANNA, email="", street="", postcode="", city="", number=""), Unclear),
        (replace(ANNA, last_name="Meier", email="", street="", number="000501"), Unclear),
        (replace(ANNA, is_company=True, company_name="Müller Anna", number=""), Unknown),
    ],
)
def test_one_contact_is_judged_by_its_evidence(contact: Party, kind: type) -> None:
    assert isinstance(decide(ANNA, [(7, contact)]), kind)


def test_a_shared_mail_alone_is_no_identity() -> None:
    family = [(1, replace(ANNA, first_name="Peter", number="")), (2, replace(ANNA, first_name="Lea", number=""))]
    assert isinstance(decide(ANNA, family), Unknown)


def test_two_strong_candidates_wait_for_a_person() -> None:
    decision = decide(ANNA, [(1, ANNA), (2, replace(ANNA, number=""))])
    assert isinstance(decision, Unclear)
    assert [candidate.bexio_id for candidate in decision.candidates] == [1, 2]
    assert all(candidate.reasons for candidate in decision.candidates)


def test_companies_match_without_their_legal_form_but_branches_do_not() -> None:
    assert isinstance(decide(FIRM, [(1, replace(FIRM, company_name="Mueller + Soehne"))]), Match)
    branch = replace(FIRM, street="Rue du Lac 1", postcode="1003", city="Lausanne", email="lausanne@mueller.example")
    assert isinstance(decide(FIRM, [(1, branch)]), Unknown)


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    for fold in (normal, normal_company, normal_street):
        assert fold(fold(text)) == fold(text)


@given(st.lists(st.sampled_from(["Anna", "Peter", ""]), min_size=1, max_size=4))
def test_nobody_is_matched_to_another_first_name(names: list[str]) -> None:
    contacts = [(i, replace(ANNA, first_name=name, number="")) for i, name in enumerate(names)]
    decision = decide(ANNA, contacts)
    if isinstance(decision, Match):
        assert contacts[decision.candidate.bexio_id][1].first_name == "Anna"
