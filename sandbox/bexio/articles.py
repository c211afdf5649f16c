"""Articles, for reading (`/2.0/article`), searched by `intern_name` and `intern_code`; and where stock lies."""

from sandbox.bexio.call import Answer, Call, Route, Routes
from sandbox.bexio.company import Company
from sandbox.bexio.errors import Forbidden
from sandbox.bexio.limits import Bucket
from sandbox.bexio.search import field_of, ordered, search
from sandbox.bexio.values import Record

SEARCHABLE = frozenset({"intern_name", "intern_code"})
_DEFAULTS: Record = {
    "user_id": 1,
    "article_type_id": 1,
    "contact_id": None,
    "deliverer_code": "",
    "deliverer_name": "",
    "deliverer_description": "",
    "intern_code": "",
    "intern_name": "",
    "intern_description": "",
    "purchase_price": None,
    "sale_price": None,
    "purchase_total": None,
    "sale_total": None,
    "currency_id": 1,
    "tax_income_id": None,
    "tax_id": None,
    "tax_expense_id": None,
    "unit_id": None,
    "is_stock": False,
    "stock_id": None,
    "stock_place_id": None,
    "stock_nr": 0,
    "stock_min_nr": 0,
    "stock_reserved_nr": 0,
    "stock_available_nr": 0,
    "stock_picked_nr": 0,
    "stock_disposed_nr": 0,
    "stock_ordered_nr": 0,
    "width": None,
    "height": None,
    "weight": None,
    "volume": None,
    "html_text": "",
    "remarks": "",
    "delivery_price": None,
    "article_group_id": None,
    "account_id": None,
    "expense_account_id": None,
}


_WITHOUT_STOCK: Record = {
    **{name: 0 for name in _DEFAULTS if name.startswith("stock_") and name.endswith("_nr")},
    "is_stock": False,
    "stock_id": None,
    "stock_place_id": None,
}


def routes() -> Routes:
    """The endpoints of articles and of stock locations and areas."""
    show, stock = ("article_show",), ("stock_edit",)
    return {
        ("GET", "/2.0/article"): Route(_list, show, Bucket.ARTICLE),
        ("POST", "/2.0/article/search"): Route(_search, show, Bucket.SEARCH),
        ("GET", "/2.0/article/{id}"): Route(_show, show, Bucket.ARTICLE),
        ("GET", "/2.0/stock"): Route(_stocks, stock),
        ("GET", "/2.0/stock_place"): Route(_stock_places, stock),
    }


def add(company: Company, fields: Record) -> Record:
    """A new article as a user makes it in bexio's screens; `fields` are bexio's."""
    article_id = company.articles.next_id()
    return company.articles.put(article_id, {"id": article_id, **_DEFAULTS, **fields})


def edit(company: Company, article_id: int, fields: Record) -> Record:
    """Change an article as a user does in bexio's screens. An article has no date of change.

    Raises:
        KeyError: for a field that articles do not have.
    """
    stored = company.articles[article_id]
    for name in fields:
        _ = stored[name]
    stored.update(fields)
    return stored


def remove(company: Company, article_id: int) -> Record:
    """Delete an article; in bexio that is for good."""
    return company.articles.remove(article_id)


def _shown(call: Call, row: Record) -> Record:
    rules = call.company.rules
    hides_stock = not rules.has_stock_module or (rules.stock_needs_scope and not call.allows("stock_edit"))
    return row | _WITHOUT_STOCK if hides_stock else row


def _list(call: Call) -> Answer:
    rows = call.page(ordered(call, list(call.company.articles), field_of))
    return Answer([_shown(call, row) for row in rows])


def _show(call: Call) -> Answer:
    return Answer(_shown(call, call.company.articles[call.ids[0]]))


def _stocks(call: Call) -> Answer:
    _require_stock_module(call)
    return Answer(call.page(ordered(call, list(call.company.stocks), field_of)))


def _stock_places(call: Call) -> Answer:
    _require_stock_module(call)
    return Answer(call.page(ordered(call, list(call.company.stock_places), field_of)))


def _require_stock_module(call: Call) -> None:
    if not call.company.rules.has_stock_module:
        raise Forbidden("The stock module is not activated.")


def _search(call: Call) -> Answer:
    found = search(call, call.company.articles, SEARCHABLE, field_of)
    return Answer([_shown(call, row) for row in call.page(ordered(call, found, field_of))])
