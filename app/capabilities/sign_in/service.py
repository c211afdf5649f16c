"""The way to bexio and back: invitation, begin, arrival. What arrives is proven, or refused with what to do."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.sign_in import records
from app.capabilities.sign_in.browser import Cookie, cookie, is_same, nonce_of, secret_in, verifier_of
from app.capabilities.sign_in.records import Hashes, Intent, SignIn, hash_of
from app.connectors.oidc.client import OidcClient
from app.connectors.oidc.grants import Grant, GrantRefused
from app.core.clock import Clock
from app.core.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    RemoteRejected,
    RemoteUnavailable,
)
from app.db.session import Database

BEGIN_PATH = "/oauth/bexio/begin"
CALLBACK_PATH = "/oauth/bexio/callback"
LONGEST = 4096
_WORD = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    url: str = field(repr=False)
    cookie: Cookie


@dataclass(frozen=True, slots=True)
class SignIns:
    """The use cases over one set of resources. `public_url` without a slash at its end."""

    db: Database
    clock: Clock
    oidc: OidcClient
    public_url: str

    @property
    def redirect_uri(self) -> str:
        """As it is registered at developer.bexio.com, to the letter."""
        return self.public_url + CALLBACK_PATH

    async def invite(self, session: AsyncConnection, intent: Intent) -> str:
        """The address that one browser opens within ten minutes to begin.

        Raises:
            Conflict: `bexio-app-not-set-up`.
        """
        self.oidc.require_app()
        ticket = secrets.token_urlsafe(32)
        await records.add(session, intent, Hashes(hash_of(ticket)), self.clock.now())
        return f"{self.public_url}{BEGIN_PATH}?ticket={ticket}"

    async def begin(self, ticket: str) -> Begun:
        """Begins with an invitation. A page that was fetched ahead uses nothing up: each way has a state of its own.

        Raises:
            NotFound, Conflict: `sign-in-unknown`, `sign-in-expired`, `sign-in-used`.
            RemoteUnavailable: `sign-in-bexio-away`.
        """
        async with self.db.begin_system() as session:
            invitation = await records.by_ticket(session, ticket)
        invitation = self._check(invitation)
        return await self._begin(invitation.intent, invitation.ticket_hash)

    async def begin_uninvited(self, intent: Intent) -> Begun:
        """Begins without one: for a person who comes from the marketplace and has no tenant yet.

        Raises:
            Conflict: `bexio-app-not-set-up`.
            RemoteUnavailable: `sign-in-bexio-away`.
        """
        return await self._begin(intent, hash_of(secrets.token_urlsafe(32)))

    async def arrive(self, query: Mapping[str, str], cookies: Mapping[str, str]) -> tuple[SignIn, Grant]:
        """What bexio sent a browser back with: used up first, then checked, exchanged and proven.

        Raises:
            NotFound, Conflict, Forbidden, InvalidInput: `sign-in-...`; nothing was stored.
            RemoteUnavailable: `sign-in-interrupted`, likewise.
        """
        state = query.get("state", "")[:LONGEST]
        async with self.db.begin_system() as session:
            sign_in = await records.by_state(session, state)
        sign_in = self._check(sign_in)
        secret = secret_in(cookies, state, self.public_url)
        if not is_same(secret, sign_in.browser_hash):
            raise Forbidden("sign-in-other-browser")
        async with self.db.begin_system() as session:
            if not await records.use(session, sign_in, self.clock.now()):
                raise Conflict("sign-in-used")
        try:
            return sign_in, await self._proven(sign_in, query, secret)
        except (RemoteUnavailable, OutcomeUnknown) as error:
            raise RemoteUnavailable("sign-in-interrupted", "bexio") from error

    async def purpose_of(self, query: Mapping[str, str]) -> str | None:
        """What the way was for that a browser came back by; None when nobody began it. Proves nothing."""
        async with self.db.begin_system() as session:
            sign_in = await records.by_state(session, query.get("state", "")[:LONGEST])
        return sign_in.intent.purpose if sign_in is not None else None

    def cookie_of(self, query: Mapping[str, str]) -> Cookie:
        """The cookie that a callback has no use for any more."""
        return cookie(query.get("state", "")[:LONGEST], "", self.public_url)

    async def _begin(self, intent: Intent, ticket: bytes) -> Begun:
        state, secret = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        try:
            url = await self.oidc.authorization_url(
                redirect_uri=self.redirect_uri,
                state=state,
                nonce=nonce_of(secret),
                verifier=verifier_of(secret),
                scopes=intent.scopes,
            )
        except (RemoteUnavailable, RemoteRejected) as error:
            raise RemoteUnavailable("sign-in-bexio-away", "bexio") from error
        hashes = Hashes(ticket, hash_of(state), hash_of(secret))
        async with self.db.begin_system() as session:
            await records.add(session, intent, hashes, self.clock.now())
        return Begun(url, cookie(state, secret, self.public_url))

    def _check(self, sign_in: SignIn | None) -> SignIn:
        if sign_in is None:
            raise NotFound("sign-in-unknown")
        if sign_in.used_at is not None:
            raise Conflict("sign-in-used")
        if sign_in.expires_at <= self.clock.now():
            raise Conflict("sign-in-expired")
        return sign_in

    async def _proven(self, sign_in: SignIn, query: Mapping[str, str], secret: str) -> Grant:
        await self.oidc.check_issuer(query.get("iss"))
        error = query.get("error")
        if error == "access_denied":
            raise Forbidden("sign-in-denied")
        code = query.get("code", "")[:LONGEST]
        if error is not None or not code:
            word = error if error is not None and _WORD.fullmatch(error) else "code"
            raise InvalidInput("sign-in-failed", reason=word)
        try:
            grant = await self.oidc.exchange(
                code=code,
                redirect_uri=self.redirect_uri,
                verifier=verifier_of(secret),
                nonce=nonce_of(secret),
                scopes=sign_in.intent.scopes,
            )
        except GrantRefused as refused:
            raise Conflict("sign-in-code-refused") from refused
        return _sufficient(grant, sign_in.intent.scopes)


def _sufficient(grant: Grant, wanted: Sequence[str]) -> Grant:
    if lacking := grant.lacking(wanted):
        raise Forbidden("sign-in-scopes-missing", scopes=", ".join(lacking))
    return grant
