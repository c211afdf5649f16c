"""The demo shop: one believable Swiss shop that both simulators are seeded with.

A delicatessen with two branches, a gift corner and a guest room upstairs, so that all Swiss VAT
rates occur. Plain values only: `sandbox.arcavis.seed` turns them into Arcavis records and
`sandbox.server` into bexio ones.
"""

import csv
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources


@dataclass(frozen=True, slots=True)
class ShopArticle:
    """An article; `price` is gross CHF, `tax_rate` a percentage, `stock` the main branch's or None."""

    number: str
    title: str
    price: Decimal
    tax_rate: Decimal
    main_group: str
    trade_group: str
    article_group: str
    unit: str
    stock: Decimal | None


@dataclass(frozen=True, slots=True)
class ShopContact:
    """A customer or supplier; a company has `company`, a person has not. Empty text means unknown."""

    number: str
    company: str
    salutation: str
    first_name: str
    last_name: str
    street: str
    house_number: str
    postcode: str
    city: str
    country: str
    email: str
    phone: str
    language: str

    @property
    def is_company(self) -> bool:
        """Whether this is a company rather than a person."""
        return bool(self.company)


def articles() -> list[ShopArticle]:
    """The 42 articles of the shop: food 2.6 %, goods 8.1 %, accommodation 3.8 %, and 0 %."""
    return [
        ShopArticle(
            number=row["number"],
            title=row["title"],
            price=Decimal(row["price"]),
            tax_rate=Decimal(row["tax_rate"]),
            main_group=row["main_group"],
            trade_group=row["trade_group"],
            article_group=row["article_group"],
            unit=row["unit"],
            stock=Decimal(row["stock"]) if row["stock"] else None,
        )
        for row in _rows("articles")
    ]


def customers() -> list[ShopContact]:
    """The 60 customers: persons and companies, families sharing one e-mail, a few without e-mail."""
    return [ShopContact(**row) for row in _rows("customers")]


def suppliers() -> list[ShopContact]:
    """The six suppliers, all companies; the first one is a customer as well (K-513)."""
    return [ShopContact(**row) for row in _rows("suppliers")]


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("sandbox").joinpath(f"data/{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))
