"""What the doctor says about the booking export, before anything is posted: rules, accounts, VAT codes, settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from app.capabilities.bookings import chart, rules_store
from app.capabilities.bookings.deps import MODULE
from app.capabilities.bookings.findings import Finding, merged
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.preflight import check_rules
from app.capabilities.bookings.rules import Rule
from app.capabilities.tenancy.config import load
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.access import RemoteAccess
from app.connectors.bexio.reference import ReferenceData
from app.core.clock import Clock
from app.core.errors import ConnectorError
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db.session import Database


@dataclass(frozen=True, slots=True)
class BookingsExaminer:
    """Examines tenants that have the module; writes nowhere. Built once."""

    db: Database
    clock: Clock
    remotes: RemoteAccess
    reference: ReferenceData

    async def examine(self, tenant: UUID) -> Sequence[Finding]:
        """Everything that would hold an export of today. While bexio cannot be read, the doctor says that itself."""
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
            rules = await rules_store.load(session)
        if MODULE not in config.modules:
            return ()
        try:
            bexio = await self.remotes.bexio(tenant, Priority.BACKOFFICE)
            ledger = await chart.read(self.reference.of(tenant, bexio))
        except ConnectorError:
            return ()
        return examined(rules, config.settings, ledger, today(self.clock.now()))


def examined(rules: Sequence[Rule], settings: TenantSettings, ledger: Ledger, day: date) -> list[Finding]:
    """What is wrong, from values to findings."""
    return merged([*_rules(rules, ledger, day), *_rounding(settings, ledger)])


def _rules(rules: Sequence[Rule], ledger: Ledger, day: date) -> Iterator[Finding]:
    if not any(rule.active for rule in rules):
        yield Finding("booking-rules-missing", "warning", about=("booking_rules",))
    yield from check_rules(rules, ledger, day)


def _rounding(settings: TenantSettings, ledger: Ledger) -> Iterator[Finding]:
    number = settings.rounding_account_no
    about = ("rounding_account_no",)
    if number is None:
        yield Finding("rounding-account-not-chosen", "warning", about=about)
        return
    account = ledger.account(number)
    if account is None or not account.is_active:
        yield Finding("rounding-account-missing", "error", about=about, params={"account": number})
