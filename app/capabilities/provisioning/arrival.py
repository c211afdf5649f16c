"""What happens when somebody comes back from bexio through the start link of bexio Apps."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import status
from starlette.responses import Response
from starlette.types import Scope

from app.api.pages import Again
from app.capabilities.provisioning.intake import Intake
from app.capabilities.sign_in.records import Intent, SignIn
from app.connectors.oidc.grants import Grant
from app.connectors.oidc.scopes import NEEDED, STOCK
from app.core.catalogue import LANGUAGES

PURPOSE = "provision"
_ONCE_MORE = "Begin once more with the button below, or activate Arcavis in bexio Apps once more."
_ALLOW = "Begin once more with the button below, choose your company at bexio and allow everything there."
AGAIN = Again(
    "/provision/start",
    "Begin once more",
    {
        "sign-in-proof-refused": _ONCE_MORE,
        "sign-in-mixed-up": _ONCE_MORE,
        "sign-in-expired": _ONCE_MORE,
        "sign-in-failed": _ONCE_MORE,
        "sign-in-code-refused": _ONCE_MORE,
        "sign-in-denied": _ALLOW,
        "sign-in-scopes-missing": _ALLOW,
        "sign-in-without-company": _ALLOW,
        "sign-in-used": (
            "If you see elsewhere that Arcavis is being set up, all is well. Otherwise begin once more with the button "
            "below."
        ),
        "sign-in-other-browser": (
            "Allow cookies for this address and begin once more with the button below, all in one browser."
        ),
        "sign-in-interrupted": "Wait a few minutes and begin once more with the button below.",
        "provision-without-address": "Sign in as a person with a mail address in bexio.",
    },
)


def intent(language: str) -> Intent:
    """What the sign-in asks for: everything that a shop needs, and its stock for the one import."""
    return Intent(PURPOSE, None, "marketplace", (*NEEDED, STOCK), {"language": language})


@dataclass(frozen=True, slots=True)
class ProvisionArrival:
    """See `app.capabilities.sign_in.arrivals`."""

    intake: Intake

    @property
    def again(self) -> Again | None:
        """See `app.capabilities.sign_in.arrivals`."""
        return AGAIN

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
