"""What people and companies in Switzerland are called and where they live, by language (`data/people.json`)."""

import json
from dataclasses import dataclass
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Town:
    """A postcode and its town; `phone` is what numbers of its fixed lines begin with."""

    postcode: str
    name: str
    language: str
    phone: str
    country: str = "CH"


def _lists(name: str) -> dict[str, tuple[str, ...]]:
    return {language: tuple(each) for language, each in _DATA[name].items()}


_DATA: dict[str, Any] = json.loads(resources.files("sandbox").joinpath("data/people.json").read_text(encoding="utf-8"))

FIRST_NAMES: dict[str, tuple[tuple[str, str], ...]] = {
    language: tuple((salutation, name) for salutation, names in groups.items() for name in names)
    for language, groups in _DATA["first_names"].items()
}
"""By language: (salutation, first name)."""

LAST_NAMES = _lists("last_names")
TRADES = _lists("trades")
PHRASES = _lists("phrases")
"""How companies make a name of {name}, {first}, {trade} and {town}."""

LEGAL_FORMS = _lists("legal_forms")
"""By language and "en"; a form stands as often as it is likely, an empty one for none."""

STREETS = _lists("streets")
MAIL_HOSTS: tuple[str, ...] = tuple(_DATA["mail_hosts"])
TOWNS: dict[str, tuple[Town, ...]] = {
    language: tuple(Town(postcode, name, language, f"+41 {phone}") for postcode, name, phone in towns)
    for language, towns in _DATA["towns"].items()
}
ABROAD: tuple[Town, ...] = tuple(Town(*row) for row in _DATA["abroad"])

SPELLINGS = {
    "Hans-Peter": "Hanspeter",
    "Karl-Heinz": "Karlheinz",
    "Jean-Pierre": "Jean Pierre",
    "Anna-Lena": "Annalena",
    "Marie-Louise": "Marie Louise",
    "Marie-Claire": "Marie Claire",
    "Anne-Sophie": "Anne Sophie",
    "Jean-Luc": "Jean Luc",
}
"""First names that one person writes in two ways."""

TWINS = (("Lea", "Lena"), ("Lara", "Laura"), ("Noah", "Noel"), ("Nina", "Lina"), ("Jan", "Jon"))
"""First names of two people that are one letter apart."""
