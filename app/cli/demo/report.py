"""What the demo prints at its end: sales, what waits for a person, bexio's books, the proof."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from rich.console import Console

from app.cli.demo.contacts import Synced
from app.cli.demo.evening import Evening
from app.cli.demo.marketplace import Activated
from app.cli.demo.morning import CREATE, ISSUE, Sold
from app.cli.demo.proof import Books, Check
from app.cli.demo.shop import INVOICE_TYPE
from app.cli.output import table

_NO_BOOKS = Books((), {"rows": [], "debit": "0", "credit": "0"})


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that is known at the end."""

    activated: Activated
    synced: Synced
    sales: Sequence[Sold]
    troubles: Sequence[Mapping[str, Any]]
    evening: Evening
    findings: Sequence[Mapping[str, Any]] = ()
    attention: Sequence[Mapping[str, Any]] = ()
    books: Books = _NO_BOOKS
    checks: Sequence[Check] = ()
    seconds: float = 0.0

    @property
    def proven(self) -> bool:
        """Whether every claim holds."""
        return bool(self.checks) and all(check.holds for check in self.checks)


def as_json(day: Day) -> dict[str, object]:
    """The whole report for scripts."""
    return {
        "proven": day.proven,
        "proof": [asdict(check) for check in day.checks],
        "provision": day.activated.provision,
        "contacts": {"first": day.synced.first, "second": day.synced.second, "conflicts": list(day.synced.conflicts)},
        "articles": day.synced.articles,
        "doctor": list(day.findings),
        "sales": [{**sale.seen, "sent": sale.sent, "till_seconds": round(sale.seconds, 4)} for sale in day.sales],
        "attention": list(day.attention),
        "troubles": list(day.troubles),
        "exports": [{"what": one.what, "run": one.run} for one in day.evening.exports],
        "reconciliation": day.evening.reconciliation,
        "trial_balance": day.books.trial_balance,
        "seconds": round(day.seconds, 1),
    }


def show(console: Console, day: Day) -> None:
    """Prints the report as tables."""
    _activation(console, day.activated)
    _contacts(console, day.synced)
    _doctor(console, day.findings)
    console.print(_sales(day.sales))
    console.print(_till_times(day.sales))
    console.print(_troubles(day.troubles))
    _attention(console, day)
    _bookings(console, day.evening)
    console.print(_trial_balance(day.books))
    console.print(_proof(day.checks))
    verdict = "[bold green]Proven[/]" if day.proven else "[bold red]NOT proven[/]"
    console.print(f"{verdict} in {day.seconds:.0f} seconds.")


def _activation(console: Console, activated: Activated) -> None:
    rows = [
        (step["title"], step["state"], _counts(step["counts"]), "; ".join(_choice(one) for one in step["choices"]))
        for step in activated.provision["steps"]
    ]
    console.print(table("Activated in bexio Apps", ("step", "", "figures", "chosen"), rows))
    for mail in activated.mails:
        console.print(f"Mail to {mail['recipient']}: {mail['subject']}")
    console.print(f"From the click to the login: {activated.seconds:.0f} s.\n")


def _choice(choice: Mapping[str, Any]) -> str:
    return f"{choice['setting']} {choice['value']}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def _contacts(console: Console, synced: Synced) -> None:
    rows = [
        ("contacts synced", synced.first["state"], _counts(synced.first["counts"])),
        ("synced again", synced.second["state"], _counts(synced.second["counts"])),
        ("articles again", synced.articles["state"], _counts(synced.articles["counts"])),
    ]
    console.print(table("Contacts and articles", ("run", "", "figures"), rows))
    if synced.conflicts:
        rows = [(one["contact"], one["explanation"]["title"], one["explanation"]["remedy"]) for one in synced.conflicts]
        console.print(table("A person decides", ("contact", "what", "what to do"), rows))


def _bookings(console: Console, evening: Evening) -> None:
    rows = [
        (entry["debit_account"], entry["credit_account"], entry["amount"], entry["tax_code"] or "", entry["text"])
        for day in evening.preview["days"]
        for entry in day["entries"]
    ]
    columns = ("debit", "credit", "amount", "VAT", "text")
    title = f"The journal of {evening.day}, as previewed and posted, by {evening.rules} rules"
    console.print(table(title, columns, rows, right=("amount",)))
    found = [(one["severity"], one["title"], one["detail"], one["remedy"]) for one in evening.preview["findings"]]
    if found:
        console.print(table("What the preview says", ("", "what", "what it found", "what to do"), found))
    runs = [(one.what, one.run["state"], _counts(one.run["counts"])) for one in evening.exports]
    console.print(table("Exports", ("what", "", "figures"), runs))


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


def _attention(console: Console, day: Day) -> None:
    if not day.attention:
        console.print("Nothing waits for a person.\n")
        return
    numbers = {sale.document: sale.body["number"] for sale in day.sales}
    rows = [
        (numbers.get(one["subject_id"], one["subject_kind"]), one["title"], one["detail"], one["remedy"])
        for one in day.attention
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
