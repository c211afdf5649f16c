"""The request's body: never larger than the limit, and without the one character that Postgres cannot store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import orjson
from starlette.types import Message, Receive, Scope

from app.core.errors import FieldError, InvalidInput, TooLarge

MEBIBYTE = 1024 * 1024
MOST_POINTERS = 50

# An escaped NUL, and not a backslash that is itself escaped.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_NUL_MESSAGE = "This text contains the character NUL."


class Disconnected(Exception):
    """The client left in the middle of its request."""


async def read(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body, however it is sent.

    Raises:
        TooLarge: it is declared or turns out to be longer than `limit` bytes.
        Disconnected: it never arrived whole.
    """
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit() and int(value) > limit:
            raise TooLarge("body-too-large", limit=limit)
    chunks: list[bytes] = []
    length = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        length += len(chunk)
        if length > limit:
            raise TooLarge("body-too-large", limit=limit)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the body that was read, then goes on with the connection."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def refuse_nul(scope: Scope, body: bytes) -> None:
    """Raises `InvalidInput` when the path, the query or a text of the JSON body holds a NUL."""
    pointers: list[str] = []
    if "\x00" in scope["path"]:
        pointers.append("/path")
    if b"%00" in scope["query_string"]:
        pointers.append("/query")
    if b"\\u0000" in body and _NUL.search(body):
        pointers.extend(list(_pointers(body))[:MOST_POINTERS])
    if pointers:
        raise InvalidInput("nul-character", [FieldError(pointer, _NUL_MESSAGE) for pointer in pointers])


def _pointers(body: bytes) -> Iterator[str]:
    """Where the NULs are. Without recursion: the body may nest deeper than Python's stack."""
    try:
        waiting: list[tuple[str, Any]] = [("", orjson.loads(body))]
    except orjson.JSONDecodeError:
        # Not JSON at all: whoever parses the body says so.
        return
    while waiting:
        pointer, value = waiting.pop()
        match value:
            case str() if "\x00" in value:
                yield pointer
            case dict():
                for key, one in cast("dict[str, Any]", value).items():
                    waiting.append((f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", one))
                    if "\x00" in key:
                        yield pointer
            case list():
                waiting.extend((f"{pointer}/{i}", one) for i, one in enumerate(cast("list[Any]", value)))
            case _:
                continue
