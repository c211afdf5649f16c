"""What a simulated document adds up to: VAT modes, rounding, discounts, and the ledger behind it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.bexio.api import Api, Inbound
from sandbox.bexio.company import Company, Document
from sandbox.bexio.seed import seed_shop
from sandbox.bexio.totals import Discount, Line, Totals, add_up, line_total
from sandbox.bexio.world import World

CENT, FIVE = Decimal("0.01"), Decimal("0.05")
GOODS, SERVICES = 101, 102


def line(total: str, rate: str = "8.1", account: int = GOODS) -> Line:
    return Line(Decimal(total), account, int(Decimal(rate) * 10), Decimal(rate))


def gross(*items: Line | Discount, step: Decimal = FIVE) -> Totals:
    return add_up(items, charges_vat=True, prices_are_net=False, step=step)


def test_bexios_own_example_of_rounding_comes_out() -> None:
    totals = add_up([line("17.80", "7.7")], charges_vat=True, prices_are_net=True, step=FIVE)
    assert (totals.net, totals.total_taxes, totals.total) == (Decimal("17.80"), Decimal("1.3706"), Decimal("19.15"))
    assert totals.rounding == Decimal("-0.02")


def test_gross_prices_contain_the_vat_and_net_prices_add_it() -> None:
    inside = gross(line("108.10"))
    on_top = add_up([line("100")], charges_vat=True, prices_are_net=True, step=FIVE)
    assert (inside.total, inside.net, inside.total_taxes) == (Decimal("108.10"), Decimal(100), Decimal("8.1"))
    assert (on_top.total, on_top.net, on_top.total_taxes) == (Decimal("108.10"), Decimal(100), Decimal("8.1"))


@pytest.mark.parametrize("is_net", [True, False])
def test_without_vat_neither_total_nor_shares_hold_any(*, is_net: bool) -> None:
    totals = add_up([line("108.10")], charges_vat=False, prices_are_net=is_net, step=FIVE)
    assert (totals.total, totals.taxes) == (Decimal("108.10"), {})
    assert [(share.net, share.vat) for share in totals.shares] == [(Decimal("108.10"), 0)]


def test_a_company_that_rounds_to_the_rappen_keeps_the_odd_total() -> None:
    assert (gross(line("19.17")).total, gross(line("19.17"), step=CENT).total) == (Decimal("19.15"), Decimal("19.17"))


@pytest.mark.parametrize(
    ("amount", "price", "discount", "total"),
    [
        ("3", "5.04", "10", "13.61"),
        ("1", "0.125", "0", "0.13"),
        ("1", "-0.125", "0", "-0.13"),
        ("0.284", "28.50", "0", "8.09"),
        ("7", "0", "0", "0.00"),
        ("1", "10", "100", "0.00"),
    ],
)
def test_a_line_is_rounded_half_up_to_the_rappen(amount: str, price: str, discount: str, total: str) -> None:
    assert line_total(Decimal(amount), Decimal(price), Decimal(discount)) == Decimal(total)


def test_vat_is_computed_per_rate_and_not_per_line() -> None:
    totals = gross(*[line("0.05")] * 3)
    assert totals.taxes == {Decimal("8.1"): Decimal("0.0112")}
    assert sum(share.vat for share in totals.shares) == CENT


def test_a_discount_position_lowers_every_rate_in_proportion() -> None:
    totals = gross(line("100", "8.1"), line("50", "2.6"), Discount(Decimal(10), is_percentual=True), line("5"))
    assert (totals.gross, totals.total, totals.discounts) == (Decimal(155), Decimal(140), (Decimal(-15),))
    by_rate = {share.tax_id: share.net + share.vat for share in totals.shares}
    assert by_rate == {81: Decimal(95), 26: Decimal(45)}


def priced(total: Decimal, rate: Decimal, account: int) -> Line:
    return Line(total, account, int(rate * 10), rate)


PRICED = st.builds(
    priced,
    st.decimals(min_value=-500, max_value=5000, places=2),
    st.sampled_from([Decimal("8.1"), Decimal("2.6"), Decimal("3.8"), Decimal(0)]),
    st.sampled_from([GOODS, SERVICES]),
)


@given(lines=st.lists(PRICED, min_size=1, max_size=200), is_net=st.booleans(), step=st.sampled_from([CENT, FIVE]))
def test_shares_rounding_and_total_always_agree(lines: list[Line], step: Decimal, *, is_net: bool) -> None:
    totals = add_up(lines, charges_vat=True, prices_are_net=is_net, step=step)
    summed = sum((each.total for each in lines), Decimal(0))
    net, vat = (sum((getattr(share, name) for share in totals.shares), Decimal(0)) for name in ("net", "vat"))
    assert totals.total % step == 0
    assert abs(totals.total - (summed + totals.total_taxes * is_net)) <= step / 2
    assert (net if is_net else net + vat) == summed
    for rate, shown in totals.taxes.items():
        booked = sum((share.vat for share in totals.shares if share.tax_id == int(rate * 10)), Decimal(0))
        assert abs(booked - shown) <= Decimal("0.00505")


# The same over the API: whatever is sold, the books hold it.

POSITION = st.fixed_dictionaries(
    {
        "amount": st.decimals(min_value=Decimal("0.001"), max_value=50, places=3).map(str),
        "unit_price": st.decimals(min_value=-20, max_value=300, places=2).map(str),
        "discount_in_percent": st.decimals(min_value=0, max_value=100, places=4).map(str),
        "tax": st.sampled_from(["UN81", "UR26", "US38", "U00"]),
        "account": st.sampled_from(["3200", "3400"]),
    }
)
INVOICE = st.fixed_dictionaries(
    {
        "positions": st.lists(POSITION, min_size=1, max_size=30),
        "mwst_type": st.sampled_from([0, 0, 0, 1, 2]),
        "mwst_is_net": st.booleans(),
        "then": st.sampled_from(["issue", "pay", "part", "cancel", "revert"]),
    }
)


class Books:
    """A shop that is driven without HTTP."""

    def __init__(self, step: Decimal) -> None:
        world = World(lambda: datetime(2026, 11, 20, 11, tzinfo=UTC))
        world.limits.enabled = False
        self.company: Company = seed_shop(world, has_contacts=False, round_factor=step)
        world.add_token(self.company.id, "t")
        self.api = Api(world)

    def post(self, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
        sent = b"" if body is None else orjson.dumps(body)
        reply = self.api.perform(Inbound("POST", f"/2.0/{path}", "", {"authorization": "Bearer t"}, sent))
        return reply.status, orjson.loads(reply.body)

    def sell(self, wanted: dict[str, Any]) -> None:
        positions = [
            {
                "type": "KbPositionCustom",
                **{name: line[name] for name in ("amount", "unit_price", "discount_in_percent")},
                "tax_id": self.company.tax(line["tax"])["id"],
                "account_id": self.company.account(line["account"])["id"],
                "text": "x",
            }
            for line in wanted["positions"]
        ]
        head = {name: wanted[name] for name in ("mwst_type", "mwst_is_net")}
        status, made = self.post("kb_invoice", {"contact_id": 1, "user_id": 1, **head, "positions": positions})
        assert status == 201
        base, total = f"kb_invoice/{made['id']}", Decimal(made["total"])
        assert self.post(f"{base}/issue")[0] == (200 if total >= 0 else 422)
        if total <= 0:
            return
        if wanted["then"] in {"pay", "part"}:
            value = total if wanted["then"] == "pay" else min(total, CENT)
            assert self.post(f"{base}/payment", {"value": str(value), "bank_account_id": 1})[0] == 201
        elif wanted["then"] in {"cancel", "revert"}:
            action = {"cancel": "cancel", "revert": "revert_issue"}[wanted["then"]]
            assert self.post(f"{base}/{action}")[0] == 200


@settings(max_examples=60, deadline=None)
@given(st.lists(INVOICE, min_size=1, max_size=5), st.sampled_from([CENT, FIVE]))
def test_the_ledger_always_balances_and_holds_what_the_invoices_say(
    wanted: list[dict[str, Any]], step: Decimal
) -> None:
    books = Books(step)
    for each in wanted:
        books.sell(each)
    ledger, company = books.company.ledger, books.company
    rows = ledger.trial_balance()
    assert sum(row.debit for row in rows) == sum(row.credit for row in rows)
    booked: list[Document] = [each for each in company.invoices if each.status in {8, 9, 16}]
    assert ledger.balance("1100") == sum((each.open_amount for each in booked), Decimal(0))
    assert ledger.balance("1020") == sum((each.received for each in booked), Decimal(0))
    vat = sum((share.vat for each in booked for share in each.totals.shares), Decimal(0))
    assert -ledger.balance("2200") == vat == sum(ledger.vat().values())
    for account in ("3200", "3400"):
        account_id = company.account(account)["id"]
        net = sum(
            (share.net for each in booked for share in each.totals.shares if share.account_id == account_id),
            Decimal(0),
        )
        assert -ledger.balance(account) == net
    total = sum((each.total for each in booked), Decimal(0))
    assert -ledger.balance("6945") == total + sum(ledger.balance(each) for each in ("3200", "3400", "2200"))
