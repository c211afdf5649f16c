"""The three-way merge: what is copied, what is a conflict, and that nothing filled is emptied by accident."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.capabilities.contacts.fields import ADDRESS, NAME, NAMES, Fields, Side, canonical, same
from app.capabilities.contacts.merge import Base, Merged, Policy, merge

ANNA = canonical(
    Fields(
        name_1="Muster",
        name_2="Anna",
        street="Hauptstrasse",
        house_number="1",
        postcode="8000",
        city="Zürich",
        country="CH",
        email="anna@muster.example",
        phone="044 123 45 67",
    )
)
AGREED = Base(ANNA.values(), ANNA.values())
ASK: Policy = "ask"

# Few fields and few values: what goes wrong goes wrong between fields that hang together.
words = st.sampled_from(["", "Muster", "c/o Huber", "8"])
phones = st.sampled_from(["", "+41 44 123 45 67", "044 123 45 67", "1"])
types = st.sampled_from(["person", "company"])
PARTS = ("name_1", "name_2", "street", "house_number", "address_addition", "city")
contacts: st.SearchStrategy[Fields] = st.builds(Fields, type=types, phone=phones, **dict.fromkeys(PARTS, words)).map(
    canonical
)
bases = contacts.map(lambda one: Base(one.values(), one.values()))
policies = st.sampled_from(["arcavis", "bexio", "ask"])


def after(merged: Merged, arcavis: Fields, bexio: Fields) -> tuple[Fields, Fields]:
    return arcavis.with_values(merged.to_arcavis), bexio.with_values(merged.to_bexio)


def test_a_change_on_one_side_is_copied_to_the_other() -> None:
    merged = merge(AGREED, replace(ANNA, city="Bern"), replace(ANNA, phone="031 1"), ASK)
    assert (merged.to_bexio, merged.to_arcavis, merged.conflicts) == ({"city": "Bern"}, {"phone": "031 1"}, {})


def test_what_a_person_emptied_is_emptied_on_the_other_side() -> None:
    assert merge(AGREED, replace(ANNA, email=""), ANNA, ASK).to_bexio == {"email": ""}


def test_the_first_meeting_fills_what_is_empty_and_empties_nothing() -> None:
    merged = merge(Base(), replace(ANNA, email="", city="Bern"), replace(ANNA, phone=""), ASK)
    assert merged.to_arcavis == {"email": ANNA.email}
    assert merged.to_bexio == {"phone": ANNA.phone}
    assert set(merged.conflicts) == {"city"}


def test_the_same_value_on_both_sides_is_no_conflict_however_it_is_written() -> None:
    mine, theirs = replace(ANNA, phone="+41 79 000 00 00"), replace(ANNA, phone="079 000 00 00")
    merged = merge(AGREED, mine, theirs, ASK)
    assert not merged.writes
    assert merged.conflicts == {}
    assert not merge(merged.base, mine, theirs, ASK).writes


def test_a_corrected_spelling_is_a_change() -> None:
    assert merge(AGREED, replace(ANNA, city="ZÜRICH"), ANNA, ASK).to_bexio == {"city": "ZÜRICH"}


def test_a_conflict_stays_until_it_is_decided_and_leaves_the_other_fields_alone() -> None:
    mine, theirs = replace(ANNA, city="Bern", phone="1"), replace(ANNA, city="Basel")
    merged = merge(AGREED, mine, theirs, ASK)
    assert set(merged.conflicts) == {"city"}
    assert merged.to_bexio == {"phone": "1"}
    again = merge(merged.base, *after(merged, mine, theirs), ASK)
    assert set(again.conflicts) == {"city"}
    assert not again.writes
    assert merge(merged.base, *after(merged, mine, theirs), "bexio").to_arcavis == {"city": "Basel"}


def test_what_may_not_be_written_now_is_kept_for_later() -> None:
    mine = replace(ANNA, city="Bern")
    merged = merge(AGREED, mine, ANNA, ASK, writable=("arcavis",))
    assert (merged.postponed, merged.writes) == ({"city"}, False)
    assert merge(merged.base, mine, ANNA, ASK).to_bexio == {"city": "Bern"}


def test_a_value_that_one_side_cannot_hold_is_left_alone_on_both() -> None:
    merged = merge(
        AGREED, replace(ANNA, salutation="Hochwürden"), replace(ANNA, salutation="Herr"), ASK, apart={"salutation"}
    )
    assert not merged.writes
    assert merged.conflicts == {}


def test_an_address_that_comes_from_both_sides_ends_in_a_form_that_bexio_takes() -> None:
    mine = replace(ANNA, street="", house_number="")
    theirs = replace(ANNA, address_addition="c/o Huber")
    merged = merge(AGREED, mine, theirs, ASK)
    one, other = after(merged, mine, theirs)
    assert one == other
    assert other.street == "c/o Huber"


@pytest.mark.parametrize("policy", ["arcavis", "bexio", "ask"])
def test_of_two_addresses_that_exclude_each_other_no_half_is_written_anywhere(policy: Policy) -> None:
    cleared = replace(ANNA, street="", house_number="")
    corrected = replace(ANNA, house_number="1a")
    dorf = replace(ANNA, street="Dorf", house_number="")
    rosenweg = replace(ANNA, street="Rosenweg", house_number="12", address_addition="c/o Huber")
    for base, mine, theirs in ((AGREED, cleared, corrected), (Base(), dorf, rosenweg)):
        merged = merge(base, mine, theirs, policy)
        one, other = after(merged, mine, theirs)
        if policy == "ask":
            assert (one, other) == (mine, theirs)
            assert set(merged.conflicts) == {name for name in ADDRESS if getattr(mine, name) != getattr(theirs, name)}
        else:
            assert one == other == (mine if policy == "arcavis" else theirs)


@given(bases, contacts, contacts, policies, st.sampled_from([("arcavis",), ("bexio",), ("arcavis", "bexio")]))
def test_no_side_is_given_a_number_or_an_addition_without_a_street(
    base: Base, arcavis: Fields, bexio: Fields, policy: Policy, writable: tuple[Side, ...]
) -> None:
    for known in (base, Base()):
        merged = merge(known, arcavis, bexio, policy, writable=writable)
        for writes, told in zip((merged.to_arcavis, merged.to_bexio), after(merged, arcavis, bexio), strict=True):
            if ADDRESS & writes.keys():
                assert told.street or not (told.house_number or told.address_addition)
        assert merged.postponed.isdisjoint(merged.to_arcavis.keys() | merged.to_bexio.keys())


@given(bases, contacts, contacts, policies)
def test_both_sides_agree_afterwards_on_every_field_without_conflict(
    base: Base, arcavis: Fields, bexio: Fields, policy: Policy
) -> None:
    merged = merge(base, arcavis, bexio, policy)
    one, other = after(merged, arcavis, bexio)
    for name in NAMES:
        if name not in merged.conflicts:
            assert same(name, getattr(one, name), getattr(other, name))
    if not merged.conflicts.keys() & (ADDRESS | NAME):
        assert (canonical(one), canonical(other)) == (one, other)


@given(bases, contacts, contacts, policies)
def test_merging_again_changes_nothing(base: Base, arcavis: Fields, bexio: Fields, policy: Policy) -> None:
    merged = merge(base, arcavis, bexio, policy)
    again = merge(merged.base, *after(merged, arcavis, bexio), policy)
    assert not again.writes
    assert again.conflicts == merged.conflicts


@given(bases, contacts, contacts)
def test_conflicts_are_the_fields_changed_on_both_to_different_values(
    base: Base, arcavis: Fields, bexio: Fields
) -> None:
    merged = merge(base, arcavis, bexio, ASK)
    expected = {
        name
        for name in NAMES
        if getattr(arcavis, name) != base.arcavis[name]
        and getattr(bexio, name) != base.bexio[name]
        and not same(name, getattr(arcavis, name), getattr(bexio, name))
    }
    if expected & ADDRESS and not same("street", arcavis.street, bexio.street):
        # Two addresses are one thing to decide.
        expected |= {name for name in ADDRESS if not same(name, getattr(arcavis, name), getattr(bexio, name))}
    assert set(merged.conflicts) == expected


@given(contacts, contacts, policies)
def test_the_first_meeting_never_empties_anything(arcavis: Fields, bexio: Fields, policy: Policy) -> None:
    merged = merge(Base(), arcavis, bexio, policy)
    for side, writes in ((arcavis, merged.to_arcavis), (bexio, merged.to_bexio)):
        emptied = {name for name, value in writes.items() if not value and getattr(side, name)}
        assert emptied <= ADDRESS | NAME


@given(bases, contacts, contacts)
def test_only_what_somebody_emptied_is_emptied(base: Base, arcavis: Fields, bexio: Fields) -> None:
    merged = merge(base, arcavis, bexio, ASK)
    for name, value in merged.to_bexio.items():
        if not value and name not in ADDRESS | NAME:
            assert base.arcavis[name]
            assert not getattr(arcavis, name)


@given(contacts)
def test_the_common_form_of_a_contact_is_its_own_common_form(contact: Fields) -> None:
    assert canonical(contact) == contact
    assert Fields.of(contact.filled()) == contact
