"""What the doctor checks: one small question each, from facts to findings. Nothing is asked or written here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from app.capabilities.connection.facts import Facts
from app.capabilities.connection.schemas import Severity
from app.capabilities.connection.views import days_left
from app.capabilities.tenancy.settings import group_names
from app.connectors.bexio.accounts import AccountType
from app.connectors.bexio.item_settings import INVOICE_CLASS, ItemSetting
from app.connectors.bexio.sales_tax import sales_tax
from app.connectors.oidc.scopes import INDISPENSABLE
from app.core.errors import RemoteRejected
from app.core.money import plain

WARNED_DAYS_AHEAD = 14
# One failure heals by itself.
FAILURES_TOLD = 2
FRANCS = "CHF"
USUAL_STEPS = frozenset({Decimal("0.01"), Decimal("0.05")})
# A shop may do without lodging and without untaxed goods; without the other two there is no sale.
RATES: Mapping[str, Severity] = {"8.1": "error", "2.6": "error", "3.8": "warning", "0": "warning"}
# Without the first two there is no invoice; the others keep orders, articles and bookings away.
RANKS: Sequence[Severity] = ("error", "warning", "info")
RIGHTS: Mapping[str, Severity] = {
    "contact": "error",
    "kb_invoice": "error",
    "kb_order": "warning",
    "article": "warning",
    "banking": "warning",
    "fibu": "warning",
}
_OFF = frozenset({"disabled", "none", "off", "false", "no"})


@dataclass(frozen=True, slots=True)
class Found:
    """A finding before it is put into words."""

    code: str
    severity: Severity
    about: tuple[str, ...]
    params: Mapping[str, str] = field(default_factory=dict[str, str])


Check = Callable[[Facts], Iterator[Found]]


def examine(facts: Facts) -> list[Found]:
    """Every check's findings, the worst first; the same finding in several places is one."""
    merged: dict[tuple[str, tuple[tuple[str, str], ...]], Found] = {}
    for check in CHECKS:
        for found in check(facts):
            key = (found.code, tuple(sorted(found.params.items())))
            known = merged.get(key)
            about = (*known.about, *found.about) if known else found.about
            merged[key] = Found(found.code, known.severity if known else found.severity, about, found.params)
    return sorted(merged.values(), key=lambda found: RANKS.index(found.severity))


def readable(facts: Facts) -> Iterator[Found]:
    """What could not be read at all: no connection, a right that is missing, a remote that is away."""
    for failure in facts.failures:
        yield Found(failure.error.code, "error", (failure.name,), failure.error.params)


def connected(facts: Facts) -> Iterator[Found]:
    """Good news, with the company's name."""
    if facts.bexio.me is not None:
        yield Found("bexio-works", "info", ("bexio.users.me",), {"company": facts.company_name or ""})
    if facts.arcavis_payment_types is not None:
        yield Found("arcavis-works", "info", ("arcavis.payment_types",))


def token_lasts(facts: Facts) -> Iterator[Found]:
    """A personal access token ends some day, and with it every invoice."""
    days = days_left(facts.expires_at, facts.now)
    if days is None or facts.expires_at is None:
        return
    params = {"day": facts.expires_at.date().isoformat(), "days": str(max(days, 0))}
    if facts.expires_at <= facts.now:
        yield Found("bexio-token-expired", "error", ("bexio.token",), params)
    elif days <= WARNED_DAYS_AHEAD:
        yield Found("bexio-token-expires", "warning", ("bexio.token",), params)


def signed_in_with_all(facts: Facts) -> Iterator[Found]:
    """What a sign-in was not allowed; without accounting, say, bookings cannot be exported."""
    if facts.scopes_missing:
        params = {"scopes": ", ".join(facts.scopes_missing)}
        severity: Severity = "error" if INDISPENSABLE.intersection(facts.scopes_missing) else "warning"
        yield Found("bexio-scopes-missing", severity, ("bexio.scopes",), params)


def renews(facts: Facts) -> Iterator[Found]:
    """A connection by sign-in renews its access by itself; while that fails, it ends soon."""
    if facts.renewal_failures >= FAILURES_TOLD:
        params = {"failures": str(facts.renewal_failures)}
        yield Found("bexio-renewal-fails", "error", ("bexio.token",), params)


def rights(facts: Facts) -> Iterator[Found]:
    """Everything in full: with "own" only, bexio hides the records of other users without a word."""
    if facts.bexio.permissions is None:
        return
    for name, severity in RIGHTS.items():
        given = {key: str(value).lower() for key, value in facts.bexio.permissions.permissions.get(name, {}).items()}
        about = ("bexio.permissions",)
        if any(given.get(key) in _OFF for key in ("activation", "show", "edit")):
            yield Found("bexio-right-missing", severity, about, {"right": name})
        elif any(given.get(key) == "own" for key in ("show", "edit")):
            yield Found("bexio-right-limited", "warning", about, {"right": name})


def currency(facts: Facts) -> Iterator[Found]:
    """Invoices are in francs, rounded to a step that tills know."""
    if facts.bexio.currencies is None:
        return
    francs = next((row for row in facts.bexio.currencies if row.name == FRANCS), None)
    if francs is None:
        yield Found("currency-missing", "error", ("bexio.currencies",), {"currency": FRANCS})
        return
    if francs.round_factor not in USUAL_STEPS:
        step = plain(francs.round_factor)
        yield Found("rounding-step-unusual", "warning", ("bexio.currencies",), {"step": step})
    names = {row.id: row.name for row in facts.bexio.currencies}
    default = next((row.default_currency_id for row in _invoice_settings(facts)), None)
    if default is not None and names.get(default, FRANCS) != FRANCS:
        params = {"currency": names[default]}
        yield Found("currency-not-francs", "warning", ("bexio.item_settings",), params)


def chosen(facts: Facts) -> Iterator[Found]:
    """The settings without which no invoice can be made."""
    settings = facts.settings
    needed: Mapping[str, tuple[object, Severity]] = {
        "invoice_payment_type_id": (settings.invoice_payment_type_id, "error"),
        "invoice_account_no": (settings.invoice_account_no, "error"),
        "bexio_user_id": (settings.bexio_user_id, "error"),
        "invoice_bexio_payment_type_id": (settings.invoice_bexio_payment_type_id, "warning"),
    }
    for name, (value, severity) in needed.items():
        if value is None:
            yield Found("settings-incomplete", severity, (name,), {"setting": name})


def known_in_bexio(facts: Facts) -> Iterator[Found]:
    """User, payment type and bank account of the settings exist."""
    settings, bexio = facts.settings, facts.bexio
    pointing = {
        "bexio_user_id": (settings.bexio_user_id, bexio.users),
        "invoice_bexio_payment_type_id": (settings.invoice_bexio_payment_type_id, bexio.payment_types),
        "invoice_bank_account_id": (settings.invoice_bank_account_id, bexio.bank_accounts),
    }
    for name, (value, rows) in pointing.items():
        if value is not None and rows is not None and value not in {row.id for row in rows}:
            params = {"setting": name, "value": str(value)}
            yield Found("setting-unknown-in-bexio", "error", (name,), params)


def revenue_account(facts: Facts) -> Iterator[Found]:
    """It exists, is active and is one for income."""
    number = facts.settings.invoice_account_no
    if number is None or facts.bexio.accounts is None:
        return
    found = next((row for row in facts.bexio.accounts if row.account_no == number and row.is_active), None)
    about, params = ("invoice_account_no",), {"account": number}
    if found is None:
        yield Found("account-missing", "error", about, params)
    elif found.account_type != AccountType.INCOME:
        yield Found("account-not-income", "error", about, params)


def vat_rates(facts: Facts) -> Iterator[Found]:
    """An active sales tax for each Swiss rate, today."""
    if facts.bexio.taxes is None:
        return
    for rate, severity in RATES.items():
        try:
            sales_tax(facts.bexio.taxes, Decimal(rate), facts.today)
        except RemoteRejected as error:
            yield Found(error.code, severity, ("bexio.taxes",), error.params)


def invoice_payment_type(facts: Facts) -> Iterator[Found]:
    """The tills offer it, and ask for the customer whom an invoice needs."""
    chosen_id, rows = facts.settings.invoice_payment_type_id, facts.arcavis_payment_types
    if chosen_id is None or rows is None:
        return
    about = ("invoice_payment_type_id",)
    row = next((row for row in rows if str(row.id) == chosen_id), None)
    if row is None:
        params = {"setting": "invoice_payment_type_id", "value": chosen_id}
        yield Found("setting-unknown-in-arcavis", "error", about, params)
    elif not row.is_active:
        yield Found("payment-type-inactive", "error", about, {"payment_type": row.title})
    elif not row.is_customer_required:
        yield Found("payment-type-without-customer", "warning", about, {"payment_type": row.title})


def mixed_payments(facts: Facts) -> Iterator[Found]:
    """Every other way to pay has a bank account, for sales that are paid only in part on invoice."""
    mapped, rows = facts.settings.payment_bank_accounts, facts.arcavis_payment_types
    if rows is None:
        return
    about = ("payment_bank_accounts",)
    for row in rows:
        if row.is_active and str(row.id) not in {*mapped, facts.settings.invoice_payment_type_id}:
            yield Found("payment-type-not-mapped", "warning", about, {"payment_type": row.title})
    for gone in sorted(mapped.keys() - {str(row.id) for row in rows}):
        params = {"setting": "payment_bank_accounts", "value": gone}
        yield Found("setting-unknown-in-arcavis", "warning", about, params)


def bank_accounts(facts: Facts) -> Iterator[Found]:
    """Those that payment types are mapped to exist."""
    if facts.bexio.bank_accounts is None:
        return
    known = {row.id for row in facts.bexio.bank_accounts}
    for missing in sorted(set(facts.settings.payment_bank_accounts.values()) - known):
        yield Found("bank-account-missing", "error", ("payment_bank_accounts",), {"bank_account": str(missing)})


def contact_groups(facts: Facts) -> Iterator[Found]:
    """Customers and suppliers are two groups, each of one name; names are not unique in bexio."""
    if facts.bexio.contact_groups is None:
        return
    about = ("customer_group", "supplier_group")
    names = group_names(facts.settings)
    known = [row.name.strip().casefold() for row in facts.bexio.contact_groups]
    if len({name.strip().casefold() for name in names.values()}) < len(names):
        yield Found("contact-groups-same", "warning", about, {"group": names["customer"]})
    for name in dict.fromkeys(names.values()):
        found = known.count(name.strip().casefold())
        if found > 1:
            yield Found("contact-group-doubled", "warning", about, {"group": name})
        elif not found and facts.settings.contact_sync_enabled:
            yield Found("contact-group-will-be-made", "info", about, {"group": name})


def numbering(facts: Facts) -> Iterator[Found]:
    """Numbers of invoices come from bexio; while they are given by hand, none can be made from outside."""
    if any(not row.use_automatic_enumeration for row in _invoice_settings(facts)):
        yield Found("numbering-not-automatic", "error", ("bexio.item_settings",))


def periods(facts: Facts) -> Iterator[Found]:
    """Today's business year and VAT period are open."""
    day = facts.today
    if facts.bexio.business_years is not None:
        year = next((row for row in facts.bexio.business_years if row.start <= day <= row.end), None)
        about = ("bexio.business_years",)
        if year is None:
            yield Found("business-year-missing", "error", about, {"day": day.isoformat()})
        elif year.status != "open":
            yield Found("business-year-not-open", "error", about, {"day": day.isoformat(), "status": year.status})
    for period in facts.bexio.vat_periods or ():
        if period.start <= day <= period.end and period.status != "open":
            yield Found("vat-period-not-open", "error", ("bexio.vat_periods",), {"day": day.isoformat()})


def _invoice_settings(facts: Facts) -> list[ItemSetting]:
    return [row for row in facts.bexio.item_settings or () if row.kb_item_class == INVOICE_CLASS]


CHECKS: Sequence[Check] = (
    readable,
    connected,
    token_lasts,
    signed_in_with_all,
    renews,
    rights,
    currency,
    chosen,
    known_in_bexio,
    revenue_account,
    vat_rates,
    invoice_payment_type,
    mixed_payments,
    bank_accounts,
    contact_groups,
    numbering,
    periods,
)
