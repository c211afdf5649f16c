"""What an id_token must be to prove who signed in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from app.connectors.oidc.proof import LEEWAY, Expected, UnknownKey, verify
from app.core.errors import InvalidInput

NOW = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ISSUER, CLIENT = "https://auth.bexio.test/realms/bexio", "connector"
KEY, FOREIGN = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
KEYS = KeySet([KEY])
EXPECTED = Expected(ISSUER, CLIENT, NOW, "nonce-1", "access-token-1")
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "login-1",
    "aud": CLIENT,
    "azp": CLIENT,
    "exp": SECONDS + 300,
    "iat": SECONDS,
    "nonce": "nonce-1",
    "company_id": "q69vysq7fkzl",
    "company_user_id": 1,
}


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def half_hash(token: str) -> str:
    return encoded(hashlib.sha256(token.encode()).digest()[:16])


def token(key: RSAKey = KEY, *, kid: str | None = None, **changes: Any) -> str:  # noqa: ANN401 - any claim
    claims = {name: value for name, value in (GOOD | changes).items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": kid or str(key.kid)}, claims, key, algorithms=["RS256"])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": [CLIENT]},
        {"aud": [CLIENT, "account"]},
        {"azp": None},
        {"exp": SECONDS - LEEWAY + 1},
        {"iat": SECONDS + LEEWAY},
        {"at_hash": half_hash("access-token-1")},
        {"company_id": None},
    ],
    ids=str,
)
def test_a_proof_that_holds_gives_its_claims(changes: dict[str, Any]) -> None:
    assert verify(token(**changes), KEYS, EXPECTED).subject == "login-1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"aud": "another"}, "aud"),
        ({"aud": ["another", "account"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [CLIENT, "another"], "azp": None}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"iss": "https://evil.test/realms/bexio"}, "iss"),
        ({"iss": f"{ISSUER}/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"exp": SECONDS - LEEWAY}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "never"}, "exp"),
        ({"iat": SECONDS + LEEWAY + 1}, "iat"),
        ({"iat": None}, "iat"),
        ({"nbf": SECONDS + LEEWAY + 1}, "nbf"),
        ({"nonce": "nonce-2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": ["nonce-1"]}, "nonce"),
        ({"at_hash": half_hash("access-token-2")}, "at_hash"),
        ({"at_hash": 7}, "at_hash"),
        ({"sub": None}, "sub"),
        ({"sub": ""}, "sub"),
        ({"company_id": "with space"}, "claims"),
        ({"company_id": "x" * 40_000}, "size"),
    ],
    ids=str,
)
def test_a_proof_of_something_else_is_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        verify(token(**changes), KEYS, EXPECTED)
    assert caught.value.code == "sign-in-proof-refused"
    assert caught.value.params["reason"] == reason


def unsigned(algorithm: str) -> str:
    return ".".join(encoded(json.dumps(part).encode()) for part in ({"alg": algorithm, "kid": KEY.kid}, GOOD)) + "."


def shared_secret() -> str:
    """HS256 under the published key: a verifier that takes any algorithm would take the public key for the secret."""
    signed = unsigned("HS256").removesuffix(".")
    return f"{signed}.{encoded(hmac.digest(KEY.as_pem(private=False), signed.encode(), hashlib.sha256))}"


@pytest.mark.parametrize(
    "forged",
    [
        unsigned("none"),
        unsigned("None"),
        unsigned("RS256"),
        shared_secret(),
        token(FOREIGN, kid=str(KEY.kid)),
        token()[:-8] + "AAAAAAAA",
        token().rsplit(".", 1)[0] + ".",
        "",
        "no token",
        "a.b.c",
        "..",
    ],
    ids=range(11),
)
def test_what_our_providers_key_did_not_sign_proves_nothing(forged: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        verify(forged, KEYS, EXPECTED)
    assert caught.value.params["reason"] == "signature"


def test_a_key_that_is_not_known_is_told_apart_because_keys_change() -> None:
    with pytest.raises(UnknownKey):
        verify(token(FOREIGN), KEYS, EXPECTED)


def test_without_a_nonce_of_ours_none_is_asked_for() -> None:
    assert verify(token(nonce=None), KEYS, Expected(ISSUER, CLIENT, NOW)).company_id == "q69vysq7fkzl"


def test_nothing_secret_or_personal_shows_in_a_repr() -> None:
    shown = repr(EXPECTED) + repr(verify(token(email="max@muster.ch", given_name="Max"), KEYS, EXPECTED))
    for hidden in ("nonce-1", "access-token-1", "max@muster.ch", "Max"):
        assert hidden not in shown
