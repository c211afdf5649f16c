"""Default booking rules, derived from what the tenant really has. Pure: no account is invented, none is guessed.

Everything goes through the cash account: revenue is booked to it, and from it what was not paid in cash. Each rule
carries its reason; what cannot be told from the chart of accounts is a finding with its remedy, and no rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from app.capabilities.bookings import chart_names
from app.capabilities.bookings.chart_names import kind_of_payment, named, sharing_a_word
from app.capabilities.bookings.findings import Finding, Severity
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.preflight import CASH_ACCOUNT, PREPAYMENTS
from app.capabilities.bookings.rule_schemas import RuleContent, RuleFilter
from app.capabilities.bookings.rules import TIP, VOUCHER
from app.capabilities.bookings.vat import BY_LINE, RATE_CLASSES, REDUCED, STANDARD
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.arcavis.names import PaymentType, TransactionPurpose, TransactionType
from app.connectors.arcavis.names import Tax as TillTax
from app.connectors.bexio.accounts import Account, AccountType
from app.connectors.bexio.banking_accounts import BankAccount
from app.connectors.bexio.taxes import Tax
from app.core import catalogue
from app.core.money import plain

GOODS_REVENUE = "3200"
# Before any other: what a shop can hardly do without.
_USUAL = (STANDARD, REDUCED)
_ANY = re.compile("")


@dataclass(frozen=True, slots=True)
class Default:
    """A rule that can be derived. `origin` names it for ever, `code` and `params` say why it is as it is."""

    origin: str
    code: str
    params: Mapping[str, str]
    content: RuleContent


@dataclass(frozen=True)
class Evidence:
    """What defaults are derived from."""

    ledger: Ledger
    settings: TenantSettings
    payment_types: tuple[PaymentType, ...]
    transaction_types: tuple[TransactionType, ...]
    purposes: tuple[TransactionPurpose, ...]
    till_taxes: tuple[TillTax, ...]
    bank_accounts: tuple[BankAccount, ...]
    today: date
    language: str

    @cached_property
    def mapped(self) -> Mapping[str, Account]:
        """The asset accounts behind the bank accounts that the settings map payment types to."""
        by_id = {row.id: row for row in self.ledger.accounts if row.is_active}
        behind = {row.id: by_id.get(row.account_id or 0) for row in self.bank_accounts}
        found = {key: behind.get(bank) for key, bank in self.settings.payment_bank_accounts.items()}
        return {key: row for key, row in found.items() if row is not None and row.account_type == AccountType.ASSET}

    @cached_property
    def no_sales(self) -> tuple[str, ...]:
        """The kinds of bookings that move money and sell nothing."""
        patterns = (chart_names.EXPENSES, chart_names.SKIMMING, chart_names.LOADING)
        return tuple(str(row.id) for row in self.transaction_types if any(one.search(row.title) for one in patterns))

    def types(self, pattern: re.Pattern[str]) -> list[TransactionType]:
        """The kinds of bookings that are named so."""
        return [row for row in self.transaction_types if pattern.search(row.title)]


def derive(evidence: Evidence) -> tuple[list[Default], list[Finding]]:
    """The rules that can be told from the evidence, in their order, and what cannot."""
    found: list[Default | Finding] = list(_Derivation(evidence).run())
    rules = [one for one in found if isinstance(one, Default)]
    return rules, [one for one in found if isinstance(one, Finding)]


class _Derivation:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._ledger = evidence.ledger

    def run(self) -> Iterator[Default | Finding]:
        """Rule by rule; without a cash account there is nothing to go through."""
        cash = self._cash()
        if cash is None:
            said = {"account": CASH_ACCOUNT, "rule": "…"}
            yield Finding("cash-account-missing", "error", about=("default-rules",), params=said)
            return
        yield from self._revenue(cash)
        yield from self._vouchers(cash)
        yield from self._tips(cash)
        yield from self._payments(cash)
        yield from self._expenses(cash)
        yield from self._skimming(cash)
        yield from self._customer_accounts(cash)

    def _cash(self) -> Account | None:
        for row in self._evidence.payment_types:
            if row.is_active and kind_of_payment(row.title, is_cash=row.is_cash) == "cash":
                mapped = self._evidence.mapped.get(str(row.id))
                if mapped is not None:
                    return mapped
        found = self._ledger.account(CASH_ACCOUNT)
        usable = found is not None and found.is_active and found.account_type == AccountType.ASSET
        return found if usable else None

    def _revenue(self, cash: Account) -> Iterator[Default | Finding]:
        account = self._revenue_account()
        if account is None:
            yield _unclear("default-revenue-unclear")
            return
        accounts = {"debit_account": cash.account_no, "credit_account": account.account_no}
        said = {"account": _label(account), "cash": _label(cash)}
        text = "{Regel} {Filiale} {Datum}"
        year = self._ledger.calendar_year(self._evidence.today)
        if year is not None and not year.is_vat_subject:
            yield self._rule(
                "revenue",
                "default-rule-revenue-untaxed",
                said,
                source="articles",
                value="gross",
                text=text,
                group_by=["store"],
                **accounts,
            )
            return
        for name in self._rate_classes():
            yield self._rule(
                f"revenue-{name}", "default-rule-revenue", {**said, "rate": self._rate(name)},
                source="articles", value="gross", filter=RuleFilter(tax_rates=[name]), group_by=["store", "tax_rate"],
                tax_code=BY_LINE, text=text, **accounts,
            )  # fmt: skip

    def _revenue_account(self) -> Account | None:
        chosen = self._evidence.settings.invoice_account_no or GOODS_REVENUE
        found = self._ledger.account(chosen)
        if found is not None and found.is_active and found.account_type == AccountType.INCOME:
            return found
        sales = [
            row
            for row in self._ledger.accounts
            if row.is_active and row.account_type == AccountType.INCOME and "3000" <= row.account_no < "3800"
        ]
        return sales[0] if len(sales) == 1 else None

    def _rate_classes(self) -> Sequence[str]:
        """Those of the rates that the tills use, and the two that every shop has."""
        rates = (plain(row.tax_rate * 100) for row in self._evidence.till_taxes if row.is_active)
        used = {self._ledger.vat.rate_class(rate) for rate in rates} | set(_USUAL)
        return [name for name in RATE_CLASSES if name in used]

    def _rate(self, name: str) -> str:
        """The rate as people say it; the filter means the class, whatever its rate becomes."""
        active = (plain(row.tax_rate * 100) for row in self._evidence.till_taxes if row.is_active)
        rates = [rate for rate in active if self._ledger.vat.rate_class(rate) == name]
        if not rates:
            code = self._ledger.vat.resolve(f"{BY_LINE}-{name}", None, self._evidence.today)
            rates = [plain(code.value)] if isinstance(code, Tax) else []
        return f"{rates[0]} %" if rates else name

    def _vouchers(self, cash: Account) -> Iterator[Default | Finding]:
        account = self._liability(chart_names.VOUCHERS)
        if account is None:
            yield _unclear("default-vouchers-unclear", "warning")
            return
        said = {"account": _label(account), "cash": _label(cash)}
        yield self._rule(
            "voucher-sold", "default-rule-voucher-sold", said, source="articles", value="gross",
            filter=RuleFilter(articles=[VOUCHER]), debit_account=cash.account_no, credit_account=account.account_no,
        )  # fmt: skip
        for row in self._paying("voucher"):
            yield self._rule(
                f"voucher-redeemed-{row.id}", "default-rule-voucher-redeemed", {**said, "payment_type": row.title},
                **self._payment(row), debit_account=account.account_no, credit_account=cash.account_no,
            )  # fmt: skip

    def _tips(self, cash: Account) -> Iterator[Default | Finding]:
        account = self._liability(chart_names.TIPS)
        if account is None:
            yield _unclear("default-tips-unclear", "info")
            return
        said = {"account": _label(account), "cash": _label(cash)}
        yield self._rule(
            "tip", "default-rule-tip", said, source="articles", value="gross", filter=RuleFilter(articles=[TIP]),
            debit_account=cash.account_no, credit_account=account.account_no,
        )  # fmt: skip

    def _payments(self, cash: Account) -> Iterator[Default | Finding]:
        for row in self._paying("cash"):
            said = {"payment_type": row.title, "account": _label(cash)}
            yield self._rule(f"cash-{row.id}", "default-rule-cash", said, action="ignore", **self._payment(row))
        for row in (*self._paying("card"), *self._paying("twint"), *self._paying("other")):
            account, code = self._where_money_goes(row)
            if account is None or account.id == cash.id:
                yield _unclear("default-payment-unclear", payment_type=row.title)
                continue
            said = {"payment_type": row.title, "account": _label(account), "cash": _label(cash)}
            yield self._rule(
                f"payment-{row.id}", code, said, **self._payment(row),
                debit_account=account.account_no, credit_account=cash.account_no,
            )  # fmt: skip

    def _where_money_goes(self, row: PaymentType) -> tuple[Account | None, str]:
        mapped = self._evidence.mapped.get(str(row.id))
        if mapped is not None:
            return mapped, "default-rule-payment-mapped"
        patterns = {"twint": chart_names.TWINT, "card": chart_names.CARDS}
        pattern = patterns.get(kind_of_payment(row.title, is_cash=row.is_cash))
        found = named(self._ledger.accounts, pattern, AccountType.ASSET) if pattern is not None else []
        return (found[0] if len(found) == 1 else None), "default-rule-payment-named"

    def _expenses(self, cash: Account) -> Iterator[Default | Finding]:
        for kind in self._evidence.types(chart_names.EXPENSES):
            for purpose in self._evidence.purposes:
                if purpose.transaction_type_id not in {None, kind.id}:
                    continue
                accounts = sharing_a_word(self._ledger.accounts, purpose.title, AccountType.EXPENSE)
                if len(accounts) != 1:
                    yield _unclear("default-expense-unclear", "warning", purpose=purpose.title)
                    continue
                said = {"purpose": purpose.title, "account": _label(accounts[0]), "cash": _label(cash)}
                meant = RuleFilter(transaction_types=[str(kind.id)], purposes=[str(purpose.id)])
                yield self._rule(
                    f"expense-{kind.id}-{purpose.id}", "default-rule-expense", said, source="payments", value="amount",
                    filter=meant, debit_account=cash.account_no, credit_account=accounts[0].account_no,
                )  # fmt: skip

    def _skimming(self, cash: Account) -> Iterator[Default | Finding]:
        accounts = named(self._ledger.accounts, chart_names.SAFE, AccountType.ASSET)
        for kind in self._evidence.types(chart_names.SKIMMING):
            if len(accounts) != 1:
                yield _unclear("default-skimming-unclear", "warning", transaction_type=kind.title)
                continue
            said = {"transaction_type": kind.title, "account": _label(accounts[0]), "cash": _label(cash)}
            yield self._rule(
                f"skimming-{kind.id}", "default-rule-skimming", said, source="payments", value="amount",
                filter=RuleFilter(transaction_types=[str(kind.id)]), debit_account=cash.account_no,
                credit_account=accounts[0].account_no,
            )  # fmt: skip

    def _customer_accounts(self, cash: Account) -> Iterator[Default | Finding]:
        loading, paying = self._evidence.types(chart_names.LOADING), self._paying("customer_account")
        if not loading and not paying:
            return
        found = named(self._ledger.accounts, chart_names.CUSTOMER_ACCOUNTS, AccountType.LIABILITY)
        if len(found) != 1:
            what = ", ".join([*(row.title for row in loading), *(row.title for row in paying)])
            yield _unclear("default-customer-account-unclear", "warning", what=what)
            return
        account = found[0]
        for row in paying:
            said = {"payment_type": row.title, "account": _label(account), "cash": _label(cash)}
            yield self._rule(
                f"account-{row.id}", "default-rule-account-payment", said, **self._payment(row),
                debit_account=account.account_no, credit_account=cash.account_no,
            )  # fmt: skip
        for kind in loading:
            for row in (*self._paying("cash"), *self._paying("card"), *self._paying("twint"), *self._paying("other")):
                is_cash = kind_of_payment(row.title, is_cash=row.is_cash) == "cash"
                paid = cash if is_cash else self._where_money_goes(row)[0]
                if paid is not None:
                    yield self._load(kind, row, paid, account)

    def _load(self, kind: TransactionType, row: PaymentType, paid: Account, account: Account) -> Default:
        said = {
            "transaction_type": kind.title,
            "payment_type": row.title,
            "paid": _label(paid),
            "account": _label(account),
        }
        meant = RuleFilter(transaction_types=[str(kind.id)], payment_types=[str(row.id)])
        return self._rule(
            f"load-{kind.id}-{row.id}", "default-rule-load", said, source="payments", value="amount", filter=meant,
            debit_account=paid.account_no, credit_account=account.account_no,
        )  # fmt: skip

    def _payment(self, row: PaymentType) -> dict[str, Any]:
        """A payment of a sale with this payment type."""
        meant = RuleFilter(payment_types=[str(row.id)], exclude_transaction_types=list(self._evidence.no_sales))
        return {"source": "payments", "value": "amount", "filter": meant}

    def _paying(self, kind: chart_names.Kind) -> list[PaymentType]:
        """The active payment types of a kind, but for the one on bexio invoice."""
        invoice = self._evidence.settings.invoice_payment_type_id
        return [
            row
            for row in self._evidence.payment_types
            if row.is_active and str(row.id) != invoice and kind_of_payment(row.title, is_cash=row.is_cash) == kind
        ]

    def _liability(self, pattern: re.Pattern[str]) -> Account | None:
        found = named(self._ledger.accounts, pattern, AccountType.LIABILITY)
        found = [row for row in found if row.account_no != PREPAYMENTS]
        return found[0] if len(found) == 1 else None

    def _rule(self, origin: str, code: str, params: Mapping[str, str], **content: Any) -> Default:  # noqa: ANN401 - of RuleContent
        title = catalogue.text(code, params, self._evidence.language).title
        given = {"title": title, "text": "{Regel} {Datum}", **content}
        return Default(origin, code, params, RuleContent.model_validate(given))


def _unclear(code: str, severity: Severity = "error", /, **params: str) -> Finding:
    return Finding(code, severity, about=("default-rules",), params=params)


def _label(account: Account) -> str:
    return f"{account.account_no} {account.name}"
