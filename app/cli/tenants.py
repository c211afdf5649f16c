"""`connector tenants`: what an operator does with tenants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.installation import OPERATOR, opened
from app.cli.output import Json, err, out, show_json, show_table, table

if TYPE_CHECKING:
    from app.bootstrap import Resources
    from app.capabilities.tenants.schemas import Tenant, TenantDetail
    from app.capabilities.tenants.service import Tenants

commands = typer.Typer(help="List, make and show tenants.", no_args_is_help=True)

Slug = Annotated[str, typer.Argument(help="The tenant's short name, as in URLs.")]

_PAGE = 200


def service(resources: Resources) -> Tenants:
    """The use cases over these resources."""
    from app.capabilities.tenants.service import Tenants

    return Tenants(resources.db, resources.clock, resources.vault, resources.egress)


async def each(tenants: Tenants) -> AsyncGenerator[Tenant]:
    """Every tenant, the latest first."""
    from app.api.pagination import Paging, Position
    from app.capabilities.tenants.service import view

    after = None
    while True:
        rows = await tenants.listing(Paging(_PAGE, after).values)
        for row in rows[:_PAGE]:
            yield view(row)
        if len(rows) <= _PAGE:
            return
        after = Position(rows[_PAGE - 1].created_at, rows[_PAGE - 1].id)


@commands.command("list")
def list_tenants(*, as_json: Json = False) -> None:
    """All tenants and how they are."""
    asyncio.run(_list(as_json=as_json))


async def _list(*, as_json: bool) -> None:
    async with opened() as resources:
        found = [tenant async for tenant in each(service(resources))]
    if as_json:
        show_json(found)
        return
    rows = [
        (
            one.slug,
            one.name,
            one.language,
            ", ".join(one.modules),
            one.bexio,
            one.attention_open,
            f"{one.created_at:%F}",
        )
        for one in found
    ]
    columns = ("slug", "name", "language", "modules", "bexio", "attention", "since")
    show_table("Tenants", columns, rows, "No tenants yet: `connector tenants create --help`.")


@commands.command("create")
def create_tenant(
    slug: Slug,
    name: Annotated[str, typer.Option(help="The shop's name.")],
    arcavis_url: Annotated[str, typer.Option(help="Base URL of its Arcavis, such as https://muster.arcavis.ch.")],
    arcavis_user: Annotated[str, typer.Option(help="Arcavis user with the role Web-API.")],
    arcavis_password: Annotated[
        str,
        typer.Option(prompt=True, hide_input=True, envvar="ARCAVIS_PASSWORD", help="Asked for when it is not given."),
    ],
    language: Annotated[str, typer.Option(help="de, fr, it or en.")] = "de",
    module: Annotated[list[str] | None, typer.Option(help="orders, accounting_export; may be repeated.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """Make a tenant for an existing Arcavis."""
    new: dict[str, object] = {
        "slug": slug,
        "name": name,
        "language": language,
        "arcavis": {"base_url": arcavis_url, "username": arcavis_user, "password": arcavis_password},
        "modules": module or [],
    }
    asyncio.run(_create(new, as_json=as_json))


async def _create(new: dict[str, object], *, as_json: bool) -> None:
    from app.capabilities.tenants.schemas import NewTenant

    wanted = NewTenant.model_validate(new)
    async with opened() as resources:
        made = await service(resources).create(wanted, OPERATOR)
    _show(made, as_json=as_json)
    if not as_json:
        err().print(f"Next: connector keys create {made.slug} --role backoffice --label Backoffice")


@commands.command("show")
def show_tenant(slug: Slug, *, as_json: Json = False) -> None:
    """One tenant with its keys."""
    asyncio.run(_show_one(slug, as_json=as_json))


async def _show_one(slug: str, *, as_json: bool) -> None:
    async with opened() as resources:
        found = await service(resources).get(slug)
    _show(found, as_json=as_json)


def _show(tenant: TenantDetail, *, as_json: bool) -> None:
    if as_json:
        show_json(tenant)
        return
    facts = [
        ("slug", tenant.slug),
        ("name", tenant.name),
        ("language", tenant.language),
        ("modules", ", ".join(tenant.modules)),
        ("bexio", tenant.bexio),
        ("waits for a person", tenant.attention_open),
        ("id", tenant.id),
    ]
    out().print(table("Tenant", ("", ""), facts))
    keys = [(key.role, key.label, key.prefix, key.id, f"{key.created_at:%F}") for key in tenant.api_keys]
    show_table("API keys", ("role", "label", "prefix", "id", "since"), keys, "No API keys yet.")
