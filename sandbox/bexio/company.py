"""One bexio company: its tables, settings, rules and ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum

from sandbox.bexio.errors import NotFound
from sandbox.bexio.ledger import Ledger
from sandbox.bexio.requests import RequestLog
from sandbox.bexio.table import Table
from sandbox.bexio.totals import Totals
from sandbox.bexio.values import ZERO, ZURICH, Record

INVOICE = "KbInvoice"
ORDER = "KbOrder"
PAYMENT = "KbPayment"
MANUAL_ENTRY = "ManualEntry"


class InvoiceStatus(IntEnum):
    """`kb_item_status_id` of an invoice."""

    DRAFT = 7
    PENDING = 8
    PAID = 9
    PARTIAL = 16
    CANCELLED = 19
    UNPAID = 31


class OrderStatus(IntEnum):
    """`kb_item_status_id` of an order."""

    PENDING = 5
    DONE = 6
    PARTIAL = 15
    CANCELLED = 21


@dataclass(slots=True)
class Rules:
    """Where bexio's behaviour is not known: what the simulator does. The defaults are the strict answers."""

    max_positions: int = 150
    accepts_overpayment: bool = False
    accepts_payment_on_draft: bool = False
    accepts_archived_contact: bool = True
    issues_without_positions: bool = False
    search_lag_seconds: float = 0.0
    """how long a new invoice or order stays out of searches"""
    echoes_null_ids: bool = False
    """a new manual entry's lines are echoed without their ids"""
    books_on_inactive_accounts: bool = False
    max_text: int = 255
    """the longest text that a contact's fields take; its remarks take any"""
    max_bulk: int = 1000
    """how many contacts one `_bulk_create` takes"""
    bulk_keeps_valid: bool = False
    """whether a `_bulk_create` that is refused for one contact makes the valid ones all the same"""
    has_stock_module: bool = True
    stock_needs_scope: bool = True
    """whether a token without `stock_edit` sees every article's stock fields empty"""


@dataclass(slots=True)
class Document:
    """An invoice or an order. `head` holds its fields in bexio's words, `positions` its lines in order."""

    id: int
    kind: str
    number: str
    status: int
    head: Record
    positions: list[Record]
    totals: Totals
    created_at: datetime
    updated_at: datetime
    received: Decimal = ZERO
    is_sent: bool = False
    converted: dict[tuple[str, int], Decimal] = field(default_factory=dict[tuple[str, int], Decimal])
    """Of an order: how much of each position, by type and id, became an invoice."""

    @property
    def api_reference(self) -> str | None:
        """The key that the API's caller gave it."""
        return self.head["api_reference"]

    @property
    def total(self) -> Decimal:
        """With VAT, rounded to the currency's step."""
        return self.totals.total

    @property
    def open_amount(self) -> Decimal:
        """What is still to be paid."""
        return self.totals.total - self.received

    @property
    def day(self) -> date:
        """`is_valid_from`: the day it is booked on."""
        return date.fromisoformat(self.head["is_valid_from"])


def _named(name: str) -> Callable[[], Table[Record]]:
    return lambda: Table(name)


@dataclass(slots=True)
class Company:
    """All data of one company; every table has an id sequence of its own."""

    id: str
    name: str
    now: Callable[[], datetime]
    profile: Record = field(default_factory=dict[str, object])
    rules: Rules = field(default_factory=Rules)
    requests: RequestLog = field(default_factory=RequestLog)
    outage: str | None = None
    """`unavailable` (503 to everything) or `refused` (no answer), or None."""

    users: Table[Record] = field(default_factory=_named("User"))
    contacts: Table[Record] = field(default_factory=_named("Contact"))
    contact_groups: Table[Record] = field(default_factory=_named("Contact group"))
    articles: Table[Record] = field(default_factory=_named("Article"))
    stocks: Table[Record] = field(default_factory=_named("Stock location"))
    stock_places: Table[Record] = field(default_factory=_named("Stock area"))
    invoices: Table[Document] = field(default_factory=lambda: Table[Document]("Invoice"))
    orders: Table[Document] = field(default_factory=lambda: Table[Document]("Order"))
    payments: Table[Record] = field(default_factory=_named("Payment"))
    manual_entries: Table[Record] = field(default_factory=_named("Manual entry"))
    manual_lines: Table[Record] = field(default_factory=_named("Manual entry line"))
    """Only its sequence of ids: lines live in their entries."""
    accounts: Table[Record] = field(default_factory=_named("Account"))
    account_groups: Table[Record] = field(default_factory=_named("Account group"))
    taxes: Table[Record] = field(default_factory=_named("Tax"))
    currencies: Table[Record] = field(default_factory=_named("Currency"))
    payment_types: Table[Record] = field(default_factory=_named("Payment type"))
    units: Table[Record] = field(default_factory=_named("Unit"))
    countries: Table[Record] = field(default_factory=_named("Country"))
    languages: Table[Record] = field(default_factory=_named("Language"))
    salutations: Table[Record] = field(default_factory=_named("Salutation"))
    titles: Table[Record] = field(default_factory=_named("Title"))
    banking_accounts: Table[Record] = field(default_factory=_named("Bank account"))
    document_settings: Table[Record] = field(default_factory=_named("Document setting"))
    business_years: Table[Record] = field(default_factory=_named("Business year"))
    calendar_years: Table[Record] = field(default_factory=_named("Calendar year"))
    vat_periods: Table[Record] = field(default_factory=_named("VAT period"))
    document_templates: Table[Record] = field(default_factory=_named("Document template"))
    rights: dict[int, dict[str, str]] = field(default_factory=dict[int, dict[str, str]])
    """What users may, by user and component: `all` unless said otherwise, `own` or `none`."""
    mails: list[Record] = field(default_factory=list[Record])
    """What was sent by mail: `{kb_invoice_id, recipient_email, subject, message, attach_pdf}`."""

    last_contact_number: int = 0
    contact_ids_by_number: dict[str, int] = field(default_factory=dict[str, int])
    position_ids: dict[str, Table[None]] = field(default_factory=dict[str, Table[None]])
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.accounts)

    def today(self) -> date:
        """The Swiss day."""
        return self.now().astimezone(ZURICH).date()

    def may(self, user_id: int, component: str) -> str:
        """How much of a component a user sees and changes: `all`, `own` or `none`."""
        return self.rights.get(user_id, {}).get(component, "all")

    def account(self, account_no: str) -> Record:
        """An account by its number.

        Raises:
            NotFound: when the chart does not have it.
        """
        return _first(self.accounts, "account_no", account_no)

    def tax(self, code: str) -> Record:
        """A tax by its code, such as "UN81".

        Raises:
            NotFound: when there is none.
        """
        return _first(self.taxes, "code", code)

    def banking_account(self, account_no: str) -> Record:
        """The bank or cash account that books on this ledger account.

        Raises:
            NotFound: when there is none.
        """
        return _first(self.banking_accounts, "account_id", self.account(account_no)["id"])

    def setting(self, kind: str) -> Record:
        """Numbering and defaults of a document class.

        Raises:
            NotFound: when there is none.
        """
        return _first(self.document_settings, "kb_item_class", kind)

    def next_position_id(self, kind: str) -> int:
        """The next id of a position type; every type counts for itself."""
        return self.position_ids.setdefault(kind, Table(kind)).next_id()


def _first(table: Table[Record], name: str, value: object) -> Record:
    for row in table:
        if row[name] == value:
            return row
    raise NotFound(f"{table.name} with {name} {value} does not exist")
