"""What the OpenAPI document shows as requests and answers."""

from __future__ import annotations

from typing import Any

SALE: dict[str, Any] = {
    "transaction_id": "2000000000815",
    "number": "2/815",
    "date": "2026-11-20",
    "store": "Zürich",
    "point_of_sale": "Kasse 2",
    "currency": "CHF",
    "customer": {
        "arcavis_id": "501",
        "customer_number": "K-501",
        "is_company": True,
        "company_name": "Muster AG",
        "salutation": "Herr",
        "first_name": "Max",
        "last_name": "Muster",
        "street": "Hauptstrasse",
        "house_number": "1",
        "address_addition": None,
        "postcode": "8000",
        "city": "Zürich",
        "country": "CH",
        "email": "info@muster.ch",
        "phone": None,
        "mobile": None,
        "language": "de",
    },
    "lines": [
        {
            "position": 1,
            "article_id": "1749",
            "article_number": "100234",
            "text": "Dressing",
            "quantity": "3",
            "unit_price": "5.04",
            "discount": "1.50",
            "amount": "13.60",
            "tax_rate": "2.6",
        }
    ],
    "payments": [{"payment_type_id": "7", "amount": "13.60"}],
    "total": "13.60",
    "remarks": None,
}

DOCUMENT: dict[str, Any] = {
    "id": "0198f3a0-5b7e-7c11-9f4e-2f6d1c1b7a10",
    "source": "sale",
    "transaction_id": "2000000000815",
    "number": "2/815",
    "date": "2026-11-20",
    "total": "13.60",
    "status": "issued",
    "bexio": {
        "id": 42,
        "number": "RE-00042",
        "total": "13.60",
        "status": "open",
        "open_amount": "13.60",
        "url": "https://office.bexio.com/index.php/kb_invoice/show/id/42",
    },
    "attention": None,
    "waiting": None,
    "created_at": "2026-11-20T10:15:30.120000+01:00",
    "updated_at": "2026-11-20T10:15:31.480000+01:00",
}
