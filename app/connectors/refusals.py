"""What a remote's answer, or its silence, means: the one place that turns a status into an error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import unescape
from http import HTTPStatus
from typing import cast

import httpx

from app.core.errors import (
    ConnectionRefused,
    OutcomeUnknown,
    RemoteError,
    RemoteNotFound,
    RemoteRejected,
    RemoteUnavailable,
)

LONGEST_REASON = 300
BUSY_SECONDS = 5.0
LONGEST_WAIT = 300.0

# They surely were not sent, so even a write may be tried again.
NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
# Timed out on the server or its proxy: it may have got further than it says.
_UNCLEAR = frozenset({408, 499})

_REFUSALS: dict[int, tuple[type[RemoteRejected], str]] = {
    401: (ConnectionRefused, "unauthorized"),
    403: (ConnectionRefused, "forbidden"),
    404: (RemoteNotFound, "not-found"),
    410: (RemoteNotFound, "not-found"),
}

_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_NOISE = re.compile(r"[\x00-\x1f\x7f\s]+")
_MAIL = re.compile(r"\S+@\S+")
_LONG_NUMBER = re.compile(r"(?:[A-Z]{2})?\d(?:[ ./-]?\d){8,}")
_SAYING = ("message", "Message", "error_description", "detail", "title", "error")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers by lower-case name, and the whole body."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def refusal(system: str, answer: Answer, *, wrote: bool) -> RemoteError:
    """The error for an answer outside 2xx. `wrote`: the request may have changed something there."""
    status = answer.status
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return RemoteUnavailable(f"{system}-busy", system, told_to_wait(answer.headers) or BUSY_SECONDS)
    failed = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _UNCLEAR
    if wrote and (failed or status < HTTPStatus.BAD_REQUEST):
        return OutcomeUnknown(f"{system}-outcome-unknown", system, cause=f"HTTP {status}")
    if failed:
        wait = told_to_wait(answer.headers) or 0.0
        return RemoteUnavailable(f"{system}-unreachable", system, wait, cause=f"HTTP {status}")
    reasons = reasons_of(answer.content)
    kind, code = _REFUSALS.get(status, (RemoteRejected, "rejected"))
    if wrote and status == HTTPStatus.FORBIDDEN:
        # bexio also forbids what a record's state does not allow: that is no flaw of the connection.
        kind = RemoteRejected
    return kind(f"{system}-{code}", system, status, reasons)


def silence(system: str, error: Exception, *, wrote: bool) -> RemoteError:
    """The error for a request that got no whole answer."""
    cause = type(error).__name__
    if wrote and not isinstance(error, NOT_SENT):
        return OutcomeUnknown(f"{system}-outcome-unknown", system, cause=cause)
    return RemoteUnavailable(f"{system}-unreachable", system, cause=cause)


def unreadable(system: str, answer: Answer, *, wrote: bool) -> RemoteError:
    """The error for a 2xx whose body is not what was agreed.

    A body that is not even JSON is somebody else's page or half of one: worth another try. JSON of another
    shape stays so until a person has looked.
    """
    if wrote:
        return OutcomeUnknown(f"{system}-outcome-unknown", system, cause="unreadable answer")
    try:
        json.loads(answer.content)
    except ValueError:
        return RemoteUnavailable(f"{system}-answer-unreadable", system, BUSY_SECONDS)
    return RemoteRejected(f"{system}-answer-unreadable", system, answer.status)


def told_to_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds the remote asks to wait (`Retry-After`, else `RateLimit-Reset`), at most `LONGEST_WAIT`."""
    for name in ("retry-after", "ratelimit-reset"):
        value = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", value):
            return min(float(value), LONGEST_WAIT)
    return None


def reasons_of(content: bytes) -> tuple[str, ...]:
    """The remote's own words about a refusal, without addresses and long numbers, `LONGEST_REASON` in all.

    bexio's `errors` is a list of strings, a list of objects per line, an object, or absent (its documentation
    and recorded answers); a proxy in front of it answers in HTML.
    """
    text = content[:65_536].decode("utf-8", "replace")
    try:
        found = _sayings(cast("object", json.loads(content)))
    except (ValueError, RecursionError):
        title = _TITLE.search(text)
        found = iter([unescape(title[1]) if title else "" if "<" in text else text])
    kept: list[str] = []
    room = LONGEST_REASON
    for saying in found:
        reason = _clean(saying)[:room]
        if reason and reason not in kept:
            kept.append(reason)
            room -= len(reason)
        if room <= 0:
            break
    return tuple(kept)


def _clean(text: str) -> str:
    return _LONG_NUMBER.sub("…", _MAIL.sub("…", _NOISE.sub(" ", text))).strip()


def _sayings(body: object) -> Iterator[str]:
    if isinstance(body, str):
        yield body
    elif isinstance(body, dict):
        fields = cast("dict[str, object]", body)
        yield from (str(fields[name]) for name in _SAYING if isinstance(fields.get(name), str))
        yield from _details(fields.get("errors"), "")


def _details(errors: object, where: str) -> Iterator[str]:
    prefix = f"{where}: " if where else ""
    if isinstance(errors, str):
        yield prefix + errors
    elif isinstance(errors, list):
        for item in cast("list[object]", errors)[:50]:
            yield from _details(item, where)
    elif isinstance(errors, dict):
        fields = cast("dict[str, object]", errors)
        message = fields.get("message")
        if isinstance(message, str):
            yield prefix + message
        else:
            for name, value in fields.items():
                yield from _details(value, f"{where}.{name}" if where else name)
