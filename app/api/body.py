"""The request's body: never larger than the limit, and without text that Postgres cannot store."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, cast

from starlette.types import Message, Receive, Scope

from app.core.errors import FieldError, InvalidInput, TooLarge

MEBIBYTE = 1024 * 1024
MOST_POINTERS = 50

# Escapes of NUL and of surrogates, which may be half a character: worth a closer look, which costs a parse.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_MESSAGE = "This text contains the character NUL or half a Unicode character."


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


def refuse_unstorable(scope: Scope, body: bytes) -> None:
    """Raises `InvalidInput` when the path, the query or a text of the JSON body holds what Postgres cannot store."""
    pointers: list[str] = []
    if "\x00" in scope["path"]:
        pointers.append("/path")
    if b"%00" in scope["query_string"]:
        pointers.append("/query")
    if _SUSPECT.search(body):
        pointers.extend(islice(_pointers(body), MOST_POINTERS))
    if pointers:
        raise InvalidInput("text-not-storable", [FieldError(pointer, _MESSAGE) for pointer in pointers])


def _pointers(body: bytes) -> Iterator[str]:
    """Where the texts are. Without recursion: the body may nest deeper than Python's stack."""
    try:
        waiting: list[tuple[str, Any]] = [("", json.loads(body))]
    except (ValueError, RecursionError):
        # Not JSON at all: whoever parses the body says so.
        return
    while waiting:
        pointer, value = waiting.pop()
        match value:
            case str() if _UNSTORABLE.search(value):
                yield pointer
            case dict():
                for key, one in cast("dict[str, Any]", value).items():
                    if _UNSTORABLE.search(key):
                        yield pointer
                    waiting.append((f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", one))
            case list():
                waiting.extend((f"{pointer}/{i}", one) for i, one in enumerate(cast("list[Any]", value)))
            case _:
                continue
