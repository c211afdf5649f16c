"""The time as the database has it, so that leases, due times and windows mean the same on every host.

A worker whose clock goes ten seconds ahead would take other workers' leases for expired; a till's sale would wait for
as long as its server's clock goes ahead of the workers'. Fencing keeps either harmless, and this keeps it from
happening: each process measures how far its machine is off, and goes by the database's clock.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from sqlalchemy import text

from app.core.clock import SystemClock
from app.core.errors import Unavailable
from app.db.session import Database

ALIGN_SECONDS = 30.0
# Closer than it can be measured over a busy network; on one host the machine's clock stays what it is.
NEGLIGIBLE = timedelta(milliseconds=100)
REMARKABLE = timedelta(seconds=1)
TRIES = 3

_NOW = text("select clock_timestamp() as now")
_log = structlog.get_logger("clock")


class DatabaseClock(SystemClock):
    """The machine's clock, corrected by what it differs from the database's. `align` measures that anew."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._difference = timedelta(0)

    @property
    def difference(self) -> timedelta:
        """How far the database's clock is ahead of the machine's."""
        return self._difference

    def now(self) -> datetime:
        """See `Clock`."""
        return self.machine() + self._difference

    def machine(self) -> datetime:
        """What the machine itself says."""
        return super().now()

    async def align(self) -> None:
        """Measures the difference. A database that is away leaves it as it was."""
        try:
            difference = await self._measured()
        except Unavailable:
            return
        difference = difference if abs(difference) > NEGLIGIBLE else timedelta(0)
        if abs(difference - self._difference) > REMARKABLE:
            _log.warning("clock-differs-from-database", seconds=round(difference.total_seconds(), 1))
        self._difference = difference

    async def follow(self) -> None:
        """Measures now and then, until cancelled."""
        while True:
            await self.sleep(ALIGN_SECONDS)
            await self.align()

    async def _measured(self) -> timedelta:
        """The quickest of some round trips is the most exact one."""
        quickest: tuple[timedelta, timedelta] | None = None
        for _ in range(TRIES):
            before = self.machine()
            row = await self._db.execute_alone(_NOW, {})
            if row is None:
                raise RuntimeError("There is always a time.")
            took = self.machine() - before
            told = (took, row.now - before - took / 2)
            quickest = told if quickest is None else min(quickest, told)
        if quickest is None:
            raise RuntimeError("It was tried at least once.")
        return quickest[1]
