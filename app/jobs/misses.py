"""How often a piece of work got no clear answer about one of its records, kept in its memo over all its turns.

One record on which a remote system fails each time would else use up the patience with the whole work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.jobs.work import Work

# A whole work may fail more often: see `MAX_ATTEMPTS`.
MOST_UNKNOWN = 4
_MEMO = "missed"


@dataclass(frozen=True, slots=True)
class Misses:
    """Counts by a key for each record."""

    work: Work

    def of(self, key: str) -> int:
        """How often that was."""
        return self._counts().get(key, 0)

    def are_enough(self, key: str) -> bool:
        """Whether the record shall not be tried any more."""
        return self.of(key) >= MOST_UNKNOWN

    def add(self, keys: Iterable[str]) -> None:
        """It happened again."""
        self._note({**self._counts(), **{key: self.of(key) + 1 for key in keys}})

    def forget(self, keys: Iterable[str]) -> None:
        """What came of these is kept: another attempt counts anew."""
        gone = set(keys)
        self._note({key: count for key, count in self._counts().items() if key not in gone})

    def _counts(self) -> dict[str, int]:
        return self.work.memo.get(_MEMO) or {}

    def _note(self, counts: dict[str, int]) -> None:
        if counts != self._counts():
            self.work.note(**{_MEMO: counts})
