"""The text of an entry: a rule's text with its placeholders filled in, German or English, and our reference. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from app.core import catalogue

LONGEST_TEXT = 255
DIVERSE = "…"

# Dimension -> its placeholder in German and English.
_OF_DIMENSION: Mapping[str, tuple[str, str]] = {
    "store": ("Filiale", "Store"),
    "point_of_sale": ("Kasse", "PointOfSale"),
    "transaction_type": ("Buchungsart", "TransactionType"),
    "purpose": ("Buchungszweck", "Purpose"),
    "main_group": ("Hauptgruppe", "MainGroup"),
    "trade_group": ("Warengruppe", "TradeGroup"),
    "article_group": ("Artikelgruppe", "ArticleGroup"),
    "article": ("Artikel", "Article"),
    "tax_rate": ("MWST", "TaxRate"),
    "payment_type": ("Zahlart", "PaymentType"),
    "currency": ("Währung", "Currency"),
}
# Source, dimension or reserved article -> the phrase for it.
_PHRASES: Mapping[tuple[str, str], str] = {
    ("source", "articles"): "Articles",
    ("source", "payments"): "Payments",
    ("dimension", "store"): "Store",
    ("dimension", "point_of_sale"): "Till",
    ("dimension", "transaction_type"): "Kind of booking",
    ("dimension", "purpose"): "Purpose",
    ("dimension", "main_group"): "Main group",
    ("dimension", "trade_group"): "Trade group",
    ("dimension", "article_group"): "Article group",
    ("dimension", "article"): "Article",
    ("dimension", "tax_rate"): "VAT rate",
    ("dimension", "payment_type"): "Payment type",
    ("dimension", "currency"): "Currency",
    ("article", "voucher"): "Voucher",
    ("article", "tip"): "Tip",
}
_DIMENSION = {word: dimension for dimension, words in _OF_DIMENSION.items() for word in words}
_DAY = frozenset({"Datum", "Date", "Von", "From", "Bis", "To"})
_NUMBER = frozenset({"Belegnr", "Number"})
_RULE = frozenset({"Regel", "Rule"})
PLACEHOLDERS = frozenset({*_DIMENSION, *_DAY, *_NUMBER, *_RULE})
"""What may stand in braces. Von and Bis are the sale day as well: an entry is of one day."""

_IN_BRACES = re.compile(r"\{([^{}]*)\}")
_SPACES = re.compile(r"\s+")

Names = Mapping[tuple[str, str], str]
"""(dimension, id) -> what people call it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What fills the placeholders: `seen` holds for each dimension the values that the entry is about."""

    day: date
    rule: str
    seen: Mapping[str, tuple[str, ...]]
    numbers: tuple[str, ...]
    receipts: int


def dimension_names(language: str) -> dict[tuple[str, str], str]:
    """What sources, dimensions and things sold besides articles are called, to be put among the names."""
    return {key: catalogue.translate(phrase, language) for key, phrase in _PHRASES.items()}


@lru_cache(maxsize=4096)
def needed(text: str) -> frozenset[str]:
    """The dimensions that a text asks for."""
    return frozenset(_DIMENSION[word] for word in _IN_BRACES.findall(text) if word in _DIMENSION)


def unknown_placeholders(text: str) -> list[str]:
    """What stands in braces and means nothing."""
    return [word for word in _IN_BRACES.findall(text) if word not in PLACEHOLDERS]


def render(text: str, said: Said, names: Names) -> str:
    """The text with everything filled in, on one line; an unknown placeholder stays as it is."""
    filled = _IN_BRACES.sub(lambda found: _value(found[1], said, names, found[0]), text or said.rule)
    return _SPACES.sub(" ", filled).strip()


def with_reference(text: str, reference: str, moved_from: date | None) -> str:
    """The text as posted: cut so that original day and reference fit, by which the entry is found again."""
    tail = f" ({_day(moved_from)})" if moved_from is not None else ""
    tail = f"{tail} [{reference}]"
    return text[: LONGEST_TEXT - len(tail)].rstrip() + tail


def _value(word: str, said: Said, names: Names, whole: str) -> str:
    if word in _DAY:
        return _day(said.day)
    if word in _RULE:
        return said.rule
    if word in _NUMBER:
        return said.numbers[0] if said.receipts == 1 and said.numbers else f"{said.receipts}"
    dimension = _DIMENSION.get(word)
    return whole if dimension is None else _joined(dimension, said.seen.get(dimension, ()), names)


def _joined(dimension: str, values: tuple[str, ...], names: Names) -> str:
    shown = [_name(dimension)(value, names) for value in values[:3]]
    return ", ".join([*shown, DIVERSE] if len(values) > len(shown) else shown)


def _name(dimension: str) -> Callable[[str, Names], str]:
    if dimension == "tax_rate":
        return lambda value, _names: f"{value} %"
    return lambda value, names: names.get((dimension, value), value)


def _day(day: date) -> str:
    return day.strftime("%d.%m.%Y")
