"""Searching: criteria that must all be met, each with its operator said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Operator = Literal["=", "!=", ">", ">=", "<", "<=", "like", "not_like", "in", "not_in"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """`field operator value`. The operator has no default: bexio's own is `like`, which finds substrings.

    `value` is at most 255 characters; a tuple for `in` and `not_in`.
    """

    field: str
    operator: Operator
    value: str | int | tuple[str, ...] | tuple[int, ...]

    def body(self) -> dict[str, object]:
        """One element of a search body."""
        value = list(self.value) if isinstance(self.value, tuple) else self.value
        return {"field": self.field, "value": value, "criteria": self.operator}


def equal(field: str, value: str | int) -> Criterion:
    """Exactly this value."""
    return Criterion(field, "=", value)


def changed_since(local_text: str) -> Criterion:
    """Changed at or after a Swiss local time, as `app.core.swiss_time.changed_since` writes it."""
    return Criterion("updated_at", ">=", local_text)
