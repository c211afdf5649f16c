"""From stored entries and comparisons to the public contract. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import Row

from app.api.explanation import explained
from app.capabilities.bookings.entry_schemas import (
    BookingEntry,
    EntryLine,
    EntryReceipt,
    LedgerComparison,
    LedgerDrift,
    LedgerSum,
    ReceiptEntries,
    ReceiptShare,
)
from app.capabilities.bookings.entry_store import StoredEntry
from app.capabilities.bookings.reconcile import Drift
from app.capabilities.bookings.reconciliation import Reconciled
from app.core.money import amount


def entry(stored: StoredEntry, *, with_receipts: bool = False) -> BookingEntry:
    """An entry as callers see it."""
    group = stored.group
    return BookingEntry(
        id=group.id,
        export_id=group.export_id,
        sale_day=group.sale_day,
        booked_on=group.booked_on,
        reference=group.reference,
        state=group.state,
        bexio_id=group.bexio_id,
        follows=group.follows,
        posted_at=group.posted_at,
        lines=[_line(row, stored, with_receipts=with_receipts) for row in stored.lines],
    )


def _line(row: Row[Any], stored: StoredEntry, *, with_receipts: bool) -> EntryLine:
    receipts = [
        EntryReceipt(transaction_id=one.receipt_id, number=one.number, amount=amount(one.amount))
        for one in stored.receipts.get(row.id, ())
    ]
    return EntryLine(
        rule_id=row.rule_id,
        rule_version=row.rule_version,
        rule=row.title,
        group=orjson.loads(row.group_key),
        debit_account_id=row.debit_account,
        credit_account_id=row.credit_account,
        tax_code=row.tax_code,
        amount=amount(row.amount),
        desired=amount(row.desired),
        posted_before=amount(row.posted),
        till_tax=amount(row.till_tax),
        text=row.text,
        receipts=receipts if with_receipts else None,
    )


def receipt(transaction_id: str, rows: Sequence[Row[Any]]) -> ReceiptEntries:
    """Where a receipt stands."""
    shares = [
        ReceiptShare(
            entry_id=row.entry_id,
            export_id=row.export_id,
            sale_day=row.sale_day,
            booked_on=row.booked_on,
            reference=row.reference,
            bexio_id=row.bexio_id,
            rule_id=row.rule_id,
            rule_version=row.rule_version,
            rule=row.title,
            debit_account_id=row.debit_account,
            credit_account_id=row.credit_account,
            tax_code=row.tax_code,
            text=row.text,
            amount=amount(row.amount),
        )
        for row in rows
    ]
    return ReceiptEntries(transaction_id=transaction_id, number=rows[0].number, shares=shares)


def comparison(found: Reconciled, language: str) -> LedgerComparison:
    """A reconciliation as callers see it."""
    sums = [
        LedgerSum(
            sale_day=row.day,
            account=row.account,
            tills=amount(row.tills),
            posted=amount(row.posted),
            bexio=amount(row.bexio),
        )
        for row in found.accounts
    ]
    agree = all(row.tills == row.posted == row.bexio for row in found.accounts)
    return LedgerComparison.model_validate(
        {
            "from": found.first,
            "to": found.last,
            "clean": agree and not found.drifts,
            "findings": [_drift(one, language) for one in found.drifts],
            "sums": sums,
        }
    )


def _drift(drift: Drift, language: str) -> LedgerDrift:
    said = explained(drift.code, drift.params, language)
    return LedgerDrift(
        **said.model_dump(),
        kind=drift.kind,
        sale_day=drift.day,
        reference=drift.reference,
        entry_id=drift.entry,
        bexio_ids=list(drift.bexio_ids),
    )
