"""Articles and their stock: read with flags and diffs, upserted by number, stock set per store."""

from decimal import Decimal

from sandbox.arcavis.errors import BadRequestError, BusinessError, UnknownRecordError
from sandbox.arcavis.listing import Answer, Call, list_rows
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.values import Record, flag, number, optional_whole, records, short_text, text, texts, whole

_GROUPS = (
    ("MainGroupTitle", "maingroups", None),
    ("TradeGroupTitle", "tradegroups", "MainGroupId"),
    ("ArticleGroupTitle", "articlegroups", "TradeGroupId"),
)
_MAX_NUMBER = 50
_FLAGS = {"HasVariations": False, "IsBonusLocked": False, "IsDiscountLocked": False, "IsWebApi": True}


def read_all(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/articles`: filters `mainArticleId`, `tag`; flags inclStock, inclTags, ignSupp, ignIdents."""
    main_article = call.query.get("mainArticleId", "")
    tag = call.query.get("tag", "")

    def keep(row: Record) -> bool:
        return (not main_article or row["MainArticleId"] == whole(main_article)) and (not tag or tag in row["Tags"])

    def show(row: Record) -> Record:
        return _shown(tenant, row, call)

    return list_rows(tenant.articles, call, tenant.ticks.next(), keep=keep, show=show)


def read_one(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/articles/{id}`."""
    return Answer(_shown(tenant, tenant.articles.get_visible(call.record_id), call))


def save(tenant: Tenant, call: Call) -> Answer:
    """`POST /api/articles`: create, or update by `ArticleNumber`; makes new groups. Result is the id."""
    return Answer(upsert(tenant, call.body))


def read_stock(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/articlestocks/{article_id}`: one row per store; none when the stock is not managed."""
    tenant.articles.get_visible(call.record_id)
    return Answer(_stock_rows(call.record_id, tenant.stock_levels(call.record_id)))


def read_stocks(tenant: Tenant, call: Call) -> Answer:
    """`GET /api/articlestocks`: per store, or with `groupByArticle` one sum per article."""
    listed = list_rows(tenant.stocks, call, tenant.ticks.next())
    rows = records(listed.result)
    if flag(call.query.get("groupByArticle")):
        shown = [{"ArticleId": row["Id"], "Stock": sum(row["Stock"].values(), Decimal(0))} for row in rows]
    else:
        shown = [each for row in rows for each in _stock_rows(row["Id"], row["Stock"])]
    return Answer(shown, beside=listed.beside)


def save_stock(tenant: Tenant, call: Call) -> Answer:
    """`POST /api/articlestocks` {`ArticleId`, `StoreId`, `Stock`}: sets the stock of one store."""
    article_id, store_id = whole(call.body.get("ArticleId")), whole(call.body.get("StoreId"))
    if article_id not in tenant.articles:
        raise BusinessError("ArticleNotFound")
    if store_id not in tenant.helpers["stores"]:
        raise BusinessError("StoreNotFound")
    if text(call.body.get("Stock")) == "":
        raise BadRequestError("Stock is missing")
    tenant.set_stock(article_id, store_id, number(call.body["Stock"]))
    return Answer(result=True)


def upsert(tenant: Tenant, given: Record) -> int:
    """Create or update an article from a client's object; returns its id.

    Raises:
        BusinessError: without number or title, or with an unknown tax, unit or main article.
    """
    article_number = short_text(given.get("ArticleNumber"), "ArticleNumber", _MAX_NUMBER)
    if not article_number:
        raise BusinessError("ArticleNumberRequired")
    before: Record = tenant.articles.by_key(article_number) or _blank(tenant.articles.next_id, article_number)
    record: Record = dict(before)
    record["Title"] = short_text(given.get("Title", record["Title"]), "Title")
    record["Description"] = text(given.get("Description", record["Description"]))
    record["IsDeleted"] = False
    if not record["Title"]:
        raise BusinessError("TitleRequired")
    for name in ("Price", "SalePrice", "BuyingPrice"):
        record[name] = number(given.get(name), before[name])
    for name in _FLAGS:
        record[name] = flag(given.get(name, before[name]))
    for name in ("Status", "MainArticleId"):
        record[name] = whole(given.get(name), before[name])
    if "Tags" in given:
        record["Tags"] = texts(given["Tags"])
    record["UnitId"] = _known(tenant, "units", optional_whole(given.get("UnitId")) or before["UnitId"], "UnitNotFound")
    if record["MainArticleId"] and record["MainArticleId"] not in tenant.articles:
        raise BusinessError("ArticleNotFound")
    _set_tax(tenant, record, given)
    _set_groups(tenant, record, given)
    tenant.articles.put(record)
    if not record["IsWebApi"]:
        tenant.articles.hide(record["Id"])
    return record["Id"]


def remove(tenant: Tenant, article_id: int) -> None:
    """Delete an article softly, as a person does in the backoffice; the id appears in `DeletedIds`."""
    record = tenant.articles.get(article_id)
    tenant.articles.hide(article_id)
    record["IsDeleted"] = True


def _blank(record_id: int, article_number: str) -> Record:
    return {
        "Id": record_id,
        "ArticleNumber": article_number,
        "Title": "",
        "Description": "",
        "Status": 0,
        "Price": Decimal(0),
        "SalePrice": Decimal(0),
        "BuyingPrice": Decimal(0),
        "TaxId": 0,
        "TaxRate": Decimal(0),
        "UnitId": 1,
        "MainArticleId": 0,
        "MainGroupTitle": "",
        "TradeGroupTitle": "",
        "ArticleGroupTitle": "",
        "ArticleGroupId": None,
        "Tags": [],
        "Images": [],
        "Attributes": [],
        "Suppliers": [],
        "Identifications": [],
        "IsDeleted": False,
        **_FLAGS,
    }


def _known(tenant: Tenant, resource: str, record_id: int, message: str) -> int:
    try:
        tenant.helpers[resource].get(record_id)
    except UnknownRecordError:
        raise BusinessError(message) from None
    return record_id


def _set_tax(tenant: Tenant, record: Record, given: Record) -> None:
    taxes = tenant.helpers["taxes"]
    tax_id = optional_whole(given.get("TaxId"))
    if tax_id is not None:
        tax = taxes.get(_known(tenant, "taxes", tax_id, "TaxNotFound"))
    elif text(given.get("TaxRate")) or not record["TaxId"]:
        rate = number(given.get("TaxRate"), Decimal(-1))
        tax = next((row for row in taxes.visible() if row["TaxRate"] == rate and row["IsActive"]), None)
        if tax is None:
            raise BusinessError("TaxNotFound")
    else:
        return
    record["TaxId"], record["TaxRate"] = tax["Id"], tax["TaxRate"]


def _set_groups(tenant: Tenant, record: Record, given: Record) -> None:
    """Fill the three group titles, making groups that are new; the parent distinguishes equal titles."""
    parent: int | None = None
    for title_field, resource, parent_field in _GROUPS:
        title = record[title_field] = text(given.get(title_field, record[title_field]))
        if not title:
            return
        table = tenant.helpers[resource]
        row: Record | None = next(
            (
                row
                for row in table.visible()
                if row["Title"] == title and (parent_field is None or row[parent_field] == parent)
            ),
            None,
        )
        if row is None:
            row = {"Id": table.next_id, "Number": str(table.next_id), "Title": title}
            if parent_field is not None:
                row[parent_field] = parent
            table.put(row)
        parent = row["Id"]
    record["ArticleGroupId"] = parent


def _shown(tenant: Tenant, row: Record, call: Call) -> Record:
    shown = dict(row)
    if flag(call.query.get("inclStock")):
        shown["Stock"] = sum(tenant.stock_levels(row["Id"]).values(), Decimal(0))
    if not flag(call.query.get("inclTags")):
        del shown["Tags"]
    if flag(call.query.get("ignSupp")):
        del shown["Suppliers"]
    if flag(call.query.get("ignIdents")):
        del shown["Identifications"]
    return shown


def _stock_rows(article_id: int, levels: dict[int, Decimal]) -> list[Record]:
    return [{"ArticleId": article_id, "StoreId": store, "Stock": stock} for store, stock in sorted(levels.items())]
