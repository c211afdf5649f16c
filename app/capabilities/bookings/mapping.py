"""From Arcavis' transactions to receipts. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from app.capabilities.bookings.facts import HOUSE_CURRENCY, UNGROUPED, Groups, Line, Payment, Receipt, Voucher
from app.connectors.arcavis.names import ArticleGroups, Transaction, TransactionArticle
from app.core.money import to_cent, vat_within

TILL_FACTOR = 10**12
_PERCENT = Decimal(100)

GroupsOf = Callable[[str | None], Groups]


def _ungrouped(_article: str | None) -> Groups:
    return UNGROUPED


def receipt_of(transaction: Transaction, of: GroupsOf = _ungrouped) -> Receipt:
    """A transaction as a receipt; `of` gives the groups of an article by its id, on the day of the receipt.

    Arcavis counts in binary fractions, where 10.00 may be 10.000000000000002: each amount is brought to the Rappen
    here, and what is then left over between them is for the proof of the day.
    """
    cancels, cancelled_by = _ties(transaction)
    return Receipt(
        id=str(transaction.id),
        number=transaction.number,
        sale_day=transaction.sale_day.date(),
        store=str(transaction.store_id),
        point_of_sale=str(transaction.point_of_sale_id),
        transaction_type=str(transaction.transaction_type_id),
        amount=to_cent(transaction.amount),
        lines=tuple(_line(row, of) for row in transaction.transaction_articles if not _is_note(row)),
        payments=tuple(
            Payment(
                payment_type=str(row.payment_type_id),
                amount=to_cent(-row.amount if row.debit else row.amount),
                currency=row.currency_iso_code or HOUSE_CURRENCY,
            )
            for row in transaction.transaction_payments
        ),
        vouchers=tuple(
            Voucher(row.voucher_id, to_cent(row.amount), issued=row.is_issued)
            for row in transaction.transaction_vouchers
        ),
        tips=to_cent(transaction.tip_amount),
        purpose=None if transaction.transaction_purpose_id is None else str(transaction.transaction_purpose_id),
        is_end_of_day=transaction.is_end_of_day_transaction,
        cancels=cancels,
        cancelled_by=cancelled_by,
        synched_at=transaction.synched_time,
    )


def groups_of(article: ArticleGroups) -> Groups:
    """What an article belongs to today."""
    return Groups(article.main_group_title, article.trade_group_title, article.article_group_title)


def _line(row: TransactionArticle, of: GroupsOf) -> Line:
    rate = (row.tax_rate * _PERCENT).normalize()
    article = str(row.article_id) if row.article_id else None
    gross = to_cent(row.price)
    return Line(
        article=article,
        tax_rate=rate,
        gross=gross,
        net=gross - vat_within(gross, rate) if row.net_price is None else to_cent(row.net_price),
        discount=to_cent(row.discount),
        cost=to_cent(row.buying_price * row.quantity),
        groups=of(article),
    )


def _is_note(row: TransactionArticle) -> bool:
    """A line of text only: it sells nothing."""
    return not row.article_id and not row.price and not row.unit_price


def _ties(transaction: Transaction) -> tuple[str | None, str | None]:
    """Which receipt it takes back, and which took it back: Arcavis lets both name each other, and nothing more.

    At one till the later one has the greater number. Across tills what was sold is positive, and its return is not.
    """
    other = transaction.annulation_transaction_id
    if other is None:
        return None, None
    if other // TILL_FACTOR == transaction.id // TILL_FACTOR:
        is_later = transaction.id > other
    else:
        is_later = transaction.amount < 0
    return (str(other), None) if is_later else (None, str(other))
