"""Articles, read only (`/2.0/article`). They have no change date; what changed shows by comparing."""

from __future__ import annotations

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


class Articles(Listing[Article]):
    """The company's articles."""

    async def after(self, last: int, passed: int, limit: int = PAGE_SIZE) -> tuple[tuple[Article, ...], bool]:
        """The articles that come after the one with id `last`, which is about the `passed`th; and whether that is all.

        Pages are by offset only, and a row that is deleted while one reads moves all that follow: so each page begins
        with the row that the page before ended with, and where that is not so, further back.
        """
        step = 1
        while True:
            offset = max(passed - step, 0)
            query: dict[str, str | int] = {"order_by": "id", "limit": limit, "offset": offset}
            answer = await self._transport.read("GET", ARTICLES.path, query=query, bucket=ARTICLES.bucket)
            rows = understood(self._transport, answer, ARTICLES.rows)
            if offset == 0 or (rows and rows[0].id <= last):
                new = tuple(row for row in rows if row.id > last)
                return new, len(rows) < limit
            step *= 8

    async def get(self, article_id: int) -> Article:
        """One article."""
        return await one(self._transport, ARTICLES, article_id)

    async def search(self, *criteria: Criterion) -> tuple[Article, ...]:
        """The articles that meet all criteria; only `intern_name` and `intern_code` can be searched."""
        return await gathered(search_pages(self._transport, ARTICLES, criteria))
