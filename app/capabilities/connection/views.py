"""Connections as callers see them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from app.api.explanation import Explanation, explained
from app.capabilities.connection.schemas import ArcavisState, BexioState, Connection
from app.connectors.oidc.scopes import missing


def connection(bexio: Row[Any] | None, arcavis: Row[Any] | None, language: str, now: datetime) -> Connection:
    """Both sides; a row that is not there is a connection that was never made."""
    return Connection(bexio=_bexio(bexio, language, now), arcavis=_arcavis(arcavis, language))


def days_left(expires_at: datetime | None, now: datetime) -> int | None:
    """Whole days until the token ends, negative once it has; None when it does not tell."""
    return (expires_at - now).days if expires_at is not None else None


def _bexio(row: Row[Any] | None, language: str, now: datetime) -> BexioState:
    if row is None:
        return BexioState(
            state="not_connected",
            kind=None,
            company_id=None,
            company_name=None,
            user_name=None,
            connected_at=None,
            expires_at=None,
            days_left=None,
            scopes_missing=[],
            reason=None,
        )
    return BexioState(
        state=row.state,
        kind=row.kind,
        company_id=row.company_id,
        company_name=row.company_name,
        user_name=row.user_name,
        connected_at=row.connected_at,
        expires_at=row.expires_at,
        days_left=days_left(row.expires_at, now),
        scopes_missing=missing(row.scopes) if row.kind == "oauth" else [],
        reason=_reason(row, language),
    )


def _arcavis(row: Row[Any] | None, language: str) -> ArcavisState:
    if row is None:
        return ArcavisState(state="not_connected", base_url=None, username=None, connected_at=None, reason=None)
    return ArcavisState(
        state=row.state,
        base_url=row.base_url,
        username=row.username,
        connected_at=row.connected_at,
        reason=_reason(row, language),
    )


def _reason(row: Row[Any], language: str) -> Explanation | None:
    return explained(row.reason, {"status": "401", "reasons": ""}, language) if row.reason else None
