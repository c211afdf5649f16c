"""What should stand in the ledger less what was posted: the entries of a day, as the very bytes that are sent. Pure.

A day is a closed book: its bytes depend on its receipts, the rules that hold on it, bexio's accounts and periods, and
what was posted for it before; not on the period that was asked for, nor on the order in which receipts came.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import orjson

from app.capabilities.bookings import coverage
from app.capabilities.bookings.book import ROUNDING, Cell, DayBook, Sums, key_of
from app.capabilities.bookings.entries import DayPlan, Desired, Position, Posted, Terms
from app.capabilities.bookings.findings import Finding
from app.capabilities.bookings.preflight import SWITCHED_OFF, besides, check_accounts, check_tax, tax_account
from app.capabilities.bookings.proof import Rounding, prove
from app.capabilities.bookings.rules import Rule
from app.capabilities.bookings.settling import Settling
from app.capabilities.bookings.texts import Said, render
from app.connectors.bexio.taxes import Tax
from app.core.money import ZERO, plain

LAST = 1_000_000
PART = 16


def plan_day(book: DayBook, terms: Terms, posted: Sequence[Posted] = (), sequence: int = 0) -> DayPlan:
    """The plan of one day.

    Args:
        book: the day's receipts, all of them.
        terms: everything else.
        posted: what stands in bexio for the day, or is on its way there.
        sequence: the highest sequence of a group of this day that was ever sent; new ones follow it.
    """
    return _Planning(book, terms, posted, sequence).plan()


def reversal(day: date, terms: Terms, posted: Sequence[Posted], sequence: int) -> DayPlan:
    """The plan that takes back all that stands in bexio for a day: the same, with nothing desired."""
    return Settling(day, terms, {}, posted, sequence).plan(Sums(), (), ())


def plan_hash(days: Sequence[DayPlan], terms: Terms, rules: Sequence[Rule]) -> str:
    """What a plan rests on, in four parts with a dot between: rules, settings, bexio's books, the days.

    The days stand for the sales and for what was posted. To callers it is one opaque word.
    """
    settings = [terms.slug, terms.policy, terms.rounding_account, plain(terms.rounding_limit)]
    parts = (
        sorted([str(rule.id), rule.version] for rule in rules),
        settings,
        terms.ledger.figures(),
        [[one.day, one.digest.hex()] for one in sorted(days, key=lambda one: one.day)],
    )
    return ".".join(hashlib.sha256(orjson.dumps(part)).hexdigest()[:PART] for part in parts)


class _Planning:
    """From a book to what should stand in the ledger."""

    def __init__(self, book: DayBook, terms: Terms, posted: Sequence[Posted], sequence: int) -> None:
        self._book = book
        self._terms = terms
        self._posted = posted
        self._sequence = sequence
        self._findings: list[Finding] = []
        self._desired: dict[Position, Desired] = {}

    def plan(self) -> DayPlan:
        """Proves the day, and tells every cell and rounding to its accounts."""
        book, terms = self._book, self._terms
        self._findings += coverage.judge(book, terms.names)
        proof = prove(book, terms.rounding_limit)
        if proof.finding is not None:
            self._findings.append(proof.finding)
        for cell in book.cells.values():
            if cell.amount != ZERO:
                self._tell(cell)
        for rounding in proof.roundings:
            self._round(rounding)
        settling = Settling(book.day, terms, self._desired, self._posted, self._sequence)
        return settling.plan(book.sums, proof.roundings, self._findings)

    def _tell(self, cell: Cell) -> None:
        rule, ledger = cell.rule, self._terms.ledger
        flaws = [_on(self._book.day, finding) for finding in check_accounts(rule, ledger)]
        tax = self._tax(cell)
        if isinstance(tax, Finding):
            flaws += besides(flaws, tax)
        if {flaw.code for flaw in flaws} & SWITCHED_OFF and self._stands(cell, flaws):
            return
        self._findings += flaws
        debit, credit = ledger.account(rule.debit_account or ""), ledger.account(rule.credit_account or "")
        if debit is None or credit is None or isinstance(tax, Finding):
            return
        of_tax = tax_account(tax, debit, credit) if tax is not None else None
        position = Position(
            rule=rule.id,
            group_key=cell.group_key,
            debit_account=debit.id,
            credit_account=credit.id,
            tax=tax.id if tax is not None else None,
            tax_account=of_tax.id if of_tax is not None else None,
        )
        self._desired[position] = Desired(
            amount=cell.amount,
            rule_version=rule.version,
            title=rule.title,
            place=rule.position,
            text=self._text(cell),
            tax_code=tax.code if tax is not None else None,
            till_tax=cell.till_tax,
            receipts=cell.receipts,
            examples=tuple(cell.examples),
        )

    def _stands(self, cell: Cell, flaws: Sequence[Finding]) -> bool:
        """Whether a cell that could not be posted any more has been: only what must be posted needs living accounts."""
        rule, ledger = cell.rule, self._terms.ledger
        there = [
            row for row in self._posted if (row.position.rule, row.position.group_key) == (rule.id, cell.group_key)
        ]
        errors = {flaw.code for flaw in flaws if flaw.severity == "error"}
        if errors - SWITCHED_OFF or sum((row.amount for row in there), ZERO) != cell.amount:
            return False
        sides = [ledger.account(number or "") for number in (rule.debit_account, rule.credit_account)]
        meant = [side.id for side in sides if side is not None]
        rate = Decimal(cell.tax_rate) if cell.tax_rate is not None else None
        for row in there:
            at = row.position
            if [at.debit_account, at.credit_account] != meant or not ledger.vat.means(rule.tax_code, rate, at.tax):
                return False
        for row in there:
            self._desired[row.position] = Desired(
                row.amount, row.rule_version, row.title, rule.position, row.text, row.tax_code
            )
        self._findings += [flaw for flaw in flaws if flaw.severity != "error"]
        return True

    def _tax(self, cell: Cell) -> Tax | Finding | None:
        rule, day = cell.rule, self._book.day
        if cell.mixed and rule.source == "articles" and rule.tax_code is not None:
            params = {"rule": rule.title, "tax_code": rule.tax_code}
            return Finding("vat-rates-mixed", "error", (day,), (str(rule.id),), params)
        rate = Decimal(cell.tax_rate) if cell.tax_rate is not None else None
        return check_tax(rule, rate, day, self._terms.ledger)

    def _text(self, cell: Cell) -> str:
        said = Said(
            day=self._book.day,
            rule=cell.rule.title,
            seen={name: tuple(values) for name, values in cell.seen.items()},
            numbers=tuple(example.number for example in cell.examples),
            receipts=cell.receipts,
        )
        return render(cell.rule.text, said, self._terms.names)

    def _round(self, rounding: Rounding) -> None:
        day, ledger = self._book.day, self._terms.ledger
        number = self._terms.rounding_account
        account = ledger.account(number) if number is not None else None
        clearing = ledger.account(rounding.account)
        if account is None or not account.is_active:
            code = "rounding-account-missing" if number is not None else "rounding-account-not-chosen"
            self._findings.append(Finding(code, "error", (day,), ("rounding_account_no",), {"account": number or ""}))
        elif clearing is not None:
            key = key_of((("account", rounding.account),))
            position = Position(ROUNDING, key, clearing.id, account.id)
            text = self._terms.rounding_text
            self._desired[position] = Desired(rounding.amount, 0, text, LAST, f"{text} {day:%d.%m.%Y}")


def _on(day: date, finding: Finding) -> Finding:
    return Finding(finding.code, finding.severity, (day,), finding.about, finding.params)
