"""Pairs of an Arcavis contact and a bexio contact, with a label: the same, or two who only look alike.

Every pair that is not the same differs in something that both records show, so that a careful reader can tell.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from sandbox.people.identity import Identity, draw_company, draw_person, fixed_line, mobile_line
from sandbox.people.names import FIRST_NAMES, LEGAL_FORMS, TOWNS, TWINS
from sandbox.people.noise import OFFICE, TILL, Noise, bare_name, disturbed
from sandbox.people.records import arcavis_fields, bexio_fields

Record = dict[str, object]
Twosome = tuple[Identity, Identity]
PROFILES: Mapping[str, Mapping[Noise, int]] = {"office": OFFICE, "till": TILL}
FIRST_NUMBER = 700_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Two records and the truth about them.

    `arcavis` is a customer as `POST /api/customers` takes it, `bexio` a contact as `POST /2.0/contact` does.
    `case` says what kind of pair it is: the noises joined by "+", or the near-miss.
    """

    arcavis: Record
    bexio: Record
    same: bool
    case: str


def labelled_pairs(count: int, seed: int, profile: str = "office") -> Iterator[Pair]:
    """So many pairs, half of them the same, every near-miss in turn; the same for the same seed and profile.

    Across pairs nobody is the same either, so that all of them together are a shop's contacts with one right answer.
    """
    rng = random.Random(f"pairs {profile} {seed}")
    near_misses = list(NEAR_MISSES.items())
    for index in range(count):
        if index % 2 == 0:
            yield _same(rng, index, PROFILES[profile])
        else:
            case, draw = near_misses[index // 2 % len(near_misses)]
            yield _different(rng, index, case, draw)


def _same(rng: random.Random, index: int, profile: Mapping[Noise, int]) -> Pair:
    who = _anybody(rng, index)
    there, noises = disturbed(who, rng, profile)
    here, there = (who, there) if rng.random() < 0.5 else (there, who)
    shares_number = rng.random() < 0.3
    number = str(FIRST_NUMBER + index) if shares_number else f"K-{FIRST_NUMBER + index}"
    case = "+".join((*noises, *(("same_number",) if shares_number else ()))) or "identical"
    return Pair(arcavis_fields(here, number), bexio_fields(there, FIRST_NUMBER + index), same=True, case=case)


def _different(rng: random.Random, index: int, case: str, draw: Callable[[random.Random, int], Twosome]) -> Pair:
    here, there = draw(rng, index)
    if rng.random() < 0.5:
        here, there = there, here
    number = str(FIRST_NUMBER + index) if case == "reused_number" else f"K-{FIRST_NUMBER + index}"
    return Pair(arcavis_fields(here, number), bexio_fields(there, FIRST_NUMBER + index), same=False, case=case)


def family(rng: random.Random, index: int) -> Twosome:
    """Two of a family: last name, address, mail and fixed line in common, first names not."""
    who = _reachable_person(rng, index)
    salutation, first = rng.choice([pair for pair in FIRST_NAMES[who.language] if pair[1] != who.first_name])
    return who, replace(
        who, salutation=salutation, first_name=first, birthday="", mobile=mobile_line(rng, index + 500_000)
    )


def twins(rng: random.Random, index: int) -> Twosome:
    """Two children of one birthday whose first names are a letter apart."""
    who = replace(_reachable_person(rng, index), birthday="2004-05-17", mobile="")
    one, other = rng.choice(TWINS)
    return replace(who, first_name=one), replace(who, first_name=other)


def junior_by_name(rng: random.Random, index: int) -> Twosome:
    """Father and son of one name at one address; the son says so."""
    who = replace(_reachable_person(rng, index), birthday="", mobile="")
    where = rng.choice(("last_name", "first_name"))
    suffix = rng.choice(("jun.", "junior", "jr."))
    return who, replace(who, **{where: f"{getattr(who, where)} {suffix}"})


def junior_by_birthday(rng: random.Random, index: int) -> Twosome:
    """Father and son of one name at one address, whose birthdays are known."""
    who = replace(_reachable_person(rng, index), birthday=f"19{rng.randint(45, 65)}-03-0{rng.randint(1, 9)}")
    return who, replace(who, birthday=f"19{rng.randint(75, 95)}-11-1{rng.randint(0, 9)}", mobile="")


def initial_only(rng: random.Random, index: int) -> Twosome:
    """A couple whose first names begin with one letter; one record has the initial only."""
    who = replace(_reachable_person(rng, index), birthday="", mobile="")
    return who, replace(who, first_name=f"{who.first_name[0]}.", phone=fixed_line(TOWNS["de"][0], index + 600_000))


def namesake_elsewhere(rng: random.Random, index: int) -> Twosome:
    """The same name in another town, with nothing else in common."""
    who = draw_person(rng, index)
    other = draw_person(rng, index + 500_000)
    return who, replace(other, salutation=who.salutation, first_name=who.first_name, last_name=who.last_name)


def namesake_in_town(rng: random.Random, index: int) -> Twosome:
    """The same name in the same town, in another street, with nothing else in common."""
    one, other = namesake_elsewhere(rng, index)
    street = other.street if other.street != one.street else f"Neue {other.street}"
    town = {"postcode": one.postcode, "city": one.city, "country": one.country}
    return one, replace(other, **town, street=street)


def neighbours(rng: random.Random, index: int) -> Twosome:
    """The same last name in the same street, next door."""
    who = draw_person(rng, index)
    other = draw_person(rng, index + 500_000)
    place = {name: getattr(who, name) for name in ("street", "postcode", "city", "country", "last_name")}
    return replace(who, house_number="12"), replace(other, **place, house_number="14")


def branches(rng: random.Random, index: int) -> Twosome:
    """Two branches of a company: name and mail in common, town not."""
    who = _reachable_company(rng, index)
    town = rng.choice([town for town in TOWNS[who.language] if town.name != who.city])
    place = {"street": "Filialweg", "house_number": "3", "postcode": town.postcode, "city": town.name, "country": "CH"}
    return who, replace(who, **place, phone=fixed_line(town, index + 500_000))


def branch_by_name(rng: random.Random, index: int) -> Twosome:
    """Two branches of a company, one of which says so in its name."""
    one, other = branches(rng, index)
    return one, replace(other, company=f"{other.company}, Filiale {other.city}")


def holding(rng: random.Random, index: int) -> Twosome:
    """A company and its holding at the same address, with the same mail."""
    who = _reachable_company(rng, index)
    bare = bare_name(who.company)
    return replace(who, company=f"{bare} AG"), replace(who, company=f"{bare} Holding AG")


def other_legal_form(rng: random.Random, index: int) -> Twosome:
    """Two companies of one name and address that are different legal persons."""
    who = _reachable_company(rng, index)
    forms = sorted({form for form in LEGAL_FORMS[who.language] if form})
    one, other = rng.sample(forms, 2)
    bare = bare_name(who.company)
    return replace(who, company=f"{bare} {one}"), replace(who, company=f"{bare} {other}")


def shared_info_mail(rng: random.Random, index: int) -> Twosome:
    """Two companies that share a mail address, their fiduciary's."""
    one, other = draw_company(rng, index), draw_company(rng, index + 500_000)
    mail = f"info@treuhand-{index}.ch"
    return replace(one, email=mail), replace(other, email=mail)


def company_and_person(rng: random.Random, index: int) -> Twosome:
    """A company, and its owner as a private customer with the company's mail and address."""
    who = _reachable_company(rng, index)
    salutation, first = FIRST_NAMES[who.language][0]
    owner = replace(who, salutation=salutation, first_name=first, last_name="Inhaber")
    return owner, replace(owner, company="")


def reused_number(rng: random.Random, index: int) -> Twosome:
    """Two who have nothing but their number in common: the two systems counted for themselves."""
    return _anybody(rng, index), _anybody(rng, index + 500_000)


def shared_phone(rng: random.Random, index: int) -> Twosome:
    """Two flatmates: address and fixed line in common, names not."""
    who = _reachable_person(rng, index)
    other = draw_person(rng, index + 500_000)
    place = {name: getattr(who, name) for name in ("street", "house_number", "postcode", "city", "country", "phone")}
    return who, replace(other, **place)


NEAR_MISSES: Mapping[str, Callable[[random.Random, int], Twosome]] = {
    draw.__name__: draw
    for draw in (
        family,
        twins,
        junior_by_name,
        junior_by_birthday,
        initial_only,
        namesake_elsewhere,
        namesake_in_town,
        neighbours,
        branches,
        branch_by_name,
        holding,
        other_legal_form,
        shared_info_mail,
        company_and_person,
        reused_number,
        shared_phone,
    )
}
"""By name: two who look alike and are not the same."""


def _anybody(rng: random.Random, index: int) -> Identity:
    return draw_company(rng, index) if rng.random() < 0.35 else draw_person(rng, index)


def _reachable_person(rng: random.Random, index: int) -> Identity:
    """A person with a mail and a fixed line."""
    who = draw_person(rng, index)
    mail = who.email or f"familie{index}@bluewin.ch"
    return replace(who, email=mail, phone=who.phone or fixed_line(TOWNS[who.language][0], index))


def _reachable_company(rng: random.Random, index: int) -> Identity:
    """A company with a mail and a fixed line."""
    who = draw_company(rng, index)
    mail = who.email or f"info@firma-{index}.ch"
    return replace(who, email=mail, phone=who.phone or fixed_line(TOWNS[who.language][0], index))
