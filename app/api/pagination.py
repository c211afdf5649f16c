"""Pages over lists that are sorted by (time, id), newest first.

The cursor is the last row's position: pages neither skip nor repeat rows when new ones arrive. It is no secret and no
permission (row-level security decides what a caller sees); its checksum tells a mistyped one from a real one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, ConfigDict

from app.core.errors import FieldError, InvalidInput

DEFAULT_LIMIT = 50
LARGEST_LIMIT = 200

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UUID = struct.Struct(">cq16s")
_INTEGER = struct.Struct(">cqq")
_CHECK = 4

T = TypeVar("T")
Row = TypeVar("Row")


class Page(BaseModel, Generic[T]):
    """One page of a list. `next_cursor` is null on the last one."""

    model_config = ConfigDict(extra="forbid")

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a row stands in its list."""

    at: datetime
    id: UUID | int


@dataclass(frozen=True, slots=True)
class Paging:
    """What page the caller wants.

    A query takes `limit + 1` rows (`fetch`) after `after`, sorted by time and id descending; `page` cuts them.
    """

    limit: int
    after: Position | None

    @property
    def fetch(self) -> int:
        """How many rows to read: one more than the page shows, to know whether there is a next one."""
        return self.limit + 1

    @property
    def values(self) -> dict[str, Any]:
        """Statement parameters `fetch`, `after_at` and `after_id`; the latter two null on the first page."""
        after = self.after
        return {
            "fetch": self.fetch,
            "after_at": after.at if after else None,
            "after_id": after.id if after else None,
        }

    def page(self, rows: Sequence[Row], position: Callable[[Row], Position], item: Callable[[Row], T]) -> Page[T]:
        """The page that `rows`, at most `fetch` of them, make."""
        shown = rows[: self.limit]
        cursor = encode(position(shown[-1])) if len(rows) > self.limit else None
        return Page(items=[item(row) for row in shown], next_cursor=cursor)


def encode(position: Position) -> str:
    """The cursor of a position."""
    moment = (position.at - _EPOCH) // timedelta(microseconds=1)
    if isinstance(position.id, UUID):
        packed = _UUID.pack(b"u", moment, position.id.bytes)
    else:
        packed = _INTEGER.pack(b"i", moment, position.id)
    return base64.urlsafe_b64encode(packed + _checksum(packed)).decode().rstrip("=")


def decode(cursor: str) -> Position:
    """The position of a cursor.

    Raises:
        InvalidInput: no page gave this cursor.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        packed, check = raw[:-_CHECK], raw[-_CHECK:]
        if check != _checksum(packed):
            raise _invalid()
        if packed[:1] == b"u":
            _, moment, identity = _UUID.unpack(packed)
            return Position(_EPOCH + timedelta(microseconds=moment), UUID(bytes=identity))
        _, moment, number = _INTEGER.unpack(packed)
        return Position(_EPOCH + timedelta(microseconds=moment), number)
    except (binascii.Error, struct.error, ValueError, OverflowError) as error:
        raise _invalid() from error


def _checksum(packed: bytes) -> bytes:
    return hashlib.sha256(b"connector-cursor" + packed).digest()[:_CHECK]


def _invalid() -> InvalidInput:
    return InvalidInput("invalid-cursor", [FieldError("/query/cursor", "Take the cursor from `next_cursor`.")])


async def paging(
    limit: Annotated[int, Query(ge=1, le=LARGEST_LIMIT, description="How many items at most.")] = DEFAULT_LIMIT,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next_cursor` of the page before; absent for the first page.")
    ] = None,
) -> Paging:
    """The dependency behind `PageParams`."""
    return Paging(limit, decode(cursor) if cursor is not None else None)
