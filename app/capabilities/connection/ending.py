"""What follows the end of a connection: bexio is told, and a company that nothing was sent to is given up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.connection import records
from app.capabilities.tenancy.config import load, save_settings, touch
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.oidc.client import OidcClient
from app.connectors.renewal_rows import REFRESH_SECRET
from app.core.clock import Clock
from app.core.errors import Conflict, ConnectorError, RemoteRejected
from app.core.vault import Vault
from app.db import audit
from app.db.session import Database

# What means something in one bexio company only.
COMPANY_SETTINGS = frozenset(
    {
        "invoice_bexio_payment_type_id",
        "invoice_account_no",
        "bexio_user_id",
        "invoice_bank_account_id",
        "payment_bank_accounts",
        "rounding_account_no",
    }
)
# A refused app is another error, and an answer with another status is not the revocation's own (RFC 7009 2.2.1).
_NOTHING_TO_REVOKE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED})
_log = structlog.get_logger("connection")


@dataclass(frozen=True, slots=True)
class Ending:
    """The rest of a disconnection; done again as often as it takes, by `connection.keep`."""

    db: Database
    clock: Clock
    vault: Vault
    oidc: OidcClient

    async def finish(self, tenant: UUID, actor: str) -> bool:
        """Tells bexio and gives the company up; False while bexio does not know yet."""
        if not await self._revoked(tenant):
            return False
        now = self.clock.now()
        # From here on nobody gets to the company any more, so what has not been handed in by now never reaches it.
        async with self.db.begin(tenant) as session:
            company = await records.forget_bexio(session)
            if company is not None:
                cleared = await _clear(session, tenant, now)
                detail = {"company": company, **cleared}
                await note(session, tenant, actor, "connection.bexio.forget", detail, now)
        return True

    async def _revoked(self, tenant: UUID) -> bool:
        async with self.db.begin(tenant) as session:
            row = await records.unrevoked(session)
        if row is None:
            return True
        async with self.db.begin_system() as session:
            # A revocation ends every session that the login has with us (Keycloak): also another tenant's.
            is_shared = row.subject is not None and await records.is_shared(session, tenant, row.subject)
        if not is_shared:
            try:
                await self.oidc.revoke(self.vault.open(tenant, REFRESH_SECRET, row.refresh_secret))
            except ConnectorError as error:
                if not _is_final(error):
                    _log.warning("not-revoked-yet", tenant=str(tenant), code=error.code)
                    return False
                _log.warning("not-revocable", tenant=str(tenant), code=error.code)
        async with self.db.begin(tenant) as session:
            await records.revoked(session, row.generation)
        return True


def _is_final(error: ConnectorError) -> bool:
    """Whether asking again would be answered alike: bexio knows no such token, or we have no app to ask with."""
    if isinstance(error, RemoteRejected):
        return error.status in _NOTHING_TO_REVOKE
    return isinstance(error, Conflict)


async def note(
    session: AsyncConnection, tenant: UUID, actor: str, action: str, detail: Mapping[str, str], now: datetime
) -> None:
    """A line of the audit trail about the connection."""
    await audit.append(
        session,
        tenant=tenant,
        now=now,
        actor=actor,
        action=action,
        subject_kind="connection",
        subject_id=tenant,
        detail=detail,
    )


async def _clear(session: AsyncConnection, tenant: UUID, now: datetime) -> dict[str, str]:
    """Another company has other accounts and users; numbers that happen to exist there would be wrong."""
    await touch(session, tenant, now)
    config = await load(session, tenant)
    cleared = config.settings.model_fields_set & COMPANY_SETTINGS
    if cleared:
        kept = TenantSettings.model_validate(
            config.settings.model_dump(exclude_unset=True, exclude=set(COMPANY_SETTINGS))
        )
        if await save_settings(session, tenant, kept, seen=config.settings_version, now=now) is None:
            raise Conflict("settings-changed")
    return dict.fromkeys(sorted(cleared), "cleared")
