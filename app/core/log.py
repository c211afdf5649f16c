"""Structured logs: one JSON object per line, written as bytes, without secrets and personal data.

The standard library's loggers (uvicorn, pgqueuer, sqlalchemy, alembic) take the same way out.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping, Sequence
from functools import lru_cache
from types import TracebackType
from typing import Any, BinaryIO, cast

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "[hidden]"
LONGEST_TEXT = 2000
MOST_FRAMES = 30

_HIDDEN_PARTS = ("token", "password", "authorization", "secret", "email", "phone", "api_key", "cookie", "iban")
_HIDDEN_KEYS = frozenset(
    {
        "mail",
        "mobile",
        "first_name",
        "last_name",
        "firstname",
        "lastname",
        "name_1",
        "name_2",
        "user_name",
        "username",
        "salutation",
        "birthday",
        "street",
        "street_name",
        "house_number",
        "address",
        "address_addition",
        "customer",
        "contact_name",
        "remarks",
    }
)
_SECRETS = re.compile(
    r"(?:bearer|basic) +[\w.~+/=-]{8,}"  # credentials in a header
    r"|(?-i:eyJ)[\w-]{5,}\.[\w-]{5,}\.[\w-]*"  # a JWT, as bexio's tokens are
    r"|abx_[a-z]+_[0-9A-Za-z]{20,}"  # an API key; its prefix alone may be seen
    r"|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"  # credentials in a URL
    r"|[\w.+-]+@[\w-]+\.[\w.-]+",  # an e-mail address
    re.IGNORECASE,
)
# Their messages quote values: rows, parameters, inputs.
_QUOTING = frozenset({"asyncpg", "sqlalchemy", "pydantic_core", "pydantic", "httpx", "json", "orjson"})


def configure(level: str, *, json: bool, stream: BinaryIO | None = None) -> None:
    """Sends all logs of this process to `stream` (standard output).

    Args:
        level: The least level that is written: `debug`, `info`, `warning`, `error`.
        json: JSON lines for machines, or else columns for people.
        stream: Where to write bytes; for tests.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=_processors(json=json),
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stdout.buffer),
        cache_logger_on_first_use=stream is None,
    )
    root = logging.getLogger()
    root.handlers = [_Forward()]
    root.setLevel(max(least, logging.INFO))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = name != "uvicorn.access"
    # httpx tells each request's whole URL, alembic each plugin: ours say what matters.
    for name in ("httpx", "httpcore", "alembic.runtime.plugins"):
        logging.getLogger(name).setLevel(logging.WARNING)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A processor that hides credentials and personal data, by the name of a field and by the look of a text."""
    for key, value in event.items():
        event[key] = HIDDEN if _is_hidden(key) else _cleaned(value)
    return event


def _processors(*, json: bool) -> list[Processor]:
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _explain,
        redact,
    ]
    if json:
        return [*shared, structlog.processors.JSONRenderer(serializer=_to_bytes)]
    return [*shared, structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty()), _encode]


@lru_cache(maxsize=1024)
def _is_hidden(key: str) -> bool:
    name = key.lower()
    return name in _HIDDEN_KEYS or any(part in name for part in _HIDDEN_PARTS)


def _cleaned(value: object) -> object:
    match value:
        case str():
            return _without_secrets(value)
        case bool() | int() | float() | None:
            return value
        case Mapping():
            fields = cast("Mapping[object, object]", value)
            return {str(k): HIDDEN if _is_hidden(str(k)) else _cleaned(v) for k, v in fields.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned(one) for one in cast("Sequence[object]", value)]
        case _:
            return _without_secrets(str(value))


def _without_secrets(value: str) -> str:
    # Every pattern needs one of these; looking for them first costs a tenth of looking for the patterns.
    if " " in value or "@" in value or "eyJ" in value or "abx_" in value.lower():
        return _SECRETS.sub(HIDDEN, value[:LONGEST_TEXT])
    return value[:LONGEST_TEXT]


def _explain(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by the chain of errors and the frames they passed, without quoted values."""
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given is True else None
    if isinstance(given, tuple):
        error = cast("tuple[type[BaseException], BaseException, TracebackType]", given)[1]
    if error is not None:
        event["exception"] = _chain(error)
        event["frames"] = _frames(error)
    return event


def _chain(error: BaseException) -> list[str]:
    chain: list[str] = []
    current: BaseException | None = error
    while current is not None and len(chain) < MOST_FRAMES:
        kind = type(current)
        quotes = kind.__module__.partition(".")[0] in _QUOTING
        chain.append(kind.__qualname__ if quotes else f"{kind.__qualname__}: {str(current)[:LONGEST_TEXT]}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return chain


def _frames(error: BaseException) -> list[str]:
    found = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in found]


def _to_bytes(event: MutableMapping[str, Any], **_: object) -> bytes:
    return orjson.dumps(event, default=str)


def _encode(_logger: WrappedLogger, _method: str, event: object) -> bytes:
    return str(event).encode(errors="replace")


class _Forward(logging.Handler):
    """Hands the records of the standard library to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            structlog.get_logger().log(
                record.levelno, record.getMessage(), logger=record.name, exc_info=record.exc_info
            )
        except Exception:  # noqa: BLE001 - a broken record must not break the work that logged it
            self.handleError(record)
