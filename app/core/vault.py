"""Secrets at rest: AES-256-GCM, bound to their tenant and column, under keys that rotate.

A sealed secret is: length of the key's id (1 byte), the id, a nonce of 12 bytes, ciphertext with its tag.
"""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.core.errors import Unavailable

KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def generate_key(key_id: str) -> str:
    """A new key as one entry of the keyring: `id:base64`.

    Raises:
        ValueError: the id has other characters than letters, digits, `_` and `-`, or more than 32.
    """
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("A key's id has 1 to 32 letters, digits, _ or -.")
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


class Vault:
    """Seals with the first key of its ring, opens with every one."""

    def __init__(self, keyring: str) -> None:
        """Reads `id:base64key,id2:base64key`, keys of 32 bytes each.

        Raises:
            ValueError: no keys, or one that is malformed or named twice. The text shows no key.
        """
        self._ciphers: dict[str, AESGCM] = {}
        for place, entry in enumerate(keyring.split(","), start=1):
            key_id, _, encoded = entry.strip().partition(":")
            if not _KEY_ID.fullmatch(key_id) or key_id in self._ciphers:
                raise ValueError(f"Encryption key {place} needs an id of its own, as in id:base64.")
            self._ciphers[key_id] = AESGCM(_decoded(encoded, place))
        self._current = next(iter(self._ciphers))

    def __repr__(self) -> str:
        return f"Vault(keys={list(self._ciphers)})"

    def seal(self, tenant: UUID, column: str, secret: str) -> bytes:
        """Encrypts a secret for one tenant's column, such as `bexio_connection.secret`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, secret.encode(), _bound_to(tenant, column))
        key_id = self._current.encode()
        return bytes([len(key_id)]) + key_id + nonce + sealed

    def open(self, tenant: UUID, column: str, sealed: bytes) -> str:
        """The secret that was sealed for this tenant and column.

        Raises:
            Unavailable: its key is not in the ring, or it was sealed for another place, or altered.
        """
        key_id, rest = _split(sealed)
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Unavailable("secret-unreadable")
        try:
            secret = cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound_to(tenant, column))
        except (InvalidTag, ValueError) as error:
            raise Unavailable("secret-unreadable") from error
        return secret.decode()

    def needs_rotation(self, sealed: bytes) -> bool:
        """True when another key than the current one sealed it."""
        return _split(sealed)[0] != self._current


def _decoded(encoded: str, place: int) -> bytes:
    try:
        key = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"Encryption key {place} is not {KEY_BYTES} bytes in base64.") from None
    return key


def _bound_to(tenant: UUID, column: str) -> bytes:
    return tenant.bytes + column.encode()


def _split(sealed: bytes) -> tuple[str, bytes]:
    end = 1 + (sealed[0] if sealed else 0)
    return sealed[1:end].decode("ascii", "replace"), sealed[end:]
