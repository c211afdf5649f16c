"""Who is who: two labelled populations full of near-misses, and the questions that only both sides together answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capabilities.contacts.matching import Alone, Ask, Held, Link, for_arcavis, for_bexio
from app.capabilities.parties.evidence import Party, keys, weigh
from app.capabilities.parties.normalising import (
    almost,
    generation,
    legal_form,
    loose,
    normal_company,
    normal_phone,
    normal_street,
)
from sandbox.people.pairs import labelled_pairs
from tests.fixtures.matching import judged, neighbourhood

ANNA = Party(
    is_company=False,
    company_name="",
    last_name="Müller",
    first_name="Anna",
    street="Bahnhofstrasse 5",
    postcode="8400",
    city="Winterthur",
    email="anna@mueller.example",
    number="",
)
FIRM = replace(ANNA, is_company=True, company_name="Muster AG", last_name="", first_name="", email="info@m.example")


@pytest.mark.parametrize(("seed", "profile", "recall"), [(1, "office", 0.9), (2, "till", 0.75)])
def test_of_two_thousand_pairs_with_near_misses_none_is_merged_wrongly(seed: int, profile: str, recall: float) -> None:
    score = judged(labelled_pairs(2000, seed, profile))
    assert score.wrong == [], str(score)
    assert score.recall >= recall, str(score)
    assert score.missed.total() <= 0.03 * score.same, str(score)


def test_one_contact_on_each_side_is_linked_from_both_ends() -> None:
    near = neighbourhood({1: ANNA}, {7: ANNA})
    assert isinstance(for_arcavis(1, near), Link)
    assert isinstance(for_bexio(7, near), Link)


def test_two_that_look_like_one_are_asked_for_and_it_is_held() -> None:
    near = neighbourhood({1: ANNA, 2: replace(ANNA, street="")}, {7: ANNA})
    assert isinstance(for_arcavis(1, near), Ask)
    assert isinstance(for_arcavis(2, near), Ask)
    held = for_bexio(7, near)
    assert isinstance(held, Held)
    assert set(held.asked) == {1, 2}


def test_what_is_linked_already_is_not_given_away_without_asking() -> None:
    near = replace(neighbourhood({1: ANNA}, {7: ANNA}), taken={7})
    assert isinstance(for_arcavis(1, near), Ask)


def test_where_more_share_a_name_than_can_be_looked_at_a_person_is_asked() -> None:
    near = replace(neighbourhood({1: ANNA}, {}), crowded={1})
    assert for_arcavis(1, near) == Ask(())


def test_strangers_stay_alone() -> None:
    near = neighbourhood({1: ANNA}, {7: FIRM})
    assert isinstance(for_arcavis(1, near), Alone)
    assert isinstance(for_bexio(7, near), Alone)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (replace(ANNA, birthday="1950-01-01"), replace(ANNA, birthday="1980-01-01")),
        (replace(ANNA, last_name="Müller sen."), replace(ANNA, last_name="Müller jun.")),
        (replace(ANNA, first_name="Peter"), ANNA),
        (replace(FIRM, company_name="Muster GmbH"), replace(FIRM, email="", phone="1")),
        (FIRM, replace(ANNA, email="info@m.example")),
    ],
    ids=["birthday", "generation", "family", "legal form", "company and person"],
)
def test_these_are_two(left: Party, right: Party) -> None:
    candidate = weigh(left, right, 1)
    assert candidate is None or not candidate.strong


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (ANNA, replace(ANNA, last_name="Müller jun.")),
        (FIRM, replace(FIRM, street="Seeweg 1", city="Bern", postcode="3000")),
        (FIRM, replace(FIRM, email="filiale@muster.example")),
        (replace(FIRM, addition="Einkauf"), replace(FIRM, addition="Verkauf")),
        (ANNA, replace(ANNA, email="a.mueller@work.example")),
        (replace(ANNA, number="7"), replace(ANNA, number="7", email="", postcode="3000", city="Bern", street="")),
        (ANNA, replace(ANNA, first_name="A.")),
        (ANNA, replace(ANNA, last_name="Anna", first_name="Müller")),
        (ANNA, replace(ANNA, last_name="Muller", email="")),
        (ANNA, replace(ANNA, last_name="Müler")),
    ],
)
def test_these_are_asked_for(left: Party, right: Party) -> None:
    candidate = weigh(left, right, 1)
    assert candidate is not None
    assert not candidate.strong
    assert keys(left) & keys(right)


def test_writing_in_four_languages_is_compared_alike() -> None:
    assert normal_street("Bahnhofstr. 5") == normal_street("BAHNHOFSTRASSE 5")
    assert normal_street("Av. de la Gare 2") == normal_street("avenue de la gare 2")
    assert normal_company("Muster S.à r.l.") == normal_company("Muster GmbH") == "muster"
    assert legal_form("Muster Sagl") == legal_form("Muster S.à r.l.") == "gmbh"
    assert {normal_phone(one) for one in ("044 123 45 67", "+41 (0)44 123 45 67", "0041441234567")} == {"+41441234567"}
    assert normal_phone("intern") == ""
    assert (generation("Hans Müller jun."), generation("Pierre Blanc père")) == ("junior", "senior")
    assert loose("mueller") == loose("muller")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("mueller", "muelller", True),
        ("mueller", "meuller", True),
        ("mueller", "muellar", True),
        ("mueller", "muell", False),
        ("mueller", "meier", False),
        ("lea", "lena", False),
        ("anna", "anna", True),
    ],
)
def test_one_slip_of_the_finger_is_almost_the_word(left: str, right: str, *, expected: bool) -> None:
    assert almost(left, right) == almost(right, left) == expected


@given(st.text(alphabet="abc", min_size=4, max_size=9), st.integers(0, 8), st.sampled_from("abc"))
def test_any_one_slip_is_found(word: str, place: int, letter: str) -> None:
    at = place % len(word)
    for slipped in (word[:at] + letter + word[at:], word[:at] + letter + word[at + 1 :], word[:at] + word[at + 1 :]):
        if len(slipped) >= 4:
            assert almost(word, slipped)


parties = st.builds(
    Party,
    is_company=st.booleans(),
    company_name=st.sampled_from(["Muster AG", "Muster", ""]),
    last_name=st.sampled_from(["Müller", "Muller", "Meier", ""]),
    first_name=st.sampled_from(["Anna", "A.", "Peter", ""]),
    street=st.sampled_from(["Seeweg 1", "Seeweg 2", ""]),
    postcode=st.sampled_from(["8000", "3000", ""]),
    city=st.sampled_from(["Zürich", "Bern", ""]),
    email=st.sampled_from(["a@b.example", "c@d.example", ""]),
    number=st.sampled_from(["1", "2", ""]),
    phone=st.sampled_from(["044 1", "044 2", ""]),
    birthday=st.sampled_from(["1980-01-01", "1950-01-01", ""]),
)


@given(parties, parties)
def test_evidence_reads_the_same_from_both_ends(left: Party, right: Party) -> None:
    here, there = weigh(left, right, 1), weigh(right, left, 1)
    assert (here is None) == (there is None)
    if here is not None and there is not None:
        assert (here.strong, here.reasons) == (there.strong, there.reasons)


@given(parties, parties)
def test_whoever_has_strong_evidence_shares_a_key(left: Party, right: Party) -> None:
    candidate = weigh(left, right, 1)
    if candidate is not None and candidate.strong:
        assert keys(left) & keys(right)


@given(st.lists(parties, max_size=4), st.lists(parties, max_size=4))
def test_nobody_is_linked_twice(arcavis: list[Party], bexio: list[Party]) -> None:
    near = neighbourhood(dict(enumerate(arcavis)), dict(enumerate(bexio)))
    from_arcavis = {
        (one, decision.bexio_id) for one in near.arcavis if isinstance(decision := for_arcavis(one, near), Link)
    }
    assert len({bexio_id for _, bexio_id in from_arcavis}) == len(from_arcavis)
    from_bexio = {
        (decision.arcavis_id, one) for one in near.bexio if isinstance(decision := for_bexio(one, near), Link)
    }
    assert from_bexio == from_arcavis
