"""The tokens of an OAuth connection in the database: who may renew them, and what was got.

Renewing is leased, not locked: no transaction is open while bexio is asked. Taking the lease is one UPDATE, which waits
for the row's lock and looks again, so of all replicas one gets it. What was got is stored when the tokens are still
those it was got with (`generation`), also late, also by one who lost its lease meanwhile: a token that works once must
not be thrown away. Everything else names the lease's fence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connectors.oidc.grants import Tokens
from app.core.vault import Vault

# What a sealed secret is bound to, beside its tenant.
BEXIO_SECRET = "bexio_connection.secret"  # noqa: S105 - the column's name
REFRESH_SECRET = "bexio_connection.refresh_secret"  # noqa: S105 - the column's name
PREVIOUS_SECRET = "bexio_connection.previous_secret"  # noqa: S105 - the column's name

_COLUMNS = (
    "company_id, kind, state, secret, generation, renew_from, access_until, renewed_at, renewal_lease, renewal_after,"
    " renewal_reason"
)
_READ = text(f"select {_COLUMNS} from bexio_connection where tenant_id = :tenant")  # noqa: S608 - names of ours
_LEASE = text(
    "update bexio_connection set renewal_fence = renewal_fence + 1, renewal_lease = :until"
    " where tenant_id = :tenant and company_id = :company and generation = :generation and kind = 'oauth'"
    " and state = 'connected'"
    " and (renewal_lease is null or renewal_lease <= :now) and (renewal_after is null or renewal_after <= :now)"
    " returning renewal_fence, generation, refresh_secret, previous_secret"
)
_TRY_PREVIOUS = text(
    "update bexio_connection set previous_secret = null, renewal_lease = :until"
    " where tenant_id = :tenant and company_id = :company and generation = :generation and renewal_fence = :fence"
    " and state = 'connected'"
    " returning generation"
)
_STATE = text("select state from bexio_connection where tenant_id = :tenant for update")
_STORE = text(
    "update bexio_connection set secret = :secret, refresh_secret = coalesce(cast(:refresh as bytea), refresh_secret),"
    " previous_secret = case when cast(:refresh as bytea) is null then previous_secret else :previous end,"
    " scopes = coalesce(cast(:scopes as text[]), scopes), renew_from = :renew_from, access_until = :access_until,"
    " keep_by = :keep_by, renewed_at = :now, generation = generation + 1, renewal_lease = null, renewal_after = null,"
    " renewal_failures = 0, renewal_reason = null, state = 'connected', reason = null, updated_at = :now"
    " where tenant_id = :tenant and company_id = :company and generation = :generation and kind = 'oauth'"
    " and state <> 'disconnected'"
    " returning generation"
)
_FAIL = text(
    "update bexio_connection set renewal_lease = null, renewal_failures = renewal_failures + 1,"
    " renewal_reason = :code, renewal_after = cast(:now as timestamptz) + least(cast(:longest as interval),"
    " cast(:first as interval) * power(2, least(renewal_failures, 10))), updated_at = :now"
    " where tenant_id = :tenant and company_id = :company and generation = :generation and renewal_fence = :fence"
    " returning renewal_after"
)
_BREAK = text(
    "update bexio_connection set state = 'reconnect_required', reason = :code, renewal_lease = null,"
    " renewal_failures = renewal_failures + 1, renewal_reason = :code, updated_at = :now"
    " where tenant_id = :tenant and company_id = :company and generation = :generation and renewal_fence = :fence"
    " and state = 'connected'"
    " returning generation"
)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to renew one tenant's tokens; both refresh tokens opened."""

    tenant: UUID
    company: str
    generation: int
    fence: int
    refresh_token: str = field(repr=False)
    previous_token: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """`was_broken`: others had given the connection up before these tokens arrived."""

    generation: int
    was_broken: bool


async def read(session: AsyncConnection, tenant: UUID) -> Row[Any] | None:
    """The row as it is now."""
    return (await session.execute(_READ, {"tenant": tenant})).first()


async def take_lease(
    session: AsyncConnection,
    vault: Vault,
    tenant: UUID,
    company: str,
    generation: int,
    *,
    now: datetime,
    until: datetime,
) -> Lease | None:
    """The lease on these very tokens; None when they were renewed, are being renewed, or shall not be just now.

    Raises:
        Unavailable: no key opens the refresh token; then nothing is leased.
    """
    values = {"tenant": tenant, "company": company, "generation": generation, "now": now, "until": until}
    row = (await session.execute(_LEASE, values)).first()
    if row is None:
        return None
    previous = row.previous_secret
    return Lease(
        tenant,
        company,
        generation,
        row.renewal_fence,
        vault.open(tenant, REFRESH_SECRET, row.refresh_secret),
        vault.open(tenant, PREVIOUS_SECRET, previous) if previous is not None else None,
    )


async def take_previous(session: AsyncConnection, lease: Lease, until: datetime) -> bool:
    """Forgets the previous refresh token, which is tried this once, and renews the lease; False when it was lost."""
    values = {**_of(lease), "until": until}
    return (await session.execute(_TRY_PREVIOUS, values)).first() is not None


async def store(
    session: AsyncConnection, vault: Vault, lease: Lease, tokens: Tokens, used: str, now: datetime
) -> Stored | None:
    """Stores what was got with the refresh token `used`; None when others are stored by now."""
    tenant, refresh = lease.tenant, tokens.refresh_token
    state = (await session.execute(_STATE, {"tenant": tenant})).scalar()
    values = {
        "tenant": tenant,
        "company": lease.company,
        "generation": lease.generation,
        "secret": vault.seal(tenant, BEXIO_SECRET, tokens.access_token),
        "refresh": vault.seal(tenant, REFRESH_SECRET, refresh) if refresh is not None else None,
        "previous": vault.seal(tenant, PREVIOUS_SECRET, used),
        "scopes": sorted(tokens.scopes) if tokens.scopes is not None else None,
        "renew_from": tokens.renew_from,
        "access_until": tokens.access_until,
        "keep_by": tokens.keep_by,
        "now": now,
    }
    generation = (await session.execute(_STORE, values)).scalar_one_or_none()
    return Stored(generation, was_broken=state != "connected") if generation is not None else None


async def note_failure(
    session: AsyncConnection, lease: Lease, code: str, *, first: timedelta, longest: timedelta, now: datetime
) -> datetime | None:
    """Gives the lease back; the moment before which nobody tries again, None when the lease was lost."""
    values = {**_of(lease), "code": code, "now": now, "first": first, "longest": longest}
    return (await session.execute(_FAIL, values)).scalar_one_or_none()


async def break_off(session: AsyncConnection, lease: Lease, code: str, now: datetime) -> bool:
    """Neither refresh token works: a person must connect again. False when others are stored by now."""
    values = {**_of(lease), "code": code, "now": now}
    return (await session.execute(_BREAK, values)).first() is not None


def _of(lease: Lease) -> dict[str, object]:
    """What names a lease: these tokens of this company, taken at this time."""
    return {
        "tenant": lease.tenant,
        "company": lease.company,
        "generation": lease.generation,
        "fence": lease.fence,
    }
