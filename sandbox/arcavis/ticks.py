"""Arcavis' clock: .NET ticks of Swiss local time, and never twice the same."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZURICH = ZoneInfo("Europe/Zurich")
_EPOCH = datetime(1, 1, 1)  # noqa: DTZ001 - .NET counts local ticks from a date without zone


def local_time(moment: datetime) -> datetime:
    """The wall clock in Zurich, without zone, as Arcavis stores times."""
    return moment.astimezone(ZURICH).replace(tzinfo=None)


def ticks_of(local: datetime) -> int:
    """100 ns steps since 0001-01-01 of a local time without zone."""
    return (local - _EPOCH) // timedelta(microseconds=1) * 10


def stamp(local: datetime) -> str:
    """A time as in `ExecutedTime`: local, milliseconds, no zone."""
    return local.isoformat(timespec="milliseconds")


def long_stamp(local: datetime) -> str:
    """A time as in `SynchedTime`: local, seven decimals, no zone."""
    return local.isoformat(timespec="microseconds") + "0"


def day_stamp(local: datetime) -> str:
    """A `SaleDay`: midnight of the day."""
    return f"{local.date().isoformat()}T00:00:00"


class TickClock:
    """Hands out strictly rising ticks, also through October's doubled hour and for a frozen clock."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._last = 0

    def local(self) -> datetime:
        """The wall clock in Zurich, without zone."""
        return local_time(self._now())

    def next(self) -> int:
        """A tick greater than all handed out before."""
        self._last = max(self._last + 1, ticks_of(self.local()))
        return self._last
