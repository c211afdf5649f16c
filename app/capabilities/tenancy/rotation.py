"""Seals every stored secret with the current encryption key, while the service runs.

The keys rotate in three steps: the new key goes first in the ring of every process, then this runs, then the old key
leaves the ring. One tenant's secrets are one short transaction, so nobody waits; an interrupted run is run again.
Activations on their way to a tenant come first: what they become later is sealed with the current key.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.mailing.outbox import MAIL_SECRET
from app.capabilities.tenancy import sealed
from app.connectors.access import ARCAVIS_SECRET, BEXIO_SECRET
from app.connectors.renewal_rows import PREVIOUS_SECRET, REFRESH_SECRET
from app.core.errors import Unavailable
from app.core.vault import Vault
from app.db.session import Database

BATCH = 100

_TENANTS = text(
    "select id, slug from tenant where cast(:after as uuid) is null or id > :after order by id limit :batch"
)
_COUNT = text("select count(*) from tenant")
# Locked, so that a connection made anew meanwhile is not overwritten with its old secret.
_READ = {
    BEXIO_SECRET: text("select tenant_id as id, secret from bexio_connection where tenant_id = :tenant for update"),
    REFRESH_SECRET: text(
        "select tenant_id as id, refresh_secret as secret from bexio_connection"
        " where tenant_id = :tenant and refresh_secret is not null for update"
    ),
    PREVIOUS_SECRET: text(
        "select tenant_id as id, previous_secret as secret from bexio_connection"
        " where tenant_id = :tenant and previous_secret is not null for update"
    ),
    ARCAVIS_SECRET: text("select tenant_id as id, secret from arcavis_connection where tenant_id = :tenant for update"),
    sealed.ADMIN: text("select tenant_id as id, admin as secret from provision where tenant_id = :tenant for update"),
    sealed.INITIAL_PASSWORD: text(
        "select tenant_id as id, initial_password as secret from provision"
        " where tenant_id = :tenant and initial_password is not null for update"
    ),
    MAIL_SECRET: text("select id, secret from mail where tenant_id = :tenant and secret is not null for update"),
}
_WRITE = {
    BEXIO_SECRET: text("update bexio_connection set secret = :secret where tenant_id = :id"),
    REFRESH_SECRET: text("update bexio_connection set refresh_secret = :secret where tenant_id = :id"),
    PREVIOUS_SECRET: text("update bexio_connection set previous_secret = :secret where tenant_id = :id"),
    ARCAVIS_SECRET: text("update arcavis_connection set secret = :secret where tenant_id = :id"),
    sealed.ADMIN: text("update provision set admin = :secret where tenant_id = :id"),
    sealed.INITIAL_PASSWORD: text("update provision set initial_password = :secret where tenant_id = :id"),
    MAIL_SECRET: text("update mail set secret = :secret where id = :id"),
}
# They have no tenant yet, and are few: each is one for some seconds.
_READ_WANTED = text("select id, wanted as secret from activation where wanted is not null order by id for update")
_WRITE_WANTED = text("update activation set wanted = :secret where id = :id")


@dataclass(frozen=True, slots=True)
class Rotation:
    """How far it is: tenants seen, secrets sealed anew, secrets that were current, and those no key opens.

    `unreadable` are `slug: column`, of an activation its id in the place of the slug. While there are any, an old key
    is missing in the ring.
    """

    tenants: int = 0
    resealed: int = 0
    current: int = 0
    unreadable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Place:
    """What a secret is bound to, how it is written, and how an operator finds it."""

    owner: UUID
    column: str
    write: TextClause
    name: str


async def count_tenants(db: Database) -> int:
    """How many tenants a rotation visits."""
    async with db.begin_system() as session:
        return (await session.execute(_COUNT)).scalar_one()


async def rotate(db: Database, vault: Vault, *, batch: int = BATCH) -> AsyncGenerator[Rotation]:
    """Visits activations, then every tenant; yields how far it is after each batch. The last one is the result."""
    done, after = Rotation(), None
    async with db.begin_system() as session:
        for row in (await session.execute(_READ_WANTED)).all():
            place = _Place(row.id, sealed.WANTED, _WRITE_WANTED, str(row.id))
            done = await _reseal_one(session, vault, place, row, done)
    while True:
        async with db.begin_system() as session:
            tenants = (await session.execute(_TENANTS, {"after": after, "batch": batch})).all()
        for tenant in tenants:
            async with db.begin(tenant.id) as session:
                done = await _reseal(session, vault, tenant.id, tenant.slug, done)
        yield done
        if len(tenants) < batch:
            return
        after = tenants[-1].id


async def _reseal(session: AsyncConnection, vault: Vault, tenant: UUID, slug: str, done: Rotation) -> Rotation:
    done = replace(done, tenants=done.tenants + 1)
    for column, read in _READ.items():
        place = _Place(tenant, column, _WRITE[column], slug)
        for row in (await session.execute(read, {"tenant": tenant})).all():
            done = await _reseal_one(session, vault, place, row, done)
    return done


async def _reseal_one(session: AsyncConnection, vault: Vault, place: _Place, row: Row[Any], done: Rotation) -> Rotation:
    if not vault.needs_rotation(row.secret):
        return replace(done, current=done.current + 1)
    try:
        secret = vault.open(place.owner, place.column, row.secret)
    except Unavailable:
        return replace(done, unreadable=(*done.unreadable, f"{place.name}: {place.column}"))
    await session.execute(place.write, {"id": row.id, "secret": vault.seal(place.owner, place.column, secret)})
    return replace(done, resealed=done.resealed + 1)
