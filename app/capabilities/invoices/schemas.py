"""Open invoices in bexio, and payments of them at the till."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.capabilities.documents.schemas import AttentionSummary, Day, Id, Money, Strict, Waiting


class OpenInvoice(BaseModel):
    """An invoice that still asks for money."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "bexio_id": 42,
                    "number": "RE-00042",
                    "title": "2/815 (Zürich, Kasse 2)",
                    "contact_bexio_id": 7,
                    "date": "2026-11-20",
                    "due": "2026-12-20",
                    "currency_id": 1,
                    "total": "120.00",
                    "open_amount": "70.00",
                    "status": "partial",
                }
            ]
        }
    )

    bexio_id: int
    number: str
    title: str | None
    contact_bexio_id: int | None
    date: date
    due: date
    currency_id: int
    total: str = Field(examples=["120.00"])
    open_amount: str = Field(examples=["70.00"])
    status: Literal["open", "partial"]


class OpenInvoices(BaseModel):
    """The open invoices found, at most 100."""

    items: list[OpenInvoice]
    next_cursor: None = None


class TillPayment(Strict):
    """A payment that the till took for an open invoice."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"transaction_id": "2000000000820", "date": "2026-11-20", "payment_type_id": "1", "amount": "70.00"}
            ]
        }
    )

    transaction_id: Id
    date: Day
    payment_type_id: Id
    amount: Money


class RecordedPayment(BaseModel):
    """The payment on its way onto the invoice."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0198f3a0-6d1f-7b02-8c5e-0d9b7f6a5e43",
                    "transaction_id": "2000000000820",
                    "bexio_invoice_id": 42,
                    "bexio_payment_id": 17,
                    "date": "2026-11-20",
                    "payment_type_id": "1",
                    "amount": "70.00",
                    "status": "recorded",
                    "attention": None,
                    "waiting": None,
                    "created_at": "2026-11-20T10:20:00+01:00",
                    "updated_at": "2026-11-20T10:20:01+01:00",
                }
            ]
        }
    )

    id: UUID
    transaction_id: str
    bexio_invoice_id: int
    bexio_payment_id: int | None
    date: date
    payment_type_id: str
    amount: str
    status: Literal["accepted", "recorded", "attention"]
    attention: AttentionSummary | None
    waiting: Waiting | None
    created_at: datetime
    updated_at: datetime
