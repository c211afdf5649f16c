"""A working Swiss shop in bexio: the fresh company plus what a shop has after its first years."""

from datetime import date
from decimal import Decimal

from sandbox import shop
from sandbox.bexio import articles, contacts
from sandbox.bexio.company import INVOICE, Company
from sandbox.bexio.fresh import COMPANY_ID, fill, seed_fresh
from sandbox.bexio.values import ZURICH, Record, fixed, midnight_stamp
from sandbox.bexio.world import World

__all__ = ["COMPANY_ID", "seed_fresh", "seed_shop"]

CASH, BANK, CARD, TWINT, CLEARING = "1000", "1020", "1021", "1022", "1099"
GOODS, SERVICES, VOUCHERS, BAD_DEBTS = "3200", "3400", "2035", "3805"
CUSTOMERS, SUPPLIERS = "Kunde", "Lieferant"
_ACCOUNTS = (
    (CASH, "Kasse", 3, 43),
    (TWINT, "TWINT Abrechnung", 3, 43),
    (CLEARING, "Abklärungskonto", 3, 43),
    (SERVICES, "Dienstleistungserlös", 1, 52),
    (BAD_DEBTS, "Verluste aus Forderungen", 1, 50),
    (VOUCHERS, "Gutscheine", 4, 46),
)
_BANKS = (
    (BANK, "Zürcher Kantonalbank", "CH9300700110000123456"),
    (CARD, "Kartenabrechnung", "CH8781223780488303006"),
    (TWINT, "TWINT Abrechnung", None),
    (CASH, "Kasse", None),
)
_QUARTERS = (("01-01", "03-31"), ("04-01", "06-30"), ("07-01", "09-30"), ("10-01", "12-31"))
_SALUTATIONS = {"Herr": 1, "Frau": 2, "Signor": 1, "Signora": 2, "Monsieur": 1, "Madame": 2}
_SERVICE_GROUPS = frozenset({"Dienstleistung", "Beherbergung"})


def seed_shop(  # noqa: PLR0913 - each is a way in which shops differ
    world: World,
    company_id: str = COMPANY_ID,
    name: str = "Feinkost Zürihorn AG",
    *,
    has_special_rate: bool = True,
    has_zero_rate: bool = True,
    has_cash_account: bool = True,
    has_contacts: bool = True,
    has_articles: bool = True,
    round_factor: Decimal = Decimal("0.05"),
) -> Company:
    """The demo shop on a fresh company: accounts, banks, articles, contacts, this and the last business year.

    Args:
        world: where it is added.
        company_id: its id.
        name: its name.
        has_special_rate: whether 3.8 % (US38) was switched to active.
        has_zero_rate: whether "no VAT" (U00) was switched to active.
        has_cash_account: whether the customer created the cash account 1000.
        has_contacts: whether the shop's customers and suppliers are known in bexio already.
        has_articles: whether the shop's articles are known in bexio.
        round_factor: the smallest amount of a total in CHF.
    """
    company = seed_fresh(world, company_id, name)
    company.profile.update({"address": "Limmatquai", "address_nr": "12", "postcode": "8001", "city": "Zürich"})
    company.tax("US38")["is_active"] = has_special_rate
    company.tax("U00")["is_active"] = has_zero_rate
    company.currencies[1]["round_factor"] = float(round_factor)
    _set_years(company, world.now().astimezone(ZURICH).year)
    _add_accounts(company, has_cash_account=has_cash_account)
    for unit in ("kg", "Pack", "Nacht"):
        fill(company, "units", {"name": unit})
    # A shop sells to people: its documents and the prices of its articles include VAT.
    company.setting(INVOICE)["default_mwst_is_net"] = False
    company.contact_groups[2]["name"] = CUSTOMERS
    company.contact_groups[3]["name"] = SUPPLIERS
    fill(company, "stocks", {"name": "Hauptlager"})
    fill(company, "stock_places", {"name": "Regal 1", "stock_id": 1})
    for article in shop.articles() if has_articles else ():
        _add_article(company, article)
    if has_contacts:
        _add_contacts(company)
    return company


def _set_years(company: Company, this_year: int) -> None:
    """This and the last year are open, as in most shops until the books of the last one are closed."""
    for table in (company.business_years, company.calendar_years, company.vat_periods):
        table.clear()
    for year in (this_year, this_year - 1):
        add_year(company, year)
    old = this_year - 2
    closed = {"start": f"{old}-01-01", "end": f"{old}-12-31", "closed_at": f"{old + 1}-06-18", "status": "closed"}
    fill(company, "business_years", closed)


def add_year(company: Company, year: int) -> None:
    """An open business year with its calendar year and VAT quarters."""
    span: Record = {"start": f"{year}-01-01", "end": f"{year}-12-31"}
    fill(company, "business_years", {**span, "closed_at": None, "status": "open"})
    fill(company, "calendar_years", {**span, **_calendar_year(year)})
    for start, end in _QUARTERS:
        quarter = {"start": f"{year}-{start}", "end": f"{year}-{end}", "type": "quarter"}
        fill(company, "vat_periods", {**quarter, "status": "open", "closed_at": None})


def _calendar_year(year: int) -> Record:
    made = midnight_stamp(date(year, 1, 1))
    return {
        "is_vat_subject": True,
        "default_tax_income_id": 14,
        "default_tax_expense_id": 21,
        "created_at": made,
        "updated_at": made,
        "vat_accounting_method": "effective",
        "vat_accounting_type": "agreed",
        "is_annual_reporting": False,
    }


def _add_accounts(company: Company, *, has_cash_account: bool) -> None:
    hidden = "" if has_cash_account else CASH
    for number, name, kind, group in _ACCOUNTS:
        account: Record = {"account_no": number, "name": name, "account_type": kind, "tax_id": None}
        if number != hidden:
            state = {"fibu_account_group_id": group, "is_active": True, "is_locked": False}
            fill(company, "accounts", {**account, **state})
    company.account(BANK)["name"] = "Zürcher Kantonalbank"
    company.account(CARD)["name"] = "Kartenabrechnung"
    recorded = {name: value for name, value in company.banking_accounts[1].items() if name not in {"id", "uuid"}}
    company.banking_accounts.clear()
    for number, name, iban in _BANKS:
        if number != hidden:
            bank = {"name": name, "owner": company.name, "bank_name": name, "iban_nr": iban, "remarks": ""}
            numbers = {"bc_nr": iban and iban[4:9], "bank_account_nr": iban and iban[9:], "bank_nr": None}
            account_id = company.account(number)["id"]
            fill(company, "banking_accounts", {**recorded, **bank, **numbers, "account_id": account_id})


def _add_article(company: Company, article: shop.ShopArticle) -> None:
    rate = float(article.tax_rate)
    tax = next(row for row in company.taxes if row["type"] == "sales_tax" and float(row["value"]) == rate)
    unit = next(row for row in company.units if row["name"] == article.unit)
    is_service = article.main_group in _SERVICE_GROUPS
    stock = 0 if article.stock is None else int(article.stock)
    articles.add(
        company,
        {
            "article_type_id": 2 if is_service else 1,
            "intern_code": article.number,
            "intern_name": article.title,
            "sale_price": fixed(article.price, 2),
            "tax_income_id": tax["id"],
            "tax_id": tax["id"],
            "unit_id": unit["id"],
            "account_id": company.account(SERVICES if is_service else GOODS)["id"],
            "is_stock": article.stock is not None,
            "stock_nr": stock,
            "stock_available_nr": stock,
        },
    )


def _add_contacts(company: Company) -> None:
    """The shop's people in alphabetical order of their numbers; who is customer and supplier is in both groups."""
    by_company: dict[str, int] = {}
    people = [(each, "2") for each in shop.customers()] + [(each, "3") for each in shop.suppliers()]
    for person, group in people:
        known = by_company.get(person.company) if person.company else None
        if known is not None:
            contacts.edit(company, known, {"contact_group_ids": "2,3"})
            continue
        created = contacts.create(company, _contact(company, person, group))
        if person.company:
            by_company[person.company] = created["id"]


def _contact(company: Company, person: shop.ShopContact, group: str) -> Record:
    country = next(row["id"] for row in company.countries if row["iso_3166_alpha2"] == person.country)
    language = next(row["id"] for row in company.languages if row["iso_639_1"] == person.language)
    names = (person.company, "") if person.is_company else (person.last_name, person.first_name)
    return {
        "contact_type_id": 1 if person.is_company else 2,
        "name_1": names[0],
        "name_2": names[1],
        "salutation_id": None if person.is_company else _SALUTATIONS.get(person.salutation),
        "street_name": person.street or None,
        "house_number": (person.house_number or None) if person.street else None,
        "postcode": person.postcode,
        "city": person.city,
        "country_id": country,
        "language_id": language,
        "mail": person.email,
        "phone_fixed": person.phone,
        "contact_group_ids": group,
        "user_id": 1,
        "owner_id": 1,
    }
