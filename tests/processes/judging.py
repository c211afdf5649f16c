"""What must hold at bexio and with us, wherever a process was killed."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from tests.processes.points import Counter, Point
from tests.processes.shop import INVOICE_TYPE

DRAFT, PAID, CANCELLED = 7, 9, 19
RESTING = {"done", "parked"}


async def judge(point: Point, counter: Counter, contacts_before: int) -> list[str]:
    """Everything that is wrong; empty when all is well."""
    shop = counter.shop
    invoices, summary = await shop.invoices(), await shop.summary()
    wrong = [*_invoices(point, counter, invoices)]
    if await shop.documents() != 1:
        wrong.append(f"{await shop.documents()} documents")
    if summary["contacts"] != contacts_before + int(point.stranger):
        wrong.append(f"{summary['contacts'] - contacts_before} contacts made")
    if summary["mails"] > 1:
        wrong.append(f"{summary['mails']} mails")
    wrong += [f"{row.kind} is {row.state}, {row.reason}" for row in await shop.work() if row.state not in RESTING]
    codes = await shop.attention()
    expected = [] if point.ends in {"issued", "cancelled", "unmade"} else [point.ends]
    if codes != expected:
        wrong.append(f"attention {codes}")
    return [*wrong, *_document(point, await counter.status(), invoices)]


def _invoices(point: Point, counter: Counter, invoices: list[dict[str, Any]]) -> Iterator[str]:
    reference = f"{counter.shop.slug}/sale/{counter.sale['transaction_id']}"
    if any(one["api_reference"] != reference for one in invoices):
        yield "an invoice that is not ours"
    drafts = [one for one in invoices if one["kb_item_status_id"] == DRAFT]
    if drafts:
        yield f"{len(drafts)} stray drafts"
    standing = [one for one in invoices if one["kb_item_status_id"] not in {DRAFT, CANCELLED}]
    cancelled = [one for one in invoices if one["kb_item_status_id"] == CANCELLED]
    counts = {"cancelled": (0, 1), "unmade": (0, 0)}.get(point.ends, (1, 0))
    if (len(standing), len(cancelled)) != counts:
        yield f"{len(standing)} issued, {len(cancelled)} cancelled"
    for one in standing:
        yield from _money(point, counter.sale, one)


def _money(point: Point, sale: dict[str, Any], invoice: dict[str, Any]) -> Iterator[str]:
    if Decimal(invoice["total"]) != Decimal(sale["total"]):
        yield f"total {invoice['total']}, till {sale['total']}"
    if len(invoice["positions"]) != len(sale["lines"]):
        yield f"{len(invoice['positions'])} positions, till {len(sale['lines'])}"
    parts = [Decimal(part["amount"]) for part in sale["payments"] if part["payment_type_id"] != INVOICE_TYPE]
    if point.paid_later:
        parts.append(Decimal(sale["total"]))
    recorded = sorted(Decimal(one["value"]) for one in invoice["payments"])
    if recorded != sorted(parts):
        yield f"payments {recorded}, till {sorted(parts)}"


def _document(point: Point, seen: dict[str, Any], invoices: list[dict[str, Any]]) -> Iterator[str]:
    status = {"cancelled": "cancelled", "unmade": "cancelled"}.get(point.ends, "issued")
    if seen["status"] != status:
        yield f"the document is {seen['status']}"
    if status == "issued" and (not seen["bexio"] or seen["bexio"]["id"] not in {one["id"] for one in invoices}):
        yield f"the document names {seen['bexio']}"
