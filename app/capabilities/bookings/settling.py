"""From what should stand in the ledger, and what stands there, to the groups that make up the difference. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import orjson

from app.capabilities.bookings.book import Sums
from app.capabilities.bookings.entries import DayPlan, Desired, Entry, Group, Position, Posted, State, Terms
from app.capabilities.bookings.findings import Finding, merged
from app.capabilities.bookings.proof import Rounding
from app.capabilities.bookings.texts import with_reference
from app.core.money import ZERO, plain, vat_within

LINES_PER_GROUP = 100
"""bexio names no limit; a request of this size is far from any."""


class Settling:
    """From what should stand, and what stands, to the groups that make up the difference."""

    def __init__(
        self,
        day: date,
        terms: Terms,
        desired: Mapping[Position, Desired],
        posted: Sequence[Posted],
        sequence: int,
    ) -> None:
        self._day = day
        self._terms = terms
        self._desired = desired
        self._posted = {row.position: row for row in posted}
        self._sequence = sequence
        self._taxes = {tax.id: tax for tax in terms.ledger.taxes}

    def plan(self, sums: Sums, roundings: tuple[Rounding, ...], found: Sequence[Finding]) -> DayPlan:
        """The day's plan, with what was found out about it already."""
        entries = tuple(sorted(self._entries(), key=lambda entry: (entry.place, entry.position.order)))
        findings = [*found]
        booked_on = self._day
        if entries:
            with_vat = any(entry.position.tax is not None for entry in entries)
            day = self._open_day(with_vat=with_vat)
            if isinstance(day, Finding):
                findings.append(day)
            else:
                booked_on = day
        findings += self._bookable(booked_on, entries)
        held = any(finding.severity == "error" for finding in findings)
        groups = () if held else tuple(self._groups(entries, booked_on))
        state: State = "held" if held else "ready" if groups else "unchanged"
        digest = self._digest(state, booked_on, sums, entries, groups, findings)
        return DayPlan(self._day, state, booked_on, sums, roundings, entries, groups, tuple(merged(findings)), digest)

    def _entries(self) -> Iterator[Entry]:
        for position in {**self._desired, **self._posted}:
            wanted = self._desired.get(position) or self._gone(position)
            there = self._posted[position].lines if position in self._posted else ()
            stands = sum(there, ZERO)
            for amount in self._amounts(position, wanted.amount, there):
                yield Entry(
                    position=position,
                    place=wanted.place,
                    rule_version=wanted.rule_version,
                    title=wanted.title,
                    text=wanted.text,
                    amount=amount,
                    desired=wanted.amount,
                    posted=stands,
                    tax_code=wanted.tax_code,
                    till_tax=wanted.till_tax,
                    ledger_tax=self._vat(position, wanted.amount),
                    receipts=wanted.receipts,
                    examples=wanted.examples,
                )

    def _gone(self, position: Position) -> Desired:
        """What should stand for a position that no rule means any more: nothing, in the words of what stands there."""
        stands = self._posted[position]
        return Desired(ZERO, stands.rule_version, stands.title, 0, stands.text, stands.tax_code)

    def _amounts(self, position: Position, desired: Decimal, there: Sequence[Decimal]) -> tuple[Decimal, ...]:
        """What makes up the difference, so that its VAT does too: the ledger is that of one perfect export.

        bexio rounds the VAT of each line. Where that of the difference is not the difference of both, what stands is
        taken back whole and the new amount posted whole; where even that leaves VAT, as after an entry that was
        released, what stands is taken back line by line.
        """
        stands, wanted = sum(there, ZERO), self._vat(position, desired)
        stood = sum((self._vat(position, line) for line in there), ZERO)
        for way in ((desired - stands,), (-stands, desired)):
            if stood + sum((self._vat(position, amount) for amount in way), ZERO) == wanted:
                return tuple(amount for amount in way if amount)
        return tuple(amount for amount in (*(-line for line in there), desired) if amount)

    def _vat(self, position: Position, amount: Decimal) -> Decimal:
        tax = self._taxes.get(position.tax) if position.tax is not None else None
        return vat_within(amount, tax.value) if tax is not None else ZERO

    def _open_day(self, *, with_vat: bool) -> date | Finding:
        """The day to book on, or why there is none."""
        ledger, terms = self._terms.ledger, self._terms
        closed = ledger.closed_by(self._day, with_vat=with_vat)
        if closed is None:
            return self._day
        if terms.policy == "next_open_day":
            following = ledger.next_open_day(self._day, terms.today, with_vat=with_vat)
            if following is not None:
                return following
        code, params = closed
        return Finding(code, "error", (self._day,), ("closed_period_policy",), params)

    def _bookable(self, booked_on: date, entries: Sequence[Entry]) -> Iterator[Finding]:
        """Whether bexio still takes each position: rules were asked for the sale day, and not about what stands."""
        for entry in entries:
            tax = self._taxes.get(entry.position.tax) if entry.position.tax is not None else None
            about, said = (str(entry.position.rule),), {"rule": entry.title}
            if tax is not None and not (tax.is_active and tax.holds_on(booked_on)):
                code = "vat-code-expired" if tax.is_active else "vat-code-inactive"
                params = {**said, "tax_code": tax.code, "day": booked_on.isoformat()}
                yield Finding(code, "error", (self._day,), about, params)
            for account_id in (entry.debit_account, entry.credit_account):
                if not self._terms.ledger.is_active(account_id):
                    params = {**said, "account": self._terms.ledger.number_of(account_id)}
                    yield Finding("booking-account-inactive", "error", (self._day,), about, params)

    def _groups(self, entries: Sequence[Entry], booked_on: date) -> Iterator[Group]:
        chunks = (entries[first : first + LINES_PER_GROUP] for first in range(0, len(entries), LINES_PER_GROUP))
        for sequence, chunk in enumerate(chunks, self._sequence + 1):
            reference = f"{self._terms.slug}/{self._day:%Y%m%d}/{sequence}"
            request = self._request(chunk, booked_on, reference)
            yield Group(sequence, reference, booked_on, tuple(chunk), request)

    def _request(self, entries: Sequence[Entry], booked_on: date, reference: str) -> bytes:
        moved_from = self._day if booked_on != self._day else None
        body = {
            "type": "manual_group_entry",
            "date": booked_on.isoformat(),
            "reference_nr": reference,
            "entries": [self._line(entry, with_reference(entry.text, reference, moved_from)) for entry in entries],
        }
        return orjson.dumps(body)

    def _line(self, entry: Entry, text: str) -> dict[str, object]:
        position = entry.position
        taxed = {"tax_id": position.tax, "tax_account_id": position.tax_account} if position.tax is not None else {}
        return {
            "debit_account_id": entry.debit_account,
            "credit_account_id": entry.credit_account,
            **taxed,
            "description": text,
            # A number of two decimals: its shortest text is the amount itself.
            "amount": float(abs(entry.amount)),
            "currency_id": self._terms.ledger.currency_id,
            "currency_factor": 1,
        }

    def _digest(
        self,
        state: State,
        booked_on: date,
        sums: Sums,
        entries: Sequence[Entry],
        groups: Sequence[Group],
        findings: Sequence[Finding],
    ) -> bytes:
        said = [
            self._day,
            state,
            booked_on,
            [plain(one) for one in (sums.sales, sums.vouchers_sold, sums.tips, sums.money, sums.payments)],
            [sums.receipts, sums.items],
            [
                [entry.position.order, plain(entry.desired), plain(entry.posted), entry.rule_version]
                for entry in entries
            ],
            sorted(finding.code for finding in findings if finding.severity == "error"),
        ]
        digest = hashlib.sha256(orjson.dumps(said))
        for group in groups:
            digest.update(group.request)
        return digest.digest()
