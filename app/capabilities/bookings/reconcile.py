"""What bexio holds against what was posted: deleted, edited, doubled, foreign; and sums by account. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal
from uuid import UUID

from app.capabilities.bookings.readback import Booked, BookedLine, found, sent
from app.connectors.bexio.manual_entries import ManualEntry
from app.connectors.bexio.taxes import Tax
from app.core.money import ZERO, amount, vat_within

Kind = Literal["missing", "deleted", "edited", "doubled", "foreign", "unclear", "journal"]
CENT = Decimal("0.01")
_SALES = "sales_tax"


@dataclass(frozen=True, slots=True)
class Logged:
    """A group of our log. `state` is sending, posted or lost."""

    id: UUID
    day: date
    reference: str
    state: str
    bexio_id: int | None
    request: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Drift:
    """Something that does not agree; a code of the catalogue with its parameters."""

    kind: Kind
    code: str
    day: date
    params: Mapping[str, str]
    reference: str | None = None
    entry: UUID | None = None
    bexio_ids: tuple[int, ...] = ()


Sums = dict[tuple[date, int], Decimal]
"""(sale day, account id) -> debit less credit."""


@dataclass(slots=True)
class Comparison:
    """Our log of some days beside the entries that bexio has."""

    slug: str
    logged: Sequence[Logged]
    known_ids: frozenset[int]
    first: date
    last: date
    taxes: Mapping[int, Tax]
    number_of: Callable[[int], str] = str
    present: dict[int, ManualEntry] = field(default_factory=dict[int, ManualEntry])
    _by_id: dict[int, Logged] = field(default_factory=dict[int, Logged])
    _by_reference: dict[str, Logged] = field(default_factory=dict[str, Logged])
    _accounts: set[int] = field(default_factory=set[int])

    def __post_init__(self) -> None:
        for one in self.logged:
            self._by_reference[one.reference] = one
            if one.bexio_id is not None:
                self._by_id[one.bexio_id] = one
            for line in sent(one.request).lines:
                self._accounts |= {line.debit_account, line.credit_account}

    def take(self, entry: ManualEntry) -> None:
        """One of bexio's entries; what concerns nothing of ours is forgotten at once."""
        ours = entry.id in self._by_id or (entry.reference_nr or "").startswith(f"{self.slug}/")
        if ours or (self.first <= entry.date <= self.last and self._touches(entry)):
            self.present[entry.id] = entry

    def _touches(self, entry: ManualEntry) -> bool:
        return any({line.debit_account_id, line.credit_account_id} & self._accounts for line in entry.entries)

    def drifts(self) -> Iterator[Drift]:
        """Everything that does not agree."""
        claimed = set[int]()
        for one in self.logged:
            if one.state == "sending":
                yield Drift("unclear", "ledger-unclear", one.day, _said(one), one.reference, one.id)
            elif one.state == "posted":
                yield from self._posted(one, claimed)
        yield from self._others(claimed)

    def _posted(self, one: Logged, claimed: set[int]) -> Iterator[Drift]:
        wanted = sent(one.request)
        named = [entry for entry in self.present.values() if entry.reference_nr == one.reference]
        own = self.present.get(one.bexio_id or 0)
        # Somebody who deletes an entry and enters it again as it was has changed nothing.
        standing = own or next((entry for entry in named if found(entry) == wanted), None)
        if standing is None:
            params = {**_said(one), "amount": amount(wanted.total)}
            yield Drift("deleted", "ledger-deleted", one.day, params, one.reference, one.id)
            return
        claimed.add(standing.id)
        if found(standing) != wanted:
            params = {**_said(one), "what": difference(wanted, found(standing))}
            yield Drift("edited", "ledger-edited", one.day, params, one.reference, one.id, (standing.id,))
        copies = [entry.id for entry in named if entry.id != standing.id]
        copies += [entry.id for entry in self._twins(wanted) if entry.id not in {standing.id, *copies}]
        if copies:
            claimed.update(copies)
            params = {**_said(one), "entries": _ids(copies), "keep": str(standing.id)}
            yield Drift("doubled", "ledger-doubled", one.day, params, one.reference, one.id, tuple(copies))

    def _twins(self, wanted: Booked) -> list[ManualEntry]:
        """Entries of nobody known that book the very same, under whatever number and text."""
        bare = _bare(wanted)
        strangers = (entry for entry in self.present.values() if entry.id not in self.known_ids)
        return [entry for entry in strangers if entry.date == wanted.day and _bare(found(entry)) == bare]

    def _others(self, claimed: set[int]) -> Iterator[Drift]:
        for entry in self.present.values():
            if entry.id in claimed or entry.id in self.known_ids or not self.first <= entry.date <= self.last:
                continue
            reference = entry.reference_nr or ""
            logged = self._by_reference.get(reference)
            if logged is not None and logged.state == "sending":
                continue
            params = {"entries": str(entry.id), "day": entry.date.isoformat(), "amount": amount(found(entry).total)}
            if reference.startswith(f"{self.slug}/"):
                params["reference"] = reference
                yield Drift("foreign", "ledger-unknown", entry.date, params, reference, None, (entry.id,))
            else:
                yield Drift("foreign", "ledger-foreign", entry.date, params, None, None, (entry.id,))

    def posted_sums(self) -> Sums:
        """What we posted, by sale day and account, VAT split off as bexio does."""
        sums: Sums = defaultdict(Decimal)
        for one in self.logged:
            if one.state in {"sending", "posted"}:
                add_up(sums, one.day, sent(one.request).lines, self.taxes)
        return sums

    def bexio_sums(self) -> Sums:
        """What bexio holds of it now, doubles and edits included."""
        sums: Sums = defaultdict(Decimal)
        for entry in self.present.values():
            one = self._by_id.get(entry.id) or self._by_reference.get(entry.reference_nr or "")
            if one is not None:
                add_up(sums, one.day, found(entry).lines, self.taxes)
        return sums

    def check_journal(self, journal: Mapping[str, Mapping[int, Decimal]]) -> Iterator[Drift]:
        """Whether the journal shows each entry with the amounts that it says; `journal` by our number.

        Of entries that somebody meddled with it says nothing new: leave them out.
        """
        stand: dict[str, dict[int, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for entry in self.present.values():
            one = self._by_id.get(entry.id)
            if one is not None and entry.reference_nr == one.reference:
                sums: Sums = defaultdict(Decimal)
                add_up(sums, one.day, found(entry).lines, self.taxes)
                for (_, account), value in sums.items():
                    stand[one.reference][account] += value
        for reference, accounts in stand.items():
            one, shown = self._by_reference[reference], journal.get(reference, {})
            wrong = [
                account for account in {*accounts, *shown} if accounts.get(account, ZERO) != shown.get(account, ZERO)
            ]
            if wrong:
                params = {**_said(one), "what": ", ".join(sorted(self.number_of(account) for account in wrong))}
                yield Drift("journal", "ledger-journal-differs", one.day, params, reference, one.id)


def add_up(sums: Sums, day: date, lines: Mapping[BookedLine, int], taxes: Mapping[int, Tax]) -> None:
    """Adds what lines book: gross on both sides, the VAT moved from the account that carries it to the tax's own."""
    for line, count in lines.items():
        gross = line.amount * count
        sums[day, line.debit_account] += gross
        sums[day, line.credit_account] -= gross
        tax = taxes.get(line.tax)
        if tax is None or tax.account_id is None:
            continue
        vat = vat_within(line.amount, tax.value) * count
        sign = 1 if line.tax_account == line.debit_account else -1
        sums[day, line.tax_account] -= sign * vat
        sums[day, tax.account_id] += sign * vat


def difference(wanted: Booked, there: Booked) -> str:
    """What changed, in figures: they need no language."""
    said: list[str] = []
    if wanted.day != there.day:
        said.append(f"{wanted.day.isoformat()} → {there.day.isoformat()}")
    if wanted.reference != there.reference:
        said.append(f"{wanted.reference} → {there.reference or '-'}")
    if wanted.total != there.total:
        said.append(f"{amount(wanted.total)} → {amount(there.total)}")
    gone = sum((count for line, count in wanted.lines.items() if there.lines.get(line) != count), 0)
    if gone:
        said.append(f"{gone}/{sum(wanted.lines.values())} ≠")
    return "; ".join(said)


def _bare(booked: Booked) -> dict[tuple[int, int, Decimal, int], int]:
    """Without number and texts."""
    bare: dict[tuple[int, int, Decimal, int], int] = defaultdict(int)
    for line, count in booked.lines.items():
        bare[line.debit_account, line.credit_account, line.amount, line.tax] += count
    return dict(bare)


def _said(one: Logged) -> dict[str, str]:
    return {"reference": one.reference, "day": one.day.isoformat()}


def _ids(ids: Iterable[int]) -> str:
    return ", ".join(str(one) for one in ids)
