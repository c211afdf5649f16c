"""Connecting and disconnecting both sides. A new connection sets everything free that waited for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import TenantCaller
from app.capabilities.connection import defaults, records, views
from app.capabilities.connection.company import owner_of
from app.capabilities.connection.schemas import Connection
from app.capabilities.connection.token import claims_of
from app.capabilities.tenancy import guard, standing
from app.capabilities.tenancy.arcavis_access import ArcavisAccess
from app.capabilities.tenancy.config import load, save_settings, touch
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.access import ARCAVIS_SECRET, BEXIO_SECRET, RemoteAccess
from app.connectors.egress import Egress
from app.core.clock import Clock
from app.core.errors import Conflict, ConnectionRefused, ConnectorError, FieldError, InvalidInput, RemoteRejected
from app.core.priority import Priority
from app.core.vault import Vault
from app.db import audit
from app.db.session import Database
from app.jobs.engine import wake

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


@dataclass(frozen=True, slots=True)
class Connections:
    """The use cases over one set of resources. `standing` is the work that each connected tenant has."""

    db: Database
    clock: Clock
    vault: Vault
    egress: Egress
    remotes: RemoteAccess
    standing: Sequence[str]

    async def get(self, tenant: UUID, language: str) -> Connection:
        """Both connections as they are now."""
        async with self.db.begin(tenant) as session:
            bexio, arcavis = await records.bexio(session), await records.arcavis(session)
        return views.connection(bexio, arcavis, language, self.clock.now())

    async def connect_bexio(self, caller: TenantCaller, token: str) -> None:
        """Tries a token out, stores it, and fills in the settings that bexio knows and nobody chose yet.

        Raises:
            InvalidInput: bexio refuses the token, or it tells nothing of its company.
            Conflict: `bexio-company-taken`, `bexio-company-differs`.
            RemoteUnavailable: bexio is away.
        """
        bexio = self.remotes.bexio_with_token(token)
        try:
            owner = await owner_of(bexio, claims_of(token))
        except ConnectionRefused as error:
            raise _refused(error, "/personal_access_token") from error
        known = await defaults.read_bexio(bexio, owner.user_id) | await self._read_arcavis(caller.tenant)
        secret = self.vault.seal(caller.tenant, BEXIO_SECRET, token)
        now = self.clock.now()
        try:
            async with self.db.begin(caller.tenant) as session:
                await records.link_bexio(session, caller.tenant, owner, secret, now)
                filled = await _fill(session, caller.tenant, known, now)
                await standing.start(session, caller.tenant, self.standing, now)
                detail = {"company": owner.company_id, **filled}
                await self._connected(session, caller, "bexio", detail, now)
        except IntegrityError as error:
            raise Conflict("bexio-company-taken", company=owner.company_name) from error

    async def disconnect_bexio(self, caller: TenantCaller) -> None:
        """Forgets the token: work waits and nothing is dropped. A company that nothing was sent to is given up."""
        now = self.clock.now()
        nothing = self.vault.seal(caller.tenant, BEXIO_SECRET, "")
        async with self.db.begin(caller.tenant) as session:
            company = await records.unlink_bexio(session, nothing, now)
            if company is not None:
                await _note(session, caller, "connection.bexio.disconnect", {"company": company}, now)
        # In a transaction of its own: from here on nobody gets to the company any more, so what has not been
        # handed in by now never reaches it.
        async with self.db.begin(caller.tenant) as session:
            company = await records.forget_bexio(session)
            if company is not None:
                cleared = await _clear(session, caller.tenant, now)
                detail = {"company": company, **cleared}
                await _note(session, caller, "connection.bexio.forget", detail, now)

    async def connect_arcavis(self, caller: TenantCaller, access: ArcavisAccess) -> None:
        """Tries address and user out, and stores them.

        Raises:
            InvalidInput: the address is not allowed, is no Arcavis, or refuses the user.
            RemoteUnavailable: nobody answers there.
        """
        base_url = await self.egress.check(access.base_url)
        password = access.password.get_secret_value()
        arcavis = self.remotes.arcavis_with(base_url, access.username, password)
        try:
            await arcavis.ping()
        except RemoteRejected as error:
            raise _refused(error, "/password" if isinstance(error, ConnectionRefused) else "/base_url") from error
        known = await defaults.read_arcavis(arcavis)
        secret = self.vault.seal(caller.tenant, ARCAVIS_SECRET, password)
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            await records.link_arcavis(
                session, caller.tenant, base_url=base_url, username=access.username, secret=secret, now=now
            )
            filled = await _fill(session, caller.tenant, known, now)
            await self._connected(session, caller, "arcavis", {"url": base_url, **filled}, now)

    async def _read_arcavis(self, tenant: UUID) -> dict[str, Any]:
        """It is bexio that is being connected, whether or not Arcavis answers just now."""
        try:
            return await defaults.read_arcavis(await self.remotes.arcavis(tenant))
        except ConnectorError:
            return {}

    async def _connected(
        self,
        session: AsyncConnection,
        caller: TenantCaller,
        system: guard.System,
        detail: Mapping[str, str],
        now: datetime,
    ) -> None:
        await guard.connection_works(session, caller.tenant, system, actor=caller.actor, now=now)
        await wake(session, Priority.BACKOFFICE)
        await _note(session, caller, f"connection.{system}.connect", detail, now)


def _refused(error: RemoteRejected, pointer: str) -> InvalidInput:
    """What the caller typed in is what was refused."""
    return InvalidInput(error.code, [FieldError(pointer, "This is refused; see the detail.")], **error.params)


async def _fill(session: AsyncConnection, tenant: UUID, known: Mapping[str, Any], now: datetime) -> dict[str, str]:
    await touch(session, tenant, now)
    config = await load(session, tenant)
    settings, new = defaults.filled(config.settings, known)
    if new:
        await _save(session, tenant, settings, config.settings_version, now)
    return new


async def _clear(session: AsyncConnection, tenant: UUID, now: datetime) -> dict[str, str]:
    """Another company has other accounts and users; numbers that happen to exist there would be wrong."""
    await touch(session, tenant, now)
    config = await load(session, tenant)
    cleared = config.settings.model_fields_set & COMPANY_SETTINGS
    if cleared:
        kept = config.settings.model_dump(exclude_unset=True, exclude=set(COMPANY_SETTINGS))
        await _save(session, tenant, TenantSettings.model_validate(kept), config.settings_version, now)
    return dict.fromkeys(sorted(cleared), "cleared")


async def _save(session: AsyncConnection, tenant: UUID, settings: TenantSettings, seen: int, now: datetime) -> None:
    if await save_settings(session, tenant, settings, seen=seen, now=now) is None:
        raise Conflict("settings-changed")


async def _note(
    session: AsyncConnection, caller: TenantCaller, action: str, detail: Mapping[str, str], now: datetime
) -> None:
    await audit.append(
        session,
        tenant=caller.tenant,
        now=now,
        actor=caller.actor,
        action=action,
        subject_kind="connection",
        subject_id=caller.tenant,
        detail=detail,
    )
