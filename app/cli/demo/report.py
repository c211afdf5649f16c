"""What the demo prints at its end: sales, what waits for a person, bexio's books, the proof."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from rich.console import Console

from app.cli.demo.morning import CREATE, ISSUE, Sold
from app.cli.demo.proof import Books, Check
from app.cli.demo.shop import INVOICE_TYPE
from app.cli.output import table


@dataclass(frozen=True, slots=True)
class Morning:
    """Everything that is known at the end."""

    findings: Sequence[Mapping[str, Any]]
    sales: Sequence[Sold]
    attention: Sequence[Mapping[str, Any]]
    troubles: Sequence[Mapping[str, Any]]
    books: Books
    checks: Sequence[Check]
    seconds: float

    @property
    def proven(self) -> bool:
        """Whether every claim holds."""
        return all(check.holds for check in self.checks)


def as_json(morning: Morning) -> dict[str, object]:
    """The whole report for scripts."""
    return {
        "proven": morning.proven,
        "proof": [asdict(check) for check in morning.checks],
        "doctor": list(morning.findings),
        "sales": [{**sale.seen, "sent": sale.sent, "till_seconds": round(sale.seconds, 4)} for sale in morning.sales],
        "attention": list(morning.attention),
        "troubles": list(morning.troubles),
        "trial_balance": morning.books.trial_balance,
        "seconds": round(morning.seconds, 1),
    }


def show(console: Console, morning: Morning) -> None:
    """Prints the report as tables."""
    _doctor(console, morning.findings)
    console.print(_sales(morning.sales))
    console.print(_till_times(morning.sales))
    console.print(_troubles(morning.troubles))
    _attention(console, morning)
    console.print(_trial_balance(morning.books))
    console.print(_proof(morning.checks))
    verdict = "[bold green]Proven[/]" if morning.proven else "[bold red]NOT proven[/]"
    console.print(f"{verdict} in {morning.seconds:.0f} seconds.")


def _doctor(console: Console, findings: Sequence[Mapping[str, Any]]) -> None:
    if findings:
        rows = [(one["severity"], one["title"], one["detail"], one["remedy"]) for one in findings]
        console.print(table("What the doctor found", ("", "what", "what it found", "what to do"), rows))
    else:
        console.print("The doctor found nothing wrong.\n")


def _sales(sales: Sequence[Sold]) -> Any:  # noqa: ANN401 - a rich table
    columns = ("receipt", "till", "customer", "total", "paid at till", "status", "invoice", "in bexio", "open", "note")
    rows = [
        (
            sale.body["number"],
            sale.body["point_of_sale"],
            _customer(sale),
            f"{sale.total:.2f}",
            f"{sum(sale.paid()):.2f}" if sale.paid() else "",
            sale.seen.get("status", "unknown"),
            *_invoice(sale),
            _note(sale),
        )
        for sale in sales
    ]
    return table(f"{len(sales)} sales on invoice", columns, rows, right=("total", "paid at till", "open"))


def _customer(sale: Sold) -> str:
    who = sale.body["customer"]
    return str(who["company_name"] or f"{who['first_name'] or ''} {who['last_name'] or ''}".strip())


def _invoice(sale: Sold) -> tuple[str, str, str]:
    bexio = sale.seen.get("bexio")
    if bexio is None:
        return "", "", ""
    return bexio["number"], bexio["status"], "" if sale.cancelled else bexio["open_amount"]


def _note(sale: Sold) -> str:
    notes = [
        f"sent {sale.sent} times" if sale.sent > 1 else "",
        "cancelled in Arcavis" if sale.cancelled else "",
        "needs attention" if sale.seen.get("attention") else "",
    ]
    return ", ".join(note for note in notes if note)


def _till_times(sales: Sequence[Sold]) -> str:
    seconds = sorted(sale.seconds for sale in sales)
    middle, longest = statistics.median(seconds) * 1000, seconds[-1] * 1000
    invoiced = sum(
        Decimal(p["amount"]) for s in sales for p in s.body["payments"] if p["payment_type_id"] == INVOICE_TYPE
    )
    return f"On invoice: CHF {invoiced:.2f}. The tills waited {middle:.0f} ms (median), at most {longest:.0f} ms.\n"


def _troubles(troubles: Sequence[Mapping[str, Any]]) -> Any:  # noqa: ANN401
    columns = ("what bexio did meanwhile", "when asked to", "times")
    rows = [
        (_TROUBLE.get(one["mode"], one["mode"]), _ASKED.get(one["path"], one["path"]), one["struck"])
        for one in troubles
    ]
    return table("Troubles", columns, rows, right=("times",))


_ASKED = {CREATE: "create an invoice", ISSUE: "issue one"}
_TROUBLE = {
    "timeout_after_write": "saved, then no answer",
    "error_after_write": "saved, then error 500",
    "error_before": "error 500, nothing saved",
    "storm_429": "429, too many requests",
    "reset": "saved, then the connection broke",
}


def _attention(console: Console, morning: Morning) -> None:
    if not morning.attention:
        console.print("Nothing waits for a person.\n")
        return
    numbers = {sale.document: sale.body["number"] for sale in morning.sales}
    rows = [
        (numbers.get(one["subject_id"], one["subject_kind"]), one["title"], one["detail"], one["remedy"])
        for one in morning.attention
    ]
    console.print(table("Waits for a person", ("receipt", "what", "what happened", "what to do"), rows))


def _trial_balance(books: Books) -> Any:  # noqa: ANN401
    columns = ("account", "name", "debit", "credit", "balance")
    balance = books.trial_balance
    rows = [(r["account_no"], r["name"], r["debit"], r["credit"], r["balance"]) for r in balance["rows"]]
    rows.append(("", "sum", balance["debit"], balance["credit"], ""))
    return table("bexio's trial balance", columns, rows, right=("debit", "credit", "balance"))


def _proof(checks: Sequence[Check]) -> Any:  # noqa: ANN401
    rows = [("[green]yes[/]" if check.holds else "[red]NO[/]", check.claim, check.figures) for check in checks]
    return table("The proof", ("", "claim", "figures"), rows)
