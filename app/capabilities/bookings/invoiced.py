"""Receipts that were paid on bexio invoice: left out of the export, and looked after here. Pure.

Their revenue is the invoice's. What must not happen is that a receipt has neither an invoice nor an entry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from app.capabilities.bookings.book import InvoicedSale
from app.capabilities.bookings.findings import MOST_EXAMPLES, Example, Finding

CANCELLED = "cancelled"
WATCHED = ("sale-never-sent", "sale-without-invoice", "return-on-invoice", "cancelled-sale-still-invoiced")
"""What `judge` finds: nothing holds the day for it, so a person is asked about it apart."""

Documents = Mapping[str, str]
"""Transaction id -> goal of its document: `issued` or `cancelled`."""


def asked_about(sales: Sequence[InvoicedSale]) -> list[str]:
    """The transactions whose documents `judge` needs to know."""
    return sorted({sale.id for sale in sales} | {sale.cancels for sale in sales if sale.cancels is not None})


def judge(day: date, sales: Sequence[InvoicedSale], documents: Documents) -> Iterator[Finding]:
    """What is wrong with the invoice sales of a day. None of it holds the day: the export leaves them out."""
    for code, is_so in zip(WATCHED, (_never_sent, _without_invoice, _is_return, _still_invoiced), strict=True):
        found = [sale for sale in sales if is_so(sale, documents)]
        if found:
            yield _finding(code, day, sorted(found, key=_order))


def never_sent(sales: Sequence[InvoicedSale], documents: Documents) -> tuple[str, ...]:
    """All sales that can still be sent to `POST /invoices`."""
    return tuple(sale.id for sale in sorted(sales, key=_order) if _never_sent(sale, documents))


def _order(sale: InvoicedSale) -> tuple[int, str]:
    return len(sale.id), sale.id


def _never_sent(sale: InvoicedSale, documents: Documents) -> bool:
    """A sale that stands, and of which no till ever told us."""
    stands = sale.cancels is None and sale.cancelled_by is None
    return stands and sale.amount > 0 and sale.id not in documents


def _without_invoice(sale: InvoicedSale, documents: Documents) -> bool:
    """A sale that stands, while its invoice is cancelled."""
    stands = sale.cancels is None and sale.cancelled_by is None
    return stands and documents.get(sale.id) == CANCELLED


def _is_return(sale: InvoicedSale, documents: Documents) -> bool:
    """Money back on invoice that is no cancellation: bexio has no interface for credit notes."""
    stands = sale.cancels is None and sale.cancelled_by is None
    return stands and sale.amount < 0 and sale.id not in documents


def _still_invoiced(sale: InvoicedSale, documents: Documents) -> bool:
    """The receipt that takes a sale back, while the sale's invoice is not to be cancelled."""
    return sale.cancels is not None and documents.get(sale.cancels, CANCELLED) != CANCELLED


def _finding(code: str, day: date, sales: Sequence[InvoicedSale]) -> Finding:
    shown = [Example(sale.id, sale.number) for sale in sales[:MOST_EXAMPLES]]
    numbers = ", ".join(example.number for example in shown) + (", …" if len(sales) > len(shown) else "")
    return Finding(code, "warning", (day,), (), {"receipts": numbers}, tuple(shown), len(sales))
