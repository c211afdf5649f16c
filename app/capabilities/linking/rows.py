"""Rows of the connection to bexio, as they are made and exchanged."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.linking.company import BY_BOOKS, Owner
from app.connectors.access import BEXIO_SECRET
from app.connectors.oidc.grants import Grant
from app.connectors.renewal_rows import REFRESH_SECRET
from app.core.errors import Conflict, Forbidden
from app.core.vault import Vault

# The same company: the same id, or the same books where one of the two ids was taken from them. An id that bexio
# gave is kept. `generation` rises, and begins with the time where the company was given up in between: a renewal that
# is on its way with tokens of before stores nothing.
_LINK = text(
    "insert into bexio_connection as c (tenant_id, kind, state, company_id, books_id, company_name, user_id, user_name,"
    " subject, scopes, secret, refresh_secret, generation, expires_at, renew_from, access_until, keep_by, renewed_at,"
    " connected_at, updated_at) values (:tenant, :kind, 'connected', :company_id, :books_id, :company_name, :user_id,"
    " :user_name, :subject, cast(:scopes as text[]), :secret, :refresh_secret,"
    " cast(extract(epoch from cast(:now as timestamptz)) * 1000 as bigint), :expires_at, :renew_from, :access_until,"
    " :keep_by, :renewed_at, :now, :now)"
    " on conflict (tenant_id) do update set kind = excluded.kind, state = 'connected', reason = null,"
    " company_id = case when starts_with(excluded.company_id, :by_books) then c.company_id else excluded.company_id"
    " end, books_id = coalesce(excluded.books_id, c.books_id), company_name = excluded.company_name,"
    " user_id = excluded.user_id, user_name = excluded.user_name, subject = excluded.subject,"
    " scopes = excluded.scopes, secret = excluded.secret, refresh_secret = excluded.refresh_secret,"
    " previous_secret = null, expires_at = excluded.expires_at, renew_from = excluded.renew_from,"
    " access_until = excluded.access_until, keep_by = excluded.keep_by, renewed_at = excluded.renewed_at,"
    " generation = c.generation + 1, renewal_lease = null, renewal_after = null, renewal_failures = 0,"
    " renewal_reason = null, connected_at = excluded.connected_at, updated_at = excluded.updated_at"
    " where c.company_id = excluded.company_id or (coalesce(c.books_id, c.company_id) = excluded.books_id"
    " and (starts_with(c.company_id, :by_books) or starts_with(excluded.company_id, :by_books)))"
    " returning c.company_id"
)
_NAME = text("select company_name from bexio_connection")


@dataclass(frozen=True, slots=True)
class PersonalToken:
    """A personal access token, which carries all rights; company and end as far as it tells them."""

    token: str = field(repr=False)
    company_id: str | None
    expires_at: datetime | None


async def link(
    session: AsyncConnection,
    vault: Vault,
    tenant: UUID,
    owner: Owner,
    credentials: PersonalToken | Grant,
    now: datetime,
) -> str:
    """Stores the connection; the company's id as it is kept. A unique company keeps two tenants from having the same.

    Raises:
        Conflict: `bexio-company-differs`: the tenant belongs to another company.
        Forbidden: `sign-in-scopes-missing`: a grant that cannot be renewed.
        IntegrityError: the company belongs to another tenant.
    """
    values = {
        "tenant": tenant,
        "company_id": owner.company_id,
        "books_id": owner.books_id,
        "company_name": owner.company_name,
        "user_id": owner.user_id,
        "user_name": owner.user_name,
        "subject": owner.subject,
        "by_books": BY_BOOKS,
        "now": now,
        **_sealed(vault, tenant, credentials, now),
    }
    kept = (await session.execute(_LINK, values)).scalar_one_or_none()
    if kept is None:
        known = (await session.execute(_NAME)).scalar()
        raise Conflict("bexio-company-differs", company=known or "", other=owner.company_name)
    return kept


def _sealed(vault: Vault, tenant: UUID, credentials: PersonalToken | Grant, now: datetime) -> dict[str, object]:
    if isinstance(credentials, PersonalToken):
        empty = dict.fromkeys(("refresh_secret", "renew_from", "access_until", "keep_by", "renewed_at"))
        secret = vault.seal(tenant, BEXIO_SECRET, credentials.token)
        return {**empty, "kind": "token", "secret": secret, "scopes": [], "expires_at": credentials.expires_at}
    tokens = credentials.tokens
    if tokens.refresh_token is None:
        # It would work for minutes and then never again, in the place of a connection that works.
        raise Forbidden("sign-in-scopes-missing", scopes="offline_access")
    return {
        "kind": "oauth",
        "secret": vault.seal(tenant, BEXIO_SECRET, tokens.access_token),
        "refresh_secret": vault.seal(tenant, REFRESH_SECRET, tokens.refresh_token),
        "scopes": sorted(credentials.scopes),
        "expires_at": None,
        "renew_from": tokens.renew_from,
        "access_until": tokens.access_until,
        "keep_by": tokens.keep_by,
        "renewed_at": now,
    }
