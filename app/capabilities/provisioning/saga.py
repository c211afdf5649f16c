"""The durable work that makes a shop: one step after the other, each done once, from wherever it stood.

A step goes to the network first and then, in one transaction that holds the operation, stores what came of it together
with the mark that it is done. So a step is repeated when a process dies, and its effect is not: hosting knows the
environment by the activation's id, a payment type is looked for before it is made, runs and mails are made with the
mark.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.api.explanation import Explanation
from app.capabilities.mailing import outbox
from app.capabilities.mailing.outbox import MAIL_SECRET, Mail
from app.capabilities.provisioning import choosing, records
from app.capabilities.provisioning.imports import Imports
from app.capabilities.provisioning.intake import KIND, MODULES, Wanted
from app.capabilities.provisioning.payment_type import PaymentTypes
from app.capabilities.provisioning.steps import IMPORTS, Step, following, percent
from app.capabilities.tenancy import sealed
from app.capabilities.tenancy.arcavis_rows import link_arcavis
from app.connectors.access import ARCAVIS_SECRET, RemoteAccess
from app.connectors.arcavis.hosting import Admin, Hosting
from app.connectors.egress import Egress
from app.core.clock import Clock
from app.core.errors import InvalidInput, RemoteRejected
from app.core.vault import Vault
from app.db import audit
from app.jobs import operations
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, Later, NeedsAttention, Outcome
from app.jobs.work import Work


@dataclass(frozen=True, slots=True)
class MadeRules:
    """How many booking rules were made, and what a person should know about those that could not be."""

    made: int
    notes: Sequence[Explanation]


# For a tenant, with notes in a language.
MakeRules = Callable[[UUID, str], Awaitable[MadeRules]]
NOT_READY_PAUSE = timedelta(seconds=10)
LOGIN_LASTS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Saga:
    """The handler of the kind `provision`; its subject is the tenant."""

    clock: Clock
    vault: Vault
    egress: Egress
    remotes: RemoteAccess
    hosting: Hosting
    payment_types: PaymentTypes
    imports: Imports
    make_rules: MakeRules

    async def run(self, work: Work) -> Outcome:
        """Goes on with the first step that is not done; see `app.jobs.work.Handler`."""
        while True:
            async with work.db.begin(work.tenant) as session:
                shop = await records.shop(session, work.tenant)
            step = following(shop.done)
            if step is None:
                return Done()
            await work.reached(f"provision-{step.value}")
            if step in IMPORTS:
                outcome = await self.imports.go_on(work, shop)
            else:
                outcome = await self._steps[step](work, shop)
            if outcome is not None:
                return outcome

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Each step stored its own end: nothing is left to record."""

    @property
    def _steps(self) -> Mapping[Step, Callable[[Work, Row[Any]], Awaitable[Outcome | None]]]:
        return {
            Step.ENVIRONMENT: self._environment,
            Step.ARCAVIS: self._arcavis,
            Step.PAYMENT_TYPE: self._payment_type,
            Step.SETTINGS: self._settings,
            Step.BOOKING_RULES: self._booking_rules,
            Step.LOGIN_MAIL: self._login_mail,
        }

    async def _environment(self, work: Work, shop: Row[Any]) -> Outcome | None:
        wanted = self._wanted(work, shop)
        await work.advance(Step.ENVIRONMENT)
        made = await self.hosting.environment(
            external_id=shop.activation_id,
            name=shop.name,
            language=wanted.language,
            modules=MODULES,
            admin=Admin(wanted.email, wanted.first_name, wanted.last_name, wanted.language),
        )
        await work.reached("provision-environment-made")
        try:
            base_url = await self.egress.check(made.base_url)
        except InvalidInput as error:
            return NeedsAttention("provision-environment-unusable", {"reason": error.params.get("reason", "")})
        initial = made.initial_password.get_secret_value() if made.initial_password is not None else None
        password = self.vault.seal(work.tenant, sealed.INITIAL_PASSWORD, initial) if initial else None
        secret = self.vault.seal(work.tenant, ARCAVIS_SECRET, made.api_password.get_secret_value())
        async with self._finishing(work, Step.ENVIRONMENT, {"slug": made.slug}) as session:
            await link_arcavis(
                session,
                work.tenant,
                base_url=base_url,
                username=made.api_username,
                secret=secret,
                now=self.clock.now(),
            )
            await records.environment(
                session,
                work.tenant,
                login_url=made.login_url,
                admin_username=made.admin_username,
                initial_password=password,
            )
        return None

    async def _arcavis(self, work: Work, _shop: Row[Any]) -> Outcome | None:
        """A new environment takes a while until it answers."""
        arcavis = await self.remotes.arcavis(work.tenant)
        try:
            await arcavis.ping()
        except RemoteRejected:
            return Later(NOT_READY_PAUSE, "provision-environment-not-ready", counted=True)
        async with self._finishing(work, Step.ARCAVIS, {}):
            return None

    async def _payment_type(self, work: Work, _shop: Row[Any]) -> Outcome | None:
        found = await self.payment_types.find_or_make(work)
        if isinstance(found, Later):
            return found
        async with self._finishing(work, Step.PAYMENT_TYPE, {"id": str(found)}):
            return None

    async def _settings(self, work: Work, shop: Row[Any]) -> Outcome | None:
        wanted = self._wanted(work, shop)
        known: Mapping[str, str] = shop.done[Step.BEXIO]["known"]
        ours = choosing.ours(
            payment_type_id=shop.done[Step.PAYMENT_TYPE]["id"], email=wanted.email, language=wanted.language
        )
        async with self._finishing(work, Step.SETTINGS, {"choices": choosing.explained(known, ours)}) as session:
            await choosing.choose(session, work.tenant, ours, self.clock.now())
        return None

    async def _booking_rules(self, work: Work, shop: Row[Any]) -> Outcome | None:
        rules = await self.make_rules(work.tenant, shop.language)
        await work.reached("provision-booking-rules-made")
        notes = [note.model_dump() for note in rules.notes]
        async with self._finishing(work, Step.BOOKING_RULES, {"counts": {"done": rules.made}, "notes": notes}):
            return None

    async def _login_mail(self, work: Work, shop: Row[Any]) -> Outcome | None:
        wanted = self._wanted(work, shop)
        secret = None
        if shop.initial_password is not None:
            password = self.vault.open(work.tenant, sealed.INITIAL_PASSWORD, shop.initial_password)
            secret = self.vault.seal(work.tenant, MAIL_SECRET, password)
        params = {"login_url": shop.login_url, "login_name": shop.admin_username}
        template = "mail-login" if secret is None else "mail-login-initial"
        mail = Mail("provision/login", template, params, secret=secret, lasts=LOGIN_LASTS)
        async with self._finishing(work, Step.LOGIN_MAIL, {}) as session:
            now = self.clock.now()
            to, language = [wanted.email], wanted.language
            await outbox.put(session, work.tenant, mail, now, recipients=to, language=language)
            await records.forget_password(session, work.tenant)
        return None

    @asynccontextmanager
    async def _finishing(self, work: Work, step: Step, detail: Mapping[str, Any]) -> AsyncGenerator[AsyncConnection]:
        """A transaction of the operation's holder that ends with the step's mark."""
        await work.reached(f"provision-{step.value}-before-commit")
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            yield session
            shop = await records.shop(session, work.tenant)
            now = self.clock.now()
            progress = percent({**shop.done, step.value: True}, {})
            await records.step_done(session, work.tenant, step, detail, progress, now)
            await audit.append(
                session,
                tenant=work.tenant,
                now=now,
                actor="system",
                action="provision.step",
                subject_kind=KIND,
                subject_id=work.tenant,
                detail={"step": step.value},
            )
        await work.reached(f"provision-{step.value}-done")

    def _wanted(self, work: Work, shop: Row[Any]) -> Wanted:
        return Wanted.model_validate_json(self.vault.open(work.tenant, sealed.ADMIN, shop.admin))
