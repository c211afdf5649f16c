"""What one code says in English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Entry:
    """Templates: `{name}` stands for a parameter of the error."""

    title: str
    detail: str
    remedy: str
