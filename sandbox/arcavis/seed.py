"""A believable shop in the simulated Arcavis: two stores, three tills, articles, people, suppliers."""

from decimal import Decimal

from sandbox import shop
from sandbox.arcavis import articles
from sandbox.arcavis.contacts import CUSTOMERS, SUPPLIERS
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.transactions import (
    ACCOUNT_LOAD_TYPE,
    END_OF_DAY_TYPE,
    EXPENSES_TYPE,
    SALE_TYPE,
    SKIMMING_TYPE,
)
from sandbox.arcavis.values import Record, text
from sandbox.arcavis.world import World

CASH, CARD, TWINT, VOUCHER, ACCOUNT, BEXIO_INVOICE = 1, 2, 3, 4, 5, 7
ZURICH_STORE, WINTERTHUR_STORE = 1, 2
TILLS = (1, 2, 3)
DEMO_USERNAME = "webapi"
DEMO_PASSWORD = "webapi-demo"  # noqa: S105 - opens the simulator only

_HELPERS: dict[str, list[Record]] = {
    "paymenttypes": [
        {"Id": CASH, "Title": "Bar", "IsCash": True},
        {"Id": CARD, "Title": "Karte"},
        {"Id": TWINT, "Title": "TWINT"},
        {"Id": VOUCHER, "Title": "Gutschein"},
        {"Id": ACCOUNT, "Title": "Rechnung / Konto", "IsCustomerRequired": True, "IsAccount": True},
        {"Id": BEXIO_INVOICE, "Title": "Bexio Rechnung", "IsCustomerRequired": True},
    ],
    "transactiontypes": [
        {"Id": SALE_TYPE, "Title": "Verkauf"},
        {"Id": EXPENSES_TYPE, "Title": "Ausgaben"},
        {"Id": ACCOUNT_LOAD_TYPE, "Title": "Laden Kundenkonto"},
        {"Id": SKIMMING_TYPE, "Title": "Abschöpfung"},
        {"Id": END_OF_DAY_TYPE, "Title": "Tagesabschluss"},
    ],
    "transactionpurposes": [
        {"Id": 1, "TransactionTypeId": EXPENSES_TYPE, "Title": "Porto"},
        {"Id": 2, "TransactionTypeId": EXPENSES_TYPE, "Title": "Reinigung"},
        {"Id": 3, "TransactionTypeId": EXPENSES_TYPE, "Title": "Kleinmaterial"},
    ],
    "stores": [{"Id": ZURICH_STORE, "Title": "Zürich"}, {"Id": WINTERTHUR_STORE, "Title": "Winterthur"}],
    "pointofsales": [
        {"Id": 1, "Title": "Kasse 1", "StoreId": ZURICH_STORE},
        {"Id": 2, "Title": "Kasse 2", "StoreId": ZURICH_STORE},
        {"Id": 3, "Title": "Kasse 3", "StoreId": WINTERTHUR_STORE},
        {"Id": 9, "Title": "Web-API", "StoreId": ZURICH_STORE},
    ],
    "taxes": [
        {"Id": 1, "Title": "Normalsatz 8.1 %", "TaxRate": Decimal("0.081"), "IsActive": True},
        {"Id": 2, "Title": "Reduzierter Satz 2.6 %", "TaxRate": Decimal("0.026"), "IsActive": True},
        {"Id": 3, "Title": "Beherbergung 3.8 %", "TaxRate": Decimal("0.038"), "IsActive": True},
        {"Id": 4, "Title": "Ohne MWST", "TaxRate": Decimal(0), "IsActive": True},
        {"Id": 5, "Title": "Normalsatz 7.7 % (bis 2023)", "TaxRate": Decimal("0.077"), "IsActive": False},
    ],
    "units": [
        {"Id": 1, "Title": "Stk"},
        {"Id": 2, "Title": "kg"},
        {"Id": 3, "Title": "Pack"},
        {"Id": 4, "Title": "Nacht"},
    ],
    "users": [{"Id": 1, "Title": "Nadja"}, {"Id": 2, "Title": "Silvan"}],
}
_DEFAULTS: dict[str, Record] = {
    "paymenttypes": {
        "IsCash": False,
        "IsActive": True,
        "IsCustomerRequired": False,
        "IsAccount": False,
        "CurrencyIsoCode": "CHF",
    },
    "pointofsales": {"IsActive": True},
}


def seed_shop(
    world: World,
    slug: str = "demo",
    username: str = DEMO_USERNAME,
    password: str = DEMO_PASSWORD,
    *,
    has_articles: bool = True,
    has_contacts: bool = True,
) -> Tenant:
    """A new tenant with the demo shop: helper resources, articles with stock, customers, suppliers."""
    tenant = world.add_tenant(slug, username, password)
    fill_shop(tenant, has_articles=has_articles, has_contacts=has_contacts)
    return tenant


def fill_shop(tenant: Tenant, *, has_articles: bool = True, has_contacts: bool = True) -> None:
    """Put the demo shop into an empty tenant; without articles or contacts when bexio is to bring them.

    Ids are the same each time: articles from 1701, customers from 501, suppliers from 901.
    """
    for resource, rows in _HELPERS.items():
        for row in rows:
            tenant.helpers[resource].put(_DEFAULTS.get(resource, {}) | row)
    for article in shop.articles() if has_articles else ():
        _add_article(tenant, article)
    for contact in shop.customers() if has_contacts else ():
        CUSTOMERS.upsert(tenant, _contact(contact, "CustomerNumber") | {"AccountLimit": 500})
    for contact in shop.suppliers() if has_contacts else ():
        SUPPLIERS.upsert(tenant, _contact(contact, "SupplierNumber"))
    tenant.vouchers |= {"G-1001": Decimal(50), "G-1002": Decimal(100), "G-1003": Decimal("20.50")}


def fill_fresh(tenant: Tenant) -> None:
    """What a new environment comes with: one store, two tills, no articles, no people, no payment type for bexio."""
    stores = {ZURICH_STORE}
    for resource, rows in _HELPERS.items():
        for row in rows:
            foreign = row.get("StoreId", ZURICH_STORE) not in stores or (
                resource == "stores" and row["Id"] not in stores
            )
            if not foreign and row["Id"] != BEXIO_INVOICE:
                tenant.helpers[resource].put(_DEFAULTS.get(resource, {}) | row)


def add_payment_type(tenant: Tenant, given: Record) -> int:
    """A new payment type with Arcavis' defaults; its id. Titles are not unique there."""
    table = tenant.helpers["paymenttypes"]
    defaults = _DEFAULTS["paymenttypes"]
    known = {name: given[name] for name in defaults if name in given}
    # The simulated tills know bexio's by its id: it is the same in every environment.
    new_id = max(table.next_id, BEXIO_INVOICE)
    return table.put({**defaults, **known, "Id": new_id, "Title": text(given.get("Title"))})


def _add_article(tenant: Tenant, article: shop.ShopArticle) -> None:
    unit = next(row for row in tenant.helpers["units"].visible() if row["Title"] == article.unit)
    article_id = articles.upsert(
        tenant,
        {
            "ArticleNumber": article.number,
            "Title": article.title,
            "Price": article.price,
            "BuyingPrice": (article.price * Decimal("0.6")).quantize(Decimal("0.01")),
            "TaxRate": article.tax_rate / 100,
            "UnitId": unit["Id"],
            "MainGroupTitle": article.main_group,
            "TradeGroupTitle": article.trade_group,
            "ArticleGroupTitle": article.article_group,
            "Tags": ["WebShop"] if article.stock is not None else [],
        },
    )
    if article.stock is not None:
        tenant.set_stock(article_id, ZURICH_STORE, article.stock)
        tenant.set_stock(article_id, WINTERTHUR_STORE, (article.stock / 2).quantize(Decimal(1)))


def _contact(contact: shop.ShopContact, number_field: str) -> Record:
    return {
        number_field: contact.number,
        "LanguageId": contact.language,
        "IsCompany": contact.is_company,
        "CompanyName": contact.company,
        "Salutation": contact.salutation,
        "Firstname": contact.first_name,
        "Name": contact.last_name,
        "Street": contact.street,
        "StreetNumber": contact.house_number,
        "Zip": contact.postcode,
        "City": contact.city,
        "CountryIsoCode": contact.country,
        "ContactEmail": contact.email,
        "ContactPhone": contact.phone,
    }
