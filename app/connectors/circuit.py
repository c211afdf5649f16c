"""A remote that is away is left alone: after some failures in a row calls wait, and one probe at a time asks.

The state is shared through Postgres and seen through a view of at most `REFRESH` seconds of age. A working
remote costs no writes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from app.core.clock import Clock
from app.core.errors import RemoteUnavailable
from app.db.session import Database

FAILURES = 5
COOL_DOWN = timedelta(seconds=5)
LONGEST_COOL_DOWN = timedelta(seconds=30)
# A probe that never reports (its process died) makes way for the next one.
PROBE_TIME = timedelta(seconds=70)
REFRESH = 2.0

_ENTER = text("select * from enter_circuit(:name, :now, :probe_until)")
_FAIL = text(
    "insert into circuit as c (name, failures, open_until, updated_at)"
    " values (:name, 1, case when :most <= 1 then cast(:now as timestamptz) + cast(:cool as interval) end,"
    " :now)"
    " on conflict (name) do update set failures = c.failures + 1, probe_until = null, updated_at = :now,"
    " open_until = case when c.failures + 1 >= :most"
    " then :now + least(cast(:longest as interval),"
    " cast(:cool as interval) * power(2, least(c.failures + 1 - :most, 10))) end"
    # Late failures of requests sent before it opened are no news.
    " where c.open_until is null or c.open_until <= :now"
    " returning failures, open_until"
)
_CLOSE = text("select close_circuit(:name, :now)")
_RELEASE = text("update circuit set probe_until = null where name = :name returning name")


@dataclass(frozen=True, slots=True)
class _View:
    failures: int
    open_until: datetime | None
    seen: float


class Circuits:
    """This process's view of every circuit."""

    def __init__(
        self, db: Database, clock: Clock, *, failures: int = FAILURES, cool_down: timedelta = COOL_DOWN
    ) -> None:
        self._db = db
        self._clock = clock
        self._failures = failures
        self._cool_down = cool_down
        self._views: dict[str, _View] = {}

    def of(self, system: str, owner: str) -> Circuit:
        """The circuit of one remote party."""
        return Circuit(self, system, f"{system}:{owner}")

    async def enter(self, name: str, system: str) -> bool:
        """Returns when a request may be sent; True when it is the probe of an open circuit.

        Raises:
            RemoteUnavailable: the circuit is open.
        """
        now = self._clock.now()
        view, probe = self._views.get(name), False
        ended = view is not None and view.open_until is not None and view.open_until <= now
        if view is None or ended or self._clock.monotonic() - view.seen >= REFRESH:
            view, probe = await self._look(name, now)
        if view.open_until is not None and not probe:
            wait = max((view.open_until - now).total_seconds(), 0.1)
            raise RemoteUnavailable(f"{system}-circuit-open", system, retry_after=wait)
        return probe

    async def report(self, name: str, *, alive: bool | None, probe: bool) -> None:
        """How the request ended: the remote answered, it failed, or nothing was learned (None)."""
        if alive:
            await self._close(name)
        elif alive is False:
            await self._fail(name)
        elif probe:
            self._views.pop(name, None)
            await self._db.execute_alone(_RELEASE, {"name": name})

    async def _look(self, name: str, now: datetime) -> tuple[_View, bool]:
        row = await self._db.execute_alone(_ENTER, {"name": name, "now": now, "probe_until": now + PROBE_TIME})
        if row is None:
            raise RuntimeError("enter_circuit always answers.")
        view = self._views[name] = _View(row.failures, row.open_until, self._clock.monotonic())
        return view, row.probe

    async def _close(self, name: str) -> None:
        view = self._views.get(name)
        if view is None or view.failures > 0 or view.open_until is not None:
            await self._db.execute_alone(_CLOSE, {"name": name, "now": self._clock.now()})
            self._views[name] = _View(0, None, self._clock.monotonic())

    async def _fail(self, name: str) -> None:
        values = {
            "name": name,
            "now": self._clock.now(),
            "most": self._failures,
            "cool": self._cool_down,
            "longest": LONGEST_COOL_DOWN,
        }
        row = await self._db.execute_alone(_FAIL, values)
        if row is None:
            self._views.pop(name, None)
        else:
            self._views[name] = _View(row.failures, row.open_until, self._clock.monotonic())


@dataclass(frozen=True, slots=True)
class Circuit:
    """The circuit of one remote party."""

    circuits: Circuits
    system: str
    name: str

    async def enter(self) -> bool:
        """See `Circuits.enter`."""
        return await self.circuits.enter(self.name, self.system)

    async def report(self, *, alive: bool | None, probe: bool) -> None:
        """See `Circuits.report`."""
        await self.circuits.report(self.name, alive=alive, probe=probe)
