"""What happens when somebody comes back from bexio through the start link of bexio Apps."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import status
from starlette.responses import Response
from starlette.types import Scope

from app.capabilities.provisioning.intake import Intake
from app.capabilities.sign_in.records import Intent, SignIn
from app.connectors.oidc.grants import Grant
from app.connectors.oidc.scopes import NEEDED, STOCK
from app.core.catalogue import LANGUAGES

PURPOSE = "provision"


def intent(language: str) -> Intent:
    """What the sign-in asks for: everything that a shop needs, and its stock for the one import."""
    return Intent(PURPOSE, None, "marketplace", (*NEEDED, STOCK), {"language": language})


@dataclass(frozen=True, slots=True)
class ProvisionArrival:
    """See `app.capabilities.sign_in.arrivals`."""

    intake: Intake

    async def arrived(self, scope: Scope, sign_in: SignIn, grant: Grant) -> Response:  # noqa: ARG002 - the protocol
        """Begins the shop and shows how far it is.

        Raises:
            Conflict: `provision-company-connected`.
            InvalidInput: `provision-without-address`.
        """
        spoken = (grant.claims.locale or "").partition("-")[0].lower()
        language = spoken if spoken in LANGUAGES else str(sign_in.intent.detail["language"])
        made = await self.intake.browser(grant, language)
        return Response(status_code=status.HTTP_303_SEE_OTHER, headers={"Location": f"/provision/{made}"})
