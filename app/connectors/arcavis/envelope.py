"""Reading Arcavis' answers: the envelope first, then what it holds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Generic, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

from app.connectors.arcavis import names
from app.connectors.refusals import reasons_of
from app.connectors.transport import Answer, Transport
from app.core.errors import RemoteNotFound, RemoteRejected

ROWS_PER_PAGE = 500
RESTARTS = 5

Row = TypeVar("Row")
Shape = TypeVar("Shape")
Query = dict[str, str | int]


class One(names.Named, Generic[Row]):
    """An answer with one record."""

    result: Row


class Many(names.Named, Generic[Row]):
    """An answer with a list: also when it was read, what is gone since, and how many pages there are.

    Ticks are 64-bit integers whose meaning is Arcavis' own; they are only handed back.
    """

    result: tuple[Row, ...]
    data_age_ticks: int | None = None
    deleted_ids: tuple[int, ...] = ()
    total_pages: int = 1


@dataclass(frozen=True, slots=True)
class Resource(Generic[Row]):
    """Where records of one kind live, and how they read."""

    path: str
    one: TypeAdapter[One[Row]]
    many: TypeAdapter[Many[Row]]

    def at(self, path: str) -> Resource[Row]:
        """The same kind of record at another address, as the stock of another article is."""
        return replace(self, path=path)


def resource_of(path: str, row: type[Row]) -> Resource[Row]:
    """Builds the validators, once."""
    one = cast("type[One[Row]]", One.__class_getitem__(row))
    many = cast("type[Many[Row]]", Many.__class_getitem__(row))
    return Resource(path, TypeAdapter(one), TypeAdapter(many))


_ENVELOPE = TypeAdapter(names.Envelope)


def understood(transport: Transport, answer: Answer, shape: TypeAdapter[Shape]) -> Shape:
    """The body of a successful answer.

    Raises:
        RemoteUnavailable: it is no JSON (a proxy's page, a cut body).
        RemoteRejected: `arcavis-refused`: `IsSuccessful: false` with status 200; or JSON of another shape.
    """
    try:
        if _ENVELOPE.validate_json(answer.content).is_successful:
            return shape.validate_json(answer.content)
    except ValidationError as error:
        raise transport.unreadable(answer, wrote=False) from error
    raise RemoteRejected("arcavis-refused", "arcavis", answer.status, reasons_of(answer.content))


async def one(transport: Transport, resource: Resource[Row], record_id: int) -> Row:
    """The record with this id.

    Raises:
        RemoteNotFound: there is none; some versions say so with status 200.
    """
    answer = await transport.read("GET", f"{resource.path}/{record_id}")
    try:
        return understood(transport, answer, resource.one).result
    except RemoteRejected as error:
        if error.code != "arcavis-refused":
            raise
        raise RemoteNotFound("arcavis-not-found", "arcavis", error.status, error.reasons) from error


async def whole(transport: Transport, resource: Resource[Row], query: Query | None = None) -> Many[Row]:
    """A list in one answer."""
    return understood(transport, await transport.read("GET", resource.path, query=query), resource.many)


async def pages(transport: Transport, resource: Resource[Row], query: Query | None = None) -> AsyncIterator[Many[Row]]:
    """A list page by page. The cursor for later is `data_age_ticks` of the first: it misses no change."""
    page = 1
    while True:
        paging: Query = {**(query or {}), names.PAGE: page, names.PAGE_SIZE: ROWS_PER_PAGE}
        found = await whole(transport, resource, paging)
        yield found
        if page >= found.total_pages:
            return
        page += 1


async def changes(transport: Transport, resource: Resource[Row], ticks: int) -> AsyncIterator[Many[Row]]:
    """What is new or changed since an earlier answer's `data_age_ticks`, page by page; 0 for everything.

    The next cursor is `data_age_ticks` of the first page. A row that changes while pages are read may move, and shift
    another one out of sight between two pages: then all pages come once more.

    Raises:
        RemoteUnavailable: the list changed during every reading.
    """
    for _ in range(RESTARTS):
        began: int | None = None
        last = 1
        async for page in pages(transport, resource, {names.CHANGED_SINCE: ticks}):
            began = began or page.data_age_ticks
            last = page.total_pages
            yield page
        if last <= 1 or began is None or not await _changed(transport, resource, began):
            return
    raise transport.unsteady()


async def _changed(transport: Transport, resource: Resource[Row], ticks: int) -> bool:
    query: Query = {names.CHANGED_SINCE: ticks, names.PAGE: 1, names.PAGE_SIZE: 1}
    return bool((await whole(transport, resource, query)).result)


class Changing(Generic[Row]):
    """A resource of which only what changed is read."""

    def __init__(self, transport: Transport, resource: Resource[Row]) -> None:
        self._transport = transport
        self._resource = resource

    def changes(self, ticks: int) -> AsyncIterator[Many[Row]]:
        """See `changes`."""
        return changes(self._transport, self._resource, ticks)


class Listing(Generic[Row]):
    """A helper resource, small and read whole."""

    def __init__(self, transport: Transport, resource: Resource[Row]) -> None:
        self._transport = transport
        self._resource = resource

    async def list(self) -> tuple[Row, ...]:
        """All rows."""
        return (await whole(self._transport, self._resource)).result
