"""Operations: the truth about unfinished work. The job engine only delivers wake-ups.

An operation has one holder at a time: claiming raises its fence, and every write after that names the fence it was
claimed with. A worker that was paused, or taken for dead, writes nothing more (`LeaseLost`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LeaseLost
from app.core.ids import uuid7
from app.core.priority import Priority
from app.db.session import Database
from app.db.statements import Record
from app.jobs.outcomes import Halt, Later

LEASE = timedelta(seconds=10)
TENANT_CAP = 8
# Of a tenant's places, and of a worker's, so many are for tills alone: a customer waits for no import to end.
TILL_PLACES = 2


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of unfinished work, as its holder saw it last.

    `step` and `memo` say how far it came; `wanted` rises when somebody asks for it again; `starts` counts claims
    since the last outcome, `attempts` the failures that count.
    """

    id: UUID
    tenant_id: UUID
    kind: str
    subject_id: UUID
    step: str
    memo: Mapping[str, Any]
    priority: int
    wanted: int
    fence: int
    starts: int
    attempts: int
    created_at: datetime


_CLAIM = text("select * from claim_operation(:now, :lease, :cap, :reserved, :till, :least)")
_ADVANCE = text("select * from advance_operation(:id, :fence, :wanted, :step, :memo, :now, :lease)").bindparams(
    bindparam("memo", type_=JSONB)
)
_EXTEND = text(
    "update operation set lease_until = :until where state = 'running'"
    " and (id, fence) in (select * from unnest(cast(:ids as uuid[]), cast(:fences as bigint[])))"
)
_ADD = text(
    "insert into operation (id, tenant_id, kind, subject_id, state, step, memo, priority, next_attempt_at,"
    " created_at, updated_at) values (:id, :tenant, :kind, :subject, 'waiting', 'new', '{}', :priority, :due, :now,"
    " :now)"
    " on conflict (kind, subject_id) do nothing"
)
_REARM = text(
    "update operation set wanted = wanted + 1, next_attempt_at = :now, attempts = 0, starts = 0, reason = null,"
    " state = case when state = 'running' then state else 'waiting' end, updated_at = :now"
    " where kind = :kind and subject_id = :subject"
)
_HOLD = text("select 1 from operation where id = :id and fence = :fence and state = 'running' for update")
_SETTLE = text(
    "select settle_operation(:id, :fence, :seen, :state, :due, :attempts, :reason, :step, :memo, :now) as settled"
).bindparams(bindparam("memo", type_=JSONB))


def _operation(row: Record) -> Operation:
    return Operation(
        id=row.id,
        tenant_id=row.tenant_id,
        kind=row.kind,
        subject_id=row.subject_id,
        step=row.step,
        memo=row.memo,
        priority=row.priority,
        wanted=row.wanted,
        fence=row.fence,
        starts=row.starts,
        attempts=row.attempts,
        created_at=row.created_at,
    )


async def claim(db: Database, now: datetime, *, least: Priority = Priority.BULK) -> Operation | None:
    """Takes the best due operation of all tenants, of priority `least` or above, for `LEASE`; None without one."""
    row = await db.execute_alone(_CLAIM, claiming(now, least))
    return _operation(row) if row is not None else None


def claiming(now: datetime, least: Priority = Priority.BULK) -> dict[str, Any]:
    """What `claim_operation` takes."""
    return {
        "now": now,
        "lease": LEASE,
        "cap": TENANT_CAP,
        "reserved": TILL_PLACES,
        "till": Priority.TILL.rank,
        "least": least.rank,
    }


async def advance(db: Database, operation: Operation, step: str, memo: Mapping[str, Any], now: datetime) -> Operation:
    """Records how far the work came and renews the lease, in one round trip.

    Raises:
        LeaseLost: another worker holds the operation.
        Halt: somebody asked for the work again meanwhile; nothing was recorded, and its goal may be another one now.
    """
    values = {
        "id": operation.id,
        "fence": operation.fence,
        "wanted": operation.wanted,
        "step": step,
        "memo": dict(memo),
        "now": now,
        "lease": LEASE,
    }
    row = await db.execute_alone(_ADVANCE, values)
    if row is None:
        raise LeaseLost
    if row.wanted != operation.wanted:
        raise Halt(Later(timedelta(0), "asked-again"))
    return _operation(row)


async def extend(db: Database, held: list[Operation], now: datetime) -> None:
    """Renews the leases of everything this worker holds."""
    async with db.begin_system() as session:
        values = {"until": now + LEASE, "ids": [o.id for o in held], "fences": [o.fence for o in held]}
        await session.execute(_EXTEND, values)


async def add(
    session: AsyncConnection,
    *,
    tenant: UUID,
    kind: str,
    subject: UUID,
    priority: Priority,
    now: datetime,
    due: datetime | None = None,
) -> None:
    """Adds work for a subject, once: a second call for the same subject changes nothing."""
    values = {
        "id": uuid7(now),
        "tenant": tenant,
        "kind": kind,
        "subject": subject,
        "priority": priority.rank,
        "due": due or now,
        "now": now,
    }
    await session.execute(_ADD, values)


async def rearm(session: AsyncConnection, *, kind: str, subject: UUID, now: datetime) -> bool:
    """Asks for the work again, at once. True when there is such work; running work runs once more afterwards."""
    result = await session.execute(_REARM, {"kind": kind, "subject": subject, "now": now})
    return result.rowcount == 1


async def hold(session: AsyncConnection, operation: Operation) -> None:
    """Locks the operation for what its holder writes in this transaction; before anything else, as everybody does.

    Raises:
        LeaseLost: another worker holds the operation.
    """
    if (await session.execute(_HOLD, {"id": operation.id, "fence": operation.fence})).first() is None:
        raise LeaseLost


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ends: the state of the operation from now on, and when it is due again if it waits.

    `done` also closes what waited for a person; whoever waits for the subject is woken.
    """

    state: str
    now: datetime
    due: datetime
    attempts: int
    reason: str | None

    def values(self, operation: Operation) -> dict[str, Any]:
        """As parameters of `settle_operation`, and of functions that do more in one round trip."""
        return {
            "id": operation.id,
            "fence": operation.fence,
            "seen": operation.wanted,
            "state": self.state,
            "now": self.now,
            "due": self.due,
            "attempts": self.attempts,
            "reason": self.reason,
            "step": operation.step,
            "memo": dict(operation.memo),
        }


async def settle(session: AsyncConnection, operation: Operation, ending: Ending) -> str:
    """Ends this turn of the work and returns the state it is in: asked for again meanwhile, it waits once more.

    Raises:
        LeaseLost: another worker holds the operation.
    """
    return _settled((await session.execute(_SETTLE, ending.values(operation))).scalar_one())


async def settle_alone(
    db: Database, operation: Operation, ending: Ending, statement: TextClause, more: Mapping[str, Any]
) -> str:
    """The same in one round trip, by a statement that takes the tenant and `more` too and answers with `settled`.

    Raises:
        LeaseLost: another worker holds the operation.
    """
    values = {**more, **ending.values(operation), "tenant": operation.tenant_id}
    row = await db.execute_alone(statement, values)
    return _settled(row.settled if row is not None else None)


def _settled(state: str | None) -> str:
    if state is None:
        raise LeaseLost
    return state
