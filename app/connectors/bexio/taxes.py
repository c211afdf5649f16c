"""VAT codes (`/3.0/taxes`). Their ids differ from company to company."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from decimal import Decimal

from app.connectors.bexio.resource import gathered, pages, resource_of
from app.connectors.bexio.wire import OptionalDecimal, OptionalId, Wire
from app.connectors.transport import Transport

SALES_TAX = "sales_tax"
JANUARY, DECEMBER = 1, 12


class Tax(Wire):
    """A VAT code; `value` in percent, `net_tax_value` that of the net tax method.

    It holds from the start to the end month, both included; what is missing is open.
    """

    id: int
    code: str
    type: str
    value: Decimal
    net_tax_value: OptionalDecimal = None
    account_id: OptionalId = None
    start_year: int | None = None
    start_month: int | None = None
    end_year: int | None = None
    end_month: int | None = None
    is_active: bool
    display_name: str

    def last_day(self) -> date | None:
        """The last day on which it holds; None when it is open."""
        if self.end_year is None:
            return None
        month = self.end_month or DECEMBER
        return date(self.end_year, month, monthrange(self.end_year, month)[1])

    def holds_on(self, day: date) -> bool:
        """True when the code's months cover the day."""
        month = (day.year, day.month)
        begun = self.start_year is None or (self.start_year, self.start_month or JANUARY) <= month
        ended = self.end_year is not None and (self.end_year, self.end_month or DECEMBER) < month
        return begun and not ended


TAXES = resource_of("/3.0/taxes", Tax)


class Taxes:
    """The company's VAT codes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(
        self, *, scope: str | None = None, types: str | None = None, on: date | None = None
    ) -> tuple[Tax, ...]:
        """All codes; or of a scope (`active`, `inactive`), types (`sales_tax`, `pre_tax`), valid on a day."""
        wanted = {"scope": scope, "types": types, "date": on.isoformat() if on else None}
        query = {name: value for name, value in wanted.items() if value is not None}
        return await gathered(pages(self._transport, TAXES, query))

    async def active_sales(self, on: date | None = None) -> tuple[Tax, ...]:
        """The codes that a position may carry; bexio refuses all others there."""
        return await self.list(scope="active", types=SALES_TAX, on=on)
