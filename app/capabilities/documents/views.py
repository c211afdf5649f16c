"""A document as callers see it, its texts in their language."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from app.capabilities.documents.schemas import AttentionSummary, BexioSide, Document, Sale, Waiting
from app.core import catalogue
from app.core.money import amount
from app.db.statements import Record

BEXIO_OFFICE = "https://office.bexio.com/index.php/kb_invoice/show/id"


def document(row: Row[Any] | Record, language: str) -> Document:
    """A row of `records.show` or `records.listing`."""
    return Document(
        id=row.id,
        source=row.source,
        transaction_id=row.transaction_id,
        number=row.number,
        date=row.sale_date,
        total=amount(row.total),
        status=row.shown_status,
        bexio=bexio_side(row),
        attention=attention_summary(row, language),
        waiting=waiting(row, language),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def accepted(sale: Sale, source: Literal["sale", "order"], document: UUID, now: datetime) -> Document:
    """A sale that was recorded just now, before anybody works on it."""
    return Document(
        id=document,
        source=source,
        transaction_id=sale.transaction_id,
        number=sale.number,
        date=sale.date,
        total=amount(sale.total),
        status="accepted",
        bexio=None,
        attention=None,
        waiting=None,
        created_at=now,
        updated_at=now,
    )


def bexio_side(row: Row[Any] | Record) -> BexioSide | None:
    """The invoice in bexio, once there is one."""
    if row.bexio_id is None:
        return None
    return BexioSide(
        id=row.bexio_id,
        number=row.bexio_number,
        total=amount(row.bexio_total),
        status=row.bexio_status,
        open_amount=amount(row.bexio_open),
        url=f"{BEXIO_OFFICE}/{row.bexio_id}",
    )


def attention_summary(row: Row[Any] | Record, language: str) -> AttentionSummary | None:
    """What waits for a person, from the `attention_...` columns of a row."""
    if row.attention_id is None:
        return None
    text = catalogue.text(row.attention_code, row.attention_params, language)
    return AttentionSummary(
        id=row.attention_id,
        code=row.attention_code,
        title=text.title,
        detail=text.detail,
        remedy=text.remedy,
        created_at=row.attention_at,
    )


def waiting(row: Row[Any] | Record, language: str) -> Waiting | None:
    """Why it is not finished yet, from a row's `work_...` columns; None when it is, or when a person must act."""
    if row.work_state != "waiting" or row.work_reason is None or row.shown_status not in {"accepted", "sending"}:
        return None
    title = catalogue.text(row.work_reason, {}, language).title
    return Waiting(code=row.work_reason, title=title, next_attempt_at=row.next_attempt_at)
