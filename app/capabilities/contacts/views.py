"""Rows as callers see them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row

from app.api.explanation import Explanation, explained
from app.capabilities.contacts.schemas import (
    ContactConflict,
    ContactLink,
    ContactPush,
    FieldValues,
    MatchCandidate,
)


def link(row: Row[Any], language: str) -> ContactLink:
    """A link."""
    return ContactLink(
        id=row.id,
        kind=row.kind,
        arcavis_id=row.arcavis_id,
        bexio_id=row.bexio_id,
        state=row.state,
        alias=row.alias,
        evidence=list(row.evidence.get("reasons", ())),
        reason=explained(f"contact-{row.reason}", {}, language) if row.reason else None,
        synced_at=row.synced_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def conflict(row: Row[Any], language: str) -> ContactConflict:
    """A conflict."""
    return ContactConflict(
        id=row.id,
        kind=row.kind,
        contact_kind=row.contact_kind,
        arcavis_id=row.arcavis_id,
        bexio_id=row.bexio_id,
        contact=row.detail.get("contact", ""),
        candidates=[MatchCandidate.model_validate(one) for one in row.detail.get("candidates", ())],
        fields={name: FieldValues.model_validate(one) for name, one in row.detail.get("fields", {}).items()},
        state=row.state,
        resolution=row.resolution,
        explanation=_explanation(row, language),
        created_at=row.created_at,
        updated_at=row.updated_at,
        closed_at=row.closed_at,
    )


def push(row: Row[Any], language: str) -> ContactPush:
    """A contact that was saved."""
    return ContactPush(
        kind=row.kind,
        arcavis_id=row.arcavis_id,
        bexio_id=row.bexio_id,
        state=row.state,
        reason=explained(row.code, row.params, language) if row.code else None,
        updated_at=row.updated_at,
    )


def _explanation(row: Row[Any], language: str) -> Explanation:
    if row.kind == "problem":
        return explained(row.detail["code"], row.detail["params"], language)
    return explained(f"contact-{row.kind}-open", {}, language)
