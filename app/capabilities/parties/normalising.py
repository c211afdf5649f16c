"""Names, streets, phones and mail addresses in the one form in which two systems' spellings can be compared. Pure.

What is normalised is only ever compared, never stored in either system.
"""

from __future__ import annotations

import re
import unicodedata

_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "œ": "oe"})
# Each legal form by its name in German: Müller AG and Müller SA are one firm, Müller GmbH is another.
LEGAL_FORMS = {
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
_SPACED_FORMS = re.compile(r"\bs (?:a(?: r l| g l)?)\b")
_STREET_WORDS = {
    "str": "strasse",
    "av": "avenue",
    "ave": "avenue",
    "bd": "boulevard",
    "bld": "boulevard",
    "bvd": "boulevard",
    "ch": "chemin",
    "pl": "place",
    "rte": "route",
    "r": "rue",
    "v": "via",
}
_STREET_END = re.compile(r"str\b")
# Father and son: what tells them apart when nothing else does.
_MARKS = {
    "jun": "junior",
    "jr": "junior",
    "junior": "junior",
    "fils": "junior",
    "figlio": "junior",
    "sen": "senior",
    "sr": "senior",
    "senior": "senior",
    "pere": "senior",
    "padre": "senior",
}
_LOOSE = re.compile("ae|oe|ue")
# Shorter words are too often other words.
_SHORTEST_SLIP = 4
_NUMBER = re.compile(r"\+?\d+")
_SWISS = "+41"
_SWISS_LENGTH = 10


def normal(text: str) -> str:
    """Case, umlauts, accents and punctuation folded: `"Müller-Städeli" -> "mueller staedeli"`."""
    folded = text.casefold()
    if folded.isascii():
        bare = folded
    else:
        # Composed first: an umlaut may arrive as a letter and two dots.
        composed = unicodedata.normalize("NFC", folded).translate(_UMLAUTS)
        bare = "".join(c for c in unicodedata.normalize("NFKD", composed) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", bare.casefold()))


def loose(text: str) -> str:
    """A normal text as who has no umlauts writes it: `"mueller"` and `"muller"` are one. So are "Bauer" and "Baur"."""
    return _LOOSE.sub(lambda found: found[0][0], text)


def almost(left: str, right: str) -> bool:
    """Whether two words are one slip of the finger apart: a letter more, less, other, or two swapped."""
    shorter, longer = sorted((left, right), key=len)
    if len(shorter) < _SHORTEST_SLIP or len(longer) - len(shorter) > 1:
        return False
    begin = next((i for i, pair in enumerate(zip(shorter, longer, strict=False)) if pair[0] != pair[1]), len(shorter))
    mine, theirs = shorter[begin:], longer[begin:]
    if len(mine) < len(theirs):
        return mine == theirs[1:]
    return mine[1:] == theirs[1:] or (mine[:2] == theirs[1::-1] and mine[2:] == theirs[2:])


def _words(company: str) -> list[str]:
    joined = _SPACED_FORMS.sub(lambda form: form[0].replace(" ", ""), normal(company))
    return joined.split()


def normal_company(text: str) -> str:
    """A company's name without its legal form: `"Muster AG" -> "muster"`."""
    words = _words(text)
    return " ".join(word for word in words if word not in LEGAL_FORMS) or " ".join(words)


def legal_form(text: str) -> str:
    """`"Muster Sàrl" -> "gmbh"`; empty when the name has none."""
    forms = [LEGAL_FORMS[word] for word in _words(text) if LEGAL_FORMS.get(word)]
    return forms[-1] if forms else ""


def normal_street(text: str) -> str:
    """A street with its number: `"Hauptstr. 1" -> "hauptstrasse 1"`, `"Av. de la Gare 2" -> "avenue de la gare 2"`."""
    first, space, rest = _STREET_END.sub("strasse", normal(text)).partition(" ")
    return _STREET_WORDS.get(first, first) + space + rest


def normal_phone(text: str) -> str:
    """Digits with the country in front: `"044 123 45 67"`, `"0041441234567"` -> `"+41441234567"`.

    A number that is neither international nor Swiss stays as its digits: no country is guessed.
    """
    bare = re.sub(r"[^0-9+]", "", text.replace("(0)", ""))
    digits = _NUMBER.search(bare)
    if digits is None:
        return ""
    number = digits[0]
    if number.startswith("00"):
        return f"+{number[2:]}"
    if number.startswith("0") and len(number) == _SWISS_LENGTH:
        return f"{_SWISS}{number[1:]}"
    return number


def normal_mail(text: str) -> str:
    """A mail address as servers in practice compare it."""
    return text.strip().casefold()


def normal_number(text: str) -> str:
    """A customer number without the zeros that only one of the systems shows."""
    return text.strip().casefold().lstrip("0")


def generation(name: str) -> str:
    """`junior`, `senior`, or empty when the name does not say: `"Müller jun." -> "junior"`."""
    marks = [_MARKS[word] for word in normal(name).split() if word in _MARKS]
    return marks[-1] if marks else ""


def without_generation(name: str) -> str:
    """A normal name without what `generation` reads from it."""
    words = normal(name).split()
    return " ".join(word for word in words if word not in _MARKS) or " ".join(words)
