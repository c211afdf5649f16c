"""The public contract of the audit trail."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class AuditLine(BaseModel):
    """One thing that somebody did. `actor` is a key's prefix, `operator` or `system`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": 17,
                    "at": "2026-11-20T10:15:30.120000+01:00",
                    "actor": "abx_backoffice_Ab3dE6",
                    "action": "settings.change",
                    "subject_kind": "tenant",
                    "subject_id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10",
                    "detail": {"invoice_due_days": "30 -> 14"},
                }
            ]
        }
    )

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: str
    detail: dict[str, str]
