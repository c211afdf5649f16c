"""Connecting and disconnecting both sides. A new connection sets everything free that waited for it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import IntegrityError

from app.api.auth import TenantCaller
from app.capabilities.connection import records, views
from app.capabilities.connection.arrival import CONNECT
from app.capabilities.connection.ending import Ending, note
from app.capabilities.connection.keeping import KEEP
from app.capabilities.connection.schemas import Connection
from app.capabilities.connection.token import claims_of
from app.capabilities.linking import defaults
from app.capabilities.linking.rows import PersonalToken
from app.capabilities.linking.service import Linking, connected, fill, taken
from app.capabilities.sign_in.records import Intent
from app.capabilities.sign_in.service import SignIns
from app.capabilities.tenancy import standing
from app.capabilities.tenancy.arcavis_access import ArcavisAccess
from app.connectors.access import ARCAVIS_SECRET, BEXIO_SECRET, RemoteAccess
from app.connectors.egress import Egress
from app.connectors.oidc.scopes import NEEDED, STOCK
from app.core.clock import Clock
from app.core.errors import Conflict, ConnectionRefused, FieldError, InvalidInput, RemoteRejected
from app.core.vault import Vault
from app.db.session import Database


@dataclass(frozen=True, slots=True)
class Connections:
    """The use cases over one set of resources."""

    db: Database
    clock: Clock
    vault: Vault
    egress: Egress
    remotes: RemoteAccess
    linking: Linking
    ending: Ending
    sign_ins: SignIns

    async def get(self, tenant: UUID, language: str) -> Connection:
        """Both connections as they are now."""
        async with self.db.begin(tenant) as session:
            bexio, arcavis = await records.bexio(session), await records.arcavis(session)
        return views.connection(bexio, arcavis, language, self.clock.now())

    async def connect_bexio(self, caller: TenantCaller, text: str) -> None:
        """Tries a token out, stores it, and fills in the settings that bexio knows and nobody chose yet.

        Raises:
            InvalidInput: bexio refuses the token, or it tells nothing of its company.
            Conflict: `bexio-company-taken`, `bexio-company-differs`.
            RemoteUnavailable: bexio is away.
        """
        claims = claims_of(text)
        token = PersonalToken(text, claims.company_id, claims.expires_at)
        try:
            found = await self.linking.identify(caller.tenant, token)
        except ConnectionRefused as error:
            raise _refused(error, "/personal_access_token") from error
        now = self.clock.now()
        try:
            async with self.db.begin(caller.tenant) as session:
                await self.linking.link(session, caller.tenant, found, token, actor=caller.actor, now=now)
        except IntegrityError as error:
            raise taken(found) from error

    async def authorize(self, caller: TenantCaller, *, stock: bool) -> str:
        """The address at which one browser begins to sign in at bexio for this tenant.

        Raises:
            Conflict: `bexio-app-not-set-up`.
        """
        scopes = (*NEEDED, STOCK) if stock else NEEDED
        intent = Intent(CONNECT, caller.tenant, caller.actor, scopes, {"language": caller.language})
        async with self.db.begin(caller.tenant) as session:
            url = await self.sign_ins.invite(session, intent)
            detail = {"scopes": " ".join(scopes)}
            await note(session, caller.tenant, caller.actor, "connection.bexio.authorize", detail, self.clock.now())
        return url

    async def disconnect_bexio(self, caller: TenantCaller) -> None:
        """Forgets the token: work waits and nothing is dropped. A company that nothing was sent to is given up."""
        now = self.clock.now()
        nothing = self.vault.seal(caller.tenant, BEXIO_SECRET, "")
        async with self.db.begin(caller.tenant) as session:
            company = await records.unlink_bexio(session, nothing, now)
            if company is not None:
                await note(
                    session, caller.tenant, caller.actor, "connection.bexio.disconnect", {"company": company}, now
                )
        if not await self.ending.finish(caller.tenant, caller.actor):
            async with self.db.begin(caller.tenant) as session:
                await standing.start(session, caller.tenant, (KEEP,), self.clock.now())

    async def connect_arcavis(self, caller: TenantCaller, access: ArcavisAccess) -> None:
        """Tries address and user out, and stores them.

        Raises:
            InvalidInput: the address is not allowed, is no Arcavis, or refuses the user.
            Conflict: `arcavis-environment-differs`: contacts or articles are linked with the known one.
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
            stored = await records.link_arcavis(
                session, caller.tenant, base_url=base_url, username=access.username, secret=secret, now=now
            )
            if not stored:
                known_row = await records.arcavis(session)
                raise Conflict(
                    "arcavis-environment-differs", environment=known_row.base_url if known_row else "", other=base_url
                )
            filled = await fill(session, caller.tenant, known, now)
            detail = {"url": base_url, **filled}
            await connected(session, caller.tenant, "arcavis", detail, actor=caller.actor, now=now)


def _refused(error: RemoteRejected, pointer: str) -> InvalidInput:
    """What the caller typed in is what was refused."""
    return InvalidInput(error.code, [FieldError(pointer, "This is refused; see the detail.")], **error.params)
