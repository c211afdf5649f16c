"""Whose token it is: the company and the user behind it."""

from __future__ import annotations

from dataclasses import dataclass

from app.connectors.bexio.client import Bexio
from app.connectors.bexio.users import User
from app.core.errors import InvalidInput, RemoteRejected

# How the id of a company begins that its token did not name.
BY_BOOKS = "account-"


@dataclass(frozen=True, slots=True)
class Owner:
    """A bexio company and the user in whose name its token acts.

    `books_id` names the company by its books, whatever kind of token it is read with: a company that was connected
    by a personal token, which may not name it, is known again when it signs in. `subject` is the user's login.
    """

    company_id: str
    company_name: str
    user_id: int
    user_name: str
    books_id: str | None
    subject: str | None = None


async def owner_of(bexio: Bexio, company_id: str | None) -> Owner:
    """Asks bexio whose token it is; `company_id` as far as the token says so itself.

    Raises:
        ConnectionRefused: bexio does not take the token.
        InvalidInput: `bexio-company-unknown`, the company cannot be told from others.
    """
    me = await bexio.users.me()
    profile = next(iter(await bexio.company_profile.list()), None)
    books_id = await _by_its_books(bexio, needed=company_id is None)
    known_as = company_id or books_id
    if profile is None or known_as is None:
        raise InvalidInput("bexio-company-unknown")
    return Owner(
        company_id=known_as,
        company_name=profile.name,
        user_id=me.id,
        user_name=name_of(me),
        books_id=books_id,
    )


def name_of(user: User) -> str:
    """How a person is called; the id for one without a name."""
    return " ".join(part for part in (user.firstname, user.lastname) if part) or str(user.id)


async def _by_its_books(bexio: Bexio, *, needed: bool) -> str | None:
    """An identity for a company whose token does not name it.

    The profile's id does not serve: it is 1 in every company (recorded answers). Accounts carry a UUID, and the
    locked ones, which bexio makes itself, cannot be deleted: the oldest of them stands for the company.
    """
    try:
        accounts = await bexio.accounts.list()
    except RemoteRejected:
        if needed:
            raise
        return None
    system_accounts = [row for row in accounts if row.is_locked and row.uuid]
    oldest = min(system_accounts, key=lambda row: row.id, default=None)
    return f"{BY_BOOKS}{oldest.uuid}" if oldest else None
