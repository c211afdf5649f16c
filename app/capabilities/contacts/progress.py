"""How far a contact run came: stored in the transactions that do what it counts. One run of a tenant at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts.fields import Kind, Side

Mode = Literal["import", "export", "sync"]
Phase = Literal["begin", "bexio", "archive", "customers", "suppliers", "work"]

RUN_KINDS: dict[str, Mode] = {"contacts.import": "import", "contacts.export": "export", "contacts.sync": "sync"}
COUNTS = ("read", "linked", "created", "updated", "unchanged", "conflicts", "failed", "inactive", "done")
MOST_LINES = 200

_RESUME = text("update contact_run set finished = false where run_id = :run")
_ACTIVE = text("select run_id from contact_run where tenant_id = :tenant and not finished and run_id <> :run")
_READ = text("select place, finished from contact_run where run_id = :run")
_CLAIM = text(
    "insert into contact_run (run_id, tenant_id, place, finished, created_at) values (:run, :tenant, :place, false,"
    " :now) on conflict do nothing"
).bindparams(bindparam("place", type_=JSONB))
_MOVE = text("update contact_run set place = :place where run_id = :run").bindparams(bindparam("place", type_=JSONB))
_FINISH = text("update contact_run set finished = true where run_id = :run")


class Reading(BaseModel):
    """How far one list was read: from which cursor, up to where. Ids and ticks are the remote's own."""

    model_config = ConfigDict(validate_assignment=True)

    started: datetime | None = None
    since: str | None = None
    last: int = 0
    known: int = 0
    page: int = 1
    ticks: int | None = None
    rounds: int = 0


class Line(BaseModel):
    """What was done, or would be done, with one contact; for people to read. `code` is of the catalogue."""

    action: str
    kind: Kind
    arcavis_id: int | None = None
    bexio_id: int | None = None
    contact: str = ""
    fields: list[str] = Field(default_factory=list)
    reason: str | None = None
    code: str | None = None
    params: dict[str, str] = Field(default_factory=dict)


class Progress(BaseModel):
    """Where a run stands; the JSON in `contact_run.place`."""

    mode: Mode
    dry_run: bool = False
    full: bool = False
    phase: Phase = "begin"
    counts: dict[str, int] = Field(default_factory=dict)
    lines: list[Line] = Field(default_factory=list[Line])
    total: int | None = None
    written: Counter[Side] = Field(default_factory=Counter[Side])
    rounds: int = 0
    bexio: Reading = Field(default_factory=Reading)
    customers: Reading = Field(default_factory=Reading)
    suppliers: Reading = Field(default_factory=Reading)

    def count(self, **more: int) -> None:
        """Adds to the figures."""
        for name, number in more.items():
            self.counts[name] = self.counts.get(name, 0) + number

    def shown(self) -> dict[str, int]:
        """All figures, those at zero too. `done` never runs past the total that was told first."""
        shown = {name: self.counts.get(name, 0) for name in COUNTS}
        if self.total is not None:
            shown["done"] = min(shown["done"], self.total)
        return shown

    def writable(self) -> tuple[Side, ...]:
        """The systems that this run may write to."""
        sides: dict[Mode, tuple[Side, ...]] = {
            "import": ("arcavis",),
            "export": ("bexio",),
            "sync": ("arcavis", "bexio"),
        }
        return sides[self.mode]

    def detail(self) -> dict[str, Any]:
        """What the run shows beside its figures."""
        lines = [line.model_dump(mode="json", exclude_defaults=True) for line in self.lines]
        return {"mode": self.mode, "dry_run": self.dry_run, "full": self.full, "notes": lines}


@dataclass(slots=True)
class Tally:
    """What one batch came to, before it is stored."""

    counts: Counter[str] = field(default_factory=Counter[str])
    lines: list[Line] = field(default_factory=list[Line])
    writes: Counter[Side] = field(default_factory=Counter[Side])

    def add(self, count: str, line: Line | None = None) -> None:
        """One contact is dealt with."""
        self.counts[count] += 1
        if line is not None:
            self.lines.append(line)

    def into(self, progress: Progress) -> None:
        """Adds the batch to the run's figures; of the lines as many as there is room for."""
        progress.count(**self.counts)
        progress.written.update(self.writes)
        progress.lines += self.lines[: MOST_LINES - len(progress.lines)]


class Overtaken(Exception):
    """Another contact run was begun in the very same moment."""


async def active(session: AsyncConnection, tenant: UUID, run: UUID) -> UUID | None:
    """Another contact run of the tenant that is not finished."""
    return (await session.execute(_ACTIVE, {"tenant": tenant, "run": run})).scalar_one_or_none()


async def claim(session: AsyncConnection, tenant: UUID, run: UUID, progress: Progress, now: datetime) -> bool:
    """Makes a new run the tenant's one contact run; False when there is one already."""
    values = {"run": run, "tenant": tenant, "place": progress.model_dump(mode="json"), "now": now}
    return (await session.execute(_CLAIM, values)).rowcount == 1


async def resume(session: AsyncConnection, run: UUID) -> None:
    """A run that had stopped goes on where it stood.

    Raises:
        IntegrityError: another one is active.
    """
    await session.execute(_RESUME, {"run": run})


async def read(session: AsyncConnection, run: UUID) -> tuple[Progress, bool] | None:
    """How far the run came, and whether it had stopped; None when it never began."""
    row = (await session.execute(_READ, {"run": run})).first()
    return None if row is None else (Progress.model_validate(row.place), row.finished)


async def store(session: AsyncConnection, run: UUID, progress: Progress) -> None:
    """Keeps how far the run is."""
    await session.execute(_MOVE, {"run": run, "place": progress.model_dump(mode="json", exclude_defaults=True)})


async def finish(session: AsyncConnection, run: UUID) -> None:
    """Lets the next run of the tenant begin."""
    await session.execute(_FINISH, {"run": run})
