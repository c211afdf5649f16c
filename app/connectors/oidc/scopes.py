"""What we ask a bexio user for, and what is missing of it."""

from __future__ import annotations

from collections.abc import Iterable

SIGN_IN = ("openid", "profile", "email", "company_profile", "offline_access")
NEEDED = (
    *SIGN_IN,
    "contact_edit",
    "article_show",
    "kb_invoice_edit",
    "kb_order_show",
    "accounting",
    "bank_account_show",
)
# Opens the stock fields of articles, which the one import of stock reads.
STOCK = "stock_edit"
# Without these there is no company to tell, no token that lasts, or no invoice: such a sign-in is not kept.
INDISPENSABLE = frozenset({"openid", "company_profile", "offline_access", "contact_edit", "kb_invoice_edit"})


def missing(granted: Iterable[str], wanted: Iterable[str] = NEEDED) -> list[str]:
    """The wanted scopes that were not granted, in order; `_edit` includes `_show`."""
    held = set(granted)
    return [scope for scope in wanted if scope not in held and _wider(scope) not in held]


def _wider(scope: str) -> str:
    return scope.removesuffix("_show") + "_edit" if scope.endswith("_show") else scope
