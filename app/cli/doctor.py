"""`connector doctor`: what is wrong with this installation, or with one tenant's connections and settings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import CommandFailed
from app.cli.installation import opened
from app.cli.output import Json, err, language, show_json, show_line, show_table
from app.cli.tenants import each, service

if TYPE_CHECKING:
    from app.bootstrap import Resources

# Work that is due waits for a second or two; longer means that no worker runs.
OVERDUE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at: `error`, `warning` or `info`, what it is, and what to do."""

    severity: str
    what: str
    remedy: str = ""


def doctor(
    tenant: Annotated[str | None, typer.Argument(help="The tenant's slug. Without it: the installation.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Look for what is wrong, writing nothing: the installation, or a tenant's connections and settings."""
    remarks = asyncio.run(_examine(tenant))
    if as_json:
        show_json([asdict(remark) for remark in remarks])
    else:
        rows = [(_COLOURS[remark.severity], remark.what, remark.remedy) for remark in remarks]
        show_table(f"Doctor: {tenant or 'this installation'}", ("", "what", "what to do"), rows, "Nothing is wrong.")
    errors = sum(remark.severity == "error" for remark in remarks)
    if errors:
        raise CommandFailed(f"Errors found: {errors}. They keep sales from becoming invoices.")
    if not as_json:
        show_line("Nothing keeps sales from becoming invoices.")


_COLOURS = {"error": "[red]error[/]", "warning": "[yellow]warning[/]", "info": "info"}


async def _examine(tenant: str | None) -> list[Remark]:
    with err().status("Looking"):
        async with opened() as resources:
            if tenant is not None:
                return await _tenant(resources, tenant)
            return [remark async for remark in _installation(resources)]


async def _tenant(resources: Resources, slug: str) -> list[Remark]:
    from app.capabilities.connection.doctor import Doctor

    found = await service(resources).get(slug)
    doctor = Doctor(resources.db, resources.clock, resources.remotes, resources.examiners)
    diagnosis = await doctor.examine(found.id, language())
    return [Remark(one.severity, f"{one.title}: {one.detail}", one.remedy) for one in diagnosis.findings]


async def _installation(resources: Resources) -> AsyncGenerator[Remark]:
    async for remark in _work(resources):
        yield remark
    for remark in _clock(resources):
        yield remark
    settings = resources.settings
    if settings.operator_key is None and not await service(resources).operator_keys():
        yield Remark("warning", "There is no operator key.", "Set CONNECTOR_OPERATOR_KEY, or `connector keys create`.")
    if settings.allow_private_hosts:
        told = "CONNECTOR_ALLOW_PRIVATE_HOSTS lets tenants point at hosts of your own network."
        yield Remark("warning", told, "Unset it outside of development.")
    tenants = [tenant async for tenant in each(service(resources))]
    for tenant in tenants:
        if tenant.bexio != "connected":
            told = f"{tenant.slug}: bexio is {tenant.bexio.replace('_', ' ')}."
            yield Remark("warning", told, f"`connector doctor {tenant.slug}` says more.")
        if tenant.attention_open:
            told = f"{tenant.slug}: {tenant.attention_open} wait for a person."
            yield Remark("warning", told, f"`connector attention list {tenant.slug}`")
    where = "CONNECTOR_DATABASE_URL" if settings.database_url else f"embedded in {settings.data_dir}"
    yield Remark("info", f"Database ({where}) answers and has this version's schema; {len(tenants)} tenants.")


def _clock(resources: Resources) -> Iterator[Remark]:
    from app.db.clock import REMARKABLE, DatabaseClock

    clock = resources.clock
    if isinstance(clock, DatabaseClock) and abs(clock.difference) > REMARKABLE:
        told = f"This machine's clock is {clock.difference.total_seconds():+.1f} seconds off the database's."
        yield Remark("warning", told, "It is corrected for, but set it: other programs and logs go by it (NTP).")


async def _work(resources: Resources) -> AsyncGenerator[Remark]:
    from sqlalchemy import text

    row = await resources.db.execute_alone(text("select * from backlog(:now)"), {"now": resources.clock.now()})
    if row is not None and row.overdue_seconds > OVERDUE_SECONDS:
        told = f"Work has been waiting for {row.overdue_seconds:.0f} seconds although it is due."
        yield Remark("error", told, "Start a worker: `connector worker`, or `connector serve --all-in-one`.")
