from __future__ import annotations

import copy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from app.capabilities.documents.checks import check
from app.capabilities.documents.examples import SALE
from app.capabilities.documents.schemas import Sale
from app.capabilities.documents.swiss_vat import rates_on
from app.core.errors import InvalidInput

TODAY = date(2026, 11, 20)


def changed(**changes: object) -> dict[str, Any]:
    body = copy.deepcopy(SALE)
    for path, value in changes.items():
        target: Any = body
        *steps, last = path.split("__")
        for step in steps:
            target = target[int(step)] if step.isdigit() else target[step]
        target[int(last) if last.isdigit() else last] = value
    return body


def refused(body: dict[str, Any]) -> tuple[str, list[str]]:
    with pytest.raises(InvalidInput) as caught:
        check(Sale.model_validate(body), "7", TODAY)
    return caught.value.code, [error.pointer for error in caught.value.errors]


def test_the_sale_of_the_documentation_is_fine() -> None:
    check(Sale.model_validate(SALE), "7", TODAY)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"currency": "EUR"}, "currency-not-supported", "/currency"),
        ({"date": "2025-01-01"}, "sale-date-out-of-range", "/date"),
        ({"date": "2026-11-25"}, "sale-date-out-of-range", "/date"),
        ({"customer": None}, "customer-missing", "/customer"),
        ({"customer__company_name": " "}, "customer-name-missing", "/customer/company_name"),
        ({"lines__0__tax_rate": "7.7"}, "tax-rate-unknown", "/lines/0/tax_rate"),
        ({"lines__0__tax_rate": "5.5"}, "tax-rate-unknown", "/lines/0/tax_rate"),
        ({"lines__0__quantity": "0"}, "quantity-out-of-range", "/lines/0/quantity"),
        ({"lines__0__quantity": "99999999"}, "quantity-out-of-range", "/lines/0/quantity"),
        ({"lines__0__quantity": "-3"}, "line-sign-differs", "/lines/0/amount"),
        ({"lines__0__tax_rate": None}, "line-incomplete", "/lines/0/tax_rate"),
        ({"total": "13.65", "payments__0__amount": "13.65"}, "lines-differ-from-total", "/total"),
        ({"payments__0__amount": "13.55"}, "payments-differ-from-total", "/payments"),
        ({"payments__0__payment_type_id": "1"}, "not-paid-on-invoice", "/payments"),
        ({"payments": [{"payment_type_id": "7", "amount": "20.00"}, {"payment_type_id": "1", "amount": "-6.40"}]},
         "payment-not-positive", "/payments/1/amount"),
        ({"total": "0.00", "lines__0__amount": "0.00", "payments__0__amount": "0.00"}, "amount-not-positive", "/total"),
    ],
)  # fmt: skip
def test_what_cannot_become_an_invoice_is_refused_by_name(changes: dict[str, Any], code: str, pointer: str) -> None:
    found, pointers = refused(changed(**changes))
    assert found == code
    assert pointer in pointers


def test_two_lines_at_one_position_are_refused() -> None:
    body = changed(total="27.20", payments=[{"payment_type_id": "7", "amount": "27.20"}])
    body["lines"] = [body["lines"][0], copy.deepcopy(body["lines"][0])]
    assert refused(body) == ("position-duplicate", ["/lines/1/position"])


def test_all_problems_are_listed_at_once() -> None:
    _, pointers = refused(changed(currency="EUR", customer=None, payments__0__amount="1.00"))
    assert pointers == ["/currency", "/customer", "/payments"]


def test_a_return_within_a_sale_is_legitimate() -> None:
    body = changed(total="8.60", payments=[{"payment_type_id": "7", "amount": "8.60"}])
    back = {
        "position": 2,
        "text": "Zurück",
        "quantity": "-1",
        "unit_price": "5.00",
        "amount": "-5.00",
        "tax_rate": "2.6",
    }
    body["lines"].append(back)
    check(Sale.model_validate(body), "7", TODAY)


def test_a_tenant_without_a_payment_type_yet_is_no_reason_to_refuse_a_customer() -> None:
    check(Sale.model_validate(SALE), None, TODAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"total": 13.6},
        {"total": "13.601"},
        {"total": "1e3"},
        {"total": "NaN"},
        {"transaction_id": "a/b"},
        {"transaction_id": ""},
        {"surprise": 1},
        {"lines": []},
        {"lines__0__quantity": "many"},
        {"customer__country": "Schweiz"},
    ],
)
def test_what_is_no_sale_at_all_does_not_parse(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sale.model_validate(changed(**changes))


def test_the_law_knows_other_rates_before_2024() -> None:
    assert Decimal("7.7") in rates_on(date(2023, 12, 31))
    assert Decimal("8.1") in rates_on(date(2024, 1, 1))
    assert rates_on(date(2001, 1, 1)) == frozenset()
