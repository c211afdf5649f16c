"""Verifies an id_token (OpenID Connect Core 3.1.3.7): pure, everything it needs is handed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry

from app.connectors.oidc import claims
from app.connectors.oidc.claims import Claims
from app.core.errors import InvalidInput

# Asymmetric ones only: with HS256 the published key would be the secret, and `none` proves nothing.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
# Clocks of the two hosts may differ by this many seconds.
LEEWAY = 60
LONGEST_TOKEN = 32_768


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof must say. Without a `nonce` none was handed out (a code that did not come through a browser)."""

    issuer: str
    client_id: str
    now: datetime
    nonce: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


class UnknownKey(Exception):
    """It names a key that is not among the known ones: they may have changed."""


def verify(token: str, keys: KeySet, expected: Expected) -> Claims:
    """The claims of a token that proves them.

    Raises:
        InvalidInput: `sign-in-proof-refused`; `reason` is one word.
        UnknownKey: see there.
    """
    if len(token) > LONGEST_TOKEN:
        raise _refused("size")
    try:
        decoded = jwt.decode(token, keys, algorithms=ALGORITHMS)
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except (JoseError, ValueError, TypeError) as error:
        raise _refused("signature") from error
    _check_registered(decoded.claims, expected)
    _check_party(decoded.claims, expected)
    _check_nonce(decoded.claims, expected)
    _check_access_token(decoded.header, decoded.claims, expected)
    known = claims.read(decoded.claims)
    if known is None:
        raise _refused("claims")
    return known


def _check_registered(given: dict[str, Any], expected: Expected) -> None:
    registry = JWTClaimsRegistry(
        now=int(expected.now.timestamp()),
        leeway=LEEWAY,
        iss={"essential": True, "value": expected.issuer},
        sub={"essential": True},
        aud={"essential": True, "value": expected.client_id},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        registry.validate(given)
    except JoseError as error:
        claim = str(getattr(error, "claim", None) or "claims")
        raise _refused(claim if claim in {"iss", "sub", "aud", "exp", "iat", "nbf"} else "claims") from error


def _check_party(given: dict[str, Any], expected: Expected) -> None:
    """Several audiences need an authorized party, and whoever is named as such must be us."""
    audience, party = given["aud"], given.get("azp")
    if isinstance(audience, list) and audience != [expected.client_id] and party is None:
        raise _refused("azp")
    if party is not None and party != expected.client_id:
        raise _refused("azp")


def _check_nonce(given: dict[str, Any], expected: Expected) -> None:
    if expected.nonce is None:
        return
    said = given.get("nonce")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), expected.nonce.encode()):
        raise _refused("nonce")


def _check_access_token(header: dict[str, Any], given: dict[str, Any], expected: Expected) -> None:
    """`at_hash`, where it is given, ties the access token to this proof."""
    said = given.get("at_hash")
    if said is None or expected.access_token is None:
        return
    digest = hashlib.new(f"sha{str(header['alg'])[-3:]}", expected.access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), half.encode()):
        raise _refused("at_hash")


def _refused(reason: str) -> InvalidInput:
    return InvalidInput("sign-in-proof-refused", reason=reason)
