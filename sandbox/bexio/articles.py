"""Articles, for reading (`/2.0/article`): list, search by `intern_name` and `intern_code`, show."""

from sandbox.bexio.call import Answer, Call, Route, Routes
from sandbox.bexio.company import Company
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


def routes() -> Routes:
    """The endpoints of articles."""
    show = ("article_show",)
    return {
        ("GET", "/2.0/article"): Route(_list, show, Bucket.ARTICLE),
        ("POST", "/2.0/article/search"): Route(_search, show, Bucket.SEARCH),
        ("GET", "/2.0/article/{id}"): Route(
            lambda call: Answer(call.company.articles[call.ids[0]]), show, Bucket.ARTICLE
        ),
    }


def add(company: Company, fields: Record) -> Record:
    """A new article as a user makes it in bexio's screens; `fields` are bexio's."""
    article_id = company.articles.next_id()
    return company.articles.put(article_id, {"id": article_id, **_DEFAULTS, **fields})


def _list(call: Call) -> Answer:
    return Answer(call.page(ordered(call, list(call.company.articles), field_of)))


def _search(call: Call) -> Answer:
    found = search(call, call.company.articles, SEARCHABLE, field_of)
    return Answer(call.page(ordered(call, found, field_of)))
