"""Articles and stock on the wire: what is sent to Arcavis, what its answers mean, and bexio's pages that shift."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.connectors.arcavis.names import ArticleWrite, StockWrite
from app.core.errors import OutcomeUnknown, RemoteRejected
from tests.connectors.remote import TILL, Wire

ARTICLE = ArticleWrite(article_number="100234", title="Dressing", price=Decimal("5.04"), tax_id=2)


def envelope(result: object, **beside: object) -> dict[str, Any]:
    return {"Result": result, "IsSuccessful": True, "Message": "", **beside}


async def test_an_article_is_sent_with_numbers_and_only_with_what_was_given() -> None:
    wire = Wire()
    wire.post(f"{TILL}/api/articles").respond(200, json=envelope(1749))
    assert await wire.arcavis.articles.save(ARTICLE) == 1749
    assert wire.last_body() == {"ArticleNumber": "100234", "Title": "Dressing", "Price": 5.04, "TaxId": 2}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(200, json={"Result": None, "IsSuccessful": False, "Message": "TaxNotFound"}), RemoteRejected),
        (httpx.Response(200, json=envelope("saved")), OutcomeUnknown),
        (httpx.Response(200, text="<html>"), OutcomeUnknown),
        (httpx.Response(500), OutcomeUnknown),
    ],
    ids=["refused", "no id", "no JSON", "failed"],
)
async def test_a_write_without_a_clear_answer_is_unknown_and_never_repeated(
    answer: httpx.Response, error: type[Exception]
) -> None:
    wire = Wire()
    route = wire.post(f"{TILL}/api/articles").mock(return_value=answer)
    with pytest.raises(error):
        await wire.arcavis.articles.save(ARTICLE)
    assert route.call_count == 1


async def test_stock_is_read_per_store_and_set_in_one() -> None:
    wire = Wire()
    levels = [{"ArticleId": 1749, "StoreId": 1, "Stock": 12.5}]
    wire.get(f"{TILL}/api/articlestocks/1749").respond(200, json=envelope(levels))
    wire.post(f"{TILL}/api/articlestocks").respond(200, json=envelope(result=True))
    (level,) = await wire.arcavis.article_stocks.levels(1749)
    assert (level.store_id, level.stock) == (1, Decimal("12.5"))
    await wire.arcavis.article_stocks.set(StockWrite(article_id=1749, store_id=1, stock=Decimal("12.50")))
    assert wire.last_body() == {"ArticleId": 1749, "StoreId": 1, "Stock": 12.5}


async def test_a_stock_that_was_answered_with_false_was_not_set() -> None:
    wire = Wire()
    wire.post(f"{TILL}/api/articlestocks").respond(200, json=envelope(result=False))
    with pytest.raises(RemoteRejected):
        await wire.arcavis.article_stocks.set(StockWrite(article_id=1749, store_id=1, stock=Decimal(1)))


async def test_articles_are_read_bare_by_page_or_as_what_changed() -> None:
    wire = Wire()
    rows = [{"Id": 1749, "ArticleNumber": 100234, "Price": 5.04}]
    wire.get(path="/api/articles").respond(200, json=envelope(rows, DataAgeTicks=7, DeletedIds=[3], TotalPages=4))
    page = await wire.arcavis.articles.page(2, 500, 636458124504177200)
    assert (page.result[0].article_number, page.data_age_ticks, page.deleted_ids, page.total_pages) == (
        "100234",
        7,
        (3,),
        4,
    )
    query = "ignSupp=true&ignIdents=true&page=2&pageSize=500&changedSinceTicks=636458124504177200"
    assert wire.sent() == [f"GET /api/articles?{query}"]


def bexio_with(wire: Wire, ids: list[int]) -> None:
    """A bexio that has these articles, and pages as it does."""

    def answer(request: httpx.Request) -> httpx.Response:
        offset, limit = int(request.url.params["offset"]), int(request.url.params["limit"])
        rows = [{"id": each, "article_type_id": 1, "intern_code": str(each)} for each in ids[offset : offset + limit]]
        return httpx.Response(200, json=rows)

    wire.get(path="/2.0/article").mock(side_effect=answer)


async def read_all(wire: Wire, ids: list[int], deleted: list[int], limit: int) -> list[int]:
    """Everything, page by page; after the first page some are deleted."""
    seen: list[int] = []
    last = passed = 0
    is_last = False
    while not is_last:
        found = await wire.bexio.articles.after(last, passed, limit)
        is_last = found.is_last
        seen += [row.id for row in found.articles]
        passed, last = found.passed + len(found.articles), seen[-1] if seen else 0
        for each in [one for one in deleted if one in ids]:
            ids.remove(each)
    return seen


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 19, 20, 37])
async def test_articles_are_read_once_each_whatever_their_number(count: int) -> None:
    wire = Wire()
    bexio_with(wire, ids := list(range(1, count + 1)))
    assert await read_all(wire, ids, [], 10) == list(range(1, count + 1))
    # The overlap of one row costs no request: a last page that is not full must come anyway.
    assert len(wire.sent()) == (1 if count < 10 else 2 + (count - 10) // 9)


@pytest.mark.parametrize("deleted", [[1], [1, 2, 3], list(range(1, 10)), list(range(1, 11)), list(range(1, 20))])
async def test_rows_that_move_up_because_others_are_deleted_are_not_missed(deleted: list[int]) -> None:
    wire = Wire()
    bexio_with(wire, ids := list(range(1, 31)))
    left = [each for each in range(11, 31) if each not in deleted]
    assert await read_all(wire, ids, deleted, 10) == [*range(1, 11), *left]
