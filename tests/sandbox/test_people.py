"""The generator of people: the same for the same seed, accepted by both simulators, and its labels true."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from sandbox.people.identity import people
from sandbox.people.noise import OFFICE, TILL, disturbed
from sandbox.people.pairs import NEAR_MISSES, PROFILES, Pair, labelled_pairs
from tests.sandbox.arcavis_shop import Shop as Arcavis
from tests.sandbox.bexio_shop import Shop as Bexio

FIELDS = ("Name", "Firstname", "CompanyName", "Street", "Zip", "ContactEmail", "ContactPhone", "ContactMobile")


def pairs(count: int, seed: int, profile: str = "office") -> list[Pair]:
    return list(labelled_pairs(count, seed, profile))


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    assert list(people(50, 1)) == list(people(50, 1))
    assert list(people(50, 1)) == list(people(80, 1))[:50]
    assert list(people(50, 1)) != list(people(50, 2))


def test_no_two_people_share_name_and_address_mail_or_phone() -> None:
    drawn = list(people(20_000, 7))
    assert len({who.place for who in drawn}) == len(drawn)
    for field in ("email", "phone", "mobile"):
        values = [value for who in drawn if (value := getattr(who, field))]
        assert len(values) == len(set(values)) > 4_000, field


def test_people_are_of_both_kinds_and_all_languages() -> None:
    drawn = list(people(2_000, 7))
    assert {who.language for who in drawn} == {"de", "fr", "it"}
    assert 300 < sum(who.is_company for who in drawn) < 700
    assert any("ü" in who.last_name for who in drawn)
    assert {who.country for who in drawn} >= {"CH", "DE", "LI"}


@pytest.mark.parametrize("profile", PROFILES)
def test_labelled_pairs_are_the_same_for_the_same_seed_and_half_of_each(profile: str) -> None:
    drawn = pairs(640, 1, profile)
    assert drawn == pairs(640, 1, profile)
    assert drawn != pairs(640, 2, profile)
    assert sum(pair.same for pair in drawn) == 320
    near_misses = Counter(pair.case for pair in drawn if not pair.same)
    assert near_misses == dict.fromkeys(NEAR_MISSES, 20)


@pytest.mark.parametrize("profile", PROFILES)
def test_every_noise_of_a_profile_occurs_and_changes_something(profile: str) -> None:
    found = {noise for pair in pairs(4_000, 3, profile) if pair.same for noise in pair.case.split("+")}
    assert {noise.__name__ for noise in PROFILES[profile]} <= found


@pytest.mark.parametrize("profile", [OFFICE, TILL], ids=["office", "till"])
def test_a_noise_leaves_an_identity_itself(profile: object) -> None:
    rng = random.Random(5)
    for who in people(300, 5):
        changed, names = disturbed(who, rng, OFFICE if profile is OFFICE else TILL)
        assert (changed == who) == (names == ())
        assert (changed.is_company, changed.country) == (who.is_company, changed.country)
        if changed != who and "moved" not in names:
            assert replace(changed, street="", house_number="").language == who.language


@pytest.mark.parametrize("profile", PROFILES)
async def test_both_simulators_take_every_half_of_a_pair(profile: str) -> None:
    bexio, arcavis = Bexio(), Arcavis()
    body = {"count": 400, "seed": 4, "profile": profile}
    for pair in pairs(400, 4, profile):
        made = await bexio.post("/2.0/contact", pair.bexio)
        assert made.status_code == 201, (pair, made.text)
        assert (await arcavis.call("POST", "customers", pair.arcavis))["IsSuccessful"] is True, body


def test_pairs_that_are_not_the_same_differ_in_what_both_records_show() -> None:
    for pair in pairs(1_600, 6):
        if pair.same or pair.case == "initial_only":
            continue
        here = {name: str(pair.arcavis[name] or "") for name in FIELDS}
        there = {
            "Name": pair.bexio["name_1"] if pair.bexio["contact_type_id"] == 2 else here["Name"],
            "Firstname": pair.bexio["name_2"] if pair.bexio["contact_type_id"] == 2 else here["Firstname"],
            "CompanyName": pair.bexio["name_1"] if pair.bexio["contact_type_id"] == 1 else "",
            "Street": pair.bexio["street_name"] or "",
            "Zip": pair.bexio["postcode"],
        }
        differs = any(here[name] != value for name, value in there.items())
        is_other_house = str(pair.arcavis["StreetNumber"] or "") != str(pair.bexio["house_number"] or "")
        is_other_birthday = pair.arcavis["Birthdate"] != pair.bexio["birthday"]
        assert differs or is_other_house or is_other_birthday, pair
