"""Numbers, dates and texts as bexio writes and reads them."""

import uuid
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

Record = dict[str, Any]
"""One record in bexio's own words."""

ZURICH = ZoneInfo("Europe/Zurich")
ZERO = Decimal(0)
HUNDRED = Decimal(100)
_CENT = Decimal("0.01")
_NAMESPACE = uuid.UUID("1f4f1c52-6f0e-4e3a-9c5e-be7105a4d0c1")


def is_record(value: object) -> TypeGuard[Record]:
    """Whether it is a JSON object."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[object]]:
    """Whether it is a JSON list."""
    return isinstance(value, list)


def rounded(value: Decimal, places: int = 2) -> Decimal:
    """Half up, as bexio rounds money."""
    return value.quantize(Decimal(1).scaleb(-places) if places != 2 else _CENT, ROUND_HALF_UP)


def to_step(value: Decimal, step: Decimal) -> Decimal:
    """Rounded to a multiple of a currency's smallest amount, half up, with two decimals."""
    return ((value / step).quantize(Decimal(1), ROUND_HALF_UP) * step).quantize(_CENT)


def short(value: Decimal) -> str:
    """As a create echoes it: "100", "1.5"."""
    return f"{value.normalize() + 0:f}"


def fixed(value: Decimal, places: int = 6) -> str:
    """As a later read shows it: "100.000000"."""
    return f"{rounded(value, places):f}"


def decimal_of(value: object) -> Decimal:
    """A finite number given as text or as a JSON number.

    Raises:
        ValueError: when it is none.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("is not a number")  # noqa: TRY004 - what is sent is wrong, not what is called
    try:
        read = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("is not a number") from None
    if not read.is_finite() or abs(read) >= Decimal(10) ** 12:
        raise ValueError("is not a number")
    return read


def local_stamp(moment: datetime) -> str:
    """Swiss local time without offset, as the 2.0 endpoints write it."""
    return f"{moment.astimezone(ZURICH):%Y-%m-%d %H:%M:%S}"


def midnight_stamp(day: date) -> str:
    """The start of a Swiss day with its offset, as the 3.0 endpoints write it."""
    return datetime(day.year, day.month, day.day, tzinfo=ZURICH).isoformat()


def uuid_of(*parts: object) -> str:
    """The same UUID for the same record in every run."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))))
