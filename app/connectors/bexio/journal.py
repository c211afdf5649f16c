"""The journal (`/3.0/accounting/journal`): every row of the ledger, read only. There is no balance to ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator

from app.connectors.bexio.resource import pages, resource_of
from app.connectors.bexio.wire import OptionalId, Wire
from app.connectors.transport import Transport

_DATE_LENGTH = len("2026-11-20")


def _day(value: object) -> object:
    # "2026-11-20T00:00:00+01:00": the day as bexio wrote it, whatever the offset.
    return value[:_DATE_LENGTH] if isinstance(value, str) else value


class JournalRow(Wire):
    """A row: one amount from one account to another. `ref_class` and `ref_id` say what it belongs to."""

    id: int
    ref_id: OptionalId = None
    ref_class: str | None = None
    date: Annotated[date, BeforeValidator(_day)]
    debit_account_id: OptionalId = None
    credit_account_id: OptionalId = None
    description: str | None = None
    amount: Decimal
    base_currency_amount: Decimal | None = None

    @property
    def booked(self) -> Decimal:
        """The amount in the company's currency."""
        return self.amount if self.base_currency_amount is None else self.base_currency_amount


_JOURNAL = resource_of("/3.0/accounting/journal", JournalRow)


class Journal:
    """The company's journal."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(self, first: date, last: date) -> AsyncIterator[tuple[JournalRow, ...]]:
        """The rows of the days from `first` to `last`, both included."""
        return pages(self._transport, _JOURNAL, {"from": first.isoformat(), "to": last.isoformat()})
