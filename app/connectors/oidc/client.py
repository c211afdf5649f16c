"""Our side of bexio's sign-in: sends people there, exchanges what they come back with, renews and revokes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
from pydantic import TypeAdapter, ValidationError

from app.connectors.circuit import Circuits
from app.connectors.clients import HttpClients, Upstream
from app.connectors.oidc import claims as claims_of
from app.connectors.oidc import grants
from app.connectors.oidc.claims import Claims
from app.connectors.oidc.grants import Grant, Tokens
from app.connectors.oidc.proof import Expected, UnknownKey, verify
from app.connectors.oidc.provider import Provider
from app.connectors.oidc.scopes import NEEDED
from app.connectors.transport import Form, Transport
from app.core.clock import Clock
from app.core.errors import Conflict, InvalidInput, OutcomeUnknown

# A renewal's lease counts on it: see `app.connectors.renewals`.
EXCHANGE_SECONDS = 20.0
LARGEST_ANSWER = 1024 * 1024
_UNDERSTOOD = frozenset({400, 401})
_PROFILE: TypeAdapter[dict[str, Any]] = TypeAdapter(dict[str, Any])


@dataclass(frozen=True, slots=True)
class App:
    """Our application as it is registered at developer.bexio.com."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class OidcClient:
    """The protocol over one provider. `app` None: this installation has no application, personal tokens only."""

    app: App | None
    provider: Provider
    transport: Transport
    clock: Clock

    def require_app(self) -> App:
        """Our application.

        Raises:
            Conflict: `bexio-app-not-set-up`.
        """
        if self.app is None:
            raise Conflict("bexio-app-not-set-up")
        return self.app

    async def authorization_url(
        self, *, redirect_uri: str, state: str, nonce: str, verifier: str, scopes: Iterable[str] = NEEDED
    ) -> str:
        """Where a browser goes to sign in.

        Raises:
            Conflict: `bexio-app-not-set-up`.
            RemoteUnavailable: bexio is away.
        """
        app = self.require_app()
        metadata = await self.provider.metadata()
        asked = {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            # OpenID Connect asks for it with offline_access, and nobody is connected by a link alone.
            "prompt": "consent",
        }
        return str(httpx.URL(metadata.authorization_endpoint, params=asked))

    async def check_issuer(self, issuer: str | None) -> None:
        """Whether the redirect came from the issuer that we sent the browser to (RFC 9207).

        Raises:
            InvalidInput: `sign-in-mixed-up`.
        """
        metadata = await self.provider.metadata()
        if issuer is None and not metadata.authorization_response_iss_parameter_supported:
            return
        if issuer != metadata.issuer:
            raise InvalidInput("sign-in-mixed-up")

    async def exchange(
        self, *, code: str, redirect_uri: str, verifier: str, nonce: str | None, scopes: Iterable[str] = NEEDED
    ) -> Grant:
        """What a code gives, proven. Sent once: a code works once.

        `scopes` were asked for: an answer that names none granted them all.

        Raises:
            InvalidInput: `sign-in-proof-refused`, `sign-in-without-company`.
            GrantRefused: bexio does not take the code.
            RemoteUnavailable: it surely was not taken.
            OutcomeUnknown: the code may be spent.
        """
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
        tokens = await self._tokens({**form, "code_verifier": verifier}, self.transport)
        claims = await self._proven(tokens, nonce)
        if claims.company_id is None:
            claims = await self._completed(tokens, claims)
        return Grant(tokens, claims, tokens.scopes if tokens.scopes is not None else frozenset(scopes))

    async def refresh(self, refresh_token: str, *, not_after: datetime) -> Tokens:
        """The next tokens. Not sent after `not_after`; `refresh_token` of the answer may be absent: the old one stays.

        Raises:
            GrantRefused: the token is used, expired or revoked.
            RemoteUnavailable: it surely was not taken.
            OutcomeUnknown: the token may be spent.
        """
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return await self._tokens(form, self.transport.until(not_after))

    async def userinfo(self, access_token: str) -> Claims:
        """What bexio knows of the person behind an access token.

        Raises:
            InvalidInput: `sign-in-without-company`, it says nothing that we understand.
        """
        metadata = await self.provider.metadata()
        bearer = self.transport.under(f"Bearer {access_token}")
        answer = await bearer.read("GET", self.provider.path_of(metadata.userinfo_endpoint))
        try:
            known = claims_of.read(_PROFILE.validate_json(answer.content))
        except ValidationError as error:
            raise bearer.unreadable(answer, wrote=False) from error
        if known is None:
            raise InvalidInput("sign-in-without-company")
        return known

    async def revoke(self, refresh_token: str) -> None:
        """Tells bexio that nobody needs the token any more (RFC 7009). An unknown token is none to revoke.

        Raises:
            RemoteError: it may still work.
        """
        metadata = await self.provider.metadata()
        if metadata.revocation_endpoint is None:
            return
        form = Form({"token": refresh_token, "token_type_hint": "refresh_token", **self._credentials()})
        path = self.provider.path_of(metadata.revocation_endpoint)
        answer = await self.transport.write("POST", path, body=form, understood=_UNDERSTOOD)
        if answer.status in _UNDERSTOOD:
            raise grants.refused(answer)

    async def _tokens(self, form: Mapping[str, str], transport: Transport) -> Tokens:
        metadata = await self.provider.metadata()
        path = self.provider.path_of(metadata.token_endpoint)
        asked_at = self.clock.now()
        body = Form({**form, **self._credentials()})
        answer = await transport.write("POST", path, body=body, understood=_UNDERSTOOD)
        if answer.status in _UNDERSTOOD:
            raise grants.refused(answer)
        tokens = grants.read(answer, asked_at)
        if tokens is None:
            raise OutcomeUnknown("bexio-outcome-unknown", "bexio", cause="unreadable answer")
        return tokens

    async def _proven(self, tokens: Tokens, nonce: str | None) -> Claims:
        app = self.require_app()
        if tokens.id_token is None:
            raise InvalidInput("sign-in-proof-refused", reason="absent")
        expected = Expected(self.provider.issuer, app.client_id, self.clock.now(), nonce, tokens.access_token)
        try:
            return verify(tokens.id_token, await self.provider.keys(), expected)
        except UnknownKey:
            try:
                return verify(tokens.id_token, await self.provider.keys(again=True), expected)
            except UnknownKey:
                raise InvalidInput("sign-in-proof-refused", reason="key") from None

    async def _completed(self, tokens: Tokens, claims: Claims) -> Claims:
        """The company from userinfo, where the proof does not name it; it must speak of the same person."""
        known = await self.userinfo(tokens.access_token)
        if known.subject != claims.subject:
            raise InvalidInput("sign-in-proof-refused", reason="sub")
        if known.company_id is None:
            raise InvalidInput("sign-in-without-company")
        return known

    def _credentials(self) -> dict[str, str]:
        app = self.require_app()
        return {"client_id": app.client_id, "client_secret": app.client_secret}


def oidc_client(issuer: str, app: App | None, clients: HttpClients, circuits: Circuits, clock: Clock) -> OidcClient:
    """The client of one issuer, with bounds of its own on time and size of what comes back."""
    url = httpx.URL(issuer)
    transport = Transport(
        upstream=Upstream("bexio", "sign-in", str(url.copy_with(raw_path=b"/")).rstrip("/")),
        clients=clients,
        clock=clock,
        authorization="",
        circuit=circuits.of("bexio", "sign-in"),
        longest=EXCHANGE_SECONDS,
        largest=LARGEST_ANSWER,
    )
    return OidcClient(app, Provider(issuer, transport, clock), transport, clock)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
