"""A call as a resource sees it, and what it answers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from sandbox.bexio.company import Company
from sandbox.bexio.errors import Invalid
from sandbox.bexio.limits import Bucket
from sandbox.bexio.values import Record, is_record

T = TypeVar("T")

DEFAULT_LIMIT = 500
MAX_LIMIT = 2000
SUCCESS: Record = {"success": True}


@dataclass(frozen=True, slots=True)
class Call:
    """A call to one company. `ids` are the numbers in the path, in order; `body` is parsed JSON or None."""

    company: Company
    user_id: int
    ids: tuple[int, ...]
    query: Mapping[str, str]
    body: object
    allows: Callable[[str], bool] = lambda _scope: True
    """Whether the caller's token carries a scope, for what an endpoint shows only then."""

    def form(self) -> Record:
        """The body as fields; an absent body has none.

        Raises:
            Invalid: when it is no JSON object.
        """
        if self.body is None:
            return {}
        if not is_record(self.body):
            raise Invalid("The request body has to be a JSON object.")
        return self.body

    def page(self, rows: Iterable[T]) -> list[T]:
        """The rows that `limit` (500, at most 2000) and `offset` select."""
        offset = whole(self.query.get("offset"), 0)
        limit = min(whole(self.query.get("limit"), DEFAULT_LIMIT) or DEFAULT_LIMIT, MAX_LIMIT)
        return list(rows)[offset : offset + limit]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a resource answers: JSON content, with status 200 unless said otherwise."""

    content: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: what answers it, the scopes it needs, and the limit it counts against."""

    answer: Handler
    scopes: tuple[str, ...] = ()
    bucket: Bucket = Bucket.GENERAL


Routes = dict[tuple[str, str], Route]
"""By method and path, `{id}` standing for every number in it."""


def counted(call: Call, rows: Iterable[T]) -> Answer:
    """A page of a 3.0 list with its count headers."""
    everything = list(rows)
    page = call.page(everything)
    limit = min(whole(call.query.get("limit"), DEFAULT_LIMIT) or DEFAULT_LIMIT, MAX_LIMIT)
    headers = {
        "X-Total-Count": str(len(everything)),
        "X-Limit": str(limit),
        "X-Offset": str(whole(call.query.get("offset"), 0)),
    }
    return Answer(page, headers=headers)


def whole(value: str | None, default: int) -> int:
    """A number in the query; anything else gives the default."""
    return int(value) if value is not None and value.isascii() and value.isdigit() else default
