"""The public contract of exports and reversals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PlanHash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f.]{10,200}$")]
ExportState = Literal["waiting", "running", "done", "failed", "cancelled"]


class ExportRequest(BaseModel):
    """The sale days from `from` to `to`, both included. With `plan_hash`, only what the preview showed is posted."""

    model_config = ConfigDict(
        title="BookingExportRequest",
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "from": "2026-11-01",
                    "to": "2026-11-30",
                    "plan_hash": "5f1c8b1e0a6d4c22.8e0d3c5b7a914f60.1b9a7e44c03d5f88.77c2d0a9e6b14f35",
                }
            ]
        },
    )

    first: date = Field(alias="from", description="First sale day.")
    last: date = Field(alias="to", description="Last sale day.")
    plan_hash: PlanHash | None = Field(None, description="As the preview answered it.")


class ReverseRequest(BaseModel):
    """Without a day, everything that stands for the days of the export is taken back."""

    model_config = ConfigDict(
        title="BookingReverseRequest", extra="forbid", json_schema_extra={"examples": [{"day": "2026-11-20"}, {}]}
    )

    day: date | None = Field(None, description="Only this sale day of the export.")


class ExportSummary(BaseModel):
    """An export, or the reversal of one, in a list; `id` is also that of its run. Days are sale days."""

    model_config = ConfigDict(
        title="BookingExportSummary",
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a12",
                    "kind": "export",
                    "state": "done",
                    "from": "2026-11-01",
                    "to": "2026-11-30",
                    "days": 30,
                    "daily": False,
                    "reverses": None,
                    "asked_by": "abx_backoffice_3f9a",
                    "created_at": "2026-12-01T08:15:30.120000+01:00",
                    "finished_at": "2026-12-01T08:15:58.480000+01:00",
                }
            ]
        },
        populate_by_name=True,
    )

    id: UUID
    kind: Literal["export", "reverse"]
    state: ExportState
    first: date = Field(alias="from")
    last: date = Field(alias="to")
    days: int
    daily: bool = Field(description="Whether it is the daily export's.")
    reverses: UUID | None = Field(description="The export that it takes back.")
    asked_by: str
    created_at: datetime
    finished_at: datetime | None
