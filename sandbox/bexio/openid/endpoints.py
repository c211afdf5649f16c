"""The realm's endpoints under `/realms/bexio`, in the words of OAuth 2.0 and OpenID Connect as Keycloak speaks them."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Final
from urllib.parse import parse_qsl, unquote, urlencode

from sandbox.bexio.errors import Unauthorized
from sandbox.bexio.openid import page
from sandbox.bexio.openid.tokens import issue, profile
from sandbox.bexio.realm import Client, Code, Member, OAuthRefusal
from sandbox.bexio.values import Record
from sandbox.bexio.wire import Inbound, Reply, as_json, bearer_of
from sandbox.bexio.world import World

PREFIX: Final = "/realms/bexio"
_CONNECT: Final = f"{PREFIX}/protocol/openid-connect"
_KEPT: Final = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
)
_HTML: Final = {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}
Params = Mapping[str, str]


class _RedirectedError(Exception):
    """A refusal that goes back to the application."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


class OpenId:
    """Answers the realm's requests over a world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str], Callable[[Inbound], Reply]] = {
            ("GET", f"{PREFIX}/.well-known/openid-configuration"): self._configuration,
            ("GET", f"{_CONNECT}/certs"): self._certs,
            ("GET", f"{_CONNECT}/auth"): self._ask,
            ("POST", f"{_CONNECT}/auth"): self._decide,
            ("POST", f"{_CONNECT}/token"): self._token,
            ("GET", f"{_CONNECT}/userinfo"): self._userinfo,
            ("POST", f"{_CONNECT}/userinfo"): self._userinfo,
            ("POST", f"{_CONNECT}/revoke"): self._revoke,
            ("POST", f"{_CONNECT}/logout"): self._logout,
        }

    def perform(self, inbound: Inbound) -> Reply:
        """Answer one request."""
        action = self._routes.get((inbound.method, inbound.path))
        if action is None:
            return as_json({"error": "RESTEASY003210: Could not find resource"}, 404)
        try:
            return action(inbound)
        except OAuthRefusal as refusal:
            return as_json({"error": refusal.error, "error_description": refusal.description}, refusal.status)

    def _configuration(self, inbound: Inbound) -> Reply:
        base = f"{inbound.origin}{_CONNECT}"
        return as_json(
            {
                "issuer": f"{inbound.origin}{PREFIX}",
                "authorization_endpoint": f"{base}/auth",
                "token_endpoint": f"{base}/token",
                "userinfo_endpoint": f"{base}/userinfo",
                "jwks_uri": f"{base}/certs",
                "revocation_endpoint": f"{base}/revoke",
                "end_session_endpoint": f"{base}/logout",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
                "code_challenge_methods_supported": ["S256"],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def _certs(self, _inbound: Inbound) -> Reply:
        return as_json(self._world.realm.keys.published())

    def _ask(self, inbound: Inbound) -> Reply:
        """`/auth`: the page, or a refusal that names no redirect URI that was not registered."""
        asked = dict(parse_qsl(inbound.query, keep_blank_values=True))
        client = self._trusted(asked)
        if client is None:
            return Reply(400, _HTML, page.refusal("Invalid parameter: client_id or redirect_uri").encode())
        try:
            scopes = self._scopes(asked)
        except _RedirectedError as error:
            return self._back(inbound, asked, {"error": error.error, "error_description": error.description})
        kept = {name: asked[name] for name in _KEPT if name in asked}
        html = page.consent(client, self._members(), scopes, kept)
        return Reply(200, _HTML, html.encode())

    def _decide(self, inbound: Inbound) -> Reply:
        """The form of the page."""
        given = dict(parse_qsl(inbound.body.decode(), keep_blank_values=True))
        client = self._trusted(given)
        if client is None:
            return Reply(400, _HTML, page.refusal("Invalid parameter: client_id or redirect_uri").encode())
        try:
            scopes = self._scopes(given)
        except _RedirectedError as error:
            return self._back(inbound, given, {"error": error.error, "error_description": error.description})
        member = next((one for one in self._members() if page.choice_of(one) == given.get("member")), None)
        if given.get("decision") != "allow" or member is None:
            return self._back(inbound, given, {"error": "access_denied"})
        code = Code(
            client_id=client.id,
            redirect_uri=given["redirect_uri"],
            member=member,
            scopes=scopes,
            nonce=given.get("nonce"),
            challenge=given.get("code_challenge"),
            expires_at=self._world.now() + timedelta(seconds=self._world.realm.rules.code_seconds),
        )
        return self._back(inbound, given, {"code": self._world.realm.grant(code)})

    def _token(self, inbound: Inbound) -> Reply:
        given, client = self._form(inbound)
        realm, now = self._world.realm, self._world.now()
        issuer = f"{inbound.origin}{PREFIX}"
        match given.get("grant_type"):
            case "authorization_code":
                text = given.get("code", "")
                nonce = realm.codes[text].nonce if text in realm.codes else None
                session = realm.redeem(text, client, given.get("redirect_uri", ""), given.get("code_verifier"), now)
                return as_json(issue(self._world, session, issuer, nonce=nonce))
            case "refresh_token":
                session = realm.refresh(given.get("refresh_token", ""), client, now)
                return as_json(issue(self._world, session, issuer))
            case _:
                raise OAuthRefusal("unsupported_grant_type", "Unsupported grant_type")

    def _userinfo(self, inbound: Inbound) -> Reply:
        try:
            token = self._world.token(bearer_of(inbound))
        except Unauthorized:
            body = {"error": "invalid_token", "error_description": "Token verification failed"}
            return as_json(body, 401, {"www-authenticate": 'Bearer error="invalid_token"'})
        company = self._world.company(token.company_id)
        return as_json(profile(Member(company, company.users[token.user_id]), token.scopes))

    def _revoke(self, inbound: Inbound) -> Reply:
        given, client = self._form(inbound)
        if error := self._world.realm.rules.revocation_refused:
            raise OAuthRefusal(error, "Unsupported token type")
        for session in self._world.realm.end(given.get("token", ""), client):
            for token in session.access_tokens:
                self._world.revoke_token(token)
        return Reply(200, {}, b"")

    def _logout(self, inbound: Inbound) -> Reply:
        given, client = self._form(inbound)
        self._world.realm.end(given.get("refresh_token", ""), client)
        return Reply(204, {}, b"")

    def _trusted(self, asked: Params) -> Client | None:
        client = self._world.realm.clients.get(asked.get("client_id", ""))
        return client if client is not None and asked.get("redirect_uri") in client.redirect_uris else None

    def _scopes(self, asked: Params) -> frozenset[str]:
        scopes = frozenset(asked.get("scope", "").split())
        if asked.get("response_type") != "code":
            raise _RedirectedError("unsupported_response_type", "Only code is supported.")
        if "openid" not in scopes:
            raise _RedirectedError("invalid_scope", "Invalid scopes: openid is missing.")
        if asked.get("prompt") == "none":
            raise _RedirectedError("login_required", "")
        has_challenge = bool(asked.get("code_challenge"))
        if has_challenge and asked.get("code_challenge_method") != "S256":
            raise _RedirectedError("invalid_request", "Invalid parameter: code_challenge_method")
        if self._world.realm.rules.requires_pkce and not has_challenge:
            raise _RedirectedError("invalid_request", "Missing parameter: code_challenge_method")
        return scopes

    def _members(self) -> Iterator[Member]:
        for company in self._world.companies.values():
            yield from (Member(company, user) for user in company.users)

    def _back(self, inbound: Inbound, asked: Params, answer: Params) -> Reply:
        query = {**answer, "iss": f"{inbound.origin}{PREFIX}"}
        if "state" in asked:
            query["state"] = asked["state"]
        separator = "&" if "?" in asked["redirect_uri"] else "?"
        location = f"{asked['redirect_uri']}{separator}{urlencode(query)}"
        return Reply(302, {"location": location, "cache-control": "no-store"}, b"")

    def _form(self, inbound: Inbound) -> tuple[Record, Client]:
        """The form's fields and who sends them. Parameters in the query are refused, as bexio's guide says."""
        if inbound.query:
            raise OAuthRefusal("invalid_request", "Parameters belong into the body")
        if not inbound.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise OAuthRefusal("invalid_request", "Missing form parameter: grant_type")
        given: Record = dict(parse_qsl(inbound.body.decode(), keep_blank_values=True))
        name, secret = _basic(inbound) or (given.get("client_id", ""), given.get("client_secret", ""))
        client = self._world.realm.clients.get(name)
        if client is None or client.secret != secret:
            raise OAuthRefusal("unauthorized_client", "Invalid client or Invalid client credentials", 401)
        return given, client


def _basic(inbound: Inbound) -> tuple[str, str] | None:
    scheme, _, encoded = inbound.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return unquote(name), unquote(secret)
