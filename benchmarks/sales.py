"""The sale that is fired: five lines, about 0.9 kB, unique by its transaction id."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import orjson

INVOICE_TYPE, CASH_TYPE = "7", "1"
LINKED_CUSTOMER = "K-501"
DAY = "2026-11-20"

_PLACE = "transaction-id-00"
LINES = [
    ("1749", "100234", "Dressing", "3", "5.04", "1.50", "13.60", "2.6"),
    ("1802", "100310", "Olivenöl 5 dl", "1", "24.90", "0.00", "24.90", "2.6"),
    ("1833", "100401", "Holzbrett Nuss", "1", "48.00", "4.80", "43.20", "8.1"),
    ("1840", "100455", "Salz", "2", "6.50", "0.00", "13.00", "2.6"),
    ("1911", "100502", "Geschenkkorb", "1", "89.00", "0.00", "89.00", "8.1"),
]
_NAMES = ("article_id", "article_number", "text", "quantity", "unit_price", "discount", "amount", "tax_rate")
TOTAL = "183.70"


def sale(transaction_id: str, **changes: Any) -> dict[str, Any]:
    """A till's sale as JSON values."""
    return {
        "transaction_id": transaction_id,
        "number": "2/815",
        "date": DAY,
        "customer": {"arcavis_id": LINKED_CUSTOMER, "is_company": True, "company_name": "Muster AG", "language": "de"},
        "lines": [{"position": at, **dict(zip(_NAMES, line, strict=True))} for at, line in enumerate(LINES, 1)],
        "payments": [{"payment_type_id": INVOICE_TYPE, "amount": TOTAL}],
        "total": TOTAL,
        **changes,
    }


def new_ids() -> Callable[[], str]:
    """Transaction ids that no other run makes, all of one length."""
    run, numbers = secrets.token_hex(4), itertools.count()
    return lambda: f"{run}-{next(numbers):08}"


def requests(
    path: str, key: str, headers: Mapping[str, str] | None = None, *, most: int | None = None
) -> Callable[[], bytes | None]:
    """POSTs of ever new sales as they go over the wire; None after `most` of them."""
    body = orjson.dumps(sale(_PLACE))
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    before, _, after = ("\r\n".join(lines) + "\r\n\r\n").encode().join([b"", body]).partition(_PLACE.encode())
    new_id = new_ids()
    left = itertools.count() if most is None else iter(range(most))

    def following() -> bytes | None:
        return None if next(left, None) is None else before + new_id().encode() + after

    return following
