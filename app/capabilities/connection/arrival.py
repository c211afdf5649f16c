"""What happens when somebody comes back from bexio to connect an existing tenant."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from starlette.responses import Response
from starlette.types import Scope

from app.api import pages
from app.capabilities.linking.service import Linking, taken
from app.capabilities.sign_in.records import SignIn
from app.capabilities.tenancy.config import load
from app.connectors.oidc.grants import Grant
from app.connectors.oidc.scopes import missing
from app.core import catalogue
from app.core.clock import Clock
from app.core.errors import RemoteUnavailable
from app.db.session import Database

CONNECT = "connect"


@dataclass(frozen=True, slots=True)
class ConnectArrival:
    """See `app.capabilities.sign_in.arrivals`."""

    db: Database
    clock: Clock
    linking: Linking

    @property
    def again(self) -> pages.Again | None:
        """See `app.capabilities.sign_in.arrivals`."""
        return None

    async def arrived(self, scope: Scope, sign_in: SignIn, grant: Grant) -> Response:
        """Connects the tenant and says with which company, and what was not allowed.

        Raises:
            Conflict: `bexio-company-taken`, `bexio-company-differs`; nothing is stored.
            RemoteUnavailable: `sign-in-interrupted`, likewise.
        """
        tenant = sign_in.intent.tenant
        if tenant is None:
            raise RuntimeError("A connection is made for a tenant.")
        try:
            found = await self.linking.identify(tenant, grant)
        except RemoteUnavailable as error:
            raise RemoteUnavailable("sign-in-interrupted", "bexio") from error
        actor, now = sign_in.intent.actor, self.clock.now()
        try:
            async with self.db.begin(tenant) as session:
                await self.linking.link(session, tenant, found, grant, actor=actor, now=now)
                shop = (await load(session, tenant)).name
        except IntegrityError as error:
            raise taken(found) from error
        language = pages.language_of(scope)
        params = {"company": found.owner.company_name, "shop": shop}
        lacking = missing(grant.scopes, sign_in.intent.scopes)
        note = catalogue.text("bexio-scopes-missing", {"scopes": ", ".join(lacking)}, language)
        said = catalogue.text("bexio-connected", params, language)
        return pages.message(scope, said, notes=[note] if lacking else [])
