"""The proof: what the tills took against what stands in bexio, read from the simulator itself. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.cli.demo.contacts import Synced
from app.cli.demo.evening import Evening
from app.cli.demo.marketplace import ADMIN, Activated
from app.cli.demo.morning import Sold
from app.cli.demo.shop import PAID_AT_TILL

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


def prove_activation(activated: Activated, environments: int) -> list[Check]:
    """Every claim about the shop that bexio Apps made."""
    logins = [one for one in activated.mails if one["recipient"] == ADMIN["email"]]
    made = f"{environments} made, the webhook sent twice"
    return [
        Check("One activation is one shop, however often it is sent", activated.again and environments == 1, made),
        Check("The admin got one mail with the login", len(logins) == 1, f"{len(logins)} mails"),
    ]


def prove_contacts(synced: Synced) -> list[Check]:
    """Every claim about contacts and articles."""
    writes = ", ".join(f"{count} in {system}" for system, count in synced.writes.items())
    return [
        Check("A second sync writes nothing on either side", not any(synced.writes.values()), writes),
        Check("Importing the articles again writes nothing", synced.article_writes == 0, f"{synced.article_writes}"),
    ]


def prove_bookings(evening: Evening) -> list[Check]:
    """Every claim about the day's bookings."""
    _, again, late = evening.exports
    planned = sorted(
        (group["reference"], len(day["entries"])) for day in evening.preview["days"] for group in day["groups"]
    )
    posted = sorted((one["reference_nr"], len(one["entries"])) for one in evening.posted)
    receipts = sum(day["proof"]["receipts"] for day in evening.preview["days"])
    drift = evening.reconciliation["findings"]
    figures = f"{sum(lines for _, lines in posted)} lines from {receipts} receipts"
    return [
        Check("What was posted is what the preview showed", planned == posted != [], figures),
        Check("A second export posts nothing", again.entries == 0, f"{again.entries} entries"),
        Check("A till that was heard late becomes a difference", late.entries > 0, f"{late.entries} entries"),
        Check(
            "bexio's ledger is what we posted and what the tills booked",
            evening.reconciliation["clean"],
            f"{len(drift)} findings",
        ),
    ]


def reference(slug: str, sale: Sold) -> str:
    """What the sale's invoice carries in `api_reference`."""
    return f"{slug}/sale/{sale.body['transaction_id']}"


def prove(slug: str, sales: Sequence[Sold], books: Books) -> list[Check]:
    """Every claim about the sales on invoice, checked."""
    found = dict(books.by_reference())
    invoices = {sale.transaction: found.pop(reference(slug, sale), []) for sale in sales}
    others = [one for rest in found.values() for one in rest]
    return [
        _one_each(sales, invoices),
        _nothing_else(others),
        _totals(sales, invoices),
        _payments(sales, invoices),
        _repeats(sales),
        _cancelled(sales, invoices),
        _finished(sales),
        _receivables(sales, invoices, books),
        _balanced(books),
    ]


Invoices = Mapping[int, Sequence[Mapping[str, Any]]]


def _names(sales: Iterable[Sold]) -> str:
    return ", ".join(str(sale.body["number"]) for sale in sales)


def _one_each(sales: Sequence[Sold], invoices: Invoices) -> Check:
    wrong = [
        sale for sale in sales if [one["kb_item_status_id"] == DRAFT for one in invoices[sale.transaction]] != [False]
    ]
    found = sum(len(invoices[sale.transaction]) for sale in sales)
    figures = f"{len(sales)} sales, {found} invoices" + (f"; wrong: {_names(wrong)}" if wrong else "")
    return Check("Every sale has exactly one invoice in bexio, and it is issued", not wrong, figures)


def _nothing_else(others: Sequence[Mapping[str, Any]]) -> Check:
    return Check("Nothing else was written: no stray draft, no second invoice", not others, f"{len(others)} others")


def _totals(sales: Sequence[Sold], invoices: Invoices) -> Check:
    pairs = [(sale, Decimal(one["total"])) for sale in sales for one in invoices[sale.transaction]]
    wrong = [sale for sale, total in pairs if sale.total != total]
    till, bexio = sum(sale.total for sale in sales), sum(total for _, total in pairs)
    figures = f"tills {till:.2f}, bexio {bexio:.2f}" + (f"; wrong: {_names(wrong)}" if wrong else "")
    return Check("Every invoice agrees with its sale to the cent", not wrong and till == bexio, figures)


def _payments(sales: Sequence[Sold], invoices: Invoices) -> Check:
    clear = [sale for sale in sales if not sale.seen.get("attention")]
    wrong = [sale for sale in clear if _recorded(sale, invoices) != sale.paid(MAPPED)]
    parts = [part for sale in clear for part in sale.paid(MAPPED)]
    figures = f"{len(parts)} parts, {sum(parts, Decimal(0)):.2f}" + (f"; wrong: {_names(wrong)}" if wrong else "")
    return Check("What was paid at the till stands on the invoice, once", not wrong, figures)


def _recorded(sale: Sold, invoices: Invoices) -> list[Decimal]:
    """The payments that its invoice has in bexio, smallest first."""
    return sorted(Decimal(payment["value"]) for one in invoices[sale.transaction] for payment in one["payments"])


def _repeats(sales: Sequence[Sold]) -> Check:
    wrong = [sale for sale in sales if not sale.same]
    repeats = sum(max(sale.sent - 1, 0) for sale in sales)
    return Check("A repeated request is the same sale", not wrong and repeats > 0, f"{repeats} repeats")


def _cancelled(sales: Sequence[Sold], invoices: Invoices) -> Check:
    held = [
        [one["kb_item_status_id"] for one in invoices[sale.transaction]] == [CANCELLED]
        for sale in sales
        if sale.cancelled
    ]
    return Check("The cancelled sale's invoice is cancelled", bool(held) and all(held), f"{len(held)} cancelled")


def _finished(sales: Sequence[Sold]) -> Check:
    wrong = [sale for sale in sales if not sale.settled]
    waiting = [sale for sale in sales if sale.seen.get("attention")]
    figures = f"{len(waiting)} for a person" + (f"; unfinished: {_names(wrong)}" if wrong else "")
    return Check("Every sale is done or waits for a person with a remedy", not wrong, figures)


def _receivables(sales: Sequence[Sold], invoices: Invoices, books: Books) -> Check:
    owed = sum((sale.total - sum(_recorded(sale, invoices)) for sale in sales if not sale.cancelled), Decimal(0))
    found = books.balance(RECEIVABLES)
    return Check("bexio's receivables are what customers owe", owed == found, f"owed {owed:.2f}, booked {found:.2f}")


def _balanced(books: Books) -> Check:
    debit, credit = Decimal(books.trial_balance["debit"]), Decimal(books.trial_balance["credit"])
    return Check("bexio's ledger balances", debit == credit != 0, f"debit {debit:.2f}, credit {credit:.2f}")
