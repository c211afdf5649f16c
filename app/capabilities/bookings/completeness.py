"""Whether a sale day is complete: every till has handed over what it sold. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from app.core.swiss_time import ZURICH


@dataclass(frozen=True, slots=True)
class Till:
    """A till; `heard_at` is when it last handed over, None when Arcavis does not tell."""

    id: str
    title: str
    active: bool
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Traded:
    """What is known of a day: the tills that sold something, and those that closed it."""

    sold: frozenset[str] = frozenset()
    closed: frozenset[str] = frozenset()


def end_of(day: date) -> datetime:
    """The moment when a sale day is over in Switzerland; days have 23 to 25 hours."""
    return _moment(day + timedelta(days=1), time())


def silent_tills(day: date, tills: Iterable[Till], traded: Traded) -> list[Till]:
    """The tills that may still hold receipts of the day.

    A till has handed over everything when it closed the day, or was heard after its end. Where Arcavis does not tell
    when it was heard, a till that sold nothing counts as closed. One that is out of use holds nothing back.
    """
    return [till for till in tills if till.active and not _is_through(day, till, traded)]


def _is_through(day: date, till: Till, traded: Traded) -> bool:
    if till.id in traded.closed:
        return True
    if till.heard_at is None:
        return till.id not in traded.sold
    return till.heard_at >= end_of(day)


def next_time(now: datetime, at: time) -> datetime:
    """The next moment after `now` at which Swiss clocks show `at`.

    In the night when an hour is left out the time is reached an hour later by the clock; when an hour comes twice,
    the first one counts.
    """
    day = now.astimezone(ZURICH).date()
    moments = (_moment(day + timedelta(days=ahead), at) for ahead in range(3))
    return next(moment for moment in moments if moment > now)


def last_time(now: datetime, at: time) -> datetime:
    """The latest moment up to `now` at which Swiss clocks showed `at`; as `next_time` on days of 23 and 25 hours."""
    day = now.astimezone(ZURICH).date()
    moments = (_moment(day - timedelta(days=back), at) for back in range(3))
    return next(moment for moment in moments if moment <= now)


def _moment(day: date, at: time) -> datetime:
    """In UTC: two local times of one zone are subtracted by their digits, whatever the clocks did in between."""
    return datetime.combine(day, at, ZURICH).astimezone(UTC)


def days_between(first: date, last: date, without: Collection[date] = ()) -> list[date]:
    """Every day from `first` to `last`, both included, but those left out."""
    count = (last - first).days + 1
    return [day for day in (first + timedelta(days=ahead) for ahead in range(count)) if day not in without]
