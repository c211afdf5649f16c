"""When a till customer and a bexio contact are the same: decided on evidence, never guessed. Pure.

Strong evidence: same name and one of customer number, e-mail or address. Weak: the same name with nothing to tell two
people apart, or the same number under another name. A shared e-mail under another name is no evidence at all: families
and branches share one. A wrong merge is worse than a missed one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})
# Each legal form by its name in German: Müller AG and Müller SA are one firm, Müller GmbH is another.
_LEGAL_FORMS = {
    "ag": "ag",
    "sa": "ag",
    "gmbh": "gmbh",
    "sarl": "gmbh",
    "sagl": "gmbh",
    "kg": "kg",
    "klg": "klg",
    "genossenschaft": "genossenschaft",
    "llc": "llc",
    "ltd": "ltd",
    "inc": "inc",
    "co": "",
    "cie": "",
}


@dataclass(frozen=True, slots=True)
class Party:
    """The facts that tell a contact apart, from either system."""

    is_company: bool
    company_name: str
    last_name: str
    first_name: str
    street: str
    postcode: str
    city: str
    email: str
    number: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A bexio contact that could be the customer, and why."""

    bexio_id: int
    label: str
    strong: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Match:
    """Exactly one contact with strong evidence."""

    candidate: Candidate


@dataclass(frozen=True, slots=True)
class Unclear:
    """A person must choose among these."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody in bexio could be this customer."""


def normal(text: str) -> str:
    """Case, umlauts, accents and punctuation folded: `"Müller-Städeli" -> "mueller staedeli"`."""
    folded = text.casefold().translate(_UMLAUTS)
    bare = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", bare))


def normal_company(text: str) -> str:
    """A company's name without its legal form: `"Muster AG" -> "muster"`."""
    words = normal(text).split()
    return " ".join(word for word in words if word not in _LEGAL_FORMS) or " ".join(words)


def normal_street(text: str) -> str:
    """A street with its number: `"Hauptstr. 1" -> "hauptstrasse 1"`."""
    return re.sub(r"str\b", "strasse", normal(text))


def _name(party: Party) -> str:
    if party.is_company:
        return normal_company(party.company_name)
    return normal(f"{party.last_name} {party.first_name}")


def legal_form(text: str) -> str:
    """`"Muster Sàrl" -> "gmbh"`; empty when the name has none."""
    forms = [_LEGAL_FORMS[word] for word in normal(text).split() if _LEGAL_FORMS.get(word)]
    return forms[-1] if forms else ""


def _same_name(left: Party, right: Party) -> bool:
    """Two legal forms are two firms; a form that is missing on one side tells nothing."""
    forms = {legal_form(party.company_name) for party in (left, right) if party.is_company} - {""}
    if left.is_company != right.is_company or len(forms) > 1:
        return False
    return _name(left) != "" and _name(left) == _name(right)


def _address(party: Party) -> tuple[str, str, str]:
    return normal_street(party.street), normal(party.postcode), normal(party.city)


def _same_address(left: Party, right: Party) -> bool:
    mine, theirs = _address(left), _address(right)
    place_agrees = mine[1] == theirs[1] if mine[1] and theirs[1] else mine[2] != "" and mine[2] == theirs[2]
    return mine[0] != "" and mine[0] == theirs[0] and place_agrees


def _told_apart(left: Party, right: Party) -> bool:
    """True when both sides have an address or an e-mail and it differs."""
    addresses_differ = bool(left.street and right.street) and not _same_address(left, right)
    mails_differ = bool(left.email and right.email) and left.email.casefold() != right.email.casefold()
    return addresses_differ or mails_differ


def _label(party: Party) -> str:
    name = party.company_name if party.is_company else f"{party.first_name} {party.last_name}".strip()
    return f"{name}, {party.postcode} {party.city}".strip(", ")


def weigh(customer: Party, contact: Party, bexio_id: int) -> Candidate | None:
    """The evidence that `contact` is `customer`; None when there is none."""
    reasons: list[str] = []
    same_name = _same_name(customer, contact)
    number = customer.number.strip().lstrip("0")
    same_number = number != "" and number == contact.number.strip().lstrip("0")
    same_mail = customer.email != "" and customer.email.casefold() == contact.email.casefold()
    if same_name:
        reasons.append("same name")
    if same_number:
        reasons.append("same customer number")
    if same_mail:
        reasons.append("same e-mail")
    if _same_address(customer, contact):
        reasons.append("same address")
    strong = same_name and (same_number or same_mail or "same address" in reasons)
    weak = same_number or (same_name and not _told_apart(customer, contact))
    if not (strong or weak):
        return None
    return Candidate(bexio_id, f"{bexio_id} ({_label(contact)})", strong, tuple(reasons))


def decide(customer: Party, contacts: Iterable[tuple[int, Party]]) -> Match | Unclear | Unknown:
    """One strong candidate and no other: a match. None at all: unknown. Anything else waits for a person."""
    weighed = (weigh(customer, contact, bexio_id) for bexio_id, contact in contacts)
    candidates = tuple(candidate for candidate in weighed if candidate is not None)
    strong = [candidate for candidate in candidates if candidate.strong]
    if len(strong) == 1:
        return Match(strong[0])
    return Unclear(candidates) if candidates else Unknown()
