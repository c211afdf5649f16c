"""bexio as one tenant's connection sees it: an attribute per resource, over one transport. Cheap to make."""

from __future__ import annotations

from datetime import datetime

from app.connectors.bexio.accounts import ACCOUNTS, Accounts
from app.connectors.bexio.articles import ARTICLES, Articles
from app.connectors.bexio.banking_accounts import BANKING_ACCOUNTS, BankAccount
from app.connectors.bexio.business_years import BUSINESS_YEARS, BusinessYear
from app.connectors.bexio.calendar_years import CALENDAR_YEARS, CalendarYear
from app.connectors.bexio.company_profile import COMPANY_PROFILE, CompanyProfile
from app.connectors.bexio.contact_groups import CONTACT_GROUPS, ContactGroups
from app.connectors.bexio.contacts import Contacts
from app.connectors.bexio.countries import COUNTRIES, Country
from app.connectors.bexio.currencies import CURRENCIES, Currency
from app.connectors.bexio.invoices import Invoices
from app.connectors.bexio.item_settings import ITEM_SETTINGS, ItemSetting
from app.connectors.bexio.journal import Journal
from app.connectors.bexio.languages import LANGUAGES, Language
from app.connectors.bexio.manual_entries import ManualEntries
from app.connectors.bexio.orders import Orders
from app.connectors.bexio.payment_types import PAYMENT_TYPES, PaymentType
from app.connectors.bexio.payments import Payments
from app.connectors.bexio.permissions import Permissions, permissions
from app.connectors.bexio.resource import Listing
from app.connectors.bexio.salutations import SALUTATIONS, Salutation
from app.connectors.bexio.stock import STOCK_LOCATIONS, StockLocation
from app.connectors.bexio.taxes import Taxes
from app.connectors.bexio.units import UNITS, Unit
from app.connectors.bexio.users import USERS, Users
from app.connectors.bexio.vat_periods import VAT_PERIODS, VatPeriod
from app.connectors.transport import Transport


class Bexio:
    """One bexio company, with the rights of the user whose token the transport carries."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.contacts = Contacts(transport)
        self.contact_groups = ContactGroups(transport, CONTACT_GROUPS)
        self.invoices = Invoices(transport)
        self.orders = Orders(transport)
        self.articles = Articles(transport, ARTICLES)
        self.accounts = Accounts(transport, ACCOUNTS)
        self.taxes = Taxes(transport)
        self.manual_entries = ManualEntries(transport)
        self.journal = Journal(transport)
        self.currencies: Listing[Currency] = Listing(transport, CURRENCIES)
        self.users = Users(transport, USERS)
        self.company_profile: Listing[CompanyProfile] = Listing(transport, COMPANY_PROFILE)
        self.payment_types: Listing[PaymentType] = Listing(transport, PAYMENT_TYPES)
        self.units: Listing[Unit] = Listing(transport, UNITS)
        self.stock_locations: Listing[StockLocation] = Listing(transport, STOCK_LOCATIONS)
        self.countries: Listing[Country] = Listing(transport, COUNTRIES)
        self.languages: Listing[Language] = Listing(transport, LANGUAGES)
        self.salutations: Listing[Salutation] = Listing(transport, SALUTATIONS)
        self.banking_accounts: Listing[BankAccount] = Listing(transport, BANKING_ACCOUNTS)
        self.item_settings: Listing[ItemSetting] = Listing(transport, ITEM_SETTINGS)
        self.business_years: Listing[BusinessYear] = Listing(transport, BUSINESS_YEARS)
        self.calendar_years: Listing[CalendarYear] = Listing(transport, CALENDAR_YEARS)
        self.vat_periods: Listing[VatPeriod] = Listing(transport, VAT_PERIODS)

    @property
    def company(self) -> str:
        """The company that the connection belongs to."""
        return self._transport.upstream.owner

    def until(self, moment: datetime) -> Bexio:
        """The same company for a write that must leave by `moment`; see `Transport.until`."""
        return Bexio(self._transport.until(moment))

    def payments(self, invoice_id: int) -> Payments:
        """The payments of an invoice."""
        return Payments(self._transport, invoice_id)

    async def permissions(self) -> Permissions:
        """What the token's user may do."""
        return await permissions(self._transport)
