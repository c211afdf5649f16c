"""What every record read from bexio and every body sent to it have in common.

Answers are validated straight from their bytes. A JSON number reaches a Decimal by its shortest text, which
is the number that was sent for up to 15 digits: more than bexio's six decimals and a billion need.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer

from app.core.money import plain
from app.core.swiss_time import from_local_text

MAX_DECIMALS = 6


class Wire(BaseModel):
    """A record as bexio writes it; fields that nobody here needs are dropped. Shows its id only."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True, hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [("id", getattr(self, "id", None))]

    __str__ = BaseModel.__repr__


class Request(BaseModel):
    """A body for bexio: only fields that it accepts, and on the wire only those that were given."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return [(None, name) for name in sorted(self.model_fields_set)]

    __str__ = BaseModel.__repr__

    def body(self) -> dict[str, object]:
        """The JSON object to send. A field that was not given stays as it is in bexio; None empties it."""
        return self.model_dump(mode="json", exclude_unset=True)


def _at_most_six_decimals(value: Decimal) -> Decimal:
    if len(plain(value).partition(".")[2]) > MAX_DECIMALS:
        raise ValueError(f"bexio takes at most {MAX_DECIMALS} decimals")
    return value


def _nothing_for_empty(value: object) -> object:
    return None if value == "" else value


def _nothing_for_zero(value: object) -> object:
    return None if value in {0, "0", ""} else value


def _moment(value: object) -> object:
    return from_local_text(value) if isinstance(value, str) and "T" not in value else value


def _ids(value: object) -> object:
    if value is None:
        return ()
    return tuple(part for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _joined(ids: tuple[int, ...]) -> str | None:
    return ",".join(str(one) for one in ids) or None


DecimalText = Annotated[Decimal, AfterValidator(_at_most_six_decimals), PlainSerializer(plain, return_type=str)]
"""A number that bexio takes as a string of at most six decimals: `"5.04"`. Nothing is rounded here."""

OptionalDecimal = Annotated[Decimal | None, BeforeValidator(_nothing_for_empty)]
"""An amount that bexio may leave empty, as null or as ""."""

OptionalId = Annotated[int | None, BeforeValidator(_nothing_for_zero)]
"""An id that bexio shows as 0 when it is not set, but never accepts as 0."""

SwissMoment = Annotated[datetime, BeforeValidator(_moment)]
"""A 2.0 timestamp (Swiss local time without offset) in UTC; of October's doubled hour the first."""

IdList = Annotated[tuple[int, ...], BeforeValidator(_ids), PlainSerializer(_joined, return_type=str | None)]
"""Ids that bexio writes as one text: `"1,2"`, null for none."""
