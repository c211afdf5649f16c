"""A run as answers carry it: to whoever starts one (`contacts`, `articles`, `bookings`) and to whoever watches it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from fastapi import Response, status
from pydantic import BaseModel, ConfigDict

from app.api.explanation import Explanation, explained
from app.api.waiting import Settled
from app.db.session import Database
from app.jobs import runs
from app.jobs.runs import REASON_PARAMS, Run

EXPLAINED: Final = ("problems", "notes")
"""Lists of the detail whose entries have a `code` and `params`, and are shown with the code's texts."""


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


STARTED: Final[dict[int | str, dict[str, Any]]] = {
    201: {"description": "Finished while the caller waited.", "model": RunView},
    202: {"headers": {"Location": {"description": "The run.", "schema": {"type": "string"}}}},
}


def view(run: Run, language: str) -> RunView:
    """A run as callers see it."""
    params: Mapping[str, str] = run.detail.get(REASON_PARAMS, {})
    return RunView.model_validate(
        {
            "id": run.id,
            "kind": run.kind,
            "state": run.state,
            "counts": run.counts,
            "total": run.total,
            "reason": explained(run.reason, params, language) if run.reason else None,
            "cancel_requested": run.cancel_requested,
            "detail": _detail(run.detail, language),
            "created_at": run.created_at,
            "started_at": run.started_at,
            "finished_at": run.finished_at,
            "updated_at": run.updated_at,
        }
    )


async def answer(
    db: Database, settled: Settled, tenant: UUID, run: UUID, wait: int, language: str, response: Response
) -> RunView:
    """The answer to a POST that started a run: 202, or 201 when the wait saw it finished."""

    async def look() -> Run | None:
        async with db.begin(tenant) as session:
            found = await runs.read(session, run)
        return found if found.finished else None

    finished = await settled.until(run, wait, look) if wait else None
    if finished is None:
        async with db.begin(tenant) as session:
            finished = await runs.read(session, run)
    response.headers["Location"] = f"/runs/{run}"
    response.status_code = status.HTTP_201_CREATED if finished.finished else status.HTTP_202_ACCEPTED
    return view(finished, language)


def _detail(detail: Mapping[str, Any], language: str) -> dict[str, Any]:
    shown = {name: value for name, value in detail.items() if name != REASON_PARAMS}
    for name in EXPLAINED:
        if isinstance(shown.get(name), list):
            shown[name] = [_explained(entry, language) for entry in cast("list[dict[str, Any]]", shown[name])]
    return shown


def _explained(entry: Mapping[str, Any], language: str) -> dict[str, Any]:
    """An entry with its code's texts instead of the parameters that fill them in."""
    if "code" not in entry:
        return dict(entry)
    texts = explained(entry["code"], entry.get("params", {}), language)
    return {name: value for name, value in entry.items() if name != "params"} | texts.model_dump()
