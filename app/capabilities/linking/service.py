"""Ties a tenant to a bexio company: whoever got working credentials hands them in here.

Network first (`identify`), then one transaction (`link`) in which everything that waited for the connection goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.linking import defaults, rows
from app.capabilities.linking.company import Owner, owner_of
from app.capabilities.linking.rows import PersonalToken
from app.capabilities.tenancy import guard, standing
from app.capabilities.tenancy.config import load, save_settings, touch
from app.connectors.access import RemoteAccess
from app.connectors.oidc.grants import Grant
from app.core.errors import Conflict, ConnectorError
from app.core.priority import Priority
from app.core.vault import Vault
from app.db import audit
from app.jobs.engine import wake


@dataclass(frozen=True, slots=True)
class Identified:
    """A company that bexio has named, and the settings that it and Arcavis know well enough to fill in."""

    owner: Owner
    known: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Linking:
    """The use cases over one set of resources. `standing` is the work that each connected tenant has."""

    vault: Vault
    remotes: RemoteAccess
    standing: Sequence[str]

    async def identify(self, tenant: UUID | None, credentials: PersonalToken | Grant) -> Identified:
        """The company and the user behind the credentials; what Arcavis knows as well, where there is a tenant already.

        Raises:
            ConnectionRefused: bexio does not take them.
            InvalidInput: `bexio-company-unknown`, `bexio-token-malformed`.
            RemoteUnavailable: bexio is away.
        """
        if isinstance(credentials, PersonalToken):
            token, company_id, subject = credentials.token, credentials.company_id, None
        else:
            claims = credentials.claims
            token, company_id, subject = credentials.tokens.access_token, claims.company_id, claims.subject
        bexio = self.remotes.bexio_with_token(token)
        owner = replace(await owner_of(bexio, company_id), subject=subject)
        known = await defaults.read_bexio(bexio, owner.user_id)
        return Identified(owner, known | await self._read_arcavis(tenant))

    async def link(
        self,
        session: AsyncConnection,
        tenant: UUID,
        found: Identified,
        credentials: PersonalToken | Grant,
        *,
        actor: str,
        now: datetime,
    ) -> None:
        """Stores the connection, fills in settings that nobody chose yet, and sets free what waited.

        Raises:
            Conflict: `bexio-company-differs`; the caller leaves the transaction by it.
            IntegrityError: the company belongs to another tenant; likewise.
        """
        company = await rows.link(session, self.vault, tenant, found.owner, credentials, now)
        filled = await fill(session, tenant, found.known, now)
        await standing.start(session, tenant, self.standing, now)
        kind = "oauth" if isinstance(credentials, Grant) else "token"
        await connected(session, tenant, "bexio", {"company": company, "kind": kind, **filled}, actor=actor, now=now)

    async def _read_arcavis(self, tenant: UUID | None) -> dict[str, Any]:
        """It is bexio that is being connected, whether or not Arcavis answers just now."""
        if tenant is None:
            return {}
        try:
            return await defaults.read_arcavis(await self.remotes.arcavis(tenant))
        except ConnectorError:
            return {}


def taken(found: Identified) -> Conflict:
    """The error for an `IntegrityError` of `link`."""
    return Conflict("bexio-company-taken", company=found.owner.company_name)


async def fill(session: AsyncConnection, tenant: UUID, known: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Fills in the settings that are known and that nobody chose yet; what they are, for the audit trail."""
    await touch(session, tenant, now)
    config = await load(session, tenant)
    settings, new = defaults.filled(config.settings, known)
    if new and await save_settings(session, tenant, settings, seen=config.settings_version, now=now) is None:
        raise Conflict("settings-changed")
    return new


async def connected(
    session: AsyncConnection,
    tenant: UUID,
    system: guard.System,
    detail: Mapping[str, str],
    *,
    actor: str,
    now: datetime,
) -> None:
    """Sets free what waited for a connection, and says who made it."""
    await guard.connection_works(session, tenant, system, actor=actor, now=now)
    await wake(session, Priority.BACKOFFICE)
    await audit.append(
        session,
        tenant=tenant,
        now=now,
        actor=actor,
        action=f"connection.{system}.connect",
        subject_kind="connection",
        subject_id=tenant,
        detail=detail,
    )
