"""The settings of a new shop: what bexio knows, what follows from the activation, and why each was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.linking.service import fill

# Short reasons, translated when they are shown. Nothing that writes to bexio by itself is switched on here.
REASONS: Mapping[str, str] = {
    "bexio_user_id": "The person who activated Arcavis.",
    "invoice_due_days": "The term of payment that bexio gives new invoices.",
    "invoice_bexio_payment_type_id": "The payment type of this name in bexio, or else its default.",
    "invoice_account_no": "The account for revenue from goods in bexio's chart of accounts.",
    "rounding_account_no": "Bexio's own account for rounding differences.",
    "invoice_bank_account_id": "The bank account that bexio prints on invoices, or the only one.",
    "invoice_payment_type_id": "The payment type that was set up in Arcavis.",
    "notification_emails": "The person who activated Arcavis.",
    "language": "The language of the activation.",
}


def ours(*, payment_type_id: str, email: str, language: str) -> dict[str, Any]:
    """What follows from the activation itself."""
    return {"invoice_payment_type_id": payment_type_id, "notification_emails": [email], "language": language}


def explained(known: Mapping[str, str], chosen: Mapping[str, Any]) -> list[dict[str, str]]:
    """Each choice with its reason, for the progress page; addresses are not shown there."""
    shown = {name: value for name, value in chosen.items() if name != "notification_emails"}
    values = {**known, **{name: str(value) for name, value in shown.items()}}
    return [
        {"setting": name, "value": value, "reason": REASONS[name]}
        for name, value in sorted(values.items())
        if name in REASONS
    ]


async def choose(session: AsyncConnection, tenant: UUID, chosen: Mapping[str, Any], now: datetime) -> None:
    """Fills in what nobody chose yet: a shop that is activated again keeps what a person changed."""
    await fill(session, tenant, chosen, now)
