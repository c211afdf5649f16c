"""Users of the company (`/3.0/users`)."""

from __future__ import annotations

from app.connectors.bexio.resource import Listing, resource_of, understood
from app.connectors.bexio.wire import Wire


class User(Wire):
    """A person who signs in to bexio."""

    id: int
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    is_superadmin: bool
    is_accountant: bool


USERS = resource_of("/3.0/users", User)


class Users(Listing[User]):
    """The company's users."""

    async def me(self) -> User:
        """The user whose token this is."""
        answer = await self._transport.read("GET", f"{USERS.path}/me")
        return understood(self._transport, answer, USERS.row)
