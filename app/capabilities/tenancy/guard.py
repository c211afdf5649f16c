"""A connection that no longer works is one thing for a person to do, not one for every document behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.mailing import outbox
from app.capabilities.mailing.outbox import Mail
from app.connectors.renewals import REFUSED
from app.core.clock import Clock
from app.core.errors import ConnectionRefused
from app.db.attention import Subject, close_codes, raise_item
from app.jobs.operations import Operation
from app.jobs.outcomes import Later, Outcome
from app.jobs.work import Handler, Settlement, SettlesAlone, Work

System = Literal["bexio", "arcavis"]
SYSTEM_NAMES = {"bexio": "bexio", "arcavis": "Arcavis"}

RECONNECT_PAUSE = timedelta(minutes=15)
RECONNECTED_PAUSE = timedelta(seconds=2)

# A token that was refused says nothing about a connection that was made anew since the work began.
_BREAK = {
    "bexio": text(
        "update bexio_connection set state = 'reconnect_required', reason = :code, updated_at = :now"
        " where tenant_id = :tenant and state = 'connected' and connected_at <= :since returning connected_at"
    ),
    "arcavis": text(
        "update arcavis_connection set state = 'reconnect_required', reason = :code, updated_at = :now"
        " where tenant_id = :tenant and state = 'connected' and connected_at <= :since returning connected_at"
    ),
}
# Whoever is connecting just now is waited for.
_STATE = {
    "bexio": text("select state from bexio_connection where tenant_id = :tenant for share"),
    "arcavis": text("select state from arcavis_connection where tenant_id = :tenant for share"),
}
_CONNECTED_AT = text("select connected_at from bexio_connection where tenant_id = :tenant")
_RELEASE = text(
    "update operation set next_attempt_at = :now, attempts = 0 where tenant_id = :tenant and state = 'waiting'"
    " and reason = any(cast(:codes as text[]))"
)
_TOLD = text(
    "select 1 from attention where tenant_id = :tenant and subject_kind = 'connection' and state = 'open'"
    " and code = any(cast(:codes as text[]))"
)
_FLAWS = ("unauthorized", "forbidden", "not-connected", "reconnect-required")
# What is open about a connection besides the work that waits for it, and closed by a new one.
TOKEN_ENDS, TOKEN_ENDED = "bexio-token-expires", "bexio-token-expired"
_ITEMS = (REFUSED, TOKEN_ENDS, TOKEN_ENDED)


def wait_codes(system: System) -> list[str]:
    """Why work waits for a connection to be mended."""
    return [f"{system}-{flaw}" for flaw in _FLAWS]


async def wait_for_connection(
    session: AsyncConnection, tenant: UUID, error: ConnectionRefused, *, since: datetime, now: datetime
) -> Later:
    """Marks the connection, opens its one attention item, and lets the work wait until it is mended.

    `since` is when the work began that used the connection.
    """
    if error.code.endswith("-unauthorized"):
        values = {"tenant": tenant, "code": error.code, "since": since, "now": now}
        connected_at = (await session.execute(_BREAK[error.system], values)).scalar_one_or_none()
        if connected_at is None:
            return Later(RECONNECTED_PAUSE, error.code, counted=True)
        await tell_of_loss(session, tenant, error.system, connected_at, now)
    elif not error.code.endswith("-forbidden"):
        state = (await session.execute(_STATE[error.system], {"tenant": tenant})).scalar_one_or_none()
        if state == "connected":
            return Later(RECONNECTED_PAUSE, error.code, counted=True)
    if not await _says_why(session, tenant, error):
        subject = Subject(tenant, "connection", tenant)
        await raise_item(session, subject, code=error.code, params=error.params, now=now)
    return Later(RECONNECT_PAUSE, error.code)


async def tell_of_loss(
    session: AsyncConnection, tenant: UUID, system: str, connected_at: datetime, now: datetime
) -> None:
    """Mails the tenant that a connection broke; one that was made at `connected_at` breaks once."""
    event = f"connection-lost/{system}/{connected_at.isoformat()}"
    params = {"system": SYSTEM_NAMES[system]}
    await outbox.put(session, tenant, Mail(event, "mail-connection-lost", params), now)


async def _says_why(session: AsyncConnection, tenant: UUID, error: ConnectionRefused) -> bool:
    """Whether an open item tells already, and better, why there is no connection to use."""
    if not error.code.endswith("-reconnect-required"):
        return False
    values = {"tenant": tenant, "codes": [f"{error.system}-unauthorized", f"{error.system}-refresh-refused"]}
    return (await session.execute(_TOLD, values)).first() is not None


async def connection_works(
    session: AsyncConnection, tenant: UUID, system: System, *, actor: str, now: datetime
) -> None:
    """Closes the items of one connection and releases the work that waited for it, in its old order."""
    codes = wait_codes(system)
    await session.execute(_RELEASE, {"tenant": tenant, "now": now, "codes": codes})
    items = [*codes, *(_ITEMS if system == "bexio" else ())]
    await close_codes(session, Subject(tenant, "connection", tenant), items, actor=actor, now=now)


class ConnectionWatch:
    """Told by `app.connectors.renewals` when a connection breaks: noticed by work, a person's click, the doctor."""

    async def broken(self, session: AsyncConnection, tenant: UUID, code: str, now: datetime) -> None:
        """Opens the one item that says so, and mails it."""
        connected_at = (await session.execute(_CONNECTED_AT, {"tenant": tenant})).scalar_one()
        await raise_item(session, Subject(tenant, "connection", tenant), code=code, params={}, now=now)
        await tell_of_loss(session, tenant, "bexio", connected_at, now)

    async def mended(self, session: AsyncConnection, tenant: UUID, now: datetime) -> None:
        """It works after all."""
        await connection_works(session, tenant, "bexio", actor="system", now=now)


@dataclass(frozen=True, slots=True)
class Guarded:
    """A handler whose work waits while its tenant's connection is broken."""

    handler: Handler
    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """See `app.jobs.work.Handler`."""
        try:
            return await self.handler.run(work)
        except ConnectionRefused as error:
            async with work.db.begin(work.tenant) as session:
                return await wait_for_connection(
                    session, work.tenant, error, since=work.started_at, now=self.clock.now()
                )

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """See `app.jobs.work.Handler`."""
        await self.handler.settled(session, operation, outcome)

    def settlement(self, operation: Operation, outcome: Outcome) -> Settlement | None:
        """See `app.jobs.work.SettlesAlone`."""
        return self.handler.settlement(operation, outcome) if isinstance(self.handler, SettlesAlone) else None
