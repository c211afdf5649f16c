"""The public contract of connections and of the doctor."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from app.api.explanation import Explanation

Severity = Literal["error", "warning", "info"]

_BEXIO: dict[str, Any] = {
    "state": "connected",
    "kind": "token",
    "company_id": "q69vysq7fkzl",
    "company_name": "Muster AG",
    "user_name": "Max Muster",
    "connected_at": "2026-11-20T10:15:30.120000+01:00",
    "expires_at": "2027-05-19T10:15:30+01:00",
    "days_left": 180,
    "scopes_missing": [],
    "reason": None,
}
_ARCAVIS: dict[str, Any] = {
    "state": "connected",
    "base_url": "https://muster.arcavis.ch",
    "username": "webapi",
    "connected_at": "2026-11-20T10:12:11.400000+01:00",
    "reason": None,
}


class BexioState(BaseModel):
    """The connection to bexio. A personal access token ends: `days_left` says when, where the token tells.

    A connection by sign-in (`oauth`) renews itself and has no end; `scopes_missing` are the rights that it lacks.
    """

    state: Literal["connected", "reconnect_required", "disconnected", "not_connected"]
    kind: Literal["oauth", "token"] | None
    company_id: str | None
    company_name: str | None
    user_name: str | None
    connected_at: datetime | None
    expires_at: datetime | None
    days_left: int | None
    scopes_missing: list[str]
    reason: Explanation | None


class ArcavisState(BaseModel):
    """The connection to Arcavis."""

    state: Literal["connected", "reconnect_required", "not_connected"]
    base_url: str | None
    username: str | None
    connected_at: datetime | None
    reason: Explanation | None


class Connection(BaseModel):
    """Both connections of a tenant."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"bexio": _BEXIO, "arcavis": _ARCAVIS}]})

    bexio: BexioState
    arcavis: ArcavisState


class Authorization(BaseModel):
    """Where a person's browser begins to sign in at bexio; works once, for ten minutes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"authorization_url": "https://connector.example.ch/oauth/bexio/begin?ticket=Zk3…"}]
        }
    )

    authorization_url: str


class BexioToken(BaseModel):
    """A personal access token of a bexio user with all rights, from developer.bexio.com/pat."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, json_schema_extra={"examples": [{"personal_access_token": "eyJhbGciOi…"}]}
    )

    personal_access_token: SecretStr = Field(min_length=1, max_length=10_000)


class Finding(BaseModel):
    """One thing the doctor found. `about` names the settings or lists that it was found in."""

    code: str
    severity: Severity
    about: list[str]
    title: str
    detail: str
    remedy: str


class Diagnosis(BaseModel):
    """What the doctor found; `ok` when nothing keeps invoices and bookings from being made."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "ok": False,
                    "checked_at": "2026-11-20T10:15:30.120000+01:00",
                    "findings": [
                        {
                            "code": "account-missing",
                            "severity": "error",
                            "about": ["invoice_account_no"],
                            "title": "Account missing",
                            "detail": "Account 3200 does not exist in bexio or is inactive.",
                            "remedy": "Create or activate account 3200 in bexio, or choose another account.",
                        }
                    ],
                }
            ]
        }
    )

    ok: bool
    checked_at: datetime
    findings: list[Finding]
