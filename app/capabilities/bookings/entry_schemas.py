"""The public contract of entries, of what explains them, and of the reconciliation."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.api.explanation import Explanation

_ENTRY = "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a13"
_EXPORT = "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a12"
_RULE = "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a14"
_LINE: dict[str, Any] = {
    "rule_id": _RULE,
    "rule_version": 3,
    "rule": "Umsatz",
    "group": [["store", "1"], ["tax_rate", "8.1"]],
    "debit_account_id": 117,
    "credit_account_id": 101,
    "tax_code": "UN81",
    "amount": "108.10",
    "desired": "1189.10",
    "posted_before": "1081.00",
    "till_tax": "89.10",
    "text": "Umsatz Zürich 8.1 %",
    "receipts": [{"transaction_id": "2000000000815", "number": "2/815", "amount": "108.10"}],
}


class EntryReceipt(BaseModel):
    """What one receipt has of a line; the receipts of a line add up to its amount, but for a rounding."""

    model_config = ConfigDict(json_schema_extra={"examples": _LINE["receipts"]})

    transaction_id: str
    number: str
    amount: str


class EntryLine(BaseModel):
    """A line, positive from debit to credit. `desired` less `posted_before` is what the day's entry had to post for it.

    `till_tax` is the VAT that the tills printed for `desired`; bexio splits its own off the sum.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_LINE]})

    rule_id: UUID
    rule_version: int
    rule: str
    group: list[tuple[str, str]]
    debit_account_id: int
    credit_account_id: int
    tax_code: str | None
    amount: str
    desired: str
    posted_before: str
    till_tax: str
    text: str
    receipts: list[EntryReceipt] | None = Field(description="Only when one entry is asked for.")


class BookingEntry(BaseModel):
    """A manual group entry. `follows` is the first entry of the same sale day, to which this one is a correction."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": _ENTRY,
                    "export_id": _EXPORT,
                    "sale_day": "2026-11-20",
                    "booked_on": "2026-11-20",
                    "reference": "muster/20261120/2",
                    "state": "posted",
                    "bexio_id": 4711,
                    "follows": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a11",
                    "posted_at": "2026-11-21T04:00:12.480000+01:00",
                    "lines": [_LINE],
                }
            ]
        }
    )

    id: UUID
    export_id: UUID
    sale_day: date
    booked_on: date
    reference: str
    state: Literal["planned", "sending", "posted", "lost", "released"]
    bexio_id: int | None
    follows: UUID | None
    posted_at: datetime | None
    lines: list[EntryLine]


class ReceiptShare(BaseModel):
    """What a receipt has of one line of an entry."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entry_id": _ENTRY,
                    "export_id": _EXPORT,
                    "sale_day": "2026-11-20",
                    "booked_on": "2026-11-20",
                    "reference": "muster/20261120/2",
                    "bexio_id": 4711,
                    "rule_id": _RULE,
                    "rule_version": 3,
                    "rule": "Umsatz",
                    "debit_account_id": 117,
                    "credit_account_id": 101,
                    "tax_code": "UN81",
                    "text": "Umsatz Zürich 8.1 %",
                    "amount": "108.10",
                }
            ]
        }
    )

    entry_id: UUID
    export_id: UUID
    sale_day: date
    booked_on: date
    reference: str
    bexio_id: int | None
    rule_id: UUID
    rule_version: int
    rule: str
    debit_account_id: int
    credit_account_id: int
    tax_code: str | None
    text: str
    amount: str


class ReceiptEntries(BaseModel):
    """Where a receipt stands in bexio."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"transaction_id": "2000000000815", "number": "2/815", "shares": []}]}
    )

    transaction_id: str
    number: str
    shares: list[ReceiptShare]


class LedgerDrift(Explanation):
    """Something that does not agree, with its remedy. `bexio_ids` are the entries in bexio that it is about."""

    kind: Literal["missing", "deleted", "edited", "doubled", "foreign", "unclear", "journal"]
    sale_day: date
    reference: str | None
    entry_id: UUID | None
    bexio_ids: list[int]


class LedgerSum(BaseModel):
    """One account on one sale day, debit less credit: by the tills, by our log, and as bexio holds our entries now."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "sale_day": "2026-11-20",
                    "account": "3200",
                    "tills": "-1100.00",
                    "posted": "-1100.00",
                    "bexio": "-1100.00",
                }
            ]
        }
    )

    sale_day: date
    account: str
    tills: str
    posted: str
    bexio: str


class LedgerComparison(BaseModel):
    """Arcavis against our log against bexio. `clean` when nothing is found and all sums agree."""

    model_config = ConfigDict(
        title="Reconciliation",
        populate_by_name=True,
        json_schema_extra={
            "examples": [
                {
                    "from": "2026-11-20",
                    "to": "2026-11-20",
                    "clean": False,
                    "findings": [
                        {
                            "code": "ledger-deleted",
                            "title": "Entry deleted in bexio",
                            "detail": "The entry muster/20261120/1 of 2026-11-20 over 1189.10 was posted and is no …",
                            "remedy": "If that was a mistake, release the entry and export the day again.",
                            "kind": "deleted",
                            "sale_day": "2026-11-20",
                            "reference": "muster/20261120/1",
                            "entry_id": _ENTRY,
                            "bexio_ids": [],
                        }
                    ],
                    "sums": [],
                }
            ]
        },
    )

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    clean: bool
    findings: list[LedgerDrift]
    sums: list[LedgerSum]
