"""`connector keys`: API keys of tenants and operators, and the encryption keys of the installation."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.cli.failures import CommandFailed, Exit
from app.cli.installation import OPERATOR, opened
from app.cli.output import Json, err, show_json, show_line, show_table
from app.cli.tenants import service

if TYPE_CHECKING:
    from app.capabilities.tenancy.rotation import Rotation

commands = typer.Typer(help="API keys, and the keys that encrypt stored secrets.", no_args_is_help=True)

Tenant = Annotated[str | None, typer.Argument(help="The tenant's slug. Without it: keys of operators.")]


@commands.command("create")
def create_key(
    tenant: Tenant = None,
    role: Annotated[str, typer.Option(help="pos or backoffice; an operator's key needs no role.")] = "backoffice",
    label: Annotated[str, typer.Option(help="Who or what uses it.")] = "made on the command line",
    *,
    as_json: Json = False,
) -> None:
    """Make an API key. Its text is shown this once."""
    asyncio.run(_create(tenant, role, label, as_json=as_json))


async def _create(tenant: str | None, role: str, label: str, *, as_json: bool) -> None:
    from app.capabilities.tenants.schemas import NewKey

    wanted = NewKey.model_validate({"role": role, "label": label})
    async with opened() as resources:
        tenants = service(resources)
        if tenant is None:
            made = await tenants.create_operator_key(wanted.label)
        else:
            made = await tenants.create_key(tenant, wanted, OPERATOR)
    if as_json:
        show_json(made)
    else:
        show_line(made.key)
        err().print(f"Role {made.role}, id {made.id}. Keep it now: only its hash is stored.")


@commands.command("list")
def list_keys(tenant: Tenant = None, *, as_json: Json = False) -> None:
    """The API keys that work."""
    asyncio.run(_list(tenant, as_json=as_json))


async def _list(tenant: str | None, *, as_json: bool) -> None:
    async with opened() as resources:
        tenants = service(resources)
        found = await tenants.operator_keys() if tenant is None else (await tenants.get(tenant)).api_keys
    if as_json:
        show_json(found)
        return
    rows = [(key.role, key.label, key.prefix, key.id, f"{key.created_at:%F}") for key in found]
    show_table(f"API keys of {tenant or 'operators'}", ("role", "label", "prefix", "id", "since"), rows, "No keys.")


@commands.command("revoke")
def revoke_key(key: Annotated[UUID, typer.Argument(help="Its id, from `keys list`.")], tenant: Tenant = None) -> None:
    """Revoke an API key: from now on it opens nothing."""
    asyncio.run(_revoke(key, tenant))


async def _revoke(key: UUID, tenant: str | None) -> None:
    async with opened() as resources:
        tenants = service(resources)
        if tenant is None:
            await tenants.revoke_operator_key(key)
        else:
            await tenants.revoke_key(tenant, key, OPERATOR)
    err().print("Revoked.")


@commands.command("generate")
def generate(
    key_id: Annotated[
        str | None, typer.Argument(help="Its id: letters, digits, _ or -. Default: today's date.")
    ] = None,
) -> None:
    """Make a new encryption key for CONNECTOR_ENCRYPTION_KEYS."""
    from app.core.clock import SystemClock
    from app.core.vault import generate_key

    try:
        made = generate_key(key_id or f"{SystemClock().now():%Y-%m-%d}")
    except ValueError as error:
        raise CommandFailed(str(error), Exit.USAGE) from None
    show_line(made)
    err().print(
        "Put it first in CONNECTOR_ENCRYPTION_KEYS, before the older ones and a comma; keep a copy off this machine."
    )


@commands.command("rotate")
def rotate_keys(*, as_json: Json = False) -> None:
    """Encrypt every stored secret with the first key of CONNECTOR_ENCRYPTION_KEYS, while the service runs."""
    result = asyncio.run(_rotate())
    if as_json:
        show_json(asdict(result))
    else:
        told = f"{result.resealed} secrets encrypted anew, {result.current} were current, in {result.tenants} tenants."
        show_line(told)
    if result.unreadable:
        told = f"No key of the ring opens these: {', '.join(result.unreadable)}."
        raise CommandFailed(f"{told} Put the former key back into CONNECTOR_ENCRYPTION_KEYS, or connect them again.")
    if not as_json:
        err().print("Older keys are needed no more, once every process runs with the new one.")


async def _rotate() -> Rotation:
    from app.capabilities.tenancy.rotation import Rotation, count_tenants, rotate

    result = Rotation()
    async with opened() as resources:
        total = await count_tenants(resources.db)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=err()) as progress:
            task = progress.add_task("Tenants", total=total)
            async for result in rotate(resources.db, resources.vault):
                progress.update(task, completed=result.tenants)
    return result
