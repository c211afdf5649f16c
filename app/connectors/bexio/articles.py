"""Articles, read only (`/2.0/article`). They have no change date; what changed shows by comparing."""

from __future__ import annotations

from app.connectors.bexio.criteria import Criterion
from app.connectors.bexio.resource import Listing, gathered, one, resource_of, search_pages
from app.connectors.bexio.wire import OptionalDecimal, OptionalId, Wire
from app.connectors.transport import Bucket


class Article(Wire):
    """An article. Whether prices include VAT is the company's habit; bexio does not say."""

    id: int
    article_type_id: int
    intern_code: str
    intern_name: str
    intern_description: str | None = None
    sale_price: OptionalDecimal = None
    purchase_price: OptionalDecimal = None
    currency_id: OptionalId = None
    tax_income_id: OptionalId = None
    unit_id: OptionalId = None
    account_id: OptionalId = None
    article_group_id: OptionalId = None
    is_stock: bool
    stock_nr: OptionalDecimal = None
    stock_available_nr: OptionalDecimal = None


ARTICLES = resource_of("/2.0/article", Article, bucket=Bucket.ARTICLES, order_by="id")


class Articles(Listing[Article]):
    """The company's articles."""

    async def get(self, article_id: int) -> Article:
        """One article."""
        return await one(self._transport, ARTICLES, article_id)

    async def search(self, *criteria: Criterion) -> tuple[Article, ...]:
        """The articles that meet all criteria; only `intern_name` and `intern_code` can be searched."""
        return await gathered(search_pages(self._transport, ARTICLES, criteria))
