"""What a handler gets and gives, the envelope, and lists: paged, whole, or as a diff."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox.arcavis.errors import BadRequestError
from sandbox.arcavis.table import Table
from sandbox.arcavis.values import Record, whole

DEFAULT_PAGE_SIZE = 25
MAX_PAGE_SIZE = 5000


@dataclass(frozen=True, slots=True)
class Call:
    """A request as handlers see it: `record_id` from the path, the query and the JSON object."""

    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Record = field(default_factory=dict[str, object])
    record_id: int = 0

    @property
    def since(self) -> int | None:
        """`changedSinceTicks`, or None for a full read."""
        given = self.query.get("changedSinceTicks", "")
        return None if given == "" else whole(given)

    @property
    def page(self) -> tuple[int, int] | None:
        """Page (from 1) and size, or None when the client asked for no page: it gets everything.

        Raises:
            BadRequestError: for a page or size below 1.
        """
        if not {"page", "pageSize"} & self.query.keys():
            return None
        page, size = whole(self.query.get("page"), 1), whole(self.query.get("pageSize"), DEFAULT_PAGE_SIZE)
        if page < 1 or size < 1:
            raise BadRequestError("page and pageSize start at 1")
        return page, min(size, MAX_PAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Answer:
    """A handler's result, its `Message`, and what a list adds beside `Result`."""

    result: object
    message: str = ""
    beside: Record = field(default_factory=dict[str, object])

    def envelope(self) -> Record:
        """The answer as it goes over the wire."""
        return {"Result": self.result, "IsSuccessful": True, "Message": self.message, **self.beside}


def refusal(message: str) -> Record:
    """The envelope of a call that failed."""
    return {"Result": None, "IsSuccessful": False, "Message": message}


def list_rows(
    table: Table,
    call: Call,
    ticks: int,
    *,
    keep: Callable[[Record], bool] | None = None,
    show: Callable[[Record], Record] | None = None,
) -> Answer:
    """A table as a list: everything, a page (with `TotalPages`), or what changed since (with `DeletedIds`).

    `ticks` is this read's `DataAgeTicks`; later changes are always greater, so no change is missed
    by a client that takes it from the first page.
    """
    since = call.since
    rows = table.visible() if since is None else table.changed_since(since)
    if keep is not None:
        rows = [row for row in rows if keep(row)]
    beside: Record = {"DataAgeTicks": ticks, "DeletedIds": [] if since is None else table.hidden_since(since)}
    if (paging := call.page) is not None:
        page, size = paging
        beside["TotalPages"] = -(-len(rows) // size)
        rows = rows[(page - 1) * size : page * size]
    return Answer(rows if show is None else [show(row) for row in rows], beside=beside)
