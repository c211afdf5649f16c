"""Articles of a Swiss shop in any number as bexio holds them, some with what keeps them from being sold at a till."""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sandbox.bexio import articles
from sandbox.bexio.company import Company
from sandbox.bexio.values import Record

_KINDS = {
    "UR26": ("Bergkäse Apfelsaft Rüeblicake Dressing Teigwaren Honig Mischbrot Birnel Zopf Müesli", "Stk kg Pack"),
    "UN81": ("Messer Kerze Pfanne Tischtuch Vase Notizbuch Schürze Seife Lampe Rucksack", "Stk Pack"),
    "US38": ("Übernachtung Doppelzimmer", "Nacht"),
}
_KINDS_DRAWN = ("UN81", "UN81", "UN81", "UR26", "UR26", "US38")
_MAKERS = "Zürihorn Bündner Appenzeller Emmentaler Tessiner Genfer Urner Glarner Walliser Jurassier".split()  # noqa: SIM905
_RAPPEN = Decimal("0.01")
_FIVE = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Good:
    """An article in bexio's fields, the gross price it stands for, and its problem; none is empty."""

    fields: Record
    gross: Decimal
    problem: str


def goods(
    company: Company, count: int, seed: int, *, is_net: bool = False, problem_share: float = 0.0
) -> Iterator[Good]:
    """So many articles, the same for the same seed. Numbers are "A" and six digits.

    Args:
        company: whose taxes, units and accounts they name.
        count: how many.
        seed: of the draw.
        is_net: whether prices are without VAT, with four decimals as bexio's users type them.
        problem_share: how many of them have one of `PROBLEMS`.
    """
    rng = random.Random(f"goods {seed}")
    taxes = {code: company.tax(code) for code in _KINDS}
    units = {row["name"]: row["id"] for row in company.units}
    problems = list(PROBLEMS.items())
    for index in range(count):
        kind = rng.choice(_KINDS_DRAWN)
        words, unit_names = (part.split() for part in _KINDS[kind])
        gross = (Decimal(rng.randint(4, 2000)) * _FIVE).quantize(_RAPPEN)
        rate = Decimal(str(taxes[kind]["value"])) / 100
        price = (gross / (1 + rate)).quantize(Decimal("0.0001"), ROUND_HALF_UP) if is_net else gross
        stock = rng.randint(0, 80) if kind != "US38" and rng.random() < 0.8 else None
        fields = {
            "article_type_id": 2 if kind == "US38" else 1,
            "intern_code": f"A{index:06d}",
            "intern_name": f"{rng.choice(_MAKERS)} {rng.choice(words)} {rng.randint(1, 999)}",
            "intern_description": "",
            "sale_price": f"{price}",
            "purchase_price": f"{(gross * Decimal('0.55')).quantize(_RAPPEN)}" if rng.random() < 0.7 else None,
            "tax_income_id": taxes[kind]["id"],
            "tax_id": taxes[kind]["id"],
            "unit_id": units[rng.choice(unit_names)],
            "is_stock": stock is not None,
            "stock_nr": stock or 0,
            "stock_available_nr": stock or 0,
        }
        problem = ""
        if index and rng.random() < problem_share:
            problem, change = problems[rng.randrange(len(problems))]
            change(company, fields, index)
        yield Good(fields, gross, problem)


def fill_articles(company: Company, drawn: Iterable[Good]) -> int:
    """Make the articles in bexio, unchecked; returns how many."""
    before = len(company.articles)
    for good in drawn:
        articles.add(company, good.fields)
    return len(company.articles) - before


def _no_number(_company: Company, fields: Record, _index: int) -> None:
    fields["intern_code"] = ""


def _double_number(_company: Company, fields: Record, _index: int) -> None:
    fields["intern_code"] = "A000000"


def _no_name(_company: Company, fields: Record, _index: int) -> None:
    fields["intern_name"] = " "


def _no_tax(_company: Company, fields: Record, _index: int) -> None:
    fields["tax_income_id"] = fields["tax_id"] = None


def _unknown_tax(_company: Company, fields: Record, _index: int) -> None:
    fields["tax_income_id"] = fields["tax_id"] = 9999


def _inactive_tax(company: Company, fields: Record, _index: int) -> None:
    fields["tax_income_id"] = fields["tax_id"] = company.tax("ULA")["id"]


def _unknown_unit(_company: Company, fields: Record, _index: int) -> None:
    fields["unit_id"] = 9999


def _unit_of_bexio_only(company: Company, fields: Record, _index: int) -> None:
    fields["unit_id"] = next(row["id"] for row in company.units if row["name"] == "h")


def _no_price(_company: Company, fields: Record, _index: int) -> None:
    fields["sale_price"] = None


def _long_name(_company: Company, fields: Record, index: int) -> None:
    fields["intern_name"] = f"{index} " + "Zürcher Geschnetzeltes " * 20


def _long_number(_company: Company, fields: Record, index: int) -> None:
    fields["intern_code"] = f"{index:06d}" + "9" * 60


def _foreign_price(_company: Company, fields: Record, _index: int) -> None:
    fields["currency_id"] = 2


PROBLEMS: Mapping[str, Callable[[Company, Record, int], None]] = {
    "no_number": _no_number,
    "double_number": _double_number,
    "no_name": _no_name,
    "no_tax": _no_tax,
    "unknown_tax": _unknown_tax,
    "inactive_tax": _inactive_tax,
    "unknown_unit": _unknown_unit,
    "unit_of_bexio_only": _unit_of_bexio_only,
    "no_price": _no_price,
    "long_name": _long_name,
    "long_number": _long_number,
    "foreign_price": _foreign_price,
}
"""What can be wrong with an article, and how it gets that way."""
