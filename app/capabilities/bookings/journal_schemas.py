"""The public contract of an export's journal."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.api.explanation import Explanation
from app.capabilities.bookings.export_schemas import ExportSummary

_LINE: dict[str, Any] = {
    "sale_day": "2026-11-20",
    "booked_on": "2026-11-20",
    "reference": "muster/20261120/1",
    "state": "posted",
    "bexio_id": 42,
    "title": "Umsatz",
    "text": "Umsatz Zürich 8.1 % 20.11.2026",
    "debit_account": "1000",
    "credit_account": "3200",
    "amount": "1108.10",
    "tax_code": "UN81",
    "vat": "83.03",
    "receipts": 30,
}


class JournalLine(BaseModel):
    """One line of a manual entry; `amount` includes the `vat` that bexio takes out of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    sale_day: date
    booked_on: date
    reference: str
    state: str
    bexio_id: int | None
    title: str
    text: str
    debit_account: str
    credit_account: str
    amount: str
    tax_code: str | None
    vat: str
    receipts: int


class JournalDay(BaseModel):
    """What became of a sale day, and why, where it was not posted."""

    day: date = Field(examples=["2026-11-20"])
    state: str = Field(examples=["posted"])
    booked_on: date = Field(examples=["2026-11-20"])
    entries: int = Field(examples=[1])
    findings: list[Explanation]


class JournalAccount(BaseModel):
    """What the export did to an account, VAT on its own account; `balance` is debit less credit."""

    number: str = Field(examples=["1000"])
    name: str = Field(examples=["Kasse"])
    debit: str = Field(examples=["1108.10"])
    credit: str = Field(examples=["0.00"])
    balance: str = Field(examples=["1108.10"])


class JournalVat(BaseModel):
    """What went through a VAT code."""

    code: str = Field(examples=["UN81"])
    rate: str = Field(examples=["8.1"])
    gross: str = Field(examples=["1108.10"])
    vat: str = Field(examples=["83.03"])
    net: str = Field(examples=["1025.07"])


class ExportJournal(BaseModel):
    """An export with its days, its lines, and the totals for the accountant."""

    model_config = ConfigDict(title="BookingJournal")

    export: ExportSummary
    made_at: datetime = Field(examples=["2026-12-01T08:20:00+01:00"])
    days: list[JournalDay]
    lines: list[JournalLine]
    accounts: list[JournalAccount]
    vat: list[JournalVat]
