"""The pair (till customer, bexio contact). A link is also the lock under which a contact is looked for or made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

HOLD = timedelta(seconds=60)

_TAKE = text(
    "insert into contact_link as l (tenant_id, kind, arcavis_id, state, holder, held_until, evidence, created_at,"
    " updated_at) values (:tenant, :kind, :arcavis_id, 'resolving', :holder, :until, '{}', :now, :now)"
    " on conflict (tenant_id, kind, arcavis_id) do update set holder = :holder, held_until = :until, updated_at = :now"
    " where l.state = 'resolving' and (l.holder = :holder or l.holder is null or l.held_until <= :now)"
)
_READ = text(
    "select bexio_id, state, holder, sent_at from contact_link"
    " where tenant_id = :tenant and kind = :kind and arcavis_id = :arcavis_id"
)
_SENT = text(
    "update contact_link set sent_at = :now, updated_at = :now where tenant_id = :tenant and kind = :kind"
    " and arcavis_id = :arcavis_id and state = 'resolving' and holder = :holder"
)
_MADE = text(
    "update contact_link set state = 'active', bexio_id = :bexio_id, evidence = :evidence, holder = null,"
    " held_until = null, alias = contact_taken(:tenant, :kind, :arcavis_id, :bexio_id), updated_at = :now"
    " where tenant_id = :tenant and kind = :kind and arcavis_id = :arcavis_id and state = 'resolving'"
).bindparams(bindparam("evidence", type_=JSONB))
_RELEASE = text(
    "update contact_link set holder = null, held_until = null, sent_at = null,"
    " updated_at = :now where tenant_id = :tenant and kind = :kind and arcavis_id = :arcavis_id and holder = :holder"
    " and sent_at is not distinct from :sent_at"
)
_GONE = text(
    "update contact_link set state = 'inactive', reason = 'archived-in-bexio', updated_at = :now"
    " where tenant_id = :tenant and kind = :kind and arcavis_id = :arcavis_id and state in ('active', 'conflict')"
)
_DECIDE = text(
    "insert into contact_link as l (tenant_id, kind, arcavis_id, bexio_id, state, alias, evidence, created_at,"
    " updated_at) values (:tenant, :kind, :arcavis_id, :bexio_id, 'active',"
    " contact_taken(:tenant, :kind, :arcavis_id, :bexio_id), :evidence, :now, :now)"
    " on conflict (tenant_id, kind, arcavis_id) do update set bexio_id = excluded.bexio_id, state = 'active',"
    " alias = excluded.alias, base_arcavis = '{}', base_bexio = '{}', reason = null, holder = null, held_until = null,"
    " sent_at = null, evidence = excluded.evidence, updated_at = :now"
).bindparams(bindparam("evidence", type_=JSONB))
_BACK = text(
    "update contact_link l set state = 'active', alias = contact_taken(:tenant, :kind, :arcavis_id, l.bexio_id),"
    " reason = null, updated_at = :now"
    " where tenant_id = :tenant and kind = :kind and arcavis_id = :arcavis_id and state = 'inactive'"
)


@dataclass(frozen=True, slots=True)
class LinkKey:
    """Which till contact of which tenant; `kind` is `customer` or `supplier`."""

    tenant: UUID
    kind: str
    arcavis_id: str

    def values(self) -> dict[str, Any]:
        """As statement parameters."""
        return {"tenant": self.tenant, "kind": self.kind, "arcavis_id": self.arcavis_id}


async def read(session: AsyncConnection, key: LinkKey) -> Row[Any] | None:
    """The link with `bexio_id`, `state`, `holder` and `sent_at`."""
    return (await session.execute(_READ, key.values())).first()


async def take(session: AsyncConnection, key: LinkKey, holder: UUID, now: datetime) -> Row[Any]:
    """Makes the link and holds it for `HOLD`, unless it is made already or another operation holds it."""
    await session.execute(_TAKE, {**key.values(), "holder": holder, "until": now + HOLD, "now": now})
    return (await session.execute(_READ, key.values())).one()


async def mark_sent(session: AsyncConnection, key: LinkKey, holder: UUID, now: datetime) -> bool:
    """Notes that a contact is about to be created; False when somebody else holds the link now."""
    return (await session.execute(_SENT, {**key.values(), "holder": holder, "now": now})).rowcount == 1


async def mark_made(
    session: AsyncConnection, key: LinkKey, bexio_id: int, evidence: dict[str, Any], now: datetime
) -> None:
    """Joins the two for good, with the evidence it rests on."""
    await session.execute(_MADE, {**key.values(), "bexio_id": bexio_id, "evidence": evidence, "now": now})


async def release(
    session: AsyncConnection, key: LinkKey, holder: UUID, now: datetime, *, sent_at: datetime | None
) -> None:
    """Lets others resolve the link. Only the sending at `sent_at` may take itself back, not one that came after."""
    await session.execute(_RELEASE, {**key.values(), "holder": holder, "sent_at": sent_at, "now": now})


async def mark_gone(session: AsyncConnection, key: LinkKey, now: datetime) -> None:
    """The bexio contact is archived or deleted: the link no longer counts."""
    await session.execute(_GONE, {**key.values(), "now": now})


async def mark_back(session: AsyncConnection, key: LinkKey, now: datetime) -> None:
    """The bexio contact was restored: the link counts again."""
    await session.execute(_BACK, {**key.values(), "now": now})


async def decide(session: AsyncConnection, key: LinkKey, bexio_id: int, actor: str, now: datetime) -> None:
    """A person said which bexio contact the customer is; that outranks all evidence."""
    evidence = {"reasons": [f"said by {actor}"]}
    await session.execute(_DECIDE, {**key.values(), "bexio_id": bexio_id, "evidence": evidence, "now": now})
