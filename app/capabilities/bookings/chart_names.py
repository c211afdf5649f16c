"""How people name accounts, ways to pay and kinds of bookings, in the languages of Swiss shops. Pure.

A name is evidence only when exactly one account bears it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from app.connectors.bexio.accounts import Account, AccountType

Kind = Literal["cash", "twint", "voucher", "customer_account", "card", "other"]

VOUCHERS = re.compile(r"gutschein|voucher|\bbons?\b|buon[oi]\b", re.IGNORECASE)
TIPS = re.compile(r"trinkgeld|\btips?\b|pourboire|manc(ia|e)\b", re.IGNORECASE)
SAFE = re.compile(r"tresor|\bsafe\b|coffre|cassaforte", re.IGNORECASE)
CUSTOMER_ACCOUNTS = re.compile(
    r"kundenkont|kundenguthaben|customer account|comptes?[ -]clients?|conti? clienti", re.IGNORECASE
)
TWINT = re.compile(r"twint", re.IGNORECASE)
CARDS = re.compile(r"kart(e|en)|\bcards?\b|\bcartes?\b|\bcart[ae]\b|maestro|visa|mastercard|postfinance", re.IGNORECASE)
EXPENSES = re.compile(r"ausgabe|expense|dépense|spes[ae]\b", re.IGNORECASE)
SKIMMING = re.compile(r"abschöpf|skimming|prélèvement|prelievo", re.IGNORECASE)
LOADING = re.compile(r"(laden|load|charge|carica).*(konto|account|compte|conto)", re.IGNORECASE)
_CASH = re.compile(r"^(bar|bargeld|cash|espèces|contanti)$", re.IGNORECASE)
_ON_ACCOUNT = re.compile(r"\b(konto|kundenkonto|account|compte|conto)\b", re.IGNORECASE)
_WORD = re.compile(r"\w{4,}")


def kind_of_payment(title: str, *, is_cash: bool) -> Kind:
    """What a payment type is, by its title."""
    if is_cash or _CASH.search(title.strip()):
        return "cash"
    kinds: tuple[tuple[re.Pattern[str], Kind], ...] = (
        (TWINT, "twint"),
        (VOUCHERS, "voucher"),
        (_ON_ACCOUNT, "customer_account"),
        (CARDS, "card"),
    )
    for pattern, kind in kinds:
        if pattern.search(title):
            return kind
    return "other"


def named(accounts: Iterable[Account], pattern: re.Pattern[str], *kinds: AccountType) -> list[Account]:
    """The active accounts of these kinds whose name says so."""
    return [one for one in accounts if one.is_active and one.account_type in kinds and pattern.search(one.name)]


def sharing_a_word(accounts: Sequence[Account], title: str, kind: AccountType) -> list[Account]:
    """The active accounts of a kind that share a word of four letters or more with the title: Porto."""
    words = {word.casefold() for word in _WORD.findall(title)}
    fitting = (one for one in accounts if one.is_active and one.account_type == kind)
    return [one for one in fitting if words & {word.casefold() for word in _WORD.findall(one.name)}]
