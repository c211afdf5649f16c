"""Who goes on when a sign-in is proven: one for each purpose, wired in bootstrap."""

from __future__ import annotations

from typing import Protocol

from starlette.responses import Response
from starlette.types import Scope

from app.api.pages import Again
from app.capabilities.sign_in.records import SignIn
from app.connectors.oidc.grants import Grant


class Arrival(Protocol):
    """What a capability does with a proven grant."""

    @property
    def again(self) -> Again | None:
        """How a person begins once more whose sign-in failed; None: in Arcavis."""
        ...

    async def arrived(self, scope: Scope, sign_in: SignIn, grant: Grant) -> Response:
        """Answers the browser, by a page or a redirect.

        Raises:
            ConnectorError: told on a page; nothing was stored.
        """
        ...
