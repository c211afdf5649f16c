"""What every code says to people: title, what happened, what to do; in English, German, French and Italian.

The English texts stand in `app.core.texts` and are the msgids of `app/locale/<language>/LC_MESSAGES/<area>.po`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from app.core.texts import ENTRIES

LANGUAGES = ("en", "de", "fr", "it")
FALLBACK = "en"
LONGEST_SENTENCE = 300

_LOCALE = Path(__file__).parents[1] / "locale"


@dataclass(frozen=True, slots=True)
class Text:
    """An entry in one language, filled in."""

    title: str
    detail: str
    remedy: str


class _Filled(dict[str, str]):
    """A text with a gap is better than no text."""

    def __missing__(self, key: str) -> str:
        return "…"


def text(code: str, params: Mapping[str, str], language: str) -> Text:
    """What `code` says in `language`, one of `LANGUAGES`."""
    entry = ENTRIES.get(code) or ENTRIES["internal-error"]
    values = _Filled(params)
    return Text(
        title=translate(entry.title, language).format_map(values),
        detail=translate(entry.detail, language).format_map(values),
        remedy=translate(entry.remedy, language).format_map(values),
    )


def sentence(message: str, params: Mapping[str, str], language: str) -> str:
    """A single text in `language`, filled in when it has parameters, and never longer than a person reads."""
    said = translate(message, language)
    return (said.format_map(_Filled(params)) if params else said)[:LONGEST_SENTENCE]


def translate(message: str, language: str) -> str:
    """An English text in `language`, or itself where there is no translation."""
    return message if language == FALLBACK else _translations(language).get(message, message)


def load() -> None:
    """Reads every translation, so that a broken file stops the start and not a request."""
    for language in LANGUAGES:
        translate("", language)


@cache
def _translations(language: str) -> Mapping[str, str]:
    return {
        str(message.id): str(message.string)
        for path in sorted((_LOCALE / language / "LC_MESSAGES").glob("*.po"))
        for message in _read(path, language)
        if message.id and message.string
    }


def _read(path: Path, language: str) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)
