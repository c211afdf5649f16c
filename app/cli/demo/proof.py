"""The proof: what the tills took against what stands in bexio, read from the simulator itself. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.cli.demo.morning import Sold
from app.cli.demo.shop import PAID_AT_TILL, SLUG

DRAFT, CANCELLED = 7, 19
RECEIVABLES = "1100"
MAPPED = frozenset(PAID_AT_TILL)


@dataclass(frozen=True, slots=True)
class Check:
    """One claim, whether it holds, and the figures."""

    claim: str
    holds: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Books:
    """What the simulated bexio holds: its invoices, and its trial balance as `{rows, debit, credit}`."""

    invoices: Sequence[Mapping[str, Any]]
    trial_balance: Mapping[str, Any]

    def by_reference(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """The invoices by the natural key they carry."""
        found: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for invoice in self.invoices:
            found[str(invoice["api_reference"] or "")].append(invoice)
        return found

    def balance(self, account: str) -> Decimal:
        """An account's balance, debit minus credit."""
        return sum(
            (Decimal(r["balance"]) for r in self.trial_balance["rows"] if r["account_no"] == account), Decimal(0)
        )


def reference(sale: Sold) -> str:
    """What the sale's invoice carries in `api_reference`."""
    return f"{SLUG}/sale/{sale.body['transaction_id']}"


def prove(sales: Sequence[Sold], books: Books) -> list[Check]:
    """Every claim about the morning, checked."""
    invoices = books.by_reference()
    return [
        _one_each(sales, invoices),
        _nothing_else(sales, invoices),
        _totals(sales, invoices),
        _payments(sales, invoices),
        _repeats(sales),
        _cancelled(sales, invoices),
        _finished(sales),
        _receivables(sales, books),
        _balanced(books),
    ]


Invoices = Mapping[str, Sequence[Mapping[str, Any]]]


def _names(sales: Iterable[Sold]) -> str:
    return ", ".join(str(sale.body["number"]) for sale in sales)


def _one_each(sales: Sequence[Sold], invoices: Invoices) -> Check:
    wrong = [
        sale
        for sale in sales
        if [one["kb_item_status_id"] == DRAFT for one in invoices.get(reference(sale), ())] != [False]
    ]
    found = sum(len(invoices.get(reference(sale), ())) for sale in sales)
    figures = f"{len(sales)} sales, {found} invoices" + (f"; wrong: {_names(wrong)}" if wrong else "")
    return Check("Every sale has exactly one invoice in bexio, and it is issued", not wrong, figures)


def _nothing_else(sales: Sequence[Sold], invoices: Invoices) -> Check:
    known = {reference(sale) for sale in sales}
    others = [one for key, found in invoices.items() if key not in known for one in found]
    return Check("Nothing else was written: no stray draft, no second invoice", not others, f"{len(others)} others")


def _totals(sales: Sequence[Sold], invoices: Invoices) -> Check:
    pairs = [(sale, Decimal(one["total"])) for sale in sales for one in invoices.get(reference(sale), ())]
    wrong = [sale for sale, total in pairs if sale.total != total]
    till, bexio = sum(sale.total for sale in sales), sum(total for _, total in pairs)
    figures = f"tills {till:.2f}, bexio {bexio:.2f}" + (f"; wrong: {_names(wrong)}" if wrong else "")
    return Check("Every invoice agrees with its sale to the cent", not wrong and till == bexio, figures)


def _payments(sales: Sequence[Sold], invoices: Invoices) -> Check:
    wrong = [
        sale
        for sale in sales
        for one in invoices.get(reference(sale), ())
        if sorted(Decimal(payment["value"]) for payment in one["payments"]) != sale.paid(MAPPED)
    ]
    parts = [part for sale in sales for part in sale.paid(MAPPED)]
    figures = f"{len(parts)} parts, {sum(parts, Decimal(0)):.2f}" + (f"; wrong: {_names(wrong)}" if wrong else "")
    return Check("What was paid at the till stands on the invoice, once", not wrong, figures)


def _repeats(sales: Sequence[Sold]) -> Check:
    wrong = [sale for sale in sales if not sale.same]
    repeats = sum(sale.sent - 1 for sale in sales)
    return Check("A repeated request is the same sale", not wrong and repeats > 0, f"{repeats} repeats")


def _cancelled(sales: Sequence[Sold], invoices: Invoices) -> Check:
    held = [
        [one["kb_item_status_id"] for one in invoices.get(reference(sale), ())] == [CANCELLED]
        for sale in sales
        if sale.cancelled
    ]
    return Check("The cancelled sale's invoice is cancelled", bool(held) and all(held), f"{len(held)} cancelled")


def _finished(sales: Sequence[Sold]) -> Check:
    wrong = [sale for sale in sales if not sale.settled]
    waiting = [sale for sale in sales if sale.seen.get("attention")]
    figures = f"{len(waiting)} for a person" + (f"; unfinished: {_names(wrong)}" if wrong else "")
    return Check("Every sale is done or waits for a person with a remedy", not wrong, figures)


def _receivables(sales: Sequence[Sold], books: Books) -> Check:
    owed = sum((sale.total - sum(sale.paid(MAPPED)) for sale in sales if not sale.cancelled), Decimal(0))
    found = books.balance(RECEIVABLES)
    return Check("bexio's receivables are what customers owe", owed == found, f"owed {owed:.2f}, booked {found:.2f}")


def _balanced(books: Books) -> Check:
    debit, credit = Decimal(books.trial_balance["debit"]), Decimal(books.trial_balance["credit"])
    return Check("bexio's ledger balances", debit == credit != 0, f"debit {debit:.2f}, credit {credit:.2f}")
