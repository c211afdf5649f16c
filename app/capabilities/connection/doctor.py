"""The doctor: reads what invoices need from both systems and says what is wrong. It writes nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app.capabilities.connection import records
from app.capabilities.connection.checks import RANKS, examine
from app.capabilities.connection.facts import BexioFacts, Facts, Reader, read_arcavis, read_bexio
from app.capabilities.connection.schemas import Diagnosis, Finding, Severity
from app.capabilities.tenancy.config import load
from app.connectors.access import RemoteAccess
from app.connectors.arcavis.names import PaymentType
from app.connectors.oidc.scopes import missing
from app.core import catalogue
from app.core.clock import Clock
from app.core.priority import Priority
from app.db.session import Database


class Told(Protocol):
    """A finding before it is put into words, whoever found it."""

    @property
    def code(self) -> str:
        """Of the catalogue."""
        ...

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        ...

    @property
    def about(self) -> tuple[str, ...]:
        """The settings or lists that it was found in."""
        ...

    @property
    def params(self) -> Mapping[str, str]:
        """What fills its texts."""
        ...


class Examiner(Protocol):
    """A capability's own examination."""

    async def examine(self, tenant: UUID) -> Sequence[Told]:
        """What is wrong with the tenant; nothing when it does not use the capability."""
        ...


@dataclass(frozen=True, slots=True)
class Doctor:
    """Examines tenants."""

    db: Database
    clock: Clock
    remotes: RemoteAccess
    more: Sequence[Examiner] = ()

    async def examine(self, tenant: UUID, language: str) -> Diagnosis:
        """Everything that is wrong, or will be soon, with its remedy in the language."""
        facts = await self.facts(tenant)
        found: list[Told] = [*examine(facts)]
        for examiner in self.more:
            found += await examiner.examine(tenant)
        findings = [_put(one, language) for one in sorted(found, key=lambda one: RANKS.index(one.severity))]
        ok = not any(finding.severity == "error" for finding in findings)
        return Diagnosis(ok=ok, checked_at=facts.now, findings=findings)

    async def facts(self, tenant: UUID) -> Facts:
        """What both systems and we know of the tenant now."""
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
            row = await records.bexio(session)
        bexio_side, arcavis_side = Reader(), Reader()
        async with asyncio.TaskGroup() as group:
            bexio = group.create_task(self._bexio(bexio_side, tenant))
            payment_types = group.create_task(self._arcavis(arcavis_side, tenant))
        return Facts(
            now=self.clock.now(),
            settings=config.settings,
            expires_at=row.expires_at if row is not None else None,
            company_name=row.company_name if row is not None else None,
            scopes_missing=tuple(missing(row.scopes)) if row is not None and row.kind == "oauth" else (),
            renewal_failures=row.renewal_failures if row is not None and row.state == "connected" else 0,
            failures=(*bexio_side.failures, *arcavis_side.failures),
            bexio=bexio.result(),
            arcavis_payment_types=payment_types.result(),
        )

    async def _bexio(self, reader: Reader, tenant: UUID) -> BexioFacts:
        bexio = await reader.read("bexio", lambda: self.remotes.bexio(tenant, Priority.BACKOFFICE))
        return await read_bexio(reader, bexio) if bexio is not None else BexioFacts()

    async def _arcavis(self, reader: Reader, tenant: UUID) -> tuple[PaymentType, ...] | None:
        arcavis = await reader.read("arcavis", lambda: self.remotes.arcavis(tenant))
        return await read_arcavis(reader, arcavis) if arcavis is not None else None


def _put(found: Told, language: str) -> Finding:
    said = catalogue.text(found.code, found.params, language)
    return Finding(
        code=found.code,
        severity=found.severity,
        about=list(found.about),
        title=said.title,
        detail=said.detail,
        remedy=said.remedy,
    )
