"""Reading: lists page by page, searches, single records."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from types import GenericAlias
from typing import Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from app.connectors.bexio.criteria import Criterion
from app.connectors.transport import Answer, Bucket, Transport

PAGE_SIZE = 2000

Row = TypeVar("Row")
Shape = TypeVar("Shape")
Query = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Resource(Generic[Row]):
    """Where records of one kind live, how they read, and against which rate limit reading them counts."""

    path: str
    row: TypeAdapter[Row]
    rows: TypeAdapter[tuple[Row, ...]]
    bucket: Bucket = Bucket.GENERAL
    order_by: str | None = None
    paged: bool = True

    def under(self, path: str) -> Resource[Row]:
        """The same kind of record at another address, as the payments of another invoice are."""
        return replace(self, path=path)


def resource_of(
    path: str,
    row: type[Row],
    *,
    bucket: Bucket = Bucket.GENERAL,
    order_by: str | None = None,
    paged: bool = True,
) -> Resource[Row]:
    """Builds the validators, once. `order_by` keeps pages apart while rows change; not every list has it."""
    rows = cast("type[tuple[Row, ...]]", GenericAlias(tuple, (row, ...)))
    return Resource(path, TypeAdapter(row), TypeAdapter(rows), bucket, order_by, paged)


def understood(transport: Transport, answer: Answer, shape: TypeAdapter[Shape]) -> Shape:
    """The body of a read.

    Raises:
        RemoteUnavailable: it is no JSON (a proxy's page, a cut body).
        RemoteRejected: it is JSON of another shape.
    """
    try:
        return shape.validate_json(answer.content)
    except ValidationError as error:
        raise transport.unreadable(answer, wrote=False) from error


async def one(transport: Transport, resource: Resource[Row], record_id: int) -> Row:
    """The record with this id.

    Raises:
        RemoteNotFound: there is none.
    """
    answer = await transport.read("GET", f"{resource.path}/{record_id}", bucket=resource.bucket)
    return understood(transport, answer, resource.row)


async def pages(
    transport: Transport, resource: Resource[Row], query: Query | None = None
) -> AsyncIterator[tuple[Row, ...]]:
    """Every page of a list; the last is the first that is not full."""
    offset = 0
    while True:
        answer = await transport.read(
            "GET", resource.path, query=_page_query(resource, offset, query), bucket=resource.bucket
        )
        rows = understood(transport, answer, resource.rows)
        if rows:
            yield rows
        if not resource.paged or len(rows) < PAGE_SIZE:
            return
        offset += len(rows)


async def search_pages(
    transport: Transport,
    resource: Resource[Row],
    criteria: tuple[Criterion, ...],
    query: Query | None = None,
) -> AsyncIterator[tuple[Row, ...]]:
    """Every page of the records that meet all criteria."""
    offset = 0
    while True:
        rows = await search_page(transport, resource, criteria, offset, query)
        if rows:
            yield rows
        if len(rows) < PAGE_SIZE:
            return
        offset += len(rows)


async def search_page(
    transport: Transport,
    resource: Resource[Row],
    criteria: tuple[Criterion, ...],
    offset: int,
    query: Query | None = None,
) -> tuple[Row, ...]:
    """The records that meet all criteria from `offset` on, at most `PAGE_SIZE`."""
    answer = await transport.read(
        "POST",
        f"{resource.path}/search",
        query=_page_query(resource, offset, query),
        body=[criterion.body() for criterion in criteria],
        bucket=Bucket.SEARCH,
    )
    return understood(transport, answer, resource.rows)


async def gathered(found: AsyncIterator[tuple[Row, ...]]) -> tuple[Row, ...]:
    """All pages as one; for what is known to be small."""
    rows: list[Row] = []
    async for page in found:
        rows.extend(page)
    return tuple(rows)


def _page_query(resource: Resource[Row], offset: int, query: Query | None) -> dict[str, str | int]:
    complete: dict[str, str | int] = dict(query or {})
    if resource.order_by is not None:
        complete["order_by"] = resource.order_by
    if resource.paged:
        complete |= {"limit": PAGE_SIZE, "offset": offset}
    return complete


class Listing(Generic[Row]):
    """A resource of which only the list is needed."""

    def __init__(self, transport: Transport, resource: Resource[Row]) -> None:
        self._transport = transport
        self._resource = resource

    def pages(self) -> AsyncIterator[tuple[Row, ...]]:
        """The list, page by page."""
        return pages(self._transport, self._resource)

    async def list(self) -> tuple[Row, ...]:
        """The whole list."""
        return await gathered(self.pages())
