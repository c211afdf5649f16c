"""Both systems' contacts in common values, and back into what each of them takes. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from app.capabilities.contacts.fields import ADDRESS, COMPANY, NAME, PERSON, Fields, Kind, canonical
from app.connectors.arcavis import names as arcavis_names
from app.connectors.arcavis.contacts import LONGEST_TEXT as LONGEST_IN_ARCAVIS
from app.connectors.arcavis.names import ContactWrite
from app.connectors.bexio.contacts import LONGEST_TEXT as LONGEST_IN_BEXIO
from app.connectors.bexio.contacts import Contact, ContactCreate, ContactEdit, ContactType

_PO_BOX = re.compile(r"(?:^|, )((?:postfach|case postale|casella postale|p\.? ?o\.? ?box)\b.*)$", re.IGNORECASE)
_SWISS_DATE = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s]+")
_REFERENCE = re.compile(r"bexio:(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What the company's ids mean. `groups` are the contact groups that exist by now, `user` is who makes contacts.

    Keys are codes in the canonical form of `Fields`; salutations are folded.
    """

    countries: Mapping[str, int]
    languages: Mapping[str, int]
    salutations: Mapping[str, int]
    salutation_names: Mapping[int, str]
    groups: Mapping[Kind, int] = field(default_factory=dict[Kind, int])
    user: int | None = None

    def country(self, identity: int | None) -> str:
        """The code of a country's id."""
        return next((code for code, known in self.countries.items() if known == identity), "")

    def language(self, identity: int | None) -> str:
        """The code of a language's id."""
        return next((code for code, known in self.languages.items() if known == identity), "")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a contact cannot be brought over: a code of the catalogue with its parameters."""

    code: str
    params: Mapping[str, str]


def from_bexio(contact: Contact, vocabulary: Vocabulary) -> Fields:
    """A bexio contact in common values."""
    return canonical(
        Fields(
            type=COMPANY if contact.contact_type_id == ContactType.COMPANY else PERSON,
            name_1=contact.name_1,
            name_2=contact.name_2 or "",
            salutation=vocabulary.salutation_names.get(contact.salutation_id or 0, ""),
            # Contacts from before bexio knew streets and numbers apart have the old line only.
            street=contact.street_name or contact.address or "",
            house_number=(contact.house_number or "") if contact.street_name else "",
            address_addition=contact.address_addition or "",
            postcode=contact.postcode or "",
            city=contact.city or "",
            country=vocabulary.country(contact.country_id),
            email=contact.mail or "",
            phone=contact.phone_fixed or "",
            mobile=contact.phone_mobile or "",
            birthday=_day(contact.birthday),
            language=vocabulary.language(contact.language_id),
        )
    )


def from_arcavis(contact: arcavis_names.Contact) -> Fields:
    """An Arcavis contact in common values."""
    return canonical(
        Fields(
            type=COMPANY if contact.is_company else PERSON,
            name_1=(contact.company_name if contact.is_company else contact.name) or "",
            name_2=(contact.name if contact.is_company else contact.firstname) or "",
            salutation=contact.salutation or "",
            street=contact.street or "",
            house_number=contact.street_number or "",
            address_addition=_addition(contact.street_supplement or "", contact.po_box or ""),
            postcode=contact.zip or "",
            city=contact.city or "",
            country=contact.country_iso_code or "",
            email=contact.contact_email or "",
            phone=contact.contact_phone or "",
            mobile=contact.contact_mobile or "",
            birthday=_day(contact.birthdate),
            language=(contact.language_id or "")[:2],
        )
    )


def referenced(contact: arcavis_names.Contact) -> int | None:
    """The bexio contact that we made this one from."""
    found = _REFERENCE.fullmatch(contact.external_reference or "")
    return int(found[1]) if found else None


def apart(arcavis: Fields, vocabulary: Vocabulary) -> frozenset[str]:
    """Fields of which bexio has no such value: each side keeps its own."""
    unknown = set[str]()
    if arcavis.salutation and arcavis.salutation.casefold() not in vocabulary.salutations:
        unknown.add("salutation")
    if arcavis.language and arcavis.language not in vocabulary.languages:
        unknown.add("language")
    return frozenset(unknown)


def problem_in_bexio(values: Fields, vocabulary: Vocabulary) -> Problem | None:
    """What bexio would refuse about a contact."""
    if not values.name_1:
        return Problem("contact-name-missing", {})
    if (too_long := _too_long(values, LONGEST_IN_BEXIO)) is not None:
        return too_long
    if values.country and values.country not in vocabulary.countries:
        return Problem("contact-country-unknown", {"country": values.country})
    if values.email and not _MAIL.fullmatch(values.email):
        return Problem("contact-email-invalid", {})
    return None


def problem_in_arcavis(values: Fields) -> Problem | None:
    """What Arcavis would refuse, likewise."""
    return _too_long(values, LONGEST_IN_ARCAVIS)


def bexio_contact(
    values: Fields, vocabulary: Vocabulary, user: int, *, groups: Collection[int], number: str | None = None
) -> ContactCreate:
    """The contact to make in bexio; `number` only where it is free there."""
    given: dict[str, object] = {
        "contact_type_id": ContactType.COMPANY if values.is_company else ContactType.PERSON,
        "name_1": values.name_1,
        "user_id": user,
        "owner_id": user,
    }
    if number:
        given["nr"] = number
    if values.name_2:
        given["name_2"] = values.name_2
    if groups:
        given["contact_group_ids"] = tuple(sorted(groups))
    details = {name: value for name, value in values.filled().items() if name not in NAME}
    return ContactCreate.model_validate(given | _bexio_details(details, vocabulary))


def bexio_changes(
    changes: Mapping[str, str], after: Fields, vocabulary: Vocabulary, *, groups: Collection[int] | None = None
) -> ContactEdit:
    """The fields to change in bexio; `after` is the contact as it shall be, `groups` all of its groups."""
    given: dict[str, object] = {}
    if "type" in changes:
        given["contact_type_id"] = ContactType.COMPANY if after.is_company else ContactType.PERSON
    if "name_1" in changes:
        given["name_1"] = after.name_1
    if "name_2" in changes:
        given["name_2"] = after.name_2 or None
    wanted = {name: value for name, value in changes.items() if name not in NAME}
    if not ADDRESS.isdisjoint(changes):
        wanted |= {name: getattr(after, name) for name in ADDRESS}
    given |= _bexio_details(wanted, vocabulary)
    if groups is not None:
        given["contact_group_ids"] = tuple(sorted(groups))
    return ContactEdit.model_validate(given)


def arcavis_contact(values: Fields, kind: Kind, bexio_id: int, number: str) -> ContactWrite:
    """The contact to make in Arcavis. Every field is given: Arcavis has defaults of its own for what is not."""
    given: dict[str, object] = {
        "customer_number" if kind == "customer" else "supplier_number": number,
        "external_reference": f"bexio:{bexio_id}",
    }
    return ContactWrite.model_validate(given | _arcavis_values(values.values(), values))


def arcavis_changes(changes: Mapping[str, str], after: Fields) -> ContactWrite:
    """The fields to change in Arcavis; `after` is the contact as it shall be."""
    return ContactWrite.model_validate(_arcavis_values(changes, after))


_ARCAVIS = {
    "salutation": "salutation",
    "postcode": "zip",
    "city": "city",
    "country": "country_iso_code",
    "email": "contact_email",
    "phone": "contact_phone",
    "mobile": "contact_mobile",
    "language": "language_id",
}
_BEXIO = {
    "street": "street_name",
    "house_number": "house_number",
    "address_addition": "address_addition",
    "postcode": "postcode",
    "city": "city",
    "email": "mail",
    "phone": "phone_fixed",
    "mobile": "phone_mobile",
}


def _arcavis_values(changes: Mapping[str, str], after: Fields) -> dict[str, object]:
    given: dict[str, object] = {}
    if not NAME.isdisjoint(changes):
        given |= _arcavis_name(after)
    if not ADDRESS.isdisjoint(changes):
        supplement, po_box = _parted(after.address_addition)
        given |= {"street": after.street, "street_number": after.house_number}
        given |= {"street_supplement": supplement, "po_box": po_box}
    given |= {_ARCAVIS[name]: value for name, value in changes.items() if name in _ARCAVIS}
    if "birthday" in changes:
        given["birthdate"] = changes["birthday"] or None
    return given


def _arcavis_name(after: Fields) -> dict[str, object]:
    """A company's own contact person has a first name that bexio knows nothing of: it is left alone."""
    if after.is_company:
        return {"is_company": True, "company_name": after.name_1, "name": after.name_2}
    return {"is_company": False, "name": after.name_1, "firstname": after.name_2}


def _bexio_details(changes: Mapping[str, str], vocabulary: Vocabulary) -> dict[str, object]:
    given: dict[str, object] = {_BEXIO[name]: value or None for name, value in changes.items() if name in _BEXIO}
    if "country" in changes:
        given["country_id"] = vocabulary.countries.get(changes["country"])
    if "language" in changes:
        given["language_id"] = vocabulary.languages.get(changes["language"])
    if "salutation" in changes:
        given["salutation_id"] = vocabulary.salutations.get(changes["salutation"].casefold())
    if "birthday" in changes:
        given["birthday"] = changes["birthday"] or None
    return given


def _too_long(values: Fields, limit: int) -> Problem | None:
    for name, value in values.filled().items():
        if len(value) > limit:
            return Problem("contact-field-too-long", {"field": name, "limit": str(limit)})
    return None


def _addition(supplement: str, po_box: str) -> str:
    box = f"Postfach {po_box.strip()}" if po_box.strip().isdigit() else po_box
    return ", ".join(part for part in (supplement.strip(), box.strip()) if part)


def _parted(addition: str) -> tuple[str, str]:
    """The supplement and the post-office box of an address."""
    found = _PO_BOX.search(addition)
    return (addition[: found.start()], found[1]) if found else (addition, "")


def _day(text: str | None) -> str:
    """An ISO date, of what either system makes of a birthday; empty when it is none."""
    given = (text or "").strip()
    if swiss := _SWISS_DATE.fullmatch(given):
        given = f"{swiss[3]}-{int(swiss[2]):02d}-{int(swiss[1]):02d}"
    try:
        return date.fromisoformat(given[:10]).isoformat()
    except ValueError:
        return ""
