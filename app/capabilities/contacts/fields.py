"""The fields that both systems have of a contact, as common values. Pure.

Each system's record is read into `Fields`, and a merge compares `Fields` only. What cannot be told apart in one of the
two (0, null and "" alike; a number inside the street) is one value here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Literal

from app.capabilities.parties.evidence import Party
from app.capabilities.parties.normalising import normal_mail, normal_phone, normal_street

Side = Literal["arcavis", "bexio"]
Kind = Literal["customer", "supplier"]
KINDS: tuple[Kind, ...] = ("customer", "supplier")

COMPANY, PERSON = "company", "person"
# Fields that hang together: a sole first name is the name, and bexio takes number and addition only with a street.
NAME = frozenset({"type", "name_1", "name_2"})
ADDRESS = frozenset({"street", "house_number", "address_addition"})

_NUMBER_AT_END = re.compile(r"(.*\D)\s+(\d{1,4}\s?[a-zA-Z]?)")


@dataclass(frozen=True, slots=True)
class Fields:
    """A contact's common values; empty is "".

    `name_1` is the company or the last name, `name_2` the company's second line or the first name. `country` is the
    code of two letters, `language` likewise in lower case, `birthday` an ISO date, `type` `company` or `person`.
    """

    type: str = PERSON
    name_1: str = ""
    name_2: str = ""
    salutation: str = ""
    street: str = ""
    house_number: str = ""
    address_addition: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    email: str = ""
    phone: str = ""
    mobile: str = ""
    birthday: str = ""
    language: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Fields:
        """From what `filled` stored."""
        return cls(**{name: values[name] for name in NAMES if name in values})

    def filled(self) -> dict[str, str]:
        """The values that are not empty."""
        return {name: value for name, value in asdict(self).items() if value}

    def values(self) -> dict[str, str]:
        """All values."""
        return asdict(self)

    def with_values(self, values: Mapping[str, str]) -> Fields:
        """The same contact with other values in some fields."""
        return replace(self, **values)

    @property
    def is_company(self) -> bool:
        """Whether it is one."""
        return self.type == COMPANY


NAMES: tuple[str, ...] = tuple(field.name for field in fields(Fields))


def canonical(raw: Fields) -> Fields:
    """The one form of what can be written in several: number inside the street, address without one, a sole first name.

    `canonical(canonical(x)) == canonical(x)`.
    """
    values = {name: _trimmed(value) for name, value in raw.values().items()}
    if values["type"] == PERSON and not values["name_1"]:
        values["name_1"], values["name_2"] = values["name_2"], ""
    if not values["street"]:
        values["street"], values["address_addition"] = values["address_addition"], ""
    if not values["street"]:
        values["street"], values["house_number"] = values["house_number"], ""
    if not values["house_number"] and (split := _NUMBER_AT_END.fullmatch(values["street"])):
        values["street"], values["house_number"] = split[1].strip(), split[2]
    values["country"] = values["country"].upper()
    values["language"] = values["language"].lower()
    return Fields(**values)


def same(name: str, left: str, right: str) -> bool:
    """Whether two values say the same, but for how each system happens to write it."""
    if left == right:
        return True
    fold = _FOLDS.get(name, _folded)
    return fold(left) == fold(right) and bool(left) == bool(right)


def party(values: Fields, number: str = "") -> Party:
    """The facts that tell the contact apart."""
    company = values.is_company
    return Party(
        is_company=company,
        company_name=values.name_1 if company else "",
        last_name="" if company else values.name_1,
        first_name="" if company else values.name_2,
        street=f"{values.street} {values.house_number}".strip(),
        postcode=values.postcode,
        city=values.city,
        email=values.email,
        number=number,
        phone=values.phone,
        mobile=values.mobile,
        birthday=values.birthday,
        addition=values.name_2 if company else "",
    )


def label(values: Fields) -> str:
    """How people call the contact: `"Anna Muster, 8000 Zürich"`."""
    name = values.name_1 if values.is_company else f"{values.name_2} {values.name_1}".strip()
    return f"{name}, {values.postcode} {values.city}".strip(", ")


def _trimmed(value: str) -> str:
    return " ".join(unicodedata.normalize("NFC", value).split())


def _folded(value: str) -> str:
    return _trimmed(value).casefold()


_FOLDS = {"phone": normal_phone, "mobile": normal_phone, "email": normal_mail, "street": normal_street}
