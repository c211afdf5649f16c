"""A sale on bexio invoice that no till ever sent, as it is sent to `POST /invoices`. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from app.capabilities.bookings.facts import HOUSE_CURRENCY
from app.capabilities.bookings.texts import Names
from app.capabilities.documents.schemas import Sale
from app.connectors.arcavis.names import Customer, Transaction, TransactionArticle, TransactionPayment
from app.core.money import amount, plain


def sale_of(transaction: Transaction, customer: Customer | None, names: Names) -> dict[str, Any] | None:
    """The body for `POST /invoices`, or None when the receipt cannot become an invoice as it is."""
    body: dict[str, Any] = {
        "transaction_id": str(transaction.id),
        "number": transaction.number,
        "date": transaction.sale_day.date().isoformat(),
        "store": names.get(("store", str(transaction.store_id))),
        "point_of_sale": names.get(("point_of_sale", str(transaction.point_of_sale_id))),
        "currency": HOUSE_CURRENCY,
        "customer": _customer(customer) if customer is not None else None,
        "lines": [_line(row) for row in transaction.transaction_articles],
        "payments": [_payment(row) for row in transaction.transaction_payments],
        "total": amount(transaction.amount),
        "remarks": transaction.remarks or None,
    }
    try:
        Sale.model_validate(body)
    except ValidationError:
        return None
    return body


def _customer(customer: Customer) -> dict[str, Any]:
    return {
        "arcavis_id": str(customer.id),
        "customer_number": customer.customer_number,
        "is_company": customer.is_company,
        "company_name": customer.company_name,
        "salutation": customer.salutation,
        "first_name": customer.firstname,
        "last_name": customer.name,
        "street": customer.street,
        "house_number": customer.street_number,
        "address_addition": customer.street_supplement,
        "postcode": customer.zip,
        "city": customer.city,
        "country": customer.country_iso_code,
        "email": customer.contact_email,
        "phone": customer.contact_phone,
        "mobile": customer.contact_mobile,
        "language": customer.language_id,
    }


def _line(row: TransactionArticle) -> dict[str, Any]:
    return {
        "position": row.receipt_position,
        "article_id": str(row.article_id) if row.article_id else None,
        "text": row.title or "",
        "quantity": plain(row.quantity),
        "unit_price": plain(row.unit_price),
        "discount": plain(row.discount) if row.discount else None,
        "amount": amount(row.price),
        "tax_rate": plain(row.tax_rate * 100),
    }


def _payment(row: TransactionPayment) -> dict[str, Any]:
    return {"payment_type_id": str(row.payment_type_id), "amount": amount(-row.amount if row.debit else row.amount)}
