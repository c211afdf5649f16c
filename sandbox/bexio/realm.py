"""What the realm holds: applications, codes, sessions and how strict it is. Tokens of the API live in the world."""

import base64
import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.bexio.company import Company
from sandbox.bexio.errors import NotFound
from sandbox.bexio.signing import SigningKeys
from sandbox.bexio.values import uuid_of

CLIENT_ID = "arcavis-connector"
CLIENT_SECRET = "simulated-app-secret"  # noqa: S105 - of a simulator
DEFAULT_SCOPES = frozenset({"openid"})
Reuse = Literal["strict", "single_use", "lenient"]


class OAuthRefusal(Exception):
    """A refusal of the token endpoint (RFC 6749 5.2)."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True, slots=True)
class Client:
    """An application that was registered at developer.bexio.com. Redirect URIs are compared as they are."""

    id: str
    secret: str
    redirect_uris: frozenset[str]
    name: str = "Arcavis"


@dataclass(frozen=True, slots=True)
class Member:
    """A user of one company: whom the person at the login page chose to be."""

    company: Company
    user: Mapping[str, Any]

    @property
    def subject(self) -> str:
        """The login: the same person keeps it in every company."""
        return uuid_of("login", self.user["email"])


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code that waits to be exchanged."""

    client_id: str
    redirect_uri: str
    member: Member
    scopes: frozenset[str]
    nonce: str | None
    challenge: str | None
    expires_at: datetime


@dataclass(slots=True)
class Session:
    """What one consent gave: a line of refresh tokens, of which the last one works."""

    id: str
    client_id: str
    member: Member
    scopes: frozenset[str]
    signed_in_at: datetime
    refresh_token: str | None = None
    used: set[str] = field(default_factory=set[str])
    is_ended: bool = False
    refreshes: int = 0
    refused: int = 0
    access_tokens: list[str] = field(default_factory=list[str])
    idle_until: datetime | None = None


@dataclass(slots=True)
class RealmRules:
    """Where bexio's behaviour is not known: what the simulator does. The defaults are the strict answers."""

    access_seconds: float = 3600.0
    code_seconds: float = 60.0
    idle_seconds: float = 365 * 86400.0
    refresh_expires_in: int = 0
    """What the token endpoint says of a refresh token's life; 0, as Keycloak has it, for one that does not end."""
    reuse: Reuse = "strict"
    """A used refresh token again: the session ends (`strict`), is refused only, or is taken (`lenient`)."""
    answers_without_refresh_token: bool = False
    """A refresh keeps the token it was done with, and does not repeat it."""
    revocation_refused: str = ""
    """The error of every revocation, as `unsupported_token_type`; empty when they are taken."""
    revocation_ends_all: bool = True
    """As Keycloak does it, revoking one token ends every session of that login with the application."""
    requires_pkce: bool = False
    is_known_to_the_api: bool = True
    """Whether the API takes the access tokens that the realm hands out."""


@dataclass(slots=True)
class Forgery:
    """How the next id_tokens are wrong. `claims` replace; None takes one away. `signature`: how it is signed."""

    claims: dict[str, Any] = field(default_factory=dict[str, Any])
    signature: Literal["right", "none", "hs256", "foreign", "foreign_kid", "broken"] = "right"


class Realm:
    """The state behind the endpoints."""

    def __init__(self) -> None:
        self.keys = SigningKeys()
        self.rules = RealmRules()
        self.forgery = Forgery()
        self.clients: dict[str, Client] = {}
        self.codes: dict[str, Code] = {}
        self.used_codes: dict[str, Session] = {}
        self.sessions: dict[str, Session] = {}

    def register(
        self, *redirect_uris: str, client_id: str = CLIENT_ID, secret: str = CLIENT_SECRET, name: str = "Arcavis"
    ) -> Client:
        """Registers an application, or replaces it."""
        client = self.clients[client_id] = Client(client_id, secret, frozenset(redirect_uris), name)
        return client

    def grant(self, code: Code) -> str:
        """A code for what the person agreed to."""
        text = secrets.token_urlsafe(32)
        self.codes[text] = code
        return text

    def redeem(self, text: str, client: Client, redirect_uri: str, verifier: str | None, now: datetime) -> Session:
        """The session that a code opens.

        Raises:
            OAuthRefusal: `invalid_grant`. A code that comes twice ends what it had opened.
        """
        if (opened := self.used_codes.get(text)) is not None:
            opened.is_ended = True
            raise OAuthRefusal("invalid_grant", "Code already used")
        code = self.codes.get(text)
        if code is None or code.client_id != client.id or code.expires_at <= now:
            raise OAuthRefusal("invalid_grant", "Code not valid")
        if code.redirect_uri != redirect_uri:
            raise OAuthRefusal("invalid_grant", "Incorrect redirect_uri")
        if code.challenge is not None and challenge_of(verifier or "") != code.challenge:
            raise OAuthRefusal("invalid_grant", "PKCE verification failed")
        del self.codes[text]
        session = Session(secrets.token_hex(16), client.id, code.member, code.scopes, now)
        self.sessions[session.id] = self.used_codes[text] = session
        if "offline_access" in code.scopes:
            self._renew(session, now)
        return session

    def refresh(self, token: str, client: Client, now: datetime) -> Session:
        """The session whose refresh token this is, with its next one.

        Raises:
            OAuthRefusal: `invalid_grant`.
        """
        session = self._session_of(token, client)
        if session is None:
            raise OAuthRefusal("invalid_grant", "Invalid refresh token")
        if session.is_ended or (session.idle_until is not None and session.idle_until <= now):
            session.refused += 1
            raise OAuthRefusal("invalid_grant", "Session not active")
        if token in session.used and self.rules.reuse != "lenient":
            session.refused += 1
            session.is_ended = self.rules.reuse == "strict"
            raise OAuthRefusal("invalid_grant", "Maximum allowed refresh token reuse exceeded")
        session.refreshes += 1
        if not self.rules.answers_without_refresh_token:
            self._renew(session, now)
        return session

    def end(self, token: str, client: Client) -> list[Session]:
        """Revokes a refresh token; gives the sessions that ended with it."""
        session = self._session_of(token, client)
        if session is None:
            return []
        ended = [session]
        if self.rules.revocation_ends_all:
            ended = [each for each in self.sessions.values() if self._is_kin(each, session)]
        for each in ended:
            each.is_ended = True
        return ended

    def of_company(self, company_id: str) -> Iterator[Session]:
        """The sessions of a company, oldest first."""
        return (each for each in self.sessions.values() if each.member.company.id == company_id)

    def latest(self, company_id: str) -> Session:
        """The last session of a company.

        Raises:
            NotFound: there is none.
        """
        found = list(self.of_company(company_id))
        if not found:
            raise NotFound(f"nobody of {company_id} signed in")
        return found[-1]

    def _renew(self, session: Session, now: datetime) -> None:
        if session.refresh_token is not None:
            session.used.add(session.refresh_token)
        session.refresh_token = secrets.token_urlsafe(48)
        session.idle_until = now + timedelta(seconds=self.rules.idle_seconds)

    def _session_of(self, token: str, client: Client) -> Session | None:
        for session in self.sessions.values():
            if session.client_id == client.id and (token == session.refresh_token or token in session.used):
                return session
        return None

    @staticmethod
    def _is_kin(one: Session, other: Session) -> bool:
        return one.client_id == other.client_id and one.member.subject == other.member.subject


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier (RFC 7636 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
