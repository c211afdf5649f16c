"""Whose work goes first, at the queue and at the remote system's budget."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """A customer waits at the till, a clerk in the office, nobody at night."""

    TILL = "till"
    BACKOFFICE = "backoffice"
    BULK = "bulk"

    @property
    def rank(self) -> int:
        """Higher goes first."""
        return {"till": 30, "backoffice": 20, "bulk": 10}[self.value]

    @classmethod
    def of_rank(cls, rank: int) -> Priority:
        """The priority stored as `rank`."""
        return next(priority for priority in cls if priority.rank == rank)
