"""Where bexio's endpoints are and which keys it signs with: read from its discovery document, kept for an hour."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from app.connectors.transport import Transport
from app.core.clock import Clock
from app.core.errors import ConnectorError, RemoteRejected, RemoteUnavailable

FRESH_SECONDS = 3600.0
# While bexio is away what was read yesterday serves better than nothing.
STALE_SECONDS = 24 * 3600.0
# A token may name any key: without a pause each one would make us read the keys again.
REREAD_SECONDS = 30.0

T = TypeVar("T")


class Metadata(BaseModel):
    """The discovery document (OpenID Connect Discovery 3)."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    revocation_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False


class _Keys(BaseModel):
    model_config = ConfigDict(hide_input_in_errors=True)

    keys: list[dict[str, Any]]


@dataclass(slots=True)
class _Kept(Generic[T]):
    value: T
    read_at: float


_METADATA: TypeAdapter[Metadata] = TypeAdapter(Metadata)
_KEYS: TypeAdapter[_Keys] = TypeAdapter(_Keys)


@dataclass(slots=True)
class Provider:
    """One issuer. `transport` reaches its origin and carries no credentials."""

    issuer: str
    transport: Transport
    clock: Clock
    _metadata: _Kept[Metadata] | None = field(default=None, init=False)
    _keys: _Kept[KeySet] | None = field(default=None, init=False)
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def metadata(self) -> Metadata:
        """The document, at most an hour old, or a day while bexio does not answer.

        Raises:
            RemoteUnavailable: bexio is away, and nothing recent is known.
            RemoteRejected: `sign-in-provider-unusable`, it is another issuer's, or points elsewhere.
        """
        async with self._reading:
            if self._metadata is None or self._age(self._metadata) > FRESH_SECONDS:
                try:
                    self._metadata = _Kept(await self._read_metadata(), self.clock.monotonic())
                except RemoteUnavailable:
                    if self._metadata is None or self._age(self._metadata) > STALE_SECONDS:
                        raise
            return self._metadata.value

    async def keys(self, *, again: bool = False) -> KeySet:
        """The keys that signatures are checked with. `again`: a token names one that is not among them."""
        metadata = await self.metadata()
        async with self._reading:
            age = None if self._keys is None else self._age(self._keys)
            if self._keys is None or age is None or age > (REREAD_SECONDS if again else FRESH_SECONDS):
                self._keys = _Kept(await self._read_keys(metadata), self.clock.monotonic())
            return self._keys.value

    def path_of(self, endpoint: str) -> str:
        """An endpoint's path at the issuer's origin."""
        return httpx.URL(endpoint).raw_path.decode()

    def _age(self, kept: _Kept[Any]) -> float:
        return self.clock.monotonic() - kept.read_at

    async def _read_metadata(self) -> Metadata:
        path = f"{httpx.URL(self.issuer).path.rstrip('/')}/.well-known/openid-configuration"
        answer = await self.transport.read("GET", path)
        try:
            metadata = _METADATA.validate_json(answer.content)
        except ValidationError as error:
            raise self.transport.unreadable(answer, wrote=False) from error
        if metadata.issuer != self.issuer:
            raise _unusable("issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"):
            self._check(name, getattr(metadata, name))
        if metadata.revocation_endpoint is not None:
            self._check("revocation_endpoint", metadata.revocation_endpoint)
        return metadata

    def _check(self, name: str, endpoint: str) -> None:
        """Secrets go to the configured host only, whatever the document says."""
        try:
            url, issuer = httpx.URL(endpoint), httpx.URL(self.issuer)
        except httpx.InvalidURL:
            raise _unusable(name) from None
        if (url.scheme, url.host, url.port) != (issuer.scheme, issuer.host, issuer.port) or url.userinfo or url.query:
            raise _unusable(name)

    async def _read_keys(self, metadata: Metadata) -> KeySet:
        answer = await self.transport.read("GET", self.path_of(metadata.jwks_uri))
        try:
            given = _KEYS.validate_json(answer.content).keys
        except ValidationError as error:
            raise self.transport.unreadable(answer, wrote=False) from error
        keys = [key for one in given if (key := _signing_key(one)) is not None]
        if not keys:
            raise _unusable("keys")
        return KeySet(list(keys))


def _signing_key(given: dict[str, Any]) -> RSAKey | ECKey | None:
    """A public key for signatures; None for any other, above all for a shared secret."""
    kinds: dict[object, type[RSAKey | ECKey]] = {"RSA": RSAKey, "EC": ECKey}
    kind = kinds.get(given.get("kty"))
    if kind is None or given.get("use", "sig") != "sig" or "d" in given:
        return None
    try:
        return kind.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        return None


def _unusable(reason: str) -> ConnectorError:
    return RemoteRejected("sign-in-provider-unusable", "bexio", 200, reason=reason)
