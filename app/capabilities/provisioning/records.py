"""The rows of activations and of the shops they made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.provisioning.steps import Step
from app.core.ids import uuid7

# How long whoever exchanges a code, or accepts what it gave, may take.
HOLD = timedelta(seconds=60)

_FIND = text(
    "select id, state, reason, params, codes, held_until from activation"
    " where webhook_id = cast(:webhook as text) or activation_id = :activation"
    " order by webhook_id is not distinct from cast(:webhook as text) desc limit 1 for update"
)
_INSERT = text(
    "insert into activation (id, activation_id, webhook_id, codes, state, params, company_name, held_until, created_at,"
    " updated_at) values (:id, :activation, cast(:webhook as text), cast(:codes as bytea[]), 'authorizing', '{}',"
    " :company, :held_until, :now, :now) on conflict do nothing returning id"
)
_RETAKE = text(
    "update activation set state = 'authorizing', reason = null, params = '{}', wanted = null,"
    " webhook_id = coalesce(cast(:webhook as text), webhook_id), codes = codes || cast(:codes as bytea[]),"
    " held_until = :held_until, updated_at = :now where id = :id"
)
_RELEASE = text("update activation set held_until = :now, updated_at = :now where id = :id and state = 'authorizing'")
_AUTHORIZED = text(
    "update activation set state = 'authorized', wanted = :wanted, held_until = :held_until, updated_at = :now"
    " where id = :id and state = 'authorizing'"
)
_END = text(
    "update activation set state = :state, reason = :reason, params = :params, wanted = null, updated_at = :now"
    " where id = :id and state in ('authorizing', 'authorized')"
).bindparams(bindparam("params", type_=JSONB))
_ACCEPTED = text(
    "update activation set state = 'accepted', tenant_id = :tenant, wanted = null, held_until = null, updated_at = :now"
    " where id = :id and state = 'authorized' returning id"
)
_WAITING = text(
    "update activation set held_until = :held_until where id in (select id from activation where state = 'authorized'"
    " and held_until < :now order by held_until limit :most for update skip locked)"
    " returning id, wanted, updated_at"
)
_READ = text(
    "select id, tenant_id, state, reason, params, company_name, held_until, created_at, updated_at from activation"
    " where id = :id"
)

# One company's activations one after the other, also while it has no row of its own yet.
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended('provision/' || :company, 0))")
_CONNECTED = text(
    "select tenant_id from bexio_connection where company_id = :company or books_id = cast(:books as text)"
    " order by company_id = :company desc limit 1"
)
_PROVISIONED = text("select tenant_id from provision where tenant_id = cast(:tenant as uuid) or company_id = :company")
_AS_TENANT = text("select set_config('connector.tenant', :tenant, true)")
_TENANT = text(
    "insert into tenant (id, slug, name, language, modules, created_at, updated_at)"
    " values (:id, :slug, :name, :language, cast(:modules as text[]), :now, :now)"
    " on conflict (slug) do nothing returning id"
)
_PROVISION = text(
    "insert into provision (tenant_id, activation_id, company_id, admin, language, done, runs, progress, created_at,"
    " updated_at) values (:tenant, :activation, :company, :admin, :language, :done, '{}', 0, :now, :now)"
    " on conflict (tenant_id) do update set updated_at = excluded.updated_at"
).bindparams(bindparam("done", type_=JSONB))
_SHOP = text(
    "select p.tenant_id, t.slug, t.name, p.activation_id, p.admin, p.language, p.done, p.runs, p.progress, p.login_url,"
    " p.admin_username, p.initial_password, p.updated_at, o.state, o.reason, o.next_attempt_at"
    " from provision p join tenant t on t.id = p.tenant_id"
    " left join operation o on o.kind = 'provision' and o.subject_id = p.tenant_id where p.tenant_id = :tenant"
)
_DONE = text(
    "update provision set done = done || :done, progress = greatest(progress, :progress), updated_at = :now"
    " where tenant_id = :tenant"
).bindparams(bindparam("done", type_=JSONB))
_STARTED = text("update provision set runs = runs || :runs, updated_at = :now where tenant_id = :tenant").bindparams(
    bindparam("runs", type_=JSONB)
)
_PROGRESS = text(
    "update provision set progress = :progress, updated_at = :now where tenant_id = :tenant and progress < :progress"
)
_ENVIRONMENT = text(
    "update provision set login_url = :login_url, admin_username = :admin_username,"
    " initial_password = :initial_password where tenant_id = :tenant"
)
_FORGET_PASSWORD = text("update provision set initial_password = null where tenant_id = :tenant")
_OPEN_ITEM = text(
    "select code, params from attention where tenant_id = :tenant and subject_kind = 'provision' and state = 'open'"
    " order by created_at desc limit 1"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for an activation: a webhook with its code, or a browser, which has neither."""

    activation: str
    company: str
    webhook: str | None = None
    code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """An activation as it was found. `ours`: whoever asked goes on with it; otherwise it is in other hands, or over."""

    id: UUID
    ours: bool
    state: str
    reason: str | None = None
    params: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Waiting:
    """An activation whose code was exchanged at `since`, and that nobody works on."""

    id: UUID
    wanted: bytes
    since: datetime


async def take(session: AsyncConnection, asked: Asked, now: datetime) -> Taken:
    """The activation that is asked for, new or known; by the webhook's id first.

    One whose holder died is taken up again. One that is over stays so for every code that it came with: bexio takes
    none of them twice, and the first answer is the true one. With another code it begins anew.
    """
    keys = {"activation": asked.activation, "webhook": asked.webhook}
    hold = {"held_until": now + HOLD, "now": now}
    new = {"id": uuid7(now), "company": asked.company, "codes": _codes(asked), **hold}
    made = (await session.execute(_INSERT, {**keys, **new})).scalar_one_or_none()
    if made is not None:
        return Taken(made, ours=True, state="authorizing")
    row = (await session.execute(_FIND, keys)).one()
    unseen = [code for code in _codes(asked) if code not in row.codes]
    abandoned = row.state == "authorizing" and row.held_until <= now
    if abandoned or (row.state in {"refused", "failed"} and unseen):
        await session.execute(_RETAKE, {"id": row.id, "webhook": asked.webhook, "codes": unseen, **hold})
        return Taken(row.id, ours=True, state="authorizing")
    return Taken(row.id, ours=False, state=row.state, reason=row.reason, params=row.params)


def _codes(asked: Asked) -> list[bytes]:
    """Hashes, because a code that was not used yet still opens the company's books."""
    return [] if asked.code is None else [hashlib.sha256(asked.code.encode()).digest()]


async def release(session: AsyncConnection, activation: UUID, now: datetime) -> None:
    """Nothing happened: whoever comes next may try."""
    await session.execute(_RELEASE, {"id": activation, "now": now})


async def authorized(session: AsyncConnection, activation: UUID, wanted: bytes, now: datetime) -> None:
    """The code was exchanged; `wanted` holds what it gave, sealed for `sealed.WANTED`."""
    await session.execute(_AUTHORIZED, {"id": activation, "wanted": wanted, "held_until": now + HOLD, "now": now})


async def end(
    session: AsyncConnection, activation: UUID, state: str, reason: str, params: Mapping[str, str], now: datetime
) -> None:
    """`refused` or `failed`, with the code that says why."""
    values = {"id": activation, "state": state, "reason": reason, "params": dict(params), "now": now}
    await session.execute(_END, values)


async def accepted(session: AsyncConnection, activation: UUID, tenant: UUID, now: datetime) -> bool:
    """The activation has its tenant. False when it was ended meanwhile, or accepted by somebody else."""
    values = {"id": activation, "tenant": tenant, "now": now}
    return (await session.execute(_ACCEPTED, values)).first() is not None


async def waiting(session: AsyncConnection, now: datetime, most: int) -> list[Waiting]:
    """Activations that were left with their code exchanged; they are held now."""
    values = {"now": now, "held_until": now + HOLD / 4, "most": most}
    return [Waiting(row.id, row.wanted, row.updated_at) for row in await session.execute(_WAITING, values)]


async def activation(session: AsyncConnection, identity: UUID) -> Row[Any] | None:
    """One activation, in a system transaction."""
    return (await session.execute(_READ, {"id": identity})).first()


async def company_alone(session: AsyncConnection, company: str) -> None:
    """Waits until nobody else accepts this company; until the transaction ends."""
    await session.execute(_ONE_AT_A_TIME, {"company": company})


async def tenant_of(session: AsyncConnection, company: str, books: str | None) -> tuple[UUID | None, bool]:
    """The tenant that a company has or had, in a system transaction, and whether that one was provisioned.

    Where its id and its books are two tenants', the id counts; storing the connection then fails on the books.
    """
    connected = (await session.execute(_CONNECTED, {"company": company, "books": books})).scalar_one_or_none()
    values = {"tenant": connected, "company": company}
    found = set((await session.execute(_PROVISIONED, values)).scalars())
    if connected is not None:
        return connected, connected in found
    return next(iter(found), None), True


async def become(session: AsyncConnection, tenant: UUID) -> None:
    """A system transaction writes this tenant's rows as well."""
    await session.execute(_AS_TENANT, {"tenant": str(tenant)})


async def insert_tenant(
    session: AsyncConnection,
    tenant: UUID,
    slugs: Sequence[str],
    *,
    name: str,
    language: str,
    modules: Sequence[str],
    now: datetime,
) -> None:
    """A new tenant under the first slug that is free."""
    for slug in slugs:
        values = {
            "id": tenant,
            "slug": slug,
            "name": name,
            "language": language,
            "modules": list(modules),
            "now": now,
        }
        if (await session.execute(_TENANT, values)).first() is not None:
            return
    raise AssertionError("The last slug is unique.")


async def insert(
    session: AsyncConnection,
    tenant: UUID,
    *,
    activation_id: str,
    company: str,
    admin: bytes,
    language: str,
    done: Mapping[Step, object],
    now: datetime,
) -> None:
    """The shop's row; one that is there already stays as it is."""
    values = {
        "tenant": tenant,
        "activation": activation_id,
        "company": company,
        "admin": admin,
        "language": language,
        "done": dict(done),
        "now": now,
    }
    await session.execute(_PROVISION, values)


async def shop(session: AsyncConnection, tenant: UUID) -> Row[Any]:
    """The shop's row with its operation's state."""
    return (await session.execute(_SHOP, {"tenant": tenant})).one()


async def step_done(
    session: AsyncConnection, tenant: UUID, step: Step, detail: Mapping[str, Any], progress: int, now: datetime
) -> None:
    """A step is done; `detail` is what the page shows of it."""
    done = {step.value: {"at": now.isoformat(), **detail}}
    await session.execute(_DONE, {"tenant": tenant, "done": done, "progress": progress, "now": now})


async def run_started(session: AsyncConnection, tenant: UUID, step: Step, run: UUID, now: datetime) -> None:
    """A step's run was made in this transaction."""
    await session.execute(_STARTED, {"tenant": tenant, "runs": {step.value: str(run)}, "now": now})


async def progressed(session: AsyncConnection, tenant: UUID, progress: int, now: datetime) -> None:
    """How far it is; never back."""
    await session.execute(_PROGRESS, {"tenant": tenant, "progress": progress, "now": now})


async def environment(
    session: AsyncConnection, tenant: UUID, *, login_url: str, admin_username: str, initial_password: bytes | None
) -> None:
    """Where the new Arcavis is, and its first login."""
    values = {
        "tenant": tenant,
        "login_url": login_url,
        "admin_username": admin_username,
        "initial_password": initial_password,
    }
    await session.execute(_ENVIRONMENT, values)


async def forget_password(session: AsyncConnection, tenant: UUID) -> None:
    """It is in the outbox now."""
    await session.execute(_FORGET_PASSWORD, {"tenant": tenant})


async def open_item(session: AsyncConnection, tenant: UUID) -> Row[Any] | None:
    """What waits for a person, if anything does."""
    return (await session.execute(_OPEN_ITEM, {"tenant": tenant})).first()
