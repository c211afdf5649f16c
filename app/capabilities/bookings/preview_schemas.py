"""The public contract of coverage and preview: what would be posted, on what grounds, and what stands against it."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.capabilities.documents.schemas import Sale

_FINDING: dict[str, Any] = {
    "code": "coverage-gap",
    "severity": "error",
    "days": ["2026-11-20"],
    "about": [],
    "title": "No booking rule fits",
    "detail": "No booking rule fits these: Payments, Payment type Check. They come to 50.00. Receipts: 2/815.",
    "remedy": "Create a booking rule for them, or one with the action “ignore” that leaves them out on purpose.",
    "receipts": {"count": 1, "examples": [{"id": "2000000000815", "number": "2/815"}]},
    "offers": [],
}
_PROOF: dict[str, Any] = {
    "receipts": 41,
    "sales": "1234.50",
    "vouchers_sold": "50.00",
    "tips": "4.00",
    "money_moved": "-320.00",
    "rounding": "0.02",
    "payments": "968.52",
    "balanced": True,
}
_ENTRY: dict[str, Any] = {
    "rule_id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7b01",
    "rule_version": 1,
    "title": "Umsatz",
    "group": {"store": "1", "tax_rate": "8.1"},
    "debit_account": "1000",
    "credit_account": "3200",
    "amount": "1108.10",
    "tax_code": "UN81",
    "tax_account": "3200",
    "desired": "1108.10",
    "posted": "0.00",
    "till_tax": "83.04",
    "ledger_tax": "83.03",
    "text": "Umsatz Zürich 8.1 % 20.11.2026",
    "receipts": {"count": 30, "examples": [{"id": "2000000000815", "number": "2/815"}]},
}


class PreviewRequest(BaseModel):
    """The sale days from `from` to `to`, both included. With `day`, the entries of that day only are shown."""

    model_config = ConfigDict(
        title="BookingPreviewRequest",
        extra="forbid",
        json_schema_extra={"examples": [{"from": "2026-11-01", "to": "2026-11-30"}]},
    )

    first: date = Field(alias="from", description="First sale day.")
    last: date = Field(alias="to", description="Last sale day.")
    day: date | None = Field(None, description="Show the entries of this day only; the hash is that of all days.")


class ReceiptRef(BaseModel):
    """A receipt by Arcavis' id, and its number as printed."""

    id: str
    number: str


class Receipts(BaseModel):
    """How many receipts are behind it, and the first of them."""

    count: int
    examples: list[ReceiptRef]


class BookingFinding(BaseModel):
    """What stands against a posting, in the caller's language. An `error` holds its days; others go on.

    `offers` are sales that were never invoiced, each as the body of `POST /invoices`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_FINDING]})

    code: str
    severity: Literal["error", "warning", "info"]
    days: list[date]
    about: list[str]
    title: str
    detail: str
    remedy: str
    receipts: Receipts
    offers: list[Sale]


class DayProof(BaseModel):
    """sales + vouchers_sold + tips + money_moved + rounding = payments; invoice sales are left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [_PROOF]})

    receipts: int
    sales: str
    vouchers_sold: str
    tips: str
    money_moved: str = Field(description="Expenses, skimming, loaded customer accounts.")
    rounding: str
    payments: str
    balanced: bool = Field(description="The rounding is within the tenant's limit.")


class PlannedEntry(BaseModel):
    """One line that would be posted: `amount`, above zero, is the difference between `desired` and `posted`.

    `till_tax` is the VAT that the tills printed, `ledger_tax` the one that bexio takes out of `desired`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_ENTRY]})

    rule_id: UUID | None = Field(description="Null for a day's rounding.")
    rule_version: int
    title: str
    group: dict[str, str]
    debit_account: str
    credit_account: str
    amount: str
    tax_code: str | None
    tax_account: str | None
    desired: str
    posted: str
    till_tax: str
    ledger_tax: str
    text: str
    receipts: Receipts


class PlannedGroup(BaseModel):
    """One manual group entry; `sha256` is that of the request's bytes."""

    reference: str
    booked_on: date
    entries: int
    sha256: str


class PlannedDay(BaseModel):
    """A sale day: `ready` to be posted, `unchanged`, or `held` by findings. `booked_on` differs in a closed period."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "day": "2026-11-20",
                    "state": "ready",
                    "booked_on": "2026-11-20",
                    "proof": _PROOF,
                    "entries": [_ENTRY],
                    "entries_in_all": 1,
                    "groups": [
                        {
                            "reference": "muster/20261120/1",
                            "booked_on": "2026-11-20",
                            "entries": 1,
                            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                        }
                    ],
                }
            ]
        }
    )

    day: date
    state: Literal["ready", "unchanged", "held"]
    booked_on: date
    proof: DayProof
    entries: list[PlannedEntry] = Field(description="The first of them; ask for one `day` to see more.")
    entries_in_all: int
    groups: list[PlannedGroup]


class Preview(BaseModel):
    """What an export of the period would post now. Hand `plan_hash` on to post exactly this or nothing."""

    model_config = ConfigDict(title="BookingPreview", populate_by_name=True)

    first: date = Field(alias="from", examples=["2026-11-20"])
    last: date = Field(alias="to", examples=["2026-11-20"])
    plan_hash: str = Field(examples=["5f1c8b1e0a6d4c22.8e0d3c5b7a914f60.1b9a7e44c03d5f88.77c2d0a9e6b14f35"])
    days: list[PlannedDay]
    findings: list[BookingFinding]


class Coverage(BaseModel):
    """Whether every line and payment of the period is hit by exactly one rule; what is not, with examples."""

    model_config = ConfigDict(title="BookingCoverage", populate_by_name=True)

    first: date = Field(alias="from", examples=["2026-11-20"])
    last: date = Field(alias="to", examples=["2026-11-20"])
    covered: bool = Field(examples=[False])
    receipts: int = Field(examples=[41])
    lines_and_payments: int = Field(examples=[120])
    gaps: list[BookingFinding]
    overlaps: list[BookingFinding]
