"""Europe/Zurich: the sale day's zone, and the zone of bexio's 2.0 timestamps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZURICH = ZoneInfo("Europe/Zurich")


def today(now: datetime) -> date:
    """The Swiss calendar day of a moment."""
    return now.astimezone(ZURICH).date()


def to_local_text(moment: datetime) -> str:
    """A moment as bexio's 2.0 endpoints write it: `YYYY-MM-DD HH:MM:SS`, Swiss time without offset."""
    return moment.astimezone(ZURICH).strftime("%Y-%m-%d %H:%M:%S")


def changed_since(cursor: datetime, now: datetime) -> str:
    """The earliest local text that anything changed between `cursor` and `now` can carry.

    In the night when summer time ends, 02:00-03:00 happens twice: a change in the second pass carries a text that
    is smaller than the cursor's. When the interval holds that moment, the answer starts before it.
    """
    texts = [to_local_text(cursor)]
    step = cursor
    while step < now:
        following = min(step + timedelta(minutes=30), now)
        if following.astimezone(ZURICH).utcoffset() != step.astimezone(ZURICH).utcoffset():
            texts.append(to_local_text(_first_after_transition(step, following)))
        step = following
    return min(texts)


def _first_after_transition(before: datetime, after: datetime) -> datetime:
    """The first whole second in (before, after] with the later offset."""
    offset = after.astimezone(ZURICH).utcoffset()
    low, high = int(before.timestamp()), int(after.timestamp())
    while high - low > 1:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, UTC).astimezone(ZURICH).utcoffset() == offset:
            high = middle
        else:
            low = middle
    return datetime.fromtimestamp(high, UTC)


def from_local_text(text: str) -> datetime:
    """The moment of a bexio 2.0 timestamp; in October's doubled hour the first of the two."""
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=ZURICH).astimezone(UTC)
