"""What callers do with booking rules: list, make, copy, change, delete, and let the defaults be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.auth import TenantCaller
from app.api.explanation import explained
from app.capabilities.bookings import chart, rules_store
from app.capabilities.bookings.defaults import Default, Evidence, derive
from app.capabilities.bookings.findings import Finding, merged
from app.capabilities.bookings.ledger import Ledger
from app.capabilities.bookings.preflight import check_rules
from app.capabilities.bookings.rule_schemas import FoundWithDefaults, MadeDefaults, RuleContent, RuleView
from app.capabilities.bookings.rules_store import MOST_RULES, NewRule, StoredRule
from app.capabilities.tenancy.config import TenantConfig, load
from app.connectors.access import RemoteAccess
from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.reference import CompanyReference, ReferenceData
from app.connectors.bexio.reference_kinds import BANKING_ACCOUNTS
from app.core import catalogue
from app.core.clock import Clock
from app.core.errors import Conflict, PreconditionFailed
from app.core.ids import uuid7
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db import audit
from app.db.session import Database

KIND = "booking_rule"
LONGEST_TITLE = 120
COPY = "copy"


@dataclass(frozen=True, slots=True)
class Rules:
    """The use cases over one set of resources. Built once."""

    db: Database
    clock: Clock
    remotes: RemoteAccess
    reference: ReferenceData

    async def listing(self, tenant: UUID, language: str) -> list[RuleView]:
        """All rules in their order."""
        async with self.db.begin(tenant) as session:
            return [view(stored, language) for stored in await rules_store.listing(session)]

    async def get(self, tenant: UUID, rule: UUID, language: str) -> RuleView:
        """One rule as it stands now."""
        async with self.db.begin(tenant) as session:
            return view(await rules_store.read(session, rule), language)

    async def versions(self, tenant: UUID, rule: UUID, language: str) -> list[RuleView]:
        """Every version of a rule, the latest first, by which old exports are explained."""
        async with self.db.begin(tenant) as session:
            return [view(stored, language) for stored in await rules_store.versions(session, rule)]

    async def create(self, caller: TenantCaller, content: RuleContent, language: str) -> RuleView:
        """Stores a new rule once it fits the company's books.

        Raises:
            InvalidInput: an account or VAT code does not exist or fit, with what can be chosen.
            Conflict: there are too many rules.
        """
        now = self.clock.now()
        rule = NewRule(uuid7(now), content)
        await self._refuse_unfit(caller.tenant, content, rule.id)
        return await self._add(caller, rule, "booking-rule.create", language)

    async def copy(self, caller: TenantCaller, rule: UUID, language: str) -> RuleView:
        """The same rule once more, inactive until it was changed: two that meet would book twice."""
        async with self.db.begin(caller.tenant) as session:
            stored = await rules_store.read(session, rule)
        mark = f" ({catalogue.translate(COPY, language)})"
        title = stored.content.title[: LONGEST_TITLE - len(mark)] + mark
        content = stored.content.model_copy(update={"title": title, "active": False, "position": None})
        return await self._add(caller, NewRule(uuid7(self.clock.now()), content), "booking-rule.copy", language)

    async def change(
        self, caller: TenantCaller, rule: UUID, content: RuleContent, if_match: str | None, language: str
    ) -> RuleView:
        """Stores the next version of a rule.

        Raises:
            InvalidInput: as for `create`.
            PreconditionFailed: it was changed since the caller read it.
        """
        await self._refuse_unfit(caller.tenant, content, rule)
        now = self.clock.now()
        async with self.db.begin(caller.tenant) as session:
            before = await rules_store.read(session, rule, lock=True)
            if if_match is not None and if_match.strip() not in {"*", etag(before.version)}:
                raise PreconditionFailed("rule-changed-meanwhile")
            if content != before.content:
                await rules_store.change(session, caller.tenant, before, content, actor=caller.actor, now=now)
                await self._audit(session, caller, "booking-rule.change", rule, before.content.title)
            return view(await rules_store.read(session, rule), language)

    async def delete(self, caller: TenantCaller, rule: UUID) -> None:
        """Takes a rule out of use.

        Raises:
            Conflict: entries of it stand in bexio, which the next export would take back.
        """
        async with self.db.begin(caller.tenant) as session:
            stored = await rules_store.read(session, rule, lock=True)
            if await rules_store.has_entries(session, rule):
                raise Conflict("rule-has-entries", rule=stored.content.title)
            await rules_store.delete(session, rule, self.clock.now())
            await self._audit(session, caller, "booking-rule.delete", rule, stored.content.title)

    async def make_defaults(self, tenant: UUID, actor: str, language: str | None = None) -> MadeDefaults:
        """Makes the default rules that can be told from the tenant's accounts and were never made before.

        Raises:
            ConnectionRefused: bexio or Arcavis is not connected.
            RemoteUnavailable: one of them is away.
        """
        evidence = await self._evidence(tenant)
        derived, findings = derive(evidence)
        now = self.clock.now()
        async with self.db.begin(tenant) as session:
            count, last = await rules_store.alone(session, tenant)
            known = await rules_store.origins(session)
            fresh = [_new(one, uuid7(now)) for one in derived if one.origin not in known]
            _refuse_too_many(count + len(fresh))
            await rules_store.insert(session, tenant, fresh, last, actor=actor, now=now)
            for rule in fresh:
                await _append(session, tenant, actor, "booking-rule.default", rule.id, rule.content.title, now)
            stored = {row.id: row for row in await rules_store.listing(session)}
        made = [stored[rule.id] for rule in fresh]
        findings += check_rules([row.rule for row in made], evidence.ledger, evidence.today)
        said = language or evidence.language
        return MadeDefaults(made=len(made), rules=[view(row, said) for row in made], findings=_told(findings, said))

    async def _evidence(self, tenant: UUID) -> Evidence:
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
        reference = await self._reference(tenant)
        return await _evidence(config, reference, await self.remotes.arcavis(tenant), today(self.clock.now()))

    async def _reference(self, tenant: UUID) -> CompanyReference:
        return self.reference.of(tenant, await self.remotes.bexio(tenant, Priority.BACKOFFICE))

    async def _refuse_unfit(self, tenant: UUID, content: RuleContent, rule: UUID) -> None:
        ledger: Ledger = await chart.read(await self._reference(tenant))
        chart.refuse_unfit(content.to_core(rule, 1, 0), ledger, today(self.clock.now()))

    async def _add(self, caller: TenantCaller, rule: NewRule, action: str, language: str) -> RuleView:
        async with self.db.begin(caller.tenant) as session:
            count, last = await rules_store.alone(session, caller.tenant)
            _refuse_too_many(count + 1)
            now = self.clock.now()
            await rules_store.insert(session, caller.tenant, [rule], last, actor=caller.actor, now=now)
            await self._audit(session, caller, action, rule.id, rule.content.title)
            return view(await rules_store.read(session, rule.id), language)

    async def _audit(self, session: AsyncConnection, caller: TenantCaller, action: str, rule: UUID, title: str) -> None:
        await _append(session, caller.tenant, caller.actor, action, rule, title, self.clock.now())


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"{version}"'


def view(stored: StoredRule, language: str) -> RuleView:
    """A rule as it is answered."""
    reason = stored.reason
    return RuleView.model_validate(
        {
            **stored.content.model_dump(),
            "id": stored.id,
            "version": stored.version,
            "position": stored.position,
            "reason": explained(reason["code"], reason["params"], language) if reason else None,
            "created_at": stored.created_at,
            "updated_at": stored.updated_at,
        }
    )


def _new(default: Default, rule: UUID) -> NewRule:
    return NewRule(rule, default.content, default.origin, {"code": default.code, "params": dict(default.params)})


def _refuse_too_many(count: int) -> None:
    if count > MOST_RULES:
        raise Conflict("rules-too-many", most=MOST_RULES)


def _told(findings: Sequence[Finding], language: str) -> list[FoundWithDefaults]:
    return [
        FoundWithDefaults(severity=finding.severity, **explained(finding.code, finding.params, language).model_dump())
        for finding in merged(findings)
    ]


async def _evidence(config: TenantConfig, reference: CompanyReference, arcavis: Arcavis, day: date) -> Evidence:
    return Evidence(
        ledger=await chart.read(reference),
        settings=config.settings,
        payment_types=await arcavis.payment_types.list(),
        transaction_types=await arcavis.transaction_types.list(),
        purposes=await arcavis.transaction_purposes.list(),
        till_taxes=await arcavis.taxes.list(),
        bank_accounts=await reference.rows(BANKING_ACCOUNTS),
        today=day,
        language=config.settings.language,
    )


async def _append(
    session: AsyncConnection, tenant: UUID, actor: str, action: str, rule: UUID, title: str, now: datetime
) -> None:
    await audit.append(
        session,
        tenant=tenant,
        now=now,
        actor=actor,
        action=action,
        subject_kind=KIND,
        subject_id=rule,
        detail={"title": title},
    )
