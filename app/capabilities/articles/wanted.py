"""An article of bexio as Arcavis should have it, or why it cannot. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from app.capabilities.articles.pricing import till_price
from app.connectors.arcavis.articles import LONGEST_NUMBER, LONGEST_TITLE
from app.connectors.arcavis.names import ArticleWrite
from app.connectors.arcavis.names import Tax as TillTax
from app.connectors.bexio.articles import Article
from app.connectors.bexio.taxes import SALES_TAX, Tax
from app.connectors.bexio.units import Unit
from app.core.money import ZERO, plain, to_cent

# Arcavis sorts articles into groups; bexio's have numbers only. The shop sorts them as it likes: changes send none.
GROUP = "Import bexio"
_HUNDRED = Decimal(100)
_NAME_SHOWN = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an article cannot be taken over: a code of the catalogue and what fills in its texts."""

    code: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])


class Unfit(Exception):
    """The article cannot be taken over."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.problem = Problem(code, {name: str(value) for name, value in params.items()})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What Arcavis should hold of an article. `stock` is None where bexio keeps none of it."""

    bexio_id: int
    number: str
    title: str
    description: str
    price: Decimal
    buying_price: Decimal | None
    tax_id: int
    unit_id: int | None
    account_id: int | None
    stock: Decimal | None
    stock_location_id: int | None

    @property
    def number_key(self) -> str:
        """What two articles may not have in common."""
        return number_key(self.number)

    @property
    def fingerprint(self) -> bytes:
        """Differs when Arcavis should hold something else."""
        parts = (
            self.number,
            self.title,
            self.description,
            plain(self.price),
            "" if self.buying_price is None else plain(self.buying_price),
            str(self.tax_id),
            str(self.unit_id or ""),
        )
        return hashlib.sha256("\x1f".join(parts).encode()).digest()[:16]

    def write(self, *, is_new: bool) -> ArticleWrite:
        """The article to send."""
        given: dict[str, object] = {
            "article_number": self.number,
            "title": self.title,
            "description": self.description,
            "price": self.price,
            "tax_id": self.tax_id,
        }
        if self.buying_price is not None:
            given["buying_price"] = self.buying_price
        if self.unit_id is not None:
            given["unit_id"] = self.unit_id
        if is_new:
            groups = dict.fromkeys(("main_group_title", "trade_group_title", "article_group_title"), GROUP)
            given |= {**groups, "is_web_api": True}
        return ArticleWrite.model_validate(given)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What both systems know of taxes and units, and how bexio's prices are meant.

    `is_vat_subject` False: the company accounts for no VAT, so that an article without a tax has none.
    """

    day: date
    prices_include_vat: bool
    is_vat_subject: bool
    francs_id: int | None
    taxes: Mapping[int, Tax]
    units: Mapping[int, Unit]
    till_taxes: Sequence[TillTax]
    till_units: Mapping[str, int]

    def wanted(self, article: Article) -> Wanted | Problem:
        """The article as Arcavis should have it, or the first thing that is wrong with it."""
        try:
            return self._wanted(article)
        except Unfit as unfit:
            return unfit.problem

    def _wanted(self, article: Article) -> Wanted:
        number, title = _number(article), _title(article)
        if article.currency_id is not None and self.francs_id is not None and article.currency_id != self.francs_id:
            raise Unfit("article-currency-foreign")
        if article.sale_price is None:
            raise Unfit("article-price-missing")
        rate = self._rate(article)
        buying = article.purchase_price
        return Wanted(
            bexio_id=article.id,
            number=number,
            title=title,
            description=(article.intern_description or "").strip(),
            price=till_price(article.sale_price, rate, includes_vat=self.prices_include_vat),
            buying_price=None if buying is None else to_cent(buying),
            tax_id=self._till_tax(rate),
            unit_id=self._till_unit(article.unit_id),
            account_id=article.account_id,
            stock=(article.stock_nr or ZERO) if article.is_stock else None,
            stock_location_id=article.stock_id,
        )

    def _rate(self, article: Article) -> Decimal:
        if article.tax_income_id is None and not self.is_vat_subject:
            return ZERO
        tax = self.taxes.get(article.tax_income_id or 0)
        if tax is not None and not (tax.is_active and tax.holds_on(self.day)):
            raise Unfit("article-tax-inactive", tax=tax.display_name)
        if tax is None or tax.type != SALES_TAX:
            raise Unfit("article-tax-missing")
        return tax.value

    def _till_tax(self, rate: Decimal) -> int:
        fitting = [tax.id for tax in self.till_taxes if tax.is_active and tax.tax_rate * _HUNDRED == rate]
        if not fitting:
            raise Unfit("article-tax-unknown-in-arcavis", rate=plain(rate))
        return min(fitting)

    def _till_unit(self, unit_id: int | None) -> int | None:
        """Arcavis' own default where bexio names no unit."""
        if unit_id is None:
            return None
        unit = self.units.get(unit_id)
        found = None if unit is None else self.till_units.get(unit_key(unit.name))
        if found is None:
            raise Unfit("article-unit-unknown", unit=unit.name if unit is not None else unit_id)
        return found


def number_key(number: str) -> str:
    """How article numbers are compared: Arcavis may not tell "a1" from "A1"."""
    return number.strip().casefold()


def unit_key(name: str) -> str:
    """How units are compared: "Stk." is "stk"."""
    return name.strip().rstrip(".").casefold()


def shown_name(article: Article) -> str:
    """An article's name as it is listed."""
    return (article.intern_name or "").strip()[:_NAME_SHOWN]


def _number(article: Article) -> str:
    number = (article.intern_code or "").strip()
    if not number:
        raise Unfit("article-number-missing")
    if len(number) > LONGEST_NUMBER:
        raise Unfit("article-number-too-long", longest=LONGEST_NUMBER)
    return number


def _title(article: Article) -> str:
    title = " ".join((article.intern_name or "").split())
    if not title:
        raise Unfit("article-name-missing")
    if len(title) > LONGEST_TITLE:
        raise Unfit("article-name-too-long", longest=LONGEST_TITLE)
    return title
