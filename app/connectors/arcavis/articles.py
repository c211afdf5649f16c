"""Articles and their stock: read by page or as what changed, made and changed by number, stock set per store."""

from __future__ import annotations

from pydantic import TypeAdapter

from app.connectors.arcavis import names
from app.connectors.arcavis.envelope import Many, resource_of, whole
from app.connectors.arcavis.names import Article, ArticleWrite, StockLevel, StockWrite
from app.connectors.arcavis.writing import saved
from app.connectors.transport import Transport
from app.core.errors import RemoteRejected

# What Arcavis takes in an article's texts; assumed, as nothing says so.
LONGEST_TITLE = 255
LONGEST_NUMBER = 50

ARTICLES = resource_of(names.ARTICLES, Article)
_LEVELS = resource_of(names.ARTICLE_STOCKS, StockLevel)
_ID = TypeAdapter(int)
_ANYTHING: TypeAdapter[object] = TypeAdapter(object)
# Neither stock nor tags nor suppliers nor identifications: numbers and ids are all that is looked at.
_BARE: dict[str, str | int] = {"ignSupp": "true", "ignIdents": "true"}


class Articles:
    """The tenant's articles."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def page(self, page: int, size: int, changed_since: int | None = None) -> Many[Article]:
        """One page, from 1, of all articles, or of those changed since an earlier answer's `data_age_ticks`.

        A version that knows no pages of changes answers with all of them, and says that there is one page.
        """
        query: dict[str, str | int] = {**_BARE, names.PAGE: page, names.PAGE_SIZE: size}
        if changed_since is not None:
            query[names.CHANGED_SINCE] = changed_since
        return await whole(self._transport, ARTICLES, query)

    async def save(self, article: ArticleWrite) -> int:
        """Makes an article, or changes the one that has its number; returns its id.

        Raises:
            RemoteRejected: `arcavis-refused`.
        """
        return await saved(self._transport, "POST", names.ARTICLES, article.body(), _ID)


class ArticleStocks:
    """What lies in the stores."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def levels(self, article_id: int) -> tuple[StockLevel, ...]:
        """An article's stock by store; nothing when its stock is not managed.

        Raises:
            RemoteRejected: `arcavis-refused`, there is no such article.
        """
        resource = _LEVELS.at(f"{names.ARTICLE_STOCKS}/{article_id}")
        return (await whole(self._transport, resource)).result

    async def set(self, stock: StockWrite) -> None:
        """Sets an article's stock in one store.

        Raises:
            RemoteRejected: `arcavis-refused`, there is no such article or store.
        """
        done = await saved(self._transport, "POST", names.ARTICLE_STOCKS, stock.body(), _ANYTHING)
        if done is False:
            raise RemoteRejected("arcavis-refused", "arcavis", 200)
