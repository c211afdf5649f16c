"""`connector attention`: what waits for a person, over all tenants or one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from app.cli.installation import OPERATOR, opened
from app.cli.output import Json, language, show_json, show_line, show_table
from app.cli.tenants import Slug, each, service

if TYPE_CHECKING:
    from app.api.auth import TenantCaller
    from app.bootstrap import Resources
    from app.capabilities.attention.schemas import AttentionItem
    from app.capabilities.tenants.schemas import Tenant

commands = typer.Typer(help="List, retry and dismiss what waits for a person.", no_args_is_help=True)

Item = Annotated[UUID, typer.Argument(help="Its id, from `attention list --json`.")]

_MOST = 500


@commands.command("list")
def list_items(
    tenant: Annotated[str | None, typer.Argument(help="The tenant's slug. Without it: all tenants.")] = None,
    *,
    as_json: Json = False,
) -> None:
    """What waits for a person, with the remedy."""
    asyncio.run(_list(tenant, as_json=as_json))


async def _list(slug: str | None, *, as_json: bool) -> None:
    async with opened() as resources:
        tenants = service(resources)
        if slug is not None:
            wanted: list[Tenant] = [await tenants.get(slug)]
        else:
            wanted = [tenant async for tenant in each(tenants) if tenant.attention_open]
        found = [(tenant, item) for tenant in wanted for item in await _open_items(resources, tenant)]
    if as_json:
        show_json([{"tenant": tenant.slug, **item.model_dump(mode="json")} for tenant, item in found])
        return
    rows = [(t.slug, item.id, f"{item.created_at:%F %H:%M}", item.title, item.detail, item.remedy) for t, item in found]
    columns = ("tenant", "id", "since", "what", "what happened", "what to do")
    show_table("Waits for a person", columns, rows, "Nothing waits for a person.")


async def _open_items(resources: Resources, tenant: Tenant) -> list[AttentionItem]:
    from app.capabilities.attention import service as items

    page = {"fetch": _MOST, "after_at": None, "after_id": None}
    rows = await items.listing(resources.db, tenant.id, "open", page)
    return [items.view(row, language()) for row in rows]


@commands.command("retry")
def retry(tenant: Slug, item: Item, *, as_json: Json = False) -> None:
    """Take the work behind an item up again at once, after its cause was mended."""
    asyncio.run(_retry(tenant, item, as_json=as_json))


async def _retry(slug: str, item: UUID, *, as_json: bool) -> None:
    from app.capabilities.attention import service as items

    async with opened() as resources:
        caller = await _caller(resources, slug)
        done = await items.retry(resources.db, resources.clock, caller, item, language())
    _show(done, "A worker takes it up again; `connector attention list` shows whether it came back.", as_json=as_json)


@commands.command("dismiss")
def dismiss(
    tenant: Slug,
    item: Item,
    reason: Annotated[str, typer.Option(prompt=True, help="Why nothing more is to be done.")],
    *,
    as_json: Json = False,
) -> None:
    """Close an item about which nothing more is to be done."""
    asyncio.run(_dismiss(tenant, item, reason, as_json=as_json))


async def _dismiss(slug: str, item: UUID, reason: str, *, as_json: bool) -> None:
    from app.capabilities.attention import service as items
    from app.capabilities.attention.schemas import Dismissal

    why = Dismissal(reason=reason).reason
    async with opened() as resources:
        caller = await _caller(resources, slug)
        done = await items.dismiss(resources.db, resources.clock, caller, item, why, language())
    _show(done, "Dismissed.", as_json=as_json)


async def _caller(resources: Resources, slug: str) -> TenantCaller:
    """The operator of this installation, acting in a tenant."""
    from app.api.auth import Role, TenantCaller

    tenant = await service(resources).get(slug)
    return TenantCaller(
        key_id=None,
        prefix=OPERATOR,
        role=Role.OPERATOR,
        key_hash=b"",
        tenant=tenant.id,
        tenant_slug=tenant.slug,
        language=tenant.language,
        modules=frozenset(tenant.modules),
        config_version=0,
    )


def _show(item: AttentionItem, told: str, *, as_json: bool) -> None:
    if as_json:
        show_json(item)
    else:
        show_line(f"{item.title}: {item.detail}\n{told}")
