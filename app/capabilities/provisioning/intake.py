"""An activation comes in: its code is exchanged at once, then its company gets its tenant and the work begins.

The code works once and for a minute, so what it gave is committed before anything else. A process that dies between
bexio's answer and that commit has lost it: the company activates once more, and nothing is half made. From that commit
on nothing is lost: whoever finds the activation goes on with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from uuid import UUID

import structlog
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from sqlalchemy.exc import IntegrityError

from app.capabilities.linking.service import Identified, Linking
from app.capabilities.provisioning import records
from app.capabilities.provisioning.schemas import Activation
from app.capabilities.provisioning.slugs import candidates
from app.capabilities.provisioning.steps import Step
from app.capabilities.tenancy import sealed
from app.connectors.oidc.client import OidcClient
from app.connectors.oidc.grants import Grant
from app.connectors.oidc.scopes import NEEDED
from app.core.clock import Clock
from app.core.errors import (
    Conflict,
    InvalidInput,
    OutcomeUnknown,
    RemoteRejected,
    RemoteUnavailable,
    RequestError,
    Unavailable,
)
from app.core.ids import uuid7
from app.core.milestones import Probe, log_milestone
from app.core.priority import Priority
from app.core.vault import Vault
from app.db import audit
from app.db.session import Database
from app.jobs import operations
from app.jobs.engine import wake

KIND = "provision"
MODULES = ("accounting_export", "orders")
MOST_RESUMED = 10
LOST_AFTER = timedelta(hours=1)
LOST = "provision-authorization-lost"
# How long a repeat waits for the call that came first, and how often it looks.
WATCH_SECONDS = 5.0
LOOK_SECONDS = 0.25

_log = structlog.get_logger("provisioning")
_GRANT = TypeAdapter(Grant)


class Wanted(BaseModel):
    """A proven activation: who wants a shop for which company."""

    model_config = ConfigDict(frozen=True)

    activation_id: str
    company_id: str
    company_name: str
    email: str = Field(repr=False)
    first_name: str = Field(repr=False)
    last_name: str = Field(repr=False)
    language: str


class _Sealed(BaseModel):
    wanted: Wanted
    grant: str = Field(repr=False)


@dataclass(frozen=True, slots=True)
class Intake:
    """The use cases over one set of resources."""

    db: Database
    clock: Clock
    vault: Vault
    oidc: OidcClient
    linking: Linking
    probe: Probe = log_milestone

    async def webhook(self, webhook: str, given: Activation) -> UUID:
        """A signed activation; the same one again is answered with the first result. Returned: nothing loses it now.

        Raises:
            Conflict: `provision-company-connected`, `provision-company-differs`, `provision-scopes-missing`.
            InvalidInput: `provision-authorization-lost`.
            RemoteUnavailable: bexio is away, and the code was not used.
            Unavailable: `provision-in-other-hands`: another call exchanges the code; whether it lives, time tells.
        """
        taken = await self._take(webhook, given)
        if not taken.ours:
            if taken.reason is not None:
                raise _ended(taken.state, taken.reason, taken.params)
            return taken.id
        await self.probe("activation-taken")
        try:
            wanted, grant = await self._authorize(taken.id, given)
            await self._keep(taken.id, wanted, grant)
        except Exception:
            # Whoever repeats it may try at once. Where the code was spent, bexio will say so then.
            async with self.db.begin_system() as session:
                await records.release(session, taken.id, self.clock.now())
            raise
        await self._go_on(taken.id, wanted, grant)
        return taken.id

    async def _take(self, webhook: str, given: Activation) -> records.Taken:
        """The activation for us, or one that cannot be lost any more, or one that is over."""
        asked = records.Asked(
            activation=given.activation_id,
            company=given.company.name,
            webhook=webhook,
            code=given.authorization.code.get_secret_value(),
        )
        until = self.clock.monotonic() + WATCH_SECONDS
        while True:
            async with self.db.begin_system() as session:
                taken = await records.take(session, asked, self.clock.now())
            if taken.ours or taken.state != "authorizing":
                return taken
            if self.clock.monotonic() >= until:
                # It may have died with the code in its hands: only a repeat finds that out.
                raise Unavailable("provision-in-other-hands")
            await self.clock.sleep(LOOK_SECONDS)

    async def _authorize(self, activation: UUID, given: Activation) -> tuple[Wanted, Grant]:
        grant = await self._exchange(activation, given)
        await self.probe("activation-exchanged")
        wanted = Wanted(
            activation_id=given.activation_id,
            company_id=grant.claims.company_id or "",
            company_name=given.company.name,
            email=given.admin.email,
            first_name=given.admin.first_name,
            last_name=given.admin.last_name,
            language=given.admin.language,
        )
        if wanted.company_id != given.company.id:
            raise await self._refused(activation, Conflict("provision-company-differs", company=given.company.name))
        if lacking := grant.lacking(NEEDED):
            error = Conflict("provision-scopes-missing", scopes=", ".join(lacking))
            raise await self._refused(activation, error)
        return wanted, grant

    async def browser(self, grant: Grant, language: str) -> UUID:
        """Somebody signed in through the start link of bexio Apps.

        Raises:
            Conflict: `provision-company-connected`.
            InvalidInput: `provision-without-address`: nobody could be mailed the login.
        """
        claims = grant.claims
        if claims.email is None or claims.company_id is None:
            raise InvalidInput("provision-without-address")
        now = self.clock.now()
        # Each sign-in is its own activation; the company brings them together.
        activation = f"browser/{uuid7(now)}"
        wanted = Wanted(
            activation_id=activation,
            company_id=claims.company_id,
            company_name=(claims.company_name or claims.company_id)[:120],
            email=claims.email,
            first_name=claims.given_name or "",
            last_name=claims.family_name or "",
            language=language,
        )
        async with self.db.begin_system() as session:
            taken = await records.take(session, records.Asked(activation, wanted.company_name), now)
        await self._keep(taken.id, wanted, grant)
        await self._go_on(taken.id, wanted, grant)
        return taken.id

    async def resume(self) -> int:
        """Goes on with activations whose process died, or that bexio kept waiting; how many. Any worker may do it."""
        async with self.db.begin_system() as session:
            found = await records.waiting(session, self.clock.now(), MOST_RESUMED)
        for one in found:
            if not await self._resumed(one) and self.clock.now() - one.since > LOST_AFTER:
                await self._end(one.id, "failed", LOST, {})
        return len(found)

    async def _resumed(self, one: records.Waiting) -> bool:
        """Whether it is accepted or over now. Nothing that is wrong with one keeps the others waiting."""
        try:
            kept = _Sealed.model_validate_json(self.vault.open(one.id, sealed.WANTED, one.wanted))
            await self._accept(one.id, kept.wanted, _GRANT.validate_json(kept.grant))
        except (RemoteUnavailable, Unavailable, OutcomeUnknown) as error:
            _log.info("activation-waits", code=error.code)
            return False
        except RequestError as error:
            _log.info("activation-over", code=error.code)
        except Exception:  # noqa: BLE001 - whatever it is, the others go on
            _log.exception("activation-crashed", activation=str(one.id))
            return False
        return True

    async def _exchange(self, activation: UUID, given: Activation) -> Grant:
        authorization = given.authorization
        try:
            return await self.oidc.exchange(
                code=authorization.code.get_secret_value(),
                redirect_uri=authorization.redirect_uri,
                verifier=authorization.code_verifier.get_secret_value(),
                nonce=None,
            )
        except (RemoteRejected, InvalidInput) as error:
            _log.info("activation-lost", code=error.code)
            await self._end(activation, "failed", LOST, {})
            raise InvalidInput(LOST) from error

    async def _keep(self, activation: UUID, wanted: Wanted, grant: Grant) -> None:
        """What the code gave is committed; from here on whoever finds it goes on."""
        kept = _Sealed(wanted=wanted, grant=_GRANT.dump_json(grant, by_alias=True).decode())
        secret = self.vault.seal(activation, sealed.WANTED, kept.model_dump_json())
        async with self.db.begin_system() as session:
            await records.authorized(session, activation, secret, self.clock.now())

    async def _go_on(self, activation: UUID, wanted: Wanted, grant: Grant) -> None:
        """Accepts at once; when bexio does not answer now, `resume` does it later."""
        await self.probe("activation-authorized")
        try:
            await self._accept(activation, wanted, grant)
        except (RemoteUnavailable, OutcomeUnknown, Unavailable) as error:
            _log.info("activation-waits", code=error.code)

    async def _accept(self, activation: UUID, wanted: Wanted, grant: Grant) -> None:
        """The company's tenant, found or made, with its connection to bexio and the work that does the rest.

        Raises:
            Conflict, InvalidInput: it would be refused again each time, and is over: `provision-company-connected`,
                `bexio-company-unknown`, `bexio-company-differs`, `provision-authorization-lost`, or what bexio says.
            RemoteUnavailable, OutcomeUnknown: bexio could not be asked; nothing was done.
        """
        try:
            found = await self.linking.identify(None, grant)
            await self.probe("activation-identified")
            await self._store(activation, wanted, grant, found)
        except _Over:
            return
        except RequestError as error:
            raise await self._refused(activation, error) from error
        except RemoteRejected as error:
            # Unauthorized: what the code gave no longer opens anything. All else is bexio's own reason.
            lost = error.status == HTTPStatus.UNAUTHORIZED
            reason, params = (LOST, {}) if lost else (error.code, error.params)
            await self._end(activation, "failed", reason, params)
            raise _ended("failed", reason, params) from error
        await self.probe("activation-accepted")

    async def _store(self, activation: UUID, wanted: Wanted, grant: Grant, found: Identified) -> None:
        now = self.clock.now()
        company = found.owner.company_id
        connected = Conflict("provision-company-connected", company=found.owner.company_name)
        async with self.db.begin_system() as session:
            await records.company_alone(session, company)
            tenant, ours = await records.tenant_of(session, company, found.owner.books_id)
            if not ours:
                raise connected
            made = tenant is None
            if tenant is None:
                tenant = uuid7(now)
            await records.become(session, tenant)
            if made:
                slugs = list(candidates(wanted.company_name, tenant.hex[-12:]))
                await records.insert_tenant(
                    session,
                    tenant,
                    slugs,
                    name=wanted.company_name,
                    language=wanted.language,
                    modules=MODULES,
                    now=now,
                )
            if not await records.accepted(session, activation, tenant, now):
                raise _Over
            try:
                await self.linking.link(session, tenant, found, grant, actor="marketplace", now=now)
            except IntegrityError as error:
                raise connected from error
            await records.insert(
                session,
                tenant,
                activation_id=wanted.activation_id,
                company=company,
                admin=self.vault.seal(tenant, sealed.ADMIN, wanted.model_dump_json()),
                language=wanted.language,
                done=_done_at_acceptance(found, now),
                now=now,
            )
            await operations.add(
                session, tenant=tenant, kind=KIND, subject=tenant, priority=Priority.BACKOFFICE, now=now
            )
            await operations.rearm(session, kind=KIND, subject=tenant, now=now)
            await wake(session, Priority.BACKOFFICE)
            await audit.append(
                session,
                tenant=tenant,
                now=now,
                actor="marketplace",
                action="provision.accept",
                subject_kind=KIND,
                subject_id=activation,
                detail={"company": company, "tenant": "made" if made else "found"},
            )

    async def _refused(self, activation: UUID, error: RequestError) -> RequestError:
        await self._end(activation, "refused", error.code, error.params)
        return _ended("refused", error.code, error.params)

    async def _end(self, activation: UUID, state: str, reason: str, params: Mapping[str, str]) -> None:
        async with self.db.begin_system() as session:
            await records.end(session, activation, state, reason, params, self.clock.now())


def _ended(state: str, reason: str, params: Mapping[str, str]) -> RequestError:
    """The answer for an activation that is over: the same for the first call and for each repeat."""
    if state == "refused":
        return Conflict(reason, **params)
    return InvalidInput(reason, None, **params)


class _Over(Exception):
    """Somebody else accepted the activation, or ended it: nothing of this is kept."""


def _done_at_acceptance(found: Identified, now: datetime) -> dict[Step, object]:
    at = now.isoformat()
    known = {name: str(value) for name, value in found.known.items()}
    return {Step.COMPANY: {"at": at}, Step.TENANT: {"at": at}, Step.BEXIO: {"at": at, "known": known}}
