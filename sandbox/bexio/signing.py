"""The realm's signing keys: made when first needed, exchanged on demand, published as a JWKS."""

from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

ALGORITHM = "RS256"
_BITS = 2048


class SigningKeys:
    """The newest key signs; older ones stay published until they are withdrawn."""

    def __init__(self) -> None:
        self._published: list[RSAKey] = []

    @property
    def current(self) -> RSAKey:
        """The key that signs now."""
        if not self._published:
            self._published.append(new_key())
        return self._published[-1]

    def rotate(self, *, withdraw: bool = False) -> str:
        """From now on another key signs; `withdraw` takes the old ones from the published set. Gives its id."""
        if withdraw:
            self._published.clear()
        self._published.append(new_key())
        return str(self.current.kid)

    def published(self) -> dict[str, Any]:
        """The JWKS document."""
        current = self.current
        keys = KeySet([*self._published[:-1], current])
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM} for key in keys]}

    def sign(self, claims: dict[str, Any]) -> str:
        """A JWT of these claims."""
        return signed(claims, self.current)


def new_key() -> RSAKey:
    """A key with the id that its thumbprint gives."""
    key = RSAKey.generate_key(_BITS)
    key.ensure_kid()
    return key


def signed(claims: dict[str, Any], key: RSAKey, kid: str | None = None) -> str:
    """A JWT of these claims under a key; `kid` claims to be another one."""
    header = {"alg": ALGORITHM, "typ": "JWT", "kid": kid or str(key.kid)}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])
