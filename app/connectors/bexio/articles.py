"""Articles, read only (`/2.0/article`). They have no change date; what changed shows by comparing."""

from __future__ import annotations

from dataclasses import dataclass

from app.connectors.bexio.criteria import Criterion
from app.connectors.bexio.resource import PAGE_SIZE, Listing, gathered, one, resource_of, search_pages, understood
from app.connectors.bexio.wire import OptionalDecimal, OptionalId, Wire
from app.connectors.transport import Bucket


class Article(Wire):
    """An article. Whether prices include VAT is the company's habit; bexio does not say."""

    id: int
    article_type_id: int
    intern_code: str | None = None
    intern_name: str | None = None
    intern_description: str | None = None
    sale_price: OptionalDecimal = None
    purchase_price: OptionalDecimal = None
    currency_id: OptionalId = None
    tax_income_id: OptionalId = None
    unit_id: OptionalId = None
    account_id: OptionalId = None
    article_group_id: OptionalId = None
    is_stock: bool | None = None
    stock_id: OptionalId = None
    stock_nr: OptionalDecimal = None
    stock_available_nr: OptionalDecimal = None


ARTICLES = resource_of("/2.0/article", Article, bucket=Bucket.ARTICLES, order_by="id")


@dataclass(frozen=True, slots=True)
class Following:
    """A page of articles, how many come before them, and whether it is the last."""

    articles: tuple[Article, ...]
    passed: int
    is_last: bool


class Articles(Listing[Article]):
    """The company's articles."""

    async def after(self, last: int, passed: int, limit: int = PAGE_SIZE) -> Following:
        """The articles that come after the one with id `last`, which is about the `passed`th of the list.

        Pages are by offset only, and a row that is deleted while one reads moves all that follow. So a page begins
        with the row that the page before ended with; where it does not, the place is looked for.
        """
        offset, back = max(passed - 1, 0), 1
        while True:
            query: dict[str, str | int] = {"order_by": "id", "limit": limit, "offset": offset}
            answer = await self._transport.read("GET", ARTICLES.path, query=query, bucket=ARTICLES.bucket)
            rows = understood(self._transport, answer, ARTICLES.rows)
            if offset and (not rows or rows[0].id > last):
                offset, back = max(offset - back, 0), back * 4
                continue
            new = tuple(row for row in rows if row.id > last)
            if new or len(rows) < limit:
                return Following(new, offset + len(rows) - len(new), is_last=len(rows) < limit)
            offset += len(rows) - 1

    async def get(self, article_id: int) -> Article:
        """One article."""
        return await one(self._transport, ARTICLES, article_id)

    async def search(self, *criteria: Criterion) -> tuple[Article, ...]:
        """The articles that meet all criteria; only `intern_name` and `intern_code` can be searched."""
        return await gathered(search_pages(self._transport, ARTICLES, criteria))
