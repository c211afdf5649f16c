"""The public contract of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from app.api.explanation import Explanation


class RunView(BaseModel):
    """How far long work came. `counts` are its own figures, `total` what they run up to where that is known."""

    model_config = ConfigDict(
        title="Run",
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a12",
                    "kind": "contacts.import",
                    "state": "running",
                    "counts": {"read": 1200, "created": 1180, "conflicts": 20},
                    "total": 10000,
                    "reason": None,
                    "cancel_requested": False,
                    "detail": {"dry_run": False},
                    "created_at": "2026-11-20T10:15:30.120000+01:00",
                    "started_at": "2026-11-20T10:15:30.480000+01:00",
                    "finished_at": None,
                    "updated_at": "2026-11-20T10:16:02.900000+01:00",
                }
            ]
        },
    )

    id: UUID
    kind: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    counts: dict[str, int]
    total: int | None
    reason: Explanation | None
    cancel_requested: bool
    detail: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    updated_at: datetime
