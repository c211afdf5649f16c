"""Reading what clients send, as leniently as Arcavis does: "false" is false, "" is nothing, "3" is 3."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn, cast

from sandbox.arcavis.errors import BadRequestError, BusinessError

Record = dict[str, Any]
"""One record in Arcavis' own words: PascalCase names, money and quantities as Decimal."""

_TRUE = frozenset({"true", "1", "yes"})
_INT64 = 2**63 - 1
_LIMIT = 10**9
MAX_TEXT = 255


def text(value: object) -> str:
    """Text as it is; nothing becomes the empty text, as Arcavis delivers it."""
    return "" if value is None else str(value)


def short_text(value: object, name: str, longest: int = MAX_TEXT) -> str:
    """A text up to a length.

    Raises:
        BusinessError: when it is longer; Arcavis documents no lengths, so this one is assumed.
    """
    given = text(value)
    if len(given) > longest:
        raise BusinessError(f"{name}TooLong")
    return given


def flag(value: object) -> bool:
    """True for true, 1, "true", "True" and "1"; anything else is false."""
    return str(value).lower() in _TRUE


def number(value: object, default: Decimal = Decimal(0)) -> Decimal:
    """A number of money or quantity, below a billion; None and "" give the default.

    Raises:
        BadRequestError: when the value is no such number.
    """
    read = _decimal(value, default)
    if abs(read) >= _LIMIT:
        raise BadRequestError(f"too large: {value}")
    return read


def whole(value: object, default: int = 0) -> int:
    """A whole number within 64 bits; None and "" give the default.

    Raises:
        BadRequestError: when the value is none.
    """
    read = _decimal(value, Decimal(default))
    if abs(read) > _INT64 or read != read.to_integral_value():
        raise BadRequestError(f"not a whole number: {value}")
    return int(read)


def optional_whole(value: object) -> int | None:
    """A whole number, or None for None, "" and 0 (clients send 0 for "none")."""
    return whole(value) or None


def records(value: object) -> list[Record]:
    """The objects of a list; a missing list is empty.

    Raises:
        BadRequestError: when it is no list of objects.
    """
    if value is None or value == "":
        return []
    if isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, dict) for item in items):
            return cast("list[Record]", items)
    raise BadRequestError("a list of objects is expected")


def texts(value: object) -> list[str]:
    """The texts of a list; a missing list is empty.

    Raises:
        BadRequestError: when it is no list.
    """
    if value is None or value == "":
        return []
    if isinstance(value, list):
        return [text(item) for item in cast("list[object]", value)]
    raise BadRequestError("a list is expected")


def parse_object(raw: bytes) -> Record:
    """The JSON object in a request body; an empty body is an empty object.

    Raises:
        BadRequestError: when it is not a JSON object.
    """
    if not raw:
        return {}
    try:
        parsed: object = json.loads(raw, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise BadRequestError("bad JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequestError("a JSON object is expected")
    return cast("Record", parsed)


def dump(value: object) -> bytes:
    """JSON as Arcavis writes it: numbers, not strings, for money."""
    return json.dumps(value, default=_plain, ensure_ascii=False).encode(errors="replace")


def _decimal(value: object, default: Decimal) -> Decimal:
    if value is None or value == "":
        return default
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        raise BadRequestError(f"not a number: {value}") from None
    if not read.is_finite():
        raise BadRequestError(f"not a number: {value}")
    return read


def _plain(value: object) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in an Arcavis answer")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
