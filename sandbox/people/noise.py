"""How the same person or company comes to be written in two ways, and how likely each is where it was typed."""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

from sandbox.people.identity import Identity, draw_person, mobile_line
from sandbox.people.names import LAST_NAMES, LEGAL_FORMS, SPELLINGS

Noise = Callable[[Identity, random.Random], Identity]
_TEXTS = ("company", "first_name", "last_name", "street", "addition", "city")
_GERMAN = {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"}
_BARE = str.maketrans("äöüÄÖÜéèêëàâçîïôûùÉÈÊÀÇ", "aouAOUeeeeaaciiouuEEEAC")
_SHORT_STREETS = (
    ("strasse", "str."),
    ("Strasse", "Str."),
    ("Rue ", "R. "),
    ("Avenue ", "Av. "),
    ("Chemin ", "Ch. "),
    ("Boulevard ", "Bd "),
    ("Place ", "Pl. "),
    ("Piazza ", "P.za "),
)
_PHONE_FORMS = ("0{0} {1}", "0{0}/{1}", "+41{0}{1}", "0041 {0} {1}", "+41 (0){0} {1}", "0{0}-{1}", "(0{0}) {1}")
_FORM_SPELLINGS = {"AG": "A.G.", "SA": "S.A.", "GmbH": "Gmbh", "Sàrl": "Sarl", "Sagl": "S.a.g.l.", "Ltd": "Ltd."}


def german_umlauts(who: Identity, _rng: random.Random) -> Identity:
    """As typed on a keyboard without umlauts: Müller, Mueller."""
    table = str.maketrans(_GERMAN)
    return _texts(who, lambda text: text.translate(table))


def no_accents(who: Identity, _rng: random.Random) -> Identity:
    """As older programs store it: Hélène, Helene; Müller, Muller."""
    return _texts(who, lambda text: text.translate(_BARE))


def short_street(who: Identity, _rng: random.Random) -> Identity:
    """Bahnhofstrasse, Bahnhofstr.; Avenue de la Gare, Av. de la Gare."""
    street = who.street
    for long, short in _SHORT_STREETS:
        street = street.replace(long, short)
    return replace(who, street=street)


def street_in_one(who: Identity, _rng: random.Random) -> Identity:
    """Street and number in one field, as before June 2025."""
    return replace(who, street=f"{who.street} {who.house_number}".strip(), house_number="")


def phone_form(who: Identity, rng: random.Random) -> Identity:
    """One of the many ways to write a phone number."""
    form, is_spaced = rng.choice(_PHONE_FORMS), rng.random() < 0.5

    def written(number: str) -> str:
        if not number.startswith("+41 "):
            return number.replace("+", "00").replace(" ", "")
        area, _, rest = number.removeprefix("+41 ").partition(" ")
        return form.format(area, rest if is_spaced else rest.replace(" ", ""))

    return replace(who, phone=written(who.phone), mobile=written(who.mobile))


def upper_case(who: Identity, _rng: random.Random) -> Identity:
    """MÜLLER."""
    return replace(who, company=who.company.upper(), last_name=who.last_name.upper(), city=who.city.upper())


def lower_case(who: Identity, _rng: random.Random) -> Identity:
    """As typed in a hurry."""
    return _texts(who, str.lower)


def loose_spaces(who: Identity, _rng: random.Random) -> Identity:
    """A space too many at the end and between words."""
    return _texts(who, lambda text: f"{text.replace(' ', '  ')} " if text else "")


def no_legal_form(who: Identity, _rng: random.Random) -> Identity:
    """Muster AG, Muster."""
    return replace(who, company=bare_name(who.company))


def form_spelling(who: Identity, _rng: random.Random) -> Identity:
    """AG, A.G.; Sàrl, Sarl."""
    name, _, form = who.company.rpartition(" ")
    return replace(who, company=f"{name} {_FORM_SPELLINGS[form]}") if form in _FORM_SPELLINGS else who


def name_spelling(who: Identity, _rng: random.Random) -> Identity:
    """Hans-Peter, Hanspeter."""
    return replace(who, first_name=SPELLINGS.get(who.first_name, who.first_name))


def last_name_typo(who: Identity, rng: random.Random) -> Identity:
    """A slip in the last name, or in the company's name."""
    if who.is_company:
        return replace(who, company=_slip(who.company, rng))
    return replace(who, last_name=_slip(who.last_name, rng))


def first_name_typo(who: Identity, rng: random.Random) -> Identity:
    """A slip in the first name."""
    return replace(who, first_name=_slip(who.first_name, rng))


def street_typo(who: Identity, rng: random.Random) -> Identity:
    """A slip in the street."""
    return replace(who, street=_slip(who.street, rng))


def mail_typo(who: Identity, rng: random.Random) -> Identity:
    """A slip in the mail address before its @."""
    local, at, host = who.email.partition("@")
    return replace(who, email=f"{_slip(local, rng)}{at}{host}")


def mail_case(who: Identity, _rng: random.Random) -> Identity:
    """Anna.Muster@Bluewin.ch."""
    return replace(who, email=who.email.title())


def no_mail(who: Identity, _rng: random.Random) -> Identity:
    """No mail was noted."""
    return replace(who, email="")


def no_phones(who: Identity, _rng: random.Random) -> Identity:
    """No phone was noted."""
    return replace(who, phone="", mobile="")


def no_address(who: Identity, _rng: random.Random) -> Identity:
    """No address was noted."""
    return replace(who, street="", house_number="", addition="", postcode="", city="")


def other_mobile(who: Identity, rng: random.Random) -> Identity:
    """A new mobile number."""
    return replace(who, mobile=mobile_line(rng, rng.randrange(1_000_000, 2_000_000)))


def moved(who: Identity, rng: random.Random) -> Identity:
    """A person lives elsewhere now. Companies don't: that could as well be another branch."""
    if who.is_company:
        return who
    new = draw_person(rng, 0)
    place = {name: getattr(new, name) for name in ("street", "house_number", "addition", "postcode", "city", "country")}
    return replace(who, **place)


def married(who: Identity, rng: random.Random) -> Identity:
    """A person's last name is now another, or a double one."""
    if who.is_company:
        return who
    other = rng.choice([name for name in LAST_NAMES[who.language] if name != who.last_name])
    return replace(who, last_name=other if rng.random() < 0.5 else f"{who.last_name}-{other}")


def swapped_names(who: Identity, _rng: random.Random) -> Identity:
    """First and last name in each other's place."""
    return who if who.is_company else replace(who, first_name=who.last_name, last_name=who.first_name)


def titled(who: Identity, _rng: random.Random) -> Identity:
    """A title within the first name."""
    return who if who.is_company else replace(who, first_name=f"Dr. {who.first_name}")


OFFICE: Mapping[Noise, int] = {
    german_umlauts: 6,
    short_street: 10,
    street_in_one: 6,
    phone_form: 12,
    no_legal_form: 6,
    form_spelling: 5,
    name_spelling: 4,
    loose_spaces: 3,
    mail_case: 4,
    moved: 3,
    married: 2,
    no_phones: 3,
    titled: 1,
    street_typo: 2,
}
"""Two offices wrote it down: other conventions, few slips, much of it complete."""

TILL: Mapping[Noise, int] = {
    no_accents: 8,
    german_umlauts: 4,
    upper_case: 6,
    lower_case: 6,
    last_name_typo: 4,
    first_name_typo: 3,
    street_typo: 4,
    mail_typo: 3,
    no_mail: 5,
    no_phones: 6,
    no_address: 4,
    other_mobile: 4,
    phone_form: 6,
    swapped_names: 2,
    no_legal_form: 4,
    moved: 3,
    short_street: 4,
}
"""Typed at a till while others wait: slips, gaps, capitals."""


def disturbed(who: Identity, rng: random.Random, profile: Mapping[Noise, int]) -> tuple[Identity, tuple[str, ...]]:
    """The same one with one to three noises of a profile, and the names of those that changed something."""
    names: list[str] = []
    for noise in dict.fromkeys(rng.choices(list(profile), list(profile.values()), k=rng.choice((1, 1, 2, 2, 3)))):
        changed = noise(who, rng)
        if changed != who:
            names.append(noise.__name__)
        who = changed
    return who, tuple(names)


def bare_name(company: str) -> str:
    """A company's name without its legal form."""
    name = company
    for form in {form for forms in LEGAL_FORMS.values() for form in forms if form}:
        name = re.sub(rf"\s{re.escape(form)}$", "", name)
    return name


def _texts(who: Identity, write: Callable[[str], str]) -> Identity:
    return replace(who, **{name: write(getattr(who, name)) for name in _TEXTS})


def _slip(text: str, rng: random.Random) -> str:
    """Two letters swapped, one missing, or one twice; the first stays."""
    if len(text) < 4:
        return text
    at = rng.randrange(1, len(text) - 1)
    match rng.randrange(3):
        case 0:
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        case 1:
            return text[:at] + text[at + 1 :]
        case _:
            return text[:at] + text[at] + text[at:]
