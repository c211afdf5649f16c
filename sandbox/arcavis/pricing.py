"""Transaction lines, priced and rounded as Arcavis does."""

from dataclasses import dataclass
from decimal import Decimal

from sandbox.arcavis.rounding import line_amounts, to_five_rappen
from sandbox.arcavis.values import Record

STANDARD_RATE = Decimal("0.081")
"""The rate of a free line that names none, such as shipping."""


@dataclass(frozen=True, slots=True)
class LineInput:
    """What decides a line: `discount_percent` (10 = 10 %) wins over `discount` (CHF, whole line)."""

    position: int
    title: str
    quantity: Decimal
    unit_price: Decimal
    tax_rate: Decimal
    article_id: int = 0
    unit_id: int = 1
    discount: Decimal = Decimal(0)
    discount_percent: Decimal = Decimal(0)
    buying_price: Decimal = Decimal(0)
    on_sale: bool = False


def price_line(given: LineInput) -> Record:
    """A line of `TransactionArticles` with all its amounts (arithmetic in `rounding.line_amounts`)."""
    gross = given.quantity * given.unit_price
    discount = gross * given.discount_percent / 100 if given.discount_percent else given.discount
    amounts = line_amounts(given.quantity, given.unit_price, discount, given.tax_rate)
    return {
        "TransactionId": 0,
        "Title": given.title,
        "SaleTitle": "Aktion" if given.on_sale else "",
        "ReceiptPosition": given.position,
        "SetReceiptPosition": None,
        "SubscriptionId": None,
        "ArticleId": given.article_id,
        "Quantity": given.quantity,
        "UnitId": given.unit_id,
        "IsDiscountLocked": False,
        "IsBonusLocked": False,
        "IsDiscountedOrOnSale": given.on_sale or amounts.discount != 0,
        "SaleId": None,
        "TaxRate": given.tax_rate,
        "PriceLevel": 0,
        "UnitPrice": amounts.unit_price,
        "BuyingPrice": given.buying_price,
        "Discount": amounts.discount,
        "DiscountPercent": given.discount_percent,
        "Price": amounts.price,
        "NetUnitPrice": amounts.net_unit_price,
        "NetDiscount": amounts.net_discount,
        "NetPrice": amounts.net_price,
        "DiscountTitle": "Rabatt" if amounts.discount else "",
        "ExternalReference": None,
        "BonusFactor": 1,
        "Ordered": False,
        "Remarks": "",
        "ExtJson": "{}",
    }


def unit_price_of(price: Decimal, quantity: Decimal) -> Decimal:
    """The unit price of a free line that came with its total only."""
    return to_five_rappen(price) / quantity if quantity else price
