"""Whether a rule can be booked at all: accounts and VAT codes, asked before anything is posted. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from app.capabilities.bookings.findings import Finding
from app.capabilities.bookings.ledger import NET_TAX, Ledger
from app.capabilities.bookings.rules import RESERVED_ARTICLES, WITH_VAT, Rule, holding_on
from app.capabilities.bookings.vat import BY_LINE, INPUT_TAXES, Missing
from app.capabilities.documents.swiss_vat import rates_on
from app.connectors.bexio.accounts import Account, AccountType
from app.connectors.bexio.taxes import SALES_TAX, Tax
from app.core.money import plain

CASH_ACCOUNT = "1000"
# bexio itself books its customers' credits there.
PREPAYMENTS = "2030"
UNFIT = "vat-code-unfit-for-account"
# What becomes of an account or a code in bexio after it was booked on: no reason to doubt what stands there.
SWITCHED_OFF = frozenset(
    {
        "booking-account-inactive",
        "vat-code-inactive",
        "vat-code-expired",
        "vat-code-sleeps",
        "vat-code-missing",
        "vat-code-ambiguous",
    }
)
ENDS_WITHIN = timedelta(days=60)

INCOME, EXPENSE = AccountType.INCOME, AccountType.EXPENSE
ASSET, LIABILITY = AccountType.ASSET, AccountType.LIABILITY
_BOOKED = frozenset({INCOME, EXPENSE, ASSET, LIABILITY})
_BALANCE = frozenset({ASSET, LIABILITY})
_RESULT = frozenset({INCOME, EXPENSE})


def check_accounts(rule: Rule, ledger: Ledger) -> Iterator[Finding]:
    """Both accounts exist, are active, differ, and are of a kind that suits what the rule collects."""
    if rule.action == "ignore":
        return
    allowed_debit, allowed_credit = allowed_accounts(rule)
    sides = ((rule.debit_account, allowed_debit), (rule.credit_account, allowed_credit))
    for number, allowed in sides:
        if number is None:
            yield Finding("rule-without-account", "error", about=(str(rule.id),), params={"rule": rule.title})
            continue
        account = ledger.account(number)
        params = {"account": number, "rule": rule.title}
        if account is None:
            code = "cash-account-missing" if number == CASH_ACCOUNT else "booking-account-missing"
            yield Finding(code, "error", about=(str(rule.id),), params=params)
        elif not account.is_active:
            yield Finding("booking-account-inactive", "error", about=(str(rule.id),), params=params)
        elif account.account_type not in allowed:
            code = "discount-account-unsuitable" if rule.value == "discount" else "booking-account-unsuitable"
            yield Finding(code, "error", about=(str(rule.id),), params=params)
    yield from _vouchers_apart(rule)


def allowed_accounts(rule: Rule) -> tuple[frozenset[AccountType], frozenset[AccountType]]:
    """The kinds of accounts that suit a rule, for debit and credit."""
    if rule.source == "payments":
        return _BOOKED, _BOOKED
    if rule.value == "discount":
        # The price is what is left after it: no money moves, only the revenue is shown in two parts.
        return _RESULT, _RESULT
    if rule.value == "cost":
        return frozenset({EXPENSE}), frozenset({ASSET, EXPENSE})
    if rule.value == "tax":
        return _BALANCE, frozenset({LIABILITY})
    if rule.filter.include.get("article", frozenset()) & RESERVED_ARTICLES:
        return _BALANCE, frozenset({LIABILITY, INCOME})
    return _BALANCE, frozenset({INCOME})


def _vouchers_apart(rule: Rule) -> Iterator[Finding]:
    sells = "voucher" in rule.filter.include.get("article", frozenset())
    if sells and PREPAYMENTS in {rule.debit_account, rule.credit_account}:
        params = {"rule": rule.title, "account": PREPAYMENTS}
        yield Finding("vouchers-among-prepayments", "warning", about=(str(rule.id),), params=params)


def check_tax(rule: Rule, rate: Decimal | None, day: date, ledger: Ledger) -> Tax | Finding | None:
    """The VAT code of the rule's entries on a day; None when they carry none."""
    if rule.tax_code is None or rule.action == "ignore":
        return None
    about, said = (str(rule.id),), {"rule": rule.title}
    year = ledger.calendar_year(day)
    with_vat = year is None or year.is_vat_subject
    if not with_vat and rule.tax_code.startswith("@"):
        return None
    if not with_vat or rule.value not in WITH_VAT:
        code = "vat-code-on-value-without-vat" if with_vat else "company-without-vat"
        return Finding(code, "error", (day,), about, {**said, "tax_code": rule.tax_code, "value": rule.value})
    found = ledger.vat.resolve(rule.tax_code, rate, day)
    if isinstance(found, Missing):
        return Finding(found.code, "error", (day,), about, {**said, **found.params})
    flaw = _flaw(rule, found, ledger, by_net_tax=year is not None and year.vat_accounting_method == NET_TAX)
    if flaw is not None:
        return Finding(flaw, "error", (day,), about, {**said, "tax_code": found.code})
    return found


def _flaw(rule: Rule, tax: Tax, ledger: Ledger, *, by_net_tax: bool) -> str | None:
    """What is wrong with a code that exists: the company's VAT method, or the account."""
    if (tax.net_tax_value is not None) != by_net_tax:
        return "vat-code-of-other-method"
    sides = [ledger.account(number) for number in (rule.debit_account, rule.credit_account) if number is not None]
    known = [account for account in sides if account is not None]
    if len(known) == 2 and tax_account(tax, known[0], known[1]) is None:  # noqa: PLR2004 - debit and credit
        return UNFIT
    return None


def besides(flaws: Sequence[Finding], tax: Finding) -> Iterator[Finding]:
    """What is wrong with a code, unless it is only that the account is wrong, which was said."""
    if tax.code != UNFIT or not flaws:
        yield tax


def tax_account(tax: Tax, debit: Account, credit: Account) -> Account | None:
    """The account that the VAT belongs to: revenue for sales tax, expense for input tax."""
    wanted = INCOME if tax.type == SALES_TAX else EXPENSE if tax.type in INPUT_TAXES else None
    fitting = [account for account in (debit, credit) if account.account_type == wanted]
    return fitting[0] if len(fitting) == 1 else None


def check_rules(rules: Sequence[Rule], ledger: Ledger, today: date) -> Iterator[Finding]:
    """What is wrong with the rules that hold today, or will be soon, before any receipt goes through them."""
    for rule in holding_on(rules, today):
        if rule.action == "ignore":
            continue
        flaws = list(check_accounts(rule, ledger))
        yield from flaws
        for rate in _rates(rule, ledger, today):
            found = check_tax(rule, rate, today, ledger)
            if isinstance(found, Finding):
                yield from (replace(one, days=()) for one in besides(flaws, found))
            elif found is not None:
                yield from _ending(rule, found, ledger, today)


def _rates(rule: Rule, ledger: Ledger, today: date) -> list[Decimal | None]:
    """The rates of today that the rule's filter names; without any only a code that goes by no line is tried."""
    named = rule.filter.include.get("tax_rate", frozenset())
    rates = [rate for rate in sorted(rates_on(today)) if {plain(rate), ledger.vat.rate_class(plain(rate))} & named]
    return [*rates] if rates or rule.tax_code == BY_LINE else [None]


def _ending(rule: Rule, tax: Tax, ledger: Ledger, today: date) -> Iterator[Finding]:
    """A code that ends soon, where nothing takes its place by itself."""
    end = tax.last_day()
    if end is None or end - today > ENDS_WITHIN:
        return
    symbolic = rule.tax_code is not None and rule.tax_code.startswith("@")
    if symbolic and ledger.vat.successor(tax, end + timedelta(days=1)) is not None:
        return
    params = {"rule": rule.title, "tax_code": tax.code, "day": end.isoformat()}
    yield Finding("vat-code-ends", "warning", about=(str(rule.id),), params=params)
