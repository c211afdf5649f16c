"""What a company's settings hold, for reading: people, lists of choices, taxes, periods, journal."""

from collections.abc import Callable
from datetime import date

from sandbox.bexio.call import Answer, Call, Handler, Route, Routes, counted
from sandbox.bexio.company import Company
from sandbox.bexio.errors import Conflict, Invalid
from sandbox.bexio.ledger import Row
from sandbox.bexio.search import field_of, ordered, search
from sandbox.bexio.table import Table
from sandbox.bexio.values import Record, midnight_stamp, uuid_of

Pick = Callable[[Company], Table[Record]]

_NAMED: dict[str, tuple[Pick, frozenset[str]]] = {
    "payment_type": (lambda company: company.payment_types, frozenset({"name"})),
    "unit": (lambda company: company.units, frozenset({"name"})),
    "country": (lambda company: company.countries, frozenset({"name", "name_short"})),
    "language": (lambda company: company.languages, frozenset({"name", "iso_639_1"})),
    "salutation": (lambda company: company.salutations, frozenset({"name"})),
    "title": (lambda company: company.titles, frozenset({"name"})),
    "accounts": (
        lambda company: company.accounts,
        frozenset({"account_no", "fibu_account_group_id", "name", "account_type"}),
    ),
}
_WITHOUT_SHOW = frozenset({"payment_type", "accounts", "language"})


def routes() -> Routes:
    """The endpoints of master data and of reading the books."""
    found: Routes = {}
    for name, (pick, fields) in _NAMED.items():
        found["GET", f"/2.0/{name}"] = Route(_listing(pick))
        found["POST", f"/2.0/{name}/search"] = Route(_searching(pick, fields))
        if name not in _WITHOUT_SHOW:
            found["GET", f"/2.0/{name}/{{id}}"] = Route(_showing(pick))
    bank = ("bank_account_show",)
    return found | {
        ("GET", "/2.0/account_groups"): Route(_listing(lambda company: company.account_groups)),
        ("GET", "/2.0/kb_item_setting"): Route(_listing(lambda company: company.document_settings)),
        ("GET", "/2.0/company_profile"): Route(lambda call: Answer([call.company.profile])),
        ("GET", "/3.0/taxes"): Route(_taxes),
        ("GET", "/3.0/taxes/{id}"): Route(_showing(lambda company: company.taxes)),
        ("DELETE", "/3.0/taxes/{id}"): Route(_delete_tax),
        ("GET", "/3.0/currencies"): Route(_counting(lambda company: company.currencies)),
        ("GET", "/3.0/currencies/{id}"): Route(_showing(lambda company: company.currencies)),
        ("GET", "/3.0/users"): Route(_counting(lambda company: company.users)),
        ("GET", "/3.0/users/me"): Route(lambda call: Answer(call.company.users[call.user_id])),
        ("GET", "/3.0/users/{id}"): Route(_showing(lambda company: company.users)),
        ("GET", "/3.0/banking/accounts"): Route(_counting(lambda company: company.banking_accounts), bank),
        ("GET", "/3.0/banking/accounts/{id}"): Route(_showing(lambda company: company.banking_accounts), bank),
        ("GET", "/3.0/accounting/business_years"): Route(_listing(lambda company: company.business_years)),
        ("GET", "/3.0/accounting/business_years/{id}"): Route(_showing(lambda company: company.business_years)),
        ("GET", "/3.0/accounting/calendar_years"): Route(_counting(lambda company: company.calendar_years)),
        ("GET", "/3.0/accounting/calendar_years/{id}"): Route(_showing(lambda company: company.calendar_years)),
        ("GET", "/3.0/accounting/vat_periods"): Route(_listing(lambda company: company.vat_periods)),
        ("GET", "/3.0/accounting/vat_periods/{id}"): Route(_showing(lambda company: company.vat_periods)),
        ("GET", "/3.0/accounting/journal"): Route(_journal, ("accounting",)),
        ("GET", "/3.0/document_templates"): Route(_listing(lambda company: company.document_templates)),
        ("GET", "/3.0/permissions"): Route(_permissions),
    }


def _listing(pick: Pick) -> Handler:
    return lambda call: Answer(call.page(ordered(call, list(pick(call.company)), field_of)))


def _searching(pick: Pick, fields: frozenset[str]) -> Handler:
    def answer(call: Call) -> Answer:
        return Answer(call.page(ordered(call, search(call, pick(call.company), fields, field_of), field_of)))

    return answer


def _counting(pick: Pick) -> Handler:
    return lambda call: counted(call, pick(call.company))


def _showing(pick: Pick) -> Handler:
    return lambda call: Answer(pick(call.company)[call.ids[0]])


def _taxes(call: Call) -> Answer:
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
        on = _day(day, "date")
        rows = [row for row in rows if _is_in_force(row, on)]
    return Answer(call.page(rows))


def _is_in_force(tax: Record, on: date) -> bool:
    month = (on.year, on.month)
    start, end = (tax["start_year"], tax["start_month"] or 1), (tax["end_year"], tax["end_month"] or 12)
    return (start[0] is None or start <= month) and (end[0] is None or month <= end)


def _delete_tax(call: Call) -> Answer:
    """No tax of a seeded company can be deleted: each is bexio's own or in use."""
    _ = call.company.taxes[call.ids[0]]
    raise Conflict("tax can not be deleted")


def _journal(call: Call) -> Answer:
    rows = list(call.company.ledger.rows())
    if since := call.query.get("from"):
        first = _day(since, "from")
        rows = [row for row in rows if row.date >= first]
    if until := call.query.get("to"):
        last = _day(until, "to")
        rows = [row for row in rows if row.date <= last]
    if account_uuid := call.query.get("account_uuid"):
        ids = {row["id"] for row in call.company.accounts if row["uuid"] == account_uuid}
        rows = [row for row in rows if ids & {row.debit_account_id, row.credit_account_id}]
    answer = counted(call, rows)
    return Answer([_journal_row(call.company, row) for row in call.page(rows)], headers=answer.headers)


def _journal_row(company: Company, row: Row) -> Record:
    reference = row.reference
    return {
        "id": row.id,
        "ref_id": reference.ref_id,
        "ref_uuid": uuid_of(company.id, reference.ref_class, reference.ref_id),
        "ref_class": reference.ref_class,
        "date": midnight_stamp(row.date),
        "debit_account_id": row.debit_account_id,
        "credit_account_id": row.credit_account_id,
        "description": reference.text,
        "amount": float(row.amount),
        "currency_id": 1,
        "currency_factor": 1,
        "base_currency_id": 1,
        "base_currency_amount": float(row.amount),
    }


def _permissions(_call: Call) -> Answer:
    rights = {"activation": "enabled", "edit": "all", "show": "all"}
    parts = ("contact", "article", "kb_invoice", "kb_order", "banking", "fibu")
    return Answer({"components": list(parts), "permissions": dict.fromkeys(parts, rights)})


def _day(value: str, name: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid(f"{name} is not a date.") from None
