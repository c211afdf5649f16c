"""Booking rules in Postgres: one row for each, and every version that ever was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings.rule_schemas import STORED, RuleContent
from app.capabilities.bookings.rules import Rule
from app.core.errors import NotFound

MOST_RULES = 300
STEP = 10

_STORED = (
    "select r.id, r.version, r.position, r.origin, r.reason, r.created_at, r.updated_at, v.content from booking_rule r"
    " join booking_rule_version v on v.rule_id = r.id and v.version = r.version where r.deleted_at is null"
)
_ALL = text(f"{_STORED} order by r.position, r.id")
_ONE = text(f"{_STORED} and r.id = :id")
_LOCK = text(f"{_STORED} and r.id = :id for update of r")
_VERSIONS = text(
    "select r.id, v.version, r.position, r.origin, r.reason, r.created_at, v.created_at as updated_at, v.content"
    " from booking_rule r join booking_rule_version v on v.rule_id = r.id where r.id = :id order by v.version desc"
)
# One at a time: a second call that adds rules waits, and then sees what the first one made.
_ALONE = text("select pg_advisory_xact_lock(hashtextextended('booking-rules ' || cast(:tenant as text), 0))")
_STATE = text(
    "select count(*) filter (where deleted_at is null) as rules, coalesce(max(position), 0) as last from booking_rule"
)
_ORIGINS = text("select origin from booking_rule where origin is not null")
_INSERT = text(
    "insert into booking_rule (id, tenant_id, version, position, origin, reason, created_at, updated_at)"
    " values (:id, :tenant, 1, :position, :origin, :reason, :now, :now)"
).bindparams(bindparam("reason", type_=JSONB(none_as_null=True)))
_VERSION = text(
    "insert into booking_rule_version (tenant_id, rule_id, version, content, created_at, created_by)"
    " values (:tenant, :id, :version, :content, :now, :actor)"
).bindparams(bindparam("content", type_=JSONB))
_CHANGE = text("update booking_rule set version = :version, position = :position, updated_at = :now where id = :id")
_DELETE = text("update booking_rule set deleted_at = :now, updated_at = :now where id = :id")
_STANDING = text(
    "select 1 from booking_line l join booking_group g on g.id = l.group_id where l.rule_id = :id"
    " and g.state in ('sending', 'posted') group by l.sale_day having sum(l.amount) <> 0 limit 1"
)


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule as it is stored. `origin` names the default that it was made as, `reason` a code and its parameters."""

    id: UUID
    version: int
    position: int
    content: RuleContent
    origin: str | None
    reason: Mapping[str, Any] | None
    created_at: datetime
    updated_at: datetime

    @property
    def rule(self) -> Rule:
        """For the plan."""
        return self.content.to_core(self.id, self.version, self.position)


@dataclass(frozen=True, slots=True)
class NewRule:
    """A rule that is to be stored; without a position it becomes the last."""

    id: UUID
    content: RuleContent
    origin: str | None = None
    reason: Mapping[str, Any] | None = None


async def load(session: AsyncConnection) -> list[Rule]:
    """The rules of this tenant as they stand now, inactive ones too, in their order."""
    return [stored.rule for stored in await listing(session)]


async def listing(session: AsyncConnection) -> list[StoredRule]:
    """The same, as they are stored."""
    return [_stored(row) for row in await session.execute(_ALL)]


async def read(session: AsyncConnection, rule: UUID, *, lock: bool = False) -> StoredRule:
    """One rule, locked until the transaction ends when asked for.

    Raises:
        NotFound: `rule-not-found`.
    """
    row = (await session.execute(_LOCK if lock else _ONE, {"id": rule})).first()
    if row is None:
        raise NotFound("rule-not-found")
    return _stored(row)


async def versions(session: AsyncConnection, rule: UUID) -> list[StoredRule]:
    """Every version of a rule, the latest first; of a deleted one too, since old exports name it.

    Raises:
        NotFound: `rule-not-found`.
    """
    rows = (await session.execute(_VERSIONS, {"id": rule})).all()
    if not rows:
        raise NotFound("rule-not-found")
    return [_stored(row) for row in rows]


async def alone(session: AsyncConnection, tenant: UUID) -> tuple[int, int]:
    """Lets nobody else add rules until the transaction ends; how many there are, and the last position."""
    await session.execute(_ALONE, {"tenant": str(tenant)})
    row = (await session.execute(_STATE)).one()
    return row.rules, row.last


async def origins(session: AsyncConnection) -> frozenset[str]:
    """The defaults that were ever made, deleted ones too."""
    return frozenset(row.origin for row in await session.execute(_ORIGINS))


async def insert(
    session: AsyncConnection, tenant: UUID, new: Sequence[NewRule], last: int, *, actor: str, now: datetime
) -> None:
    """Stores rules as their first version; those without a position follow `last`."""
    for place, rule in enumerate(new, 1):
        given = rule.content.position
        values = {
            "id": rule.id,
            "tenant": tenant,
            "position": given if given is not None else last + place * STEP,
            "origin": rule.origin,
            "reason": dict(rule.reason) if rule.reason is not None else None,
            "now": now,
        }
        await session.execute(_INSERT, values)
        await _keep(session, tenant, rule.id, 1, rule.content, actor, now)


async def change(
    session: AsyncConnection, tenant: UUID, before: StoredRule, content: RuleContent, *, actor: str, now: datetime
) -> None:
    """Stores the next version of a rule that is locked."""
    position = content.position if content.position is not None else before.position
    version = before.version + 1
    await session.execute(_CHANGE, {"id": before.id, "version": version, "position": position, "now": now})
    await _keep(session, tenant, before.id, version, content, actor, now)


async def delete(session: AsyncConnection, rule: UUID, now: datetime) -> None:
    """Takes a rule out of use; its versions stay."""
    await session.execute(_DELETE, {"id": rule, "now": now})


async def has_entries(session: AsyncConnection, rule: UUID) -> bool:
    """True while something of it stands in bexio."""
    return (await session.execute(_STANDING, {"id": rule})).first() is not None


async def _keep(
    session: AsyncConnection, tenant: UUID, rule: UUID, version: int, content: RuleContent, actor: str, now: datetime
) -> None:
    values = {
        "tenant": tenant,
        "id": rule,
        "version": version,
        "content": content.model_dump(mode="json", exclude_defaults=True),
        "now": now,
        "actor": actor,
    }
    await session.execute(_VERSION, values)


def _stored(row: Row[Any]) -> StoredRule:
    return StoredRule(
        id=row.id,
        version=row.version,
        position=row.position,
        content=RuleContent.model_validate(row.content, context=STORED),
        origin=row.origin,
        reason=row.reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
