"""Simulated tills: a seeded, pure generator of realistic sales.

`generate_sale` draws one Arcavis transaction from a `random.Random`; `sale_body` is what the till
then sends to `POST /invoices` of the connector. The same seed gives the same sales.
"""

import random
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sandbox.arcavis import seed
from sandbox.arcavis.booking import display_name
from sandbox.arcavis.transactions import Receipt, build
from sandbox.arcavis.values import Record
from sandbox.basket import (
    ANY_SHAPE,
    Assortment,
    Shape,
    demo_assortment,
    draw_customer,
    draw_lines,
    draw_payments,
)

__all__ = [
    "ANY_SHAPE",
    "Assortment",
    "Shape",
    "Till",
    "demo_assortment",
    "generate_sale",
    "morning",
    "open_tills",
    "sale_body",
]

_OPENS, _OPEN_MINUTES = time(8, 0), 240


def generate_sale(
    rng: random.Random,
    shop: Assortment,
    point_of_sale_id: int,
    running_number: int,
    sold_at: datetime,
    shape: Shape = ANY_SHAPE,
) -> Record:
    """One completed transaction as the till hands it to Arcavis; its total is at least CHF 0.10.

    `sold_at` is Zurich local time without zone.
    """
    lines = draw_lines(rng, shop, shape)
    total = sum((line["Price"] for line in lines), Decimal(0))
    customer = draw_customer(rng, shop, shape)
    receipt = Receipt(
        point_of_sale_id,
        running_number,
        shop.tills[point_of_sale_id]["StoreId"],
        sold_at,
        lines,
        draw_payments(rng, shop, shape, total),
        person_id=None if customer is None else customer["Id"],
        customer_name="" if customer is None else display_name(customer),
    )
    return build(receipt)


def sale_body(transaction: Record, shop: Assortment) -> Record:
    """The JSON a till sends to `POST /invoices`: money and quantities as decimal strings."""
    till = shop.tills[transaction["PointOfSaleId"]]
    numbers = {row["Id"]: row["ArticleNumber"] for row in shop.articles}
    customer = next((row for row in shop.customers if row["Id"] == transaction["PersonId"]), None)
    return {
        "transaction_id": str(transaction["Id"]),
        "number": transaction["Number"],
        "date": transaction["SaleDay"][:10],
        "store": shop.stores[transaction["StoreId"]],
        "point_of_sale": till["Title"],
        "currency": "CHF",
        "customer": None if customer is None else _customer_body(customer),
        "lines": [_line_body(line, numbers) for line in transaction["TransactionArticles"]],
        "payments": _payment_bodies(transaction),
        "total": f"{transaction['Amount']:.2f}",
        "remarks": transaction["Remarks"] or None,
    }


class Till:
    """A till with its own running numbers and its own luck."""

    def __init__(self, point_of_sale_id: int, shop: Assortment, rng: random.Random, last_number: int = 0) -> None:
        self.point_of_sale_id = point_of_sale_id
        self.shop = shop
        self._rng = rng
        self._last_number = last_number

    def sell(self, sold_at: datetime, shape: Shape = ANY_SHAPE) -> Record:
        """The next sale at this till."""
        self._last_number += 1
        return generate_sale(self._rng, self.shop, self.point_of_sale_id, self._last_number, sold_at, shape)


def tills_of(shop: Assortment) -> tuple[int, ...]:
    """The tills that people sell at, of those that the environment has."""
    return tuple(each for each in seed.TILLS if each in shop.tills)


def open_tills(shop: Assortment, rng: random.Random, last_numbers: Mapping[int, int] | None = None) -> list[Till]:
    """The shop's tills, continuing after `last_numbers` by point of sale."""
    numbers = last_numbers or {}
    return [Till(each, shop, random.Random(rng.random()), numbers.get(each, 0)) for each in tills_of(shop)]


def morning(tills: list[Till], day: date, count: int = 40, shape: Shape = ANY_SHAPE) -> list[Record]:
    """A shop's morning: `count` sales in order of time from 8 to 12, the tills taking turns."""
    opened = datetime.combine(day, _OPENS)
    step = timedelta(minutes=_OPEN_MINUTES) / count
    return [tills[place % len(tills)].sell(opened + place * step, shape) for place in range(count)]


def _payment_bodies(transaction: Record) -> list[Record]:
    """One entry per payment type, change subtracted."""
    sums: dict[int, Decimal] = {}
    for row in transaction["TransactionPayments"]:
        amount = -row["Amount"] if row["Debit"] else row["Amount"]
        sums[row["PaymentTypeId"]] = sums.get(row["PaymentTypeId"], Decimal(0)) + amount
    return [{"payment_type_id": str(kind), "amount": f"{amount:.2f}"} for kind, amount in sums.items()]


def _line_body(line: Record, numbers: Mapping[int, str]) -> Record:
    article_id: int = line["ArticleId"]
    is_note = not article_id and not line["UnitPrice"]
    body: Record = {
        "position": line["ReceiptPosition"],
        "article_id": str(article_id) if article_id else None,
        "article_number": numbers.get(article_id),
        "text": line["Title"],
    }
    if is_note:
        return body | dict.fromkeys(("quantity", "unit_price", "discount", "amount", "tax_rate"))
    return body | {
        "quantity": _plain(line["Quantity"]),
        "unit_price": _price(line["UnitPrice"]),
        "discount": f"{line['Discount']:.2f}",
        "amount": f"{line['Price']:.2f}",
        "tax_rate": _plain(line["TaxRate"] * 100),
    }


def _customer_body(customer: Record) -> Record:
    is_company: bool = customer["IsCompany"]
    optional = {
        "company_name": "CompanyName",
        "salutation": "Salutation",
        "first_name": "Firstname",
        "last_name": "Name",
        "street": "Street",
        "house_number": "StreetNumber",
        "address_addition": "StreetSupplement",
        "postcode": "Zip",
        "city": "City",
        "country": "CountryIsoCode",
        "email": "ContactEmail",
        "phone": "ContactPhone",
        "mobile": "ContactMobile",
        "language": "LanguageId",
    }
    return {
        "arcavis_id": str(customer["Id"]),
        "customer_number": customer["CustomerNumber"],
        "is_company": is_company,
        **{ours: customer[theirs] or None for ours, theirs in optional.items()},
    }


def _plain(value: Decimal) -> str:
    """A decimal string without exponent and trailing zeros."""
    return f"{value.normalize():f}"


def _price(value: Decimal) -> str:
    """A unit price with two decimals, or up to six where a free line's total was divided."""
    cents = value.quantize(Decimal("0.01"))
    return f"{cents:f}" if cents == value else _plain(value.quantize(Decimal("0.000001")))
