"""What ties a sign-in to one browser: a secret in a cookie, from which nonce and PKCE verifier follow.

So the database holds neither of the two, and a callback that was carried to another browser has no verifier.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Cookie:
    """A cookie of one sign-in. With https it belongs to this very host, and other sites cannot plant it."""

    name: str
    value: str = field(repr=False)
    secure: bool

    def set(self, seconds: int) -> str:
        """The `Set-Cookie` header. Lax: it has to come along when bexio sends the browser back."""
        return f"{self.name}={self.value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Lax" + self._secure

    def clear(self) -> str:
        """The header that takes it back."""
        return f"{self.name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax" + self._secure

    @property
    def _secure(self) -> str:
        return "; Secure" if self.secure else ""


def cookie(state: str, secret: str, public_url: str) -> Cookie:
    """The cookie of a state: each way to bexio has its own, so two windows do not disturb each other."""
    secure = public_url.startswith("https:")
    name = hashlib.sha256(state.encode("utf-8", "surrogateescape")).hexdigest()[:_NAME_LENGTH]
    return Cookie(f"{'__Host-' if secure else ''}sign-in-{name}", secret, secure)


def secret_in(cookies: Mapping[str, str], state: str, public_url: str) -> str:
    """What the browser keeps for a state; empty without."""
    return cookies.get(cookie(state, "", public_url).name, "")


def is_same(secret: str, browser_hash: bytes | None) -> bool:
    """Whether this is the browser that began."""
    given = hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
    return browser_hash is not None and hmac.compare_digest(given, browser_hash)


def verifier_of(secret: str) -> str:
    """The PKCE verifier, 43 characters."""
    return _derived(secret, b"verifier")


def nonce_of(secret: str) -> str:
    """The nonce of the id_token."""
    return _derived(secret, b"nonce")


def _derived(secret: str, purpose: bytes) -> str:
    digest = hmac.digest(secret.encode("utf-8", "surrogateescape"), purpose, hashlib.sha256)
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
