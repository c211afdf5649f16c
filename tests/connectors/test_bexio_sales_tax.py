from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from app.connectors.bexio.sales_tax import sales_tax
from app.connectors.bexio.taxes import TAXES, Tax
from app.core.errors import RemoteRejected

RECORDED = json.loads((Path(__file__).parent / "recorded" / "bexio.json").read_bytes())
FRESH = TAXES.rows.validate_python(RECORDED["GET /3.0/taxes"])
TODAY = date(2026, 11, 20)


def tax(code: str, value: str, **fields: object) -> Tax:
    known = {
        "id": sum(map(ord, code)),
        "code": code,
        "type": "sales_tax",
        "value": value,
        "is_active": True,
        "display_name": code,
    }
    return Tax.model_validate(known | fields)


@pytest.mark.parametrize(("rate", "code"), [("8.1", "UN81"), ("8.10", "UN81"), ("2.6", "UR26")])
def test_a_fresh_company_has_one_code_for_each_of_its_active_rates(rate: str, code: str) -> None:
    assert sales_tax(FRESH, Decimal(rate), TODAY).code == code


@pytest.mark.parametrize("rate", ["3.8", "0", "7.7"])
def test_an_inactive_or_unknown_rate_is_never_replaced_by_another(rate: str) -> None:
    with pytest.raises(RemoteRejected) as refused:
        sales_tax(FRESH, Decimal(rate), TODAY)
    assert refused.value.code == "tax-code-missing"
    assert refused.value.params["rate"] == rate
    assert refused.value.params["day"] == "2026-11-20"


def test_the_day_of_the_sale_decides() -> None:
    old = tax("UN77", "7.7", start_year=2018, start_month=1, end_year=2023, end_month=12)
    new = tax("UN81", "8.1", start_year=2024, start_month=1)
    assert sales_tax([old, new], Decimal("7.7"), date(2023, 12, 31)) is old
    assert sales_tax([old, new], Decimal("8.1"), date(2024, 1, 1)) is new
    for rate, day in (("7.7", date(2024, 1, 1)), ("8.1", date(2023, 12, 31)), ("7.7", date(2017, 12, 31))):
        with pytest.raises(RemoteRejected, match="tax-code-missing"):
            sales_tax([old, new], Decimal(rate), day)


def test_a_year_without_month_is_meant_whole() -> None:
    whole = tax("UN77", "7.7", start_year=2018, end_year=2018)
    assert whole.holds_on(date(2018, 1, 1))
    assert whole.holds_on(date(2018, 12, 31))
    assert not whole.holds_on(date(2019, 1, 1))
    assert not whole.holds_on(date(2017, 12, 31))


def test_of_several_codes_bexios_own_is_taken() -> None:
    own, special = tax("UN81", "8.1"), tax("MWST-X", "8.1")
    assert sales_tax([special, own], Decimal("8.1"), TODAY) is own
    assert sales_tax([special], Decimal("8.1"), TODAY) is special
    zero, foreign = tax("U00", "0"), tax("UEX", "0")
    assert sales_tax([foreign, zero], Decimal(0), TODAY) is zero


@pytest.mark.parametrize("codes", [("A81", "B81"), ("UN81", "UR81")])
def test_several_codes_of_equal_standing_are_named_and_none_is_guessed(codes: tuple[str, str]) -> None:
    rivals = [tax(code, "8.1") for code in codes]
    for order in (rivals, rivals[::-1]):
        with pytest.raises(RemoteRejected) as refused:
            sales_tax(order, Decimal("8.1"), TODAY)
        assert refused.value.code == "tax-code-ambiguous"
        assert refused.value.params["candidates"] == ", ".join(f"{one.code} ({one.id})" for one in rivals)


def test_a_tax_on_purchases_is_no_sales_tax() -> None:
    for kind in ("pre_tax_material", "opted_sales_tax", "not_taxable_turnover"):
        with pytest.raises(RemoteRejected):
            sales_tax([tax("UN81", "8.1", type=kind)], Decimal("8.1"), TODAY)
