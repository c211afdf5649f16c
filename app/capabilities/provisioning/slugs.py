"""A new tenant's name in URLs and in bexio's `api_reference`, from its company's name. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 30
_TRIES = 50
# As people write them where there are none; everything else loses its accent.
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa", "&": " und "})
_LEGAL_FORMS = re.compile(r"\b(ag|gmbh|sa|sarl|sagl|klg|kmg)\b")


def candidates(name: str, rest: str) -> Iterator[str]:
    """Slugs for a company, the nicest first; `rest` makes the last one unique."""
    stem = _stem(name)
    yield stem
    for number in range(2, _TRIES):
        yield f"{stem}-{number}"
    yield f"{stem}-{rest}"[:40]


def _stem(name: str) -> str:
    spelled = unicodedata.normalize("NFKD", name.casefold().translate(_SPELLED))
    plain = _LEGAL_FORMS.sub(" ", spelled.encode("ascii", "ignore").decode())
    stem = "-".join(re.findall(r"[a-z0-9]+", plain))[:LONGEST].strip("-")
    return stem if len(stem) > 1 else f"shop-{stem}".strip("-")
