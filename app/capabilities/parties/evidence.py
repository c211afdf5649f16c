"""When an Arcavis contact and a bexio contact are the same: decided on evidence, never guessed. Pure.

Strong evidence: the same name and one of customer number, e-mail or address, with nothing against it. Against it speaks
what tells father and son, two branches or two namesakes apart: another birthday, another mark of generation, another
address under a company's shared e-mail, another e-mail at a shared address, another town under the same number.
Weak: the same name with nothing that tells two apart, strong evidence with something against it, or a similar name with
the same number, e-mail, address or phone. A shared e-mail under another name is no evidence at all: families and
branches share one. A wrong merge is worse than a missed one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from app.capabilities.parties.normalising import (
    almost,
    generation,
    legal_form,
    loose,
    normal,
    normal_company,
    normal_mail,
    normal_number,
    normal_phone,
    normal_street,
    without_generation,
)

# With this many facts on its side a contact is the one, whoever else shares some of them.
CERTAIN = 2


@dataclass(frozen=True)
class Party:
    """The facts that tell a contact apart, from either system. `addition` is a company's second line."""

    is_company: bool
    company_name: str
    last_name: str
    first_name: str
    street: str
    postcode: str
    city: str
    email: str
    number: str
    phone: str = ""
    mobile: str = ""
    birthday: str = ""
    addition: str = ""

    @cached_property
    def name(self) -> str:
        """The name to compare: a company's without its legal form, a person's without "jun." and "sen."."""
        if self.is_company:
            return normal_company(self.company_name)
        return without_generation(f"{self.last_name} {self.first_name}")

    @cached_property
    def mark(self) -> str:
        """Which of two generations a person says to be, or which legal form a company has."""
        if self.is_company:
            return legal_form(self.company_name)
        return generation(f"{self.last_name} {self.first_name}")

    @cached_property
    def mail(self) -> str:
        """The e-mail address to compare."""
        return normal_mail(self.email)

    @cached_property
    def address(self) -> tuple[str, str, str]:
        """Street with number, postcode, town, to compare."""
        return normal_street(self.street), normal(self.postcode), normal(self.city)

    @cached_property
    def phones(self) -> frozenset[str]:
        """All its phone numbers, to compare."""
        return frozenset(filter(None, (normal_phone(self.phone), normal_phone(self.mobile))))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contact that could be the one, and why. `facts` is how many of its facts agree beside the name."""

    bexio_id: int
    label: str
    strong: bool
    reasons: tuple[str, ...]
    facts: int = 0


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
    """Nobody could be this customer."""


def _agree(left: str, right: str) -> bool | None:
    """None when one of the two says nothing."""
    return left == right if left and right else None


def _same_town(left: Party, right: Party) -> bool | None:
    (_, mine, my_town), (_, theirs, their_town) = left.address, right.address
    by_postcode = _agree(mine, theirs)
    return by_postcode if by_postcode is not None else _agree(my_town, their_town)


def _same_address(left: Party, right: Party) -> bool | None:
    street, town = _same_street(left.address[0], right.address[0]), _same_town(left, right)
    if town is False or street is False:
        return False
    return True if street and town else None


def _same_street(left: str, right: str) -> bool | None:
    """Numbers to the letter, names but for a slip of the finger."""
    if not left or not right or left == right:
        return _agree(left, right)
    mine, theirs = left.split(), right.split()
    return len(mine) == len(theirs) and all(
        one == other or (one.isalpha() and other.isalpha() and almost(one, other))
        for one, other in zip(mine, theirs, strict=True)
    )


def _similar_name(left: Party, right: Party) -> bool:
    """One is the other with something left out, swapped, shortened or mistyped: "Meier A.", "Meier-Huber Anna"."""
    if left.is_company != right.is_company:
        return False
    mine, theirs = left.name.split(), right.name.split()
    shorter, longer = sorted((mine, theirs), key=len)
    if not shorter or left.name == right.name:
        return bool(shorter)
    rest = list(longer)
    for word in shorter:
        found = next((one for one in rest if _same_word(one, word)), None)
        if found is None:
            return False
        rest.remove(found)
    return True


def _same_word(left: str, right: str) -> bool:
    return left == right or left[0] == right or left == right[0] or loose(left) == loose(right) or almost(left, right)


def _same_first_name(left: Party, right: Party) -> bool:
    """Who marries keeps the first name, and the number."""
    return left.is_company == right.is_company and _agree(normal(left.first_name), normal(right.first_name)) is True


@dataclass(frozen=True, slots=True)
class _Facts:
    """Two contacts side by side: True agrees, False differs, None is not known."""

    name: bool
    spelt: bool
    similar: bool
    first_name: bool
    mark: bool | None
    number: bool
    mail: bool | None
    address: bool | None
    town: bool | None
    birthday: bool | None
    phone: bool
    addition: bool | None

    @property
    def agreeing(self) -> int:
        return sum((self.number, self.mail is True, self.address is True, self.birthday is True, self.phone))


def _facts(left: Party, right: Party) -> _Facts:
    return _Facts(
        name=left.is_company == right.is_company and left.name != "" and left.name == right.name,
        spelt=left.is_company == right.is_company and loose(left.name) == loose(right.name),
        similar=_similar_name(left, right),
        first_name=_same_first_name(left, right),
        mark=_agree(left.mark, right.mark),
        number=_agree(normal_number(left.number), normal_number(right.number)) is True,
        mail=_agree(left.mail, right.mail),
        address=_same_address(left, right),
        town=_same_town(left, right),
        birthday=_agree(left.birthday, right.birthday),
        phone=bool(left.phones & right.phones),
        addition=_agree(normal(left.addition), normal(right.addition)),
    )


def _is_strong(facts: _Facts, *, company: bool, marks_differ: bool) -> bool:
    # "Muller" is "Müller", and who has the same number has only changed the name, when enough else says so.
    alike = facts.spelt or (facts.number and (facts.similar or facts.first_name))
    named = facts.name or (alike and facts.agreeing > CERTAIN)
    if not named or facts.birthday is False or marks_differ:
        return False
    if company and facts.addition is False and not facts.number:
        return False
    if facts.number:
        return facts.town is not False or (facts.mail is True and not company)
    if facts.mail:
        return facts.address is not False or not company
    return facts.address is True and facts.mail is not False


def _is_weak(facts: _Facts) -> bool:
    agrees = facts.agreeing > 0
    if facts.mark is False:
        return False
    if facts.name:
        if facts.birthday is False and not facts.number:
            return False
        told_apart = facts.address is False or facts.mail is False or facts.town is False
        return agrees or not told_apart
    if not facts.similar:
        others = facts.agreeing - facts.number
        return (facts.number and others > 0) or (facts.first_name and (facts.number or others >= CERTAIN))
    return agrees and facts.birthday is not False


def _label(party: Party) -> str:
    name = party.company_name if party.is_company else f"{party.first_name} {party.last_name}".strip()
    return f"{name}, {party.postcode} {party.city}".strip(", ")


def _reasons(facts: _Facts) -> tuple[str, ...]:
    said = (
        ("same name", facts.name),
        ("similar name", facts.similar and not facts.name),
        ("same customer number", facts.number),
        ("same e-mail", facts.mail is True),
        ("same address", facts.address is True),
        ("same phone", facts.phone),
        ("same birthday", facts.birthday is True),
        ("other e-mail", facts.mail is False),
        ("other address", facts.address is False),
        ("other birthday", facts.birthday is False),
    )
    return tuple(reason for reason, holds in said if holds)


def weigh(customer: Party, contact: Party, bexio_id: int) -> Candidate | None:
    """The evidence that `contact` is `customer`; None when there is none."""
    facts = _facts(customer, contact)
    company = customer.is_company
    # A legal form that is missing on one side tells nothing; a mark of generation that is missing leaves it open.
    marks_differ = facts.mark is False if company else customer.mark != contact.mark
    strong = _is_strong(facts, company=company, marks_differ=marks_differ)
    if not (strong or _is_weak(facts)):
        return None
    return Candidate(bexio_id, f"{bexio_id} ({_label(contact)})", strong, _reasons(facts), facts.agreeing)


def decide(customer: Party, contacts: Iterable[tuple[int, Party]]) -> Match | Unclear | Unknown:
    """One strong candidate that nobody contests: a match. None at all: unknown. Anything else waits for a person."""
    weighed = (weigh(customer, contact, bexio_id) for bexio_id, contact in contacts)
    candidates = tuple(candidate for candidate in weighed if candidate is not None)
    strong = [candidate for candidate in candidates if candidate.strong]
    if len(strong) == 1 and (strong[0].facts >= CERTAIN or not _contested(strong[0], candidates)):
        return Match(strong[0])
    return Unclear(candidates) if candidates else Unknown()


def _contested(one: Candidate, candidates: Iterable[Candidate]) -> bool:
    return any(other is not one and other.facts >= one.facts for other in candidates)


def keys(party: Party) -> frozenset[str]:
    """What two contacts must share, at least one of them, for `weigh` to find any evidence worth a look.

    A name, a number, an e-mail, a phone, or an address together with the beginning of the name.
    """
    found = {f"n:{' '.join(sorted(party.name.split()))}"} if party.name else set[str]()
    found |= {f"{letter}:{value}" for letter, value in (("#", normal_number(party.number)), ("m", party.mail)) if value}
    found |= {f"p:{phone}" for phone in party.phones}
    if (spelt := loose(party.name)) != party.name:
        found.add(f"n:{' '.join(sorted(spelt.split()))}")
    street, postcode, city = party.address
    known_as = normal(party.first_name) or party.name
    if street and known_as:
        found.add(f"a:{street} {postcode or city} {known_as.split()[0]}")
    return frozenset(found)
