"""The lines of invoices and orders: as they are sent inside a document, added to one, and read back."""

from __future__ import annotations

from typing import ClassVar

from pydantic import TypeAdapter

from app.connectors.bexio.wire import DecimalText, OptionalDecimal, OptionalId, Request, Wire

MAX_POSITIONS = 150
"""As many as a create takes; further ones are added one by one while the document is a draft."""


class Position(Wire):
    """A line as bexio shows it, of any type; only the fields of its type are filled.

    `position_total` is what bexio adds up. `tax_value` is the rate in percent.
    """

    id: int
    type: str
    text: str | None = None
    amount: OptionalDecimal = None
    unit_id: OptionalId = None
    unit_price: OptionalDecimal = None
    discount_in_percent: OptionalDecimal = None
    position_total: OptionalDecimal = None
    account_id: OptionalId = None
    tax_id: OptionalId = None
    tax_value: OptionalDecimal = None
    article_id: OptionalId = None
    internal_pos: int | None = None


POSITION = TypeAdapter(Position)


class PositionCreate(Request):
    """A line to write. Inside a document it names its type; the address that adds it does so already."""

    type_name: ClassVar[str]
    segment: ClassVar[str]

    def body(self) -> dict[str, object]:
        """Every field but those that are None: bexio's own defaults for them are none as well."""
        return self.model_dump(mode="json", exclude_none=True)

    def inline(self) -> dict[str, object]:
        """The line as an element of a document's `positions`."""
        return {"type": self.type_name, **self.body()}


class CustomPosition(PositionCreate):
    """A priced line. The total is `amount * unit_price`, less the discount; account and tax go together."""

    type_name = "KbPositionCustom"
    segment = "kb_position_custom"

    amount: DecimalText
    unit_price: DecimalText
    account_id: int
    tax_id: int
    text: str
    discount_in_percent: DecimalText | None = None
    unit_id: int | None = None


class ArticlePosition(CustomPosition):
    """A priced line of an article in bexio."""

    type_name = "KbPositionArticle"
    segment = "kb_position_article"

    article_id: int


class TextPosition(PositionCreate):
    """A line of text."""

    type_name = "KbPositionText"
    segment = "kb_position_text"

    text: str
    show_pos_nr: bool = False


class SubtotalPosition(PositionCreate):
    """The sum so far."""

    type_name = "KbPositionSubtotal"
    segment = "kb_position_subtotal"

    text: str


class DiscountPosition(PositionCreate):
    """A discount on all lines before it; with several VAT rates bexio splits it itself."""

    type_name = "KbPositionDiscount"
    segment = "kb_position_discount"

    text: str
    is_percentual: bool
    value: DecimalText


class PagebreakPosition(PositionCreate):
    """The next line starts a new page."""

    type_name = "KbPositionPagebreak"
    segment = "kb_position_pagebreak"

    def body(self) -> dict[str, object]:
        """Its one field has one value."""
        return {"pagebreak": True}


class Subposition(PositionCreate):
    """A heading of lines. On invoices it can only be added, not sent with the document."""

    type_name = "KbPositionSubposition"
    segment = "kb_position_subposition"

    text: str
    show_pos_nr: bool = False


InlinePosition = (
    ArticlePosition | CustomPosition | TextPosition | SubtotalPosition | DiscountPosition | PagebreakPosition
)
AnyPosition = InlinePosition | Subposition
