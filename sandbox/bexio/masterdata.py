"""What a company's settings hold, for reading: people, lists of choices, periods."""

from collections.abc import Callable

from sandbox.bexio.call import Answer, Call, Handler, Route, Routes, counted
from sandbox.bexio.company import Company
from sandbox.bexio.search import field_of, ordered, search
from sandbox.bexio.table import Table
from sandbox.bexio.values import Record

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
    """The endpoints of master data."""
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


def _permissions(call: Call) -> Answer:
    parts = ("contact", "article", "kb_invoice", "kb_order", "banking", "fibu")
    permissions: Record = {}
    for part in parts:
        may = call.company.may(call.user_id, part)
        permissions[part] = {"activation": "disabled" if may == "none" else "enabled", "edit": may, "show": may}
    return Answer({"components": list(parts), "permissions": permissions})
