"""The tokens of a session: access token for the API, id_token, and what userinfo says."""

import base64
import hashlib
import hmac
import json
import secrets
from datetime import datetime, timedelta
from typing import Any

from sandbox.bexio.realm import Forgery, Member, Session
from sandbox.bexio.signing import new_key, signed
from sandbox.bexio.values import Record
from sandbox.bexio.world import World

ID_TOKEN_SECONDS = 300


def issue(world: World, session: Session, issuer: str, *, nonce: str | None = None) -> Record:
    """The token endpoint's answer for a session."""
    realm, now = world.realm, world.now()
    seconds = int(realm.rules.access_seconds)
    access_token = _access_token(world, session, issuer, now, seconds)
    answer: Record = {
        "access_token": access_token,
        "expires_in": seconds,
        "refresh_expires_in": realm.rules.refresh_expires_in,
        "token_type": "Bearer",
        "not-before-policy": 0,
        "session_state": session.id,
        "scope": " ".join(sorted(session.scopes)),
    }
    if session.refresh_token is not None and not (session.refreshes and realm.rules.answers_without_refresh_token):
        answer["refresh_token"] = session.refresh_token
    if "openid" in session.scopes:
        claims = _proof(session, issuer, now) | ({} if nonce is None else {"nonce": nonce})
        answer["id_token"] = _forged(world, claims)
    return answer


def profile(member: Member, scopes: frozenset[str]) -> Record:
    """What the scopes let an application know of a person; recorded by codebar-ag from a real answer."""
    user = member.user
    known: Record = {"sub": member.subject}
    if "email" in scopes:
        known |= {"email": user["email"], "email_verified": True}
    if "profile" in scopes:
        gender = user.get("salutation_type", "")
        known |= {"given_name": user["firstname"], "family_name": user["lastname"], "gender": gender, "locale": "de-CH"}
    if "company_profile" in scopes:
        known |= {
            "company_id": member.company.id,
            "company_name": member.company.name,
            "company_user_id": user["id"],
            "shard_id": "shard-1",
        }
    return known


def _access_token(world: World, session: Session, issuer: str, now: datetime, seconds: int) -> str:
    member = session.member
    claims = {
        "iss": issuer,
        "sub": member.subject,
        "azp": session.client_id,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + seconds,
        "jti": secrets.token_hex(16),
        "typ": "Bearer",
        "scope": " ".join(sorted(session.scopes)),
        "company_id": member.company.id,
        "company_user_id": member.user["id"],
    }
    token = world.realm.keys.sign(claims)
    until = now + timedelta(seconds=seconds)
    if world.realm.rules.is_known_to_the_api:
        world.add_token(member.company.id, token, member.user["id"], session.scopes, until)
    session.access_tokens.append(token)
    while len(session.access_tokens) > 5:
        world.revoke_token(session.access_tokens.pop(0))
    return token


def _proof(session: Session, issuer: str, now: datetime) -> Record:
    return {
        "iss": issuer,
        "aud": session.client_id,
        "azp": session.client_id,
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + ID_TOKEN_SECONDS,
        "auth_time": int(session.signed_in_at.timestamp()),
        "jti": secrets.token_hex(16),
        "sid": session.id,
        "typ": "ID",
        **profile(session.member, session.scopes),
    }


def _forged(world: World, claims: Record) -> str:
    forgery: Forgery = world.realm.forgery
    for name, value in forgery.claims.items():
        claims = {**claims, name: value}
    claims = {name: value for name, value in claims.items() if value is not None}
    keys = world.realm.keys
    match forgery.signature:
        case "none":
            return f"{_part({'alg': 'none', 'typ': 'JWT', 'kid': keys.current.kid})}.{_part(claims)}."
        case "hs256":
            # By hand: the library refuses to take a public key for a shared secret.
            signed_part = f"{_part({'alg': 'HS256', 'typ': 'JWT', 'kid': keys.current.kid})}.{_part(claims)}"
            secret = keys.current.as_pem(private=False)
            return f"{signed_part}.{_base64(hmac.digest(secret, signed_part.encode(), hashlib.sha256))}"
        case "foreign":
            return signed(claims, new_key(), kid=str(keys.current.kid))
        case "foreign_kid":
            return signed(claims, new_key())
        case "broken":
            head, _, signature = keys.sign(claims).rpartition(".")
            return f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
        case "right":
            return keys.sign(claims)


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
