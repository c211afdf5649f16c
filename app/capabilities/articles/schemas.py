"""The public contract of articles."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ArticleImport(BaseModel):
    """What to import: all articles of bexio."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"dry_run": True}]})

    dry_run: bool = Field(default=False, description="Say what would be done, and write nothing.")


class ArticleStock(BaseModel):
    """What became of an article's stock; null as long as nobody decided.

    `set`: taken over from bexio, once. `kept`: Arcavis had its own. `none`: bexio keeps none. `refused`: Arcavis
    did not take it. `intended`: being set.
    """

    state: Literal["set", "kept", "none", "refused", "intended"]
    quantity: str | None
    store_id: str | None
    at: datetime | None


class ArticleLink(BaseModel):
    """An article that both systems have. Inactive: it is gone in one of them, see `reason`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a12",
                    "arcavis_id": "1749",
                    "bexio_id": 12,
                    "number": "100234",
                    "state": "active",
                    "reason": None,
                    "bexio_account_id": 101,
                    "stock": {"state": "set", "quantity": "14", "store_id": "1", "at": "2026-11-20T10:16:02+01:00"},
                    "created_at": "2026-11-20T10:16:01+01:00",
                    "updated_at": "2026-11-20T10:16:02+01:00",
                }
            ]
        }
    )

    id: UUID
    arcavis_id: str
    bexio_id: int
    number: str | None
    state: Literal["active", "inactive"]
    reason: str | None
    bexio_account_id: int | None
    stock: ArticleStock | None
    created_at: datetime
    updated_at: datetime
