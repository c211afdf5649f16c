"""API keys: 32 random bytes, shown once, of which only a hash is kept.

A key reads `abx_<role>_<43 characters of base62>`. It is random, so a plain SHA-256 is enough to keep: there is no
dictionary to try. Two ways to check one: `Authenticator.verify` asks the database each time; `Authenticator.recall`
may answer from memory for `CACHE_SECONDS`, and is only for callers whose own statement checks the key's hash again.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from sqlalchemy import text
from starlette.types import Scope

from app.core.clock import Clock
from app.core.errors import Forbidden, Unauthenticated
from app.db.session import Database

CACHE_SECONDS = 60.0
CACHE_SIZE = 10_000
LONGEST_KEY = 512

_DIGITS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_BYTES = 32
_SECRET_LENGTH = 43
_SHOWN = 6
_FIND = text("select * from find_key(:hash)")


class Role(StrEnum):
    """What a key may do: sell on invoice, everything of its tenant, or look after all tenants."""

    POS = "pos"
    BACKOFFICE = "backoffice"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls. `key_id` is None for the operator key of the settings."""

    key_id: UUID | None
    prefix: str
    role: Role
    key_hash: bytes = field(repr=False)

    @property
    def actor(self) -> str:
        """How the audit trail names the caller."""
        return self.prefix


@dataclass(frozen=True, slots=True)
class TenantCaller(Caller):
    """A caller with a key of a tenant, and what the tenant looked like when the key was checked."""

    tenant: UUID
    tenant_slug: str
    language: str
    modules: frozenset[str]
    config_version: int

    def require_module(self, module: str) -> None:
        """Raises `Forbidden` when the tenant has not booked the module."""
        if module not in self.modules:
            raise Forbidden("module-not-active", module=module)


@dataclass(frozen=True, slots=True)
class MintedKey:
    """A new key: `text` is shown once and never stored, `prefix` and `hash` are."""

    text: str = field(repr=False)
    prefix: str
    hash: bytes = field(repr=False)


def mint(role: Role) -> MintedKey:
    """A new random key."""
    number = int.from_bytes(secrets.token_bytes(_SECRET_BYTES))
    digits: list[str] = []
    for _ in range(_SECRET_LENGTH):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    key = f"abx_{role.value}_{''.join(digits)}"
    return MintedKey(text=key, prefix=key[: len(key) - _SECRET_LENGTH + _SHOWN], hash=hash_key(key))


def hash_key(key: str) -> bytes:
    """What is stored of a key: its SHA-256."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def bearer(scope: Scope) -> bytes | None:
    """The hash of the request's bearer key, computed once per request; None without one."""
    if "connector.key_hash" not in scope:
        scope["connector.key_hash"] = _bearer(scope)
    return scope["connector.key_hash"]


def _bearer(scope: Scope) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"authorization":
            scheme, _, key = value.partition(b" ")
            key = key.strip()
            usable = scheme.lower() == b"bearer" and 0 < len(key) <= LONGEST_KEY
            return hashlib.sha256(key).digest() if usable else None
    return None


class Authenticator:
    """Finds the caller behind a key's hash."""

    def __init__(self, db: Database, clock: Clock, operator_key_hash: bytes | None) -> None:
        self._db = db
        self._clock = clock
        self._operator_key_hash = operator_key_hash
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def verify(self, key_hash: bytes | None) -> Caller:
        """The caller as the database knows the key at this moment; one round trip.

        Raises:
            Unauthenticated: there is no such key, or it was revoked.
        """
        if key_hash is None:
            raise Unauthenticated("key-missing")
        if self._operator_key_hash is not None and hmac.compare_digest(self._operator_key_hash, key_hash):
            return Caller(key_id=None, prefix="operator", role=Role.OPERATOR, key_hash=key_hash)
        row = await self._db.execute_alone(_FIND, {"hash": key_hash})
        if row is None:
            self.forget(key_hash)
            raise Unauthenticated("key-invalid")
        if row.tenant_id is None:
            return Caller(key_id=row.key_id, prefix=row.prefix, role=Role(row.role), key_hash=key_hash)
        return TenantCaller(
            key_id=row.key_id,
            prefix=row.prefix,
            role=Role(row.role),
            key_hash=key_hash,
            tenant=row.tenant_id,
            tenant_slug=row.slug,
            language=row.language,
            modules=frozenset(row.modules),
            config_version=row.config_version,
        )

    async def recall(self, key_hash: bytes | None) -> Caller:
        """The caller as known for at most `CACHE_SECONDS`. Whoever uses it checks `key_hash` again in its statement.

        Raises:
            Unauthenticated: there is no such key, or it was revoked.
        """
        now = self._clock.monotonic()
        if key_hash is not None and (known := self._known.get(key_hash)) is not None and known[0] > now:
            return known[1]
        caller = await self.verify(key_hash)
        self._known[caller.key_hash] = (now + CACHE_SECONDS, caller)
        self._known.move_to_end(caller.key_hash)
        if len(self._known) > CACHE_SIZE:
            self._known.popitem(last=False)
        return caller

    def forget(self, key_hash: bytes) -> None:
        """Drops what `recall` remembers of a key."""
        self._known.pop(key_hash, None)
