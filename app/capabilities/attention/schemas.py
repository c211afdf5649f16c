"""The public contract of what waits for a person."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, StringConstraints

State = Literal["open", "resolved", "dismissed"]


class AttentionItem(BaseModel):
    """Something that waits for a person: what it is about, what happened, what to do."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a11",
                    "code": "tax-code-missing",
                    "title": "VAT code missing",
                    "detail": "bexio has no active sales tax of 3.8 % on 2026-11-20.",
                    "remedy": "Activate the VAT code in bexio, then retry.",
                    "subject_kind": "document",
                    "subject_id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10",
                    "state": "open",
                    "created_at": "2026-11-20T10:15:30.120000+01:00",
                    "closed_at": None,
                    "closed_by": None,
                    "closed_reason": None,
                }
            ]
        }
    )

    id: UUID
    code: str
    title: str
    detail: str
    remedy: str
    subject_kind: str
    subject_id: UUID
    state: State
    created_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    closed_reason: str | None


class Dismissal(BaseModel):
    """Why nothing more is to be done about it."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "The customer paid in cash; receipt 2/816."}]}
    )

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
