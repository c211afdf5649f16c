"""What invoices and orders share: bexio calls both `kb_item`, told apart by their address."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from pydantic import Field

from app.connectors.bexio.positions import MAX_POSITIONS, InlinePosition
from app.connectors.bexio.wire import OptionalDecimal, OptionalId, Request, SwissMoment, Wire


class DocumentTax(Wire):
    """The VAT of one rate on a document: percent and money."""

    percentage: Decimal
    value: Decimal


class KbDocument(Wire):
    """A document's head. All amounts in its currency; `total` includes VAT and the rounding difference."""

    id: int
    document_nr: str
    title: str | None = None
    contact_id: OptionalId = None
    user_id: int
    language_id: OptionalId = None
    bank_account_id: OptionalId = None
    currency_id: int
    payment_type_id: OptionalId = None
    mwst_type: int
    mwst_is_net: bool
    is_valid_from: date
    kb_item_status_id: int
    api_reference: str | None = None
    total_gross: Decimal
    total_net: Decimal
    total_taxes: Decimal
    total: Decimal
    total_rounding_difference: Decimal
    taxs: tuple[DocumentTax, ...] = ()
    network_link: str | None = None
    updated_at: SwissMoment


class KbDocumentCreate(Request):
    """A new document with prices that include VAT.

    The number is bexio's to give. Fields left at None are not sent: bexio then takes the company's defaults.
    `api_reference` is ours: not visible to users.
    """

    title: str | None = None
    contact_id: int
    user_id: int
    language_id: int | None = None
    bank_account_id: int | None = None
    currency_id: int
    payment_type_id: int | None = None
    header: str | None = None
    footer: str | None = None
    is_valid_from: date
    api_reference: str
    template_slug: str | None = None
    positions: tuple[InlinePosition, ...] = Field(max_length=MAX_POSITIONS)

    def body(self) -> dict[str, object]:
        """Type 0 with gross prices; type 1, "excluding taxes", would charge no VAT at all."""
        head = self.model_dump(mode="json", exclude_none=True, exclude={"positions"})
        lines = [position.inline() for position in self.positions]
        return {**head, "mwst_type": 0, "mwst_is_net": False, "positions": lines}


class ReceivedAmounts(Wire):
    """What of an invoice has been settled, and what has not."""

    total_received_payments: OptionalDecimal = None
    total_credit_vouchers: OptionalDecimal = None
    total_remaining_payments: Decimal
