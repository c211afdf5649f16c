"""The steps of a new shop, and how far it came. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """In their order. The first three are done when a shop is accepted."""

    COMPANY = "company"
    TENANT = "tenant"
    BEXIO = "bexio"
    ENVIRONMENT = "environment"
    ARCAVIS = "arcavis"
    PAYMENT_TYPE = "payment_type"
    SETTINGS = "settings"
    CONTACTS = "contacts"
    ARTICLES = "articles"
    BOOKING_RULES = "booking_rules"
    LOGIN_MAIL = "login_mail"


# How much of the whole each one is, in percent.
WEIGHTS: Mapping[Step, int] = {
    Step.COMPANY: 2,
    Step.TENANT: 2,
    Step.BEXIO: 2,
    Step.ENVIRONMENT: 8,
    Step.ARCAVIS: 2,
    Step.PAYMENT_TYPE: 2,
    Step.SETTINGS: 4,
    Step.CONTACTS: 36,
    Step.ARTICLES: 36,
    Step.BOOKING_RULES: 4,
    Step.LOGIN_MAIL: 2,
}
TITLES: Mapping[Step, str] = {
    Step.COMPANY: "Recognise the company",
    Step.TENANT: "Make a place for the shop",
    Step.BEXIO: "Connect bexio",
    Step.ENVIRONMENT: "Make Arcavis",
    Step.ARCAVIS: "Connect Arcavis",
    Step.PAYMENT_TYPE: "Set up the payment type “Bexio Rechnung”",
    Step.SETTINGS: "Take over settings from bexio",
    Step.CONTACTS: "Import contacts",
    Step.ARTICLES: "Import articles and stock",
    Step.BOOKING_RULES: "Make booking rules",
    Step.LOGIN_MAIL: "Mail the login",
}
# Work on them goes on side by side.
IMPORTS = (Step.CONTACTS, Step.ARTICLES)


# While nobody knows how many records there are: the share rises with each, never passes `MOST_UNTOLD`, and is at half
# of it after `HALF_AFTER` records.
HALF_AFTER = 1000
MOST_UNTOLD = 0.9


@dataclass(frozen=True, slots=True)
class Share:
    """How much of an import is done; `total` None while nobody knows."""

    done: int
    total: int | None

    @property
    def fraction(self) -> float:
        """Between 0 and 1; not quite 1, because the step is done only when it says so."""
        if not self.total:
            return MOST_UNTOLD * self.done / (self.done + HALF_AFTER)
        return min(self.done / self.total, 0.99)


def following(done: Mapping[str, object]) -> Step | None:
    """The first step that is not done; None when all are."""
    return next((step for step in Step if step not in done), None)


def percent(done: Mapping[str, object], shares: Mapping[Step, Share]) -> int:
    """How far the whole is, from 0 to 100; 100 only when everything is done."""
    reached = sum(
        float(weight) if step in done else weight * shares[step].fraction if step in shares else 0.0
        for step, weight in WEIGHTS.items()
    )
    return 100 if following(done) is None else min(int(reached), 99)
