"""How plans and findings are shown. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import orjson

from app.capabilities.bookings.book import ROUNDING
from app.capabilities.bookings.entries import DayPlan, Entry
from app.capabilities.bookings.findings import Example, Finding
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.preview_schemas import BookingFinding, DayProof, PlannedDay, PlannedEntry, Receipts
from app.core import catalogue
from app.core.money import ZERO, amount

UNBALANCED = "day-does-not-balance"


def finding(found: Finding, language: str, offers: Sequence[dict[str, Any]] = ()) -> BookingFinding:
    """A finding in the caller's language."""
    said = catalogue.text(found.code, found.params, language)
    return BookingFinding.model_validate(
        {
            "code": found.code,
            "severity": found.severity,
            "days": list(found.days),
            "about": list(found.about),
            "title": said.title,
            "detail": said.detail,
            "remedy": said.remedy,
            "receipts": _receipts(found.count, found.examples).model_dump(),
            "offers": list(offers),
        }
    )


def day(plan: DayPlan, ledger: Ledger, most: int) -> PlannedDay:
    """A day with at most so many of its entries."""
    return PlannedDay.model_validate(
        {
            "day": plan.day,
            "state": plan.state,
            "booked_on": plan.booked_on,
            "proof": proof(plan),
            "entries": [entry(one, ledger) for one in plan.entries[:most]],
            "entries_in_all": len(plan.entries),
            "groups": [
                {
                    "reference": group.reference,
                    "booked_on": group.booked_on,
                    "entries": len(group.entries),
                    "sha256": hashlib.sha256(group.request).hexdigest(),
                }
                for group in plan.groups
            ],
        }
    )


def proof(plan: DayPlan) -> DayProof:
    """The day's equation; what is left over is the rounding."""
    sums = plan.sums
    return DayProof(
        receipts=sums.receipts,
        sales=amount(sums.sales),
        vouchers_sold=amount(sums.vouchers_sold),
        tips=amount(sums.tips),
        money_moved=amount(sums.money),
        rounding=amount(sums.difference),
        payments=amount(sums.payments),
        balanced=all(one.code != UNBALANCED for one in plan.findings),
    )


def entry(one: Entry, ledger: Ledger) -> PlannedEntry:
    """An entry with account numbers, its amount above zero."""
    position = one.position
    return PlannedEntry(
        rule_id=position.rule if position.rule != ROUNDING else None,
        rule_version=one.rule_version,
        title=one.title,
        group={str(name): str(value) for name, value in orjson.loads(position.group_key)},
        debit_account=ledger.number_of(one.debit_account),
        credit_account=ledger.number_of(one.credit_account),
        amount=amount(abs(one.amount)),
        tax_code=one.tax_code,
        tax_account=ledger.number_of(position.tax_account) if position.tax_account is not None else None,
        desired=amount(one.desired),
        posted=amount(one.posted),
        till_tax=amount(one.till_tax),
        ledger_tax=amount(one.ledger_tax if one.tax_code is not None else ZERO),
        text=one.text,
        receipts=_receipts(one.receipts, one.examples),
    )


def _receipts(count: int, examples: Sequence[Example]) -> Receipts:
    shown = [{"id": example.id, "number": example.number} for example in examples]
    return Receipts.model_validate({"count": count, "examples": shown})
