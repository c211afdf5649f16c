"""How far an import came, and that a tenant has one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

_CURSOR = "arcavis.articles"
_OTHER = text("select run_id from article_run where tenant_id = :tenant and not finished and run_id <> :run")
_UNDER_WAY = text("select id from run where tenant_id = :tenant and kind = :kind and state in ('waiting', 'running')")
_BEGIN = text(
    "insert into article_run (run_id, tenant_id, place, finished, created_at) values (:run, :tenant, '{}', false, :now)"
    " on conflict do nothing"
)
_AGAIN = text("update article_run set finished = false where run_id = :run and finished")
_READ = text("select place from article_run where run_id = :run and not finished")
_MOVE = text("update article_run set place = :place where run_id = :run and not finished").bindparams(
    bindparam("place", type_=JSONB)
)
_END = text("update article_run set finished = true where run_id = :run")
_LOCK = text("select 1 from tenant where id = :tenant for no key update")
_READ_CURSOR = text("select value from cursor where tenant_id = :tenant and name = :name")
_MOVE_CURSOR = text(
    "insert into cursor (tenant_id, name, value, updated_at) values (:tenant, :name, :value, :now)"
    " on conflict (tenant_id, name) do update set value = excluded.value, updated_at = excluded.updated_at"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the reading of bexio's articles stands: the last id that is done, and how many rows that were."""

    last: int = 0
    passed: int = 0

    def to_row(self) -> dict[str, Any]:
        """As it is stored."""
        return {"last": self.last, "passed": self.passed}


async def enter(session: AsyncConnection, tenant: UUID, run: UUID, now: datetime) -> Place | None:
    """Where the run stands; None while another run of the tenant is under way."""
    await lock(session, tenant)
    values = {"tenant": tenant, "run": run, "now": now}
    if (await session.execute(_OTHER, {"tenant": tenant, "run": run})).first() is not None:
        return None
    await session.execute(_BEGIN, values)
    await session.execute(_AGAIN, {"run": run})
    row = (await session.execute(_READ, {"run": run})).one()
    return Place(**row.place)


async def lock(session: AsyncConnection, tenant: UUID) -> None:
    """Whoever starts a run of the tenant does so one after the other."""
    await session.execute(_LOCK, {"tenant": tenant})


async def under_way(session: AsyncConnection, tenant: UUID, kind: str) -> UUID | None:
    """A run of the tenant that is not over."""
    values = {"tenant": tenant, "kind": kind}
    return (await session.execute(_UNDER_WAY, values)).scalars().first()


async def move(session: AsyncConnection, run: UUID, place: Place) -> None:
    """Moves on, in the transaction that keeps what was done up to there."""
    await session.execute(_MOVE, {"run": run, "place": place.to_row()})


async def leave(session: AsyncConnection, run: UUID) -> None:
    """The run is over: another one may begin."""
    await session.execute(_END, {"run": run})


async def read_cursor(session: AsyncConnection, tenant: UUID) -> str | None:
    """How far Arcavis' articles were read: the environment and its ticks."""
    return (await session.execute(_READ_CURSOR, {"tenant": tenant, "name": _CURSOR})).scalar_one_or_none()


async def move_cursor(session: AsyncConnection, tenant: UUID, value: str, now: datetime) -> None:
    """Moves it, in the transaction that keeps what was read."""
    values = {"tenant": tenant, "name": _CURSOR, "value": value, "now": now}
    await session.execute(_MOVE_CURSOR, values)
