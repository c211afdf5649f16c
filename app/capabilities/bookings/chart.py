"""A company's books as the plan needs them, read over its connection; and what rules may choose from them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from app.capabilities.bookings.findings import Finding
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.preflight import allowed_accounts, check_accounts, check_tax
from app.capabilities.bookings.rules import Rule
from app.capabilities.bookings.vat import BY_LINE
from app.connectors.bexio.accounts import Account
from app.connectors.bexio.reference import CompanyReference
from app.connectors.bexio.reference_kinds import ACCOUNTS, BUSINESS_YEARS, CALENDAR_YEARS, TAXES, VAT_PERIODS
from app.core.errors import FieldError, InvalidInput

MOST_CHOICES = 100
CHOICES = "These can be chosen:"


async def read(reference: CompanyReference) -> Ledger:
    """The books as bexio has them now: an account or a period may just have been mended.

    Raises:
        ConnectionRefused: bexio is not connected, or a right is missing.
        RemoteUnavailable: bexio is away.
    """
    return Ledger(
        accounts=await reference.refresh(ACCOUNTS),
        taxes=await reference.refresh(TAXES),
        business_years=await reference.refresh(BUSINESS_YEARS),
        vat_periods=await reference.refresh(VAT_PERIODS),
        calendar_years=await reference.refresh(CALENDAR_YEARS),
        currency_id=(await reference.currency()).id,
    )


def refuse_unfit(rule: Rule, ledger: Ledger, today: date) -> None:
    """Whether a rule that is about to be saved fits the company's books.

    A VAT code that is only asleep in bexio is no reason to refuse: it may be woken later, and until then its days wait.

    Raises:
        InvalidInput: with the account or code that does not fit, and what can be chosen.
    """
    for finding in check_accounts(rule, ledger):
        if finding.severity == "error":
            raise InvalidInput(finding.code, list(_accounts(rule, ledger, finding)), **finding.params)
    day = max(today, rule.valid_from or today)
    tax = check_tax(rule, _any_rate(rule, ledger), day, ledger)
    if isinstance(tax, Finding) and not _may_wait(rule, tax):
        raise InvalidInput(tax.code, _codes(ledger, day), **tax.params)


def _may_wait(rule: Rule, finding: Finding) -> bool:
    symbolic = rule.tax_code is not None and rule.tax_code.startswith("@")
    return symbolic and finding.code in {"vat-code-missing", "vat-code-sleeps", "vat-code-ambiguous"}


def _any_rate(rule: Rule, ledger: Ledger) -> Decimal | None:
    """A rate that the rule's lines may have, to try its symbol with.

    A code of its own is not tried with any, and one of a class only with those that the filter names.
    """
    wanted = rule.filter.include.get("tax_rate", frozenset())
    if rule.tax_code is None or not rule.tax_code.startswith("@") or (rule.tax_code != BY_LINE and not wanted):
        return None
    fitting = (tax.value for tax in ledger.taxes if tax.is_active and tax.type == "sales_tax")
    for value in fitting:
        named = {str(value.normalize()), ledger.vat.rate_class(f"{value.normalize():f}")}
        if not wanted or named & wanted:
            return value
    return None


def _accounts(rule: Rule, ledger: Ledger, finding: Finding) -> list[FieldError]:
    """Which side is wrong, and the accounts that would be right there."""
    number = finding.params.get("account")
    sides = zip(
        ("debit_account", "credit_account"),
        (rule.debit_account, rule.credit_account),
        allowed_accounts(rule),
        strict=True,
    )
    errors: list[FieldError] = []
    for name, chosen, kinds in sides:
        if chosen != number:
            continue
        fitting = sorted((row for row in ledger.accounts if row.is_active and row.account_type in kinds), key=_number)
        errors.append(FieldError(f"/{name}", CHOICES))
        errors += [FieldError(f"/{name}", f"{row.account_no}: {row.name}") for row in fitting[:MOST_CHOICES]]
    return errors


def _codes(ledger: Ledger, day: date) -> list[FieldError]:
    active = sorted((tax for tax in ledger.taxes if tax.is_active and tax.holds_on(day)), key=lambda tax: tax.code)
    said = [f"{tax.code}: {tax.display_name}" for tax in active[:MOST_CHOICES]]
    return [FieldError("/tax_code", message) for message in (CHOICES, "@sales", *said)]


def _number(account: Account) -> str:
    return account.account_no
