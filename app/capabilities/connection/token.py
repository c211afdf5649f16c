"""What a bexio token says of itself. Nothing is verified: bexio does that, we only show it and tell companies apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from joserfc import jws
from joserfc.errors import JoseError


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """`company_id` and `exp` of the token, where it is a JWT and has them."""

    company_id: str | None
    expires_at: datetime | None


def claims_of(token: str) -> TokenClaims:
    """The claims of a token; both None for one that is no JWT."""
    try:
        payload = json.loads(jws.extract_compact(token.encode()).payload)
    except (JoseError, ValueError, RecursionError):
        return TokenClaims(None, None)
    if not isinstance(payload, dict):
        return TokenClaims(None, None)
    claims = cast("dict[str, Any]", payload)
    company = claims.get("company_id")
    return TokenClaims(
        company_id=company if isinstance(company, str) and 0 < len(company) <= 100 else None,  # noqa: PLR2004 - an id
        expires_at=_moment(claims.get("exp")),
    )


def _moment(seconds: object) -> datetime | None:
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
