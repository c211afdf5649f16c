"""What a sale consists of, drawn from a `random.Random`: lines, customer, payments."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from math import ceil

from sandbox.arcavis import seed
from sandbox.arcavis.pricing import STANDARD_RATE, LineInput, price_line
from sandbox.arcavis.rounding import to_five_rappen
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.transactions import payment
from sandbox.arcavis.values import Record
from sandbox.arcavis.world import World

_LEAST_TOTAL = Decimal("0.10")
"""Below this a sale can not be split into two payments of which one may be cash."""
_KILOGRAM = "kg"
_NOTES = ("Bitte als Geschenk einpacken", "Lieferung zwischen 14 und 16 Uhr", "Grüsse von Grossmami")


@dataclass(frozen=True, slots=True)
class Assortment:
    """What a till knows of its shop, in Arcavis' records; mappings are by `Id`."""

    articles: tuple[Record, ...]
    customers: tuple[Record, ...]
    tills: Mapping[int, Record]
    stores: Mapping[int, str]
    payment_types: Mapping[int, Record]
    units: Mapping[int, str]

    @classmethod
    def of(cls, tenant: Tenant) -> "Assortment":
        """The assortment of a simulated tenant as it is now."""
        helpers = {name: {row["Id"]: row for row in table.visible()} for name, table in tenant.helpers.items()}
        return cls(
            articles=tuple(tenant.articles.visible()),
            customers=tuple(tenant.customers.visible()),
            tills=helpers["pointofsales"],
            stores={store_id: row["Title"] for store_id, row in helpers["stores"].items()},
            payment_types=helpers["paymenttypes"],
            units={unit_id: row["Title"] for unit_id, row in helpers["units"].items()},
        )


def demo_assortment() -> Assortment:
    """The demo shop's assortment, with the ids that `seed.fill_shop` gives."""
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    return Assortment.of(seed.seed_shop(World(lambda: opened)))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a sale must look like. None leaves it to chance, True makes sure, False excludes.

    The first line is always an ordinary article with a positive amount, so a sale of n lines has
    room for n - 1 special ones: `returned` is an article taken back, `free` a line of amount zero,
    `note` a text line. `tax_rates` (fractions) limits the articles. Without `on_invoice` the sale is
    paid by cash or card. `company` decides which kind of customer buys.
    """

    lines: int | None = None
    mixed: bool | None = None
    discounts: bool | None = None
    returned: bool | None = None
    free: bool | None = None
    note: bool | None = None
    company: bool | None = None
    tax_rates: frozenset[Decimal] | None = None
    on_invoice: bool = True


ANY_SHAPE = Shape()


def _wanted(rng: random.Random, asked: bool | None, chance: float) -> bool:  # noqa: FBT001 - a three-state answer
    return rng.random() < chance if asked is None else asked


def draw_lines(rng: random.Random, shop: Assortment, shape: Shape) -> list[Record]:
    """Priced lines; their sum is at least CHF 0.10."""
    pool = [row for row in shop.articles if shape.tax_rates is None or row["TaxRate"] in shape.tax_rates]
    special = [
        make
        for asked, chance, make in (
            (shape.returned, 0.08, _returned),
            (shape.free, 0.08, _free),
            (shape.note, 0.08, _note),
        )
        if _wanted(rng, asked, chance)
    ]
    count = shape.lines or max(min(int(rng.expovariate(0.3)) + 1, 30), 1 + len(special))
    places = rng.sample(range(1, count), min(len(special), count - 1))
    special_at = dict(zip(places, special, strict=False))
    inputs: list[LineInput] = []
    for place in range(count):
        article = rng.choice(pool)
        make = special_at.get(place)
        line = _ordinary(rng, shop, article, shape) if make is None else make(rng, article)
        inputs.append(replace(line, position=place + 1))
    priced = [price_line(line) for line in inputs]
    if sum((line["Price"] for line in priced), Decimal(0)) >= _LEAST_TOTAL:
        return priced
    return [price_line(replace(line, quantity=abs(line.quantity))) for line in inputs]


def _ordinary(rng: random.Random, shop: Assortment, article: Record, shape: Shape) -> LineInput:
    if shop.units[article["UnitId"]] == _KILOGRAM:
        quantity = Decimal(rng.randint(80, 1500)) / 1000
    else:
        quantity = Decimal(rng.choices((1, 2, 3, 4, 6, 12), (60, 20, 8, 5, 5, 2))[0])
    line = _article_line(article, quantity)
    if not _wanted(rng, shape.discounts, 0.2):
        return line
    if rng.random() < 0.7:
        return replace(line, discount_percent=Decimal(rng.choice((5, 10, 15, 20, 33, 50))))
    most = quantity * line.unit_price / 2
    return replace(line, discount=to_five_rappen(most * rng.randint(1, 100) / 100))


def _returned(rng: random.Random, article: Record) -> LineInput:
    return _article_line(article, Decimal(-rng.randint(1, 2)))


def _free(rng: random.Random, article: Record) -> LineInput:
    line = _article_line(article, Decimal(rng.randint(1, 3)))
    return replace(line, discount_percent=Decimal(100)) if rng.random() < 0.5 else replace(line, unit_price=Decimal(0))


def _note(rng: random.Random, _article: Record) -> LineInput:
    return LineInput(0, rng.choice(_NOTES), Decimal(1), Decimal(0), STANDARD_RATE)


def _article_line(article: Record, quantity: Decimal) -> LineInput:
    return LineInput(
        position=0,
        title=article["Title"],
        quantity=quantity,
        unit_price=article["Price"],
        tax_rate=article["TaxRate"],
        article_id=article["Id"],
        unit_id=article["UnitId"],
        buying_price=article["BuyingPrice"],
    )


def draw_customer(rng: random.Random, shop: Assortment, shape: Shape) -> Record | None:
    """Who buys; an anonymous customer only when the sale is paid at once."""
    if not shape.on_invoice and rng.random() < 0.7:
        return None
    return rng.choice([row for row in shop.customers if shape.company in {None, row["IsCompany"]}])


def draw_payments(rng: random.Random, shop: Assortment, shape: Shape, total: Decimal) -> list[Record]:
    """Payments that add up to `total`: on invoice, partly on invoice, or at once."""
    kinds = shop.payment_types
    if not shape.on_invoice:
        return _paid_at_once(rng, shop, total)
    parts: list[Record] = []
    rest = int(total * 100)
    if _wanted(rng, shape.mixed, 0.15):
        for kind in rng.sample((seed.CASH, seed.CARD, seed.TWINT, seed.VOUCHER), rng.randint(1, 2)):
            step = 5 if kind == seed.CASH else 1
            if rest - 1 < step:
                break
            amount = rng.randint(1, (rest - 1) // step) * step
            parts.append(payment(kinds[kind], Decimal(amount) / 100))
            rest -= amount
    return [*parts, payment(kinds[seed.BEXIO_INVOICE], Decimal(rest) / 100)]


def _paid_at_once(rng: random.Random, shop: Assortment, total: Decimal) -> list[Record]:
    """Card or TWINT, or cash with change: a note given, the difference given back (`Debit` 1)."""
    kind = rng.choice((seed.CASH, seed.CARD, seed.TWINT))
    if kind != seed.CASH:
        return [payment(shop.payment_types[kind], total)]
    given = Decimal(ceil(total / 10) * 10)
    cash = shop.payment_types[seed.CASH]
    return [payment(cash, given), *([payment(cash, total - given)] if given != total else [])]
