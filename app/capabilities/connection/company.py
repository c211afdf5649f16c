"""Whose token it is: the company and the user behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.capabilities.connection.token import TokenClaims
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.users import User
from app.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Owner:
    """A bexio company and the user in whose name its token acts."""

    company_id: str
    company_name: str
    user_id: int
    user_name: str
    expires_at: datetime | None


async def owner_of(bexio: Bexio, claims: TokenClaims) -> Owner:
    """Asks bexio whose token it is.

    Raises:
        ConnectionRefused: bexio does not take the token.
        InvalidInput: `bexio-company-unknown`, the company cannot be told from others.
    """
    me = await bexio.users.me()
    profile = next(iter(await bexio.company_profile.list()), None)
    company_id = claims.company_id or await _by_its_books(bexio)
    if profile is None or company_id is None:
        raise InvalidInput("bexio-company-unknown")
    return Owner(
        company_id=company_id,
        company_name=profile.name,
        user_id=me.id,
        user_name=name_of(me),
        expires_at=claims.expires_at,
    )


def name_of(user: User) -> str:
    """How a person is called; the id for one without a name."""
    return " ".join(part for part in (user.firstname, user.lastname) if part) or str(user.id)


async def _by_its_books(bexio: Bexio) -> str | None:
    """An identity for a company whose token does not name it.

    The profile's id does not serve: it is 1 in every company (recorded answers). Accounts carry a UUID, and the
    locked ones, which bexio makes itself, cannot be deleted: the oldest of them stands for the company.
    """
    system_accounts = [row for row in await bexio.accounts.list() if row.is_locked and row.uuid]
    oldest = min(system_accounts, key=lambda row: row.id, default=None)
    return f"account-{oldest.uuid}" if oldest else None
