"""The public contract of contacts."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.api.explanation import Explanation
from app.capabilities.contacts.fields import Kind

LinkState = Literal["active", "conflict", "inactive", "resolving"]
ConflictState = Literal["open", "resolving", "closed"]
ConflictKind = Literal["match", "field", "problem"]
Use = Annotated[str, StringConstraints(pattern=r"^(arcavis|bexio|create|link:[1-9][0-9]{0,14})$")]


class RunRequest(BaseModel):
    """What a run is asked for."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: bool = Field(default=False, description="Lists what would be done and writes nothing.")
    full: bool = Field(default=False, description="Reads and compares everything, not only what changed.")


class ContactLink(BaseModel):
    """A customer or supplier of Arcavis and its contact in bexio.

    `alias` is a second Arcavis record of a bexio contact: invoices go there, the sync leaves it alone. `reason` says
    why a link no longer counts.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a13",
                    "kind": "customer",
                    "arcavis_id": "501",
                    "bexio_id": 42,
                    "state": "active",
                    "alias": False,
                    "evidence": ["same name", "same e-mail"],
                    "reason": None,
                    "synced_at": "2026-11-20T10:15:30.120000+01:00",
                    "created_at": "2026-11-20T10:15:30.120000+01:00",
                    "updated_at": "2026-11-20T10:15:30.120000+01:00",
                }
            ]
        }
    )

    id: UUID
    kind: Kind
    arcavis_id: str
    bexio_id: int | None
    state: LinkState
    alias: bool
    evidence: list[str]
    reason: Explanation | None
    synced_at: datetime | None
    created_at: datetime
    updated_at: datetime


class MatchCandidate(BaseModel):
    """A bexio contact that may be the one. `strong`: it would have been linked if it were the only one."""

    bexio_id: int
    label: str
    reasons: list[str]
    strong: bool


class FieldValues(BaseModel):
    """The values of a field that exclude each other."""

    arcavis: str
    bexio: str


class ContactConflict(BaseModel):
    """What a person must decide or mend about a contact.

    `match`: which bexio contact is it, if any? `field`: which side's values hold? `problem`: it cannot be brought over;
    mend it in its system, then it goes on by itself.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a14",
                    "kind": "field",
                    "contact_kind": "customer",
                    "arcavis_id": "501",
                    "bexio_id": 42,
                    "contact": "Muster AG, 8000 Zürich",
                    "candidates": [],
                    "fields": {"email": {"arcavis": "info@muster.ch", "bexio": "buchhaltung@muster.ch"}},
                    "state": "open",
                    "resolution": None,
                    "explanation": {
                        "code": "contact-field-open",
                        "title": "A contact was changed in both systems",
                        "detail": "The same fields hold different values in Arcavis and bexio.",
                        "remedy": "Say which side's values hold.",
                    },
                    "created_at": "2026-11-20T10:15:30.120000+01:00",
                    "updated_at": "2026-11-20T10:15:30.120000+01:00",
                    "closed_at": None,
                }
            ]
        }
    )

    id: UUID
    kind: ConflictKind
    contact_kind: Kind
    arcavis_id: str | None
    bexio_id: int | None
    contact: str
    candidates: list[MatchCandidate]
    fields: dict[str, FieldValues]
    state: ConflictState
    resolution: str | None
    explanation: Explanation
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


class Resolution(BaseModel):
    """A person's decision: the side whose values hold, the bexio contact that it is, or a new one in bexio."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"use": "arcavis"}]})

    use: Use


class ContactPush(BaseModel):
    """How one contact stands after it was saved."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "customer",
                    "arcavis_id": "501",
                    "bexio_id": 42,
                    "state": "synced",
                    "reason": None,
                    "updated_at": "2026-11-20T10:15:30.120000+01:00",
                }
            ]
        }
    )

    kind: Kind
    arcavis_id: str
    bexio_id: int | None
    state: Literal["accepted", "synced", "conflict", "failed", "inactive", "attention"]
    reason: Explanation | None
    updated_at: datetime
