"""One person or company as they really are, and any number of them."""

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.people.names import (
    ABROAD,
    FIRST_NAMES,
    LAST_NAMES,
    LEGAL_FORMS,
    MAIL_HOSTS,
    PHRASES,
    STREETS,
    TOWNS,
    TRADES,
    Town,
)

_LANGUAGES = ("de",) * 7 + ("fr",) * 2 + ("it",)
_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss", "\u0131": "i"})
_MOBILE = ("76", "77", "78", "79")


@dataclass(frozen=True, slots=True)
class Identity:
    """A person or company with everything that is known; empty text means unknown.

    A company's `first_name` and `last_name` are its contact person's. Phones are in the form "+41 44 123 45 67".
    """

    company: str
    salutation: str
    first_name: str
    last_name: str
    street: str
    house_number: str
    addition: str
    postcode: str
    city: str
    country: str
    email: str
    phone: str
    mobile: str
    language: str
    birthday: str

    @property
    def is_company(self) -> bool:
        """Whether this is a company rather than a person."""
        return bool(self.company)

    @property
    def place(self) -> tuple[str, ...]:
        """Name and address: what no two have in common."""
        name = self.company or f"{self.last_name} {self.first_name}"
        return name, self.street, self.house_number, self.postcode


def people(count: int, seed: int, company_share: float = 0.25) -> Iterator[Identity]:
    """So many people and companies one after the other, no two with the same name at the same address."""
    rng = random.Random(f"people {seed}")
    seen: set[int] = set()
    for index in range(count):
        draw = draw_company if rng.random() < company_share else draw_person
        while (mark := hash((drawn := draw(rng, index)).place)) in seen:
            pass
        seen.add(mark)
        yield drawn


def draw_person(rng: random.Random, index: int) -> Identity:
    """A person. `index` makes the mail and the phone numbers nobody else's of the same draw."""
    town = _town(rng)
    salutation, first = rng.choice(FIRST_NAMES[town.language])
    last = rng.choice(LAST_NAMES[town.language])
    has_mail, has_phone, is_mobile = rng.random() < 0.8, rng.random() < 0.5, rng.random() < 0.6
    birthday = f"{rng.randint(1940, 2006)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return Identity(
        company="",
        salutation=salutation,
        first_name=first,
        last_name=last,
        **_address(rng, town),
        email=_private_mail(rng, first, last, index) if has_mail else "",
        phone=fixed_line(town, index) if has_phone else "",
        mobile=mobile_line(rng, index) if is_mobile else "",
        language=town.language,
        birthday=birthday if rng.random() < 0.2 else "",
    )


def draw_company(rng: random.Random, index: int) -> Identity:
    """A company, most with a contact person."""
    town = _town(rng)
    language = town.language
    salutation, first = rng.choice(FIRST_NAMES[language])
    last = rng.choice(LAST_NAMES[language])
    bare = rng.choice(PHRASES[language]).format(
        name=last, first=first, trade=rng.choice(TRADES[language]), town=town.name.split(" ")[0]
    )
    form = rng.choice(LEGAL_FORMS["en"] if rng.random() < 0.03 else LEGAL_FORMS[language])
    has_person = rng.random() < 0.6
    host = f"{plain(bare).replace(' ', '-')[:30].strip('-')}-{index}.ch"
    return Identity(
        company=f"{bare} {form}".strip(),
        salutation=salutation if has_person else "",
        first_name=first if has_person else "",
        last_name=last if has_person else "",
        **_address(rng, town),
        email=f"{rng.choice(('info', 'info', 'kontakt', 'office', 'mail'))}@{host}" if rng.random() < 0.9 else "",
        phone=fixed_line(town, index) if rng.random() < 0.85 else "",
        mobile="",
        language=language,
        birthday="",
    )


def plain(text: str) -> str:
    """Lower case with a to z and digits only, as in mail addresses."""
    folded = unicodedata.normalize("NFKD", text.translate(_GERMAN)).encode("ascii", "ignore").decode().lower()
    return " ".join("".join(each if each.isalnum() else " " for each in folded).split())


def fixed_line(town: Town, index: int) -> str:
    """A fixed line of a town that nobody else of the same draw has."""
    return f"{town.phone} {_subscriber(index)}"


def mobile_line(rng: random.Random, index: int) -> str:
    """A mobile number that nobody else of the same draw has."""
    return f"+41 {rng.choice(_MOBILE)} {_subscriber(index)}"


def _subscriber(index: int) -> str:
    # A step that has no factor in common with the seven digits: all numbers differ until they are used up.
    digits = f"{(2_000_003 + index * 7_919) % 10_000_000:07d}"
    return f"{digits[:3]} {digits[3:5]} {digits[5:]}"


def _town(rng: random.Random) -> Town:
    return rng.choice(ABROAD) if rng.random() < 0.02 else rng.choice(TOWNS[rng.choice(_LANGUAGES)])


def _address(rng: random.Random, town: Town) -> dict[str, str]:
    number = f"{rng.randint(1, 180)}{rng.choice('abcdef') if rng.random() < 0.2 else ''}"
    return {
        "street": rng.choice(STREETS[town.language]),
        "house_number": number,
        "addition": rng.choice(("Postfach", "c/o Treuhand Keller", "2. Stock")) if rng.random() < 0.05 else "",
        "postcode": town.postcode,
        "city": town.name,
        "country": town.country,
    }


def _private_mail(rng: random.Random, first: str, last: str, index: int) -> str:
    local = rng.choice(("{first}.{last}", "{first}.{last}", "{initial}.{last}", "{last}{first}"))
    names = {"first": plain(first).replace(" ", "-"), "last": plain(last).replace(" ", "")}
    return f"{local.format(**names, initial=names['first'][0])}{index}@{rng.choice(MAIL_HOSTS)}"
