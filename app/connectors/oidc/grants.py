"""What the token endpoint answers, and what it means when it does not give a token."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from app.connectors.oidc.claims import Claims
from app.connectors.oidc.scopes import INDISPENSABLE, missing
from app.connectors.refusals import Answer, refusal
from app.core.errors import RemoteError, RemoteRejected, RemoteUnavailable

# When an answer does not say how long its access token works.
USUAL_LIFETIME = 300
LONGEST_LIFETIME = 30 * 24 * 3600
# A refresh token dies after a year without use; a month leaves time for eleven more attempts.
KEEP_AFTER = timedelta(days=30)
# The rest of an access token's life in which it is renewed ahead, at most half of it.
AHEAD = 60.0
APP_PAUSE = 60.0

Token = Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{8,16384}$")]
_APP_REFUSED = frozenset({"invalid_client", "unauthorized_client"})


class _Answer(BaseModel):
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)

    access_token: Token
    refresh_token: Token | None = None
    id_token: str | None = None
    expires_in: int | None = None
    refresh_expires_in: int | None = None
    scope: str | None = None

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        return []

    __str__ = BaseModel.__repr__


class _Refusal(BaseModel):
    error: str = ""


_ANSWER = TypeAdapter(_Answer)
_REFUSAL = TypeAdapter(_Refusal)


class GrantRefused(RemoteRejected):
    """`invalid_grant`: the code or refresh token is used, expired, revoked, or another application's."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """What one exchange or refresh gave. From `renew_from` on the access token is renewed, until then it just works.

    `keep_by` is when the refresh token is used at the latest, lest it dies.
    """

    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    renew_from: datetime
    access_until: datetime
    keep_by: datetime
    scopes: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Grant:
    """A sign-in that is proven: tokens of one company, and whose they are."""

    tokens: Tokens
    claims: Claims
    scopes: frozenset[str]

    def lacking(self, wanted: Iterable[str]) -> list[str]:
        """The wanted scopes without which no invoice could be made, or none for long: such a grant is not kept."""
        lacking = [scope for scope in missing(self.scopes, wanted) if scope in INDISPENSABLE]
        if self.tokens.refresh_token is None and "offline_access" not in lacking:
            lacking.append("offline_access")
        return lacking


def read(answer: Answer, now: datetime) -> Tokens | None:
    """The tokens of a 2xx; None when it is not what was agreed. `now` is when it was asked for."""
    try:
        given = _ANSWER.validate_json(answer.content)
    except ValidationError:
        return None
    lifetime = min(max(given.expires_in or USUAL_LIFETIME, 1), LONGEST_LIFETIME)
    idle = timedelta(seconds=given.refresh_expires_in) if given.refresh_expires_in else None
    return Tokens(
        access_token=given.access_token,
        refresh_token=given.refresh_token,
        id_token=given.id_token,
        renew_from=now + timedelta(seconds=lifetime - min(AHEAD, lifetime / 2)),
        access_until=now + timedelta(seconds=lifetime),
        keep_by=now + (min(KEEP_AFTER, idle / 2) if idle is not None and idle > timedelta(0) else KEEP_AFTER),
        scopes=frozenset(given.scope.split()) if given.scope is not None else None,
    )


def refused(answer: Answer) -> RemoteError:
    """The error for a 400 or 401 of the token endpoint (RFC 6749 5.2)."""
    try:
        error = _REFUSAL.validate_json(answer.content).error
    except ValidationError:
        error = ""
    if error == "invalid_grant":
        return GrantRefused("bexio-refresh-refused", "bexio", answer.status)
    if error in _APP_REFUSED or answer.status == HTTPStatus.UNAUTHORIZED:
        # Nothing that a tenant could mend: its work waits until the operator has.
        return RemoteUnavailable("bexio-app-refused", "bexio", APP_PAUSE)
    return refusal("bexio", answer, wrote=False)
