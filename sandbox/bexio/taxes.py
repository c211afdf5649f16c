"""VAT codes (`/3.0/taxes`): which are in force on a day, and the codes of the rates before 2024."""

from datetime import date

from sandbox.bexio.call import Answer, Call, Route, Routes
from sandbox.bexio.company import Company
from sandbox.bexio.errors import Conflict, Invalid
from sandbox.bexio.values import Record, uuid_of

_OLD = (("UN77", "UN81", 7.7), ("UR25", "UR26", 2.5), ("US37", "US38", 3.7))
_FIRST_MONTH = (2018, 1)
# bexio leaves a code open for some months, for what is taken back later.
_LAST_MONTH = (2024, 6)


def routes() -> Routes:
    """The endpoints of taxes."""
    return {
        ("GET", "/3.0/taxes"): Route(_list),
        ("GET", "/3.0/taxes/{id}"): Route(lambda call: Answer(call.company.taxes[call.ids[0]])),
        ("DELETE", "/3.0/taxes/{id}"): Route(_delete),
    }


def is_in_force(tax: Record, on: date) -> bool:
    """Whether a day is within the months of a tax; a missing end is open."""
    month = (on.year, on.month)
    start, end = (tax["start_year"], tax["start_month"] or 1), (tax["end_year"], tax["end_month"] or 12)
    return (start[0] is None or start <= month) and (end[0] is None or month <= end)


def add_rates_before_2024(company: Company) -> None:
    """The sales codes of 7.7, 2.5 and 3.7 %, open until June 2024 for what is taken back."""
    for code, successor, value in _OLD:
        if any(row["code"] == code for row in company.taxes):
            continue
        tax_id = company.taxes.next_id()
        spans = dict(zip(("start_year", "start_month"), _FIRST_MONTH, strict=True))
        spans |= dict(zip(("end_year", "end_month"), _LAST_MONTH, strict=True))
        shown = f"{code} - Revenue (bis 2023) {value:.2f}%"
        row = {**company.tax(successor), **spans, "id": tax_id, "code": code, "value": value, "display_name": shown}
        company.taxes.put(tax_id, {**row, "uuid": uuid_of(company.id, "taxes", tax_id), "is_active": True})


def _list(call: Call) -> Answer:
    """`scope` active or inactive, `types` sales_tax or pre_tax, `date`: the taxes whose time includes that day."""
    rows = list(call.company.taxes)
    scope, kind, day = call.query.get("scope"), call.query.get("types"), call.query.get("date")
    if scope in {"active", "inactive"}:
        rows = [row for row in rows if row["is_active"] == (scope == "active")]
    if kind == "sales_tax":
        rows = [row for row in rows if row["type"] == "sales_tax"]
    elif kind == "pre_tax":
        rows = [row for row in rows if row["type"].startswith("pre_tax")]
    if day is not None:
        on = _day(day)
        rows = [row for row in rows if is_in_force(row, on)]
    return Answer(call.page(rows))


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise Invalid("date is not a date.") from None


def _delete(call: Call) -> Answer:
    """No tax of a seeded company can be deleted: each is bexio's own or in use."""
    _ = call.company.taxes[call.ids[0]]
    raise Conflict("tax can not be deleted")
