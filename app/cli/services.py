"""The processes: `serve`, `worker`, what prepares a database for them, and the sandbox beside them."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.children import run_until_told, running
from app.cli.failures import CommandFailed, Exit, reaching_database
from app.cli.installation import log_to_stderr, read_settings
from app.cli.output import Json, err, show_json, show_json_line, show_line
from app.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

Host = Annotated[str | None, typer.Option(help="Address to listen on. Default: CONNECTOR_HOST.")]
Port = Annotated[int | None, typer.Option(min=0, max=65535, help="Port; 0 takes a free one. Default: CONNECTOR_PORT.")]
AllInOne = Annotated[bool, typer.Option("--all-in-one", help="Work through the jobs in this process, too.")]


def serve(host: Host = None, port: Port = None, *, all_in_one: AllInOne = False, as_json: Json = False) -> None:
    """Serve the HTTP API. Without CONNECTOR_DATABASE_URL it brings its own Postgres along."""
    from app import main

    chosen: dict[str, Any] = {"host": host, "port": port}
    settings = read_settings().model_copy(update={name: given for name, given in chosen.items() if given is not None})
    _check_port(settings)
    log_to_stderr(settings.log_level, json=settings.log_json)

    def ready(url: str) -> None:
        if as_json:
            show_json_line({"url": url})
        else:
            show_line(f"Serving {url} (try {url}/health/ready). Ctrl-C ends it.")

    _run_long(main.serve(settings, all_in_one=all_in_one, ready=ready))


def worker() -> None:
    """Work through the jobs: send sales to bexio, follow payments. Run any number."""
    from app.worker import work

    settings = read_settings()
    log_to_stderr(settings.log_level, json=settings.log_json)
    _run_long(work(settings))


def migrate(*, as_json: Json = False) -> None:
    """Bring the database to this version's schema. Safe while an older version runs, and to run twice."""
    asyncio.run(_migrate(as_json=as_json))


async def _migrate(*, as_json: bool) -> None:
    from app import bootstrap
    from app.db import migrate as migrations

    settings = Settings.model_validate({})
    log_to_stderr("WARNING", json=False)
    with err().status("Migrating the database"):
        async with bootstrap.database_url(settings) as url:
            if settings.database_url is not None:
                with reaching_database():
                    await migrations.upgrade(url)
                    await _become_runtime_role(url)
    revision = migrations.head()
    if as_json:
        show_json({"revision": revision})
    else:
        show_line(f"The database has the schema of this version (revision {revision}).")


async def _become_runtime_role(url: str) -> None:
    """Tries what every process does first; a role that was not granted shows now and not at the first request."""
    from app.db.session import Database

    db = Database(url)
    try:
        async with db.begin_system():
            pass
    finally:
        await db.close()


def openapi(
    output: Annotated[Path | None, typer.Option(help="Write it to this file instead of printing it.")] = None,
) -> None:
    """Print the OpenAPI document as it is served. Needs no database."""
    from app.api import openapi as document
    from app.cli.offline import application

    made = application()
    if output is None:
        sys.stdout.write(document.render(made))
    else:
        document.write(made, output)
        err().print(f"Wrote {output}.")


def sandbox(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    bexio_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    arcavis_port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 0,
    *,
    as_json: Json = False,
) -> None:
    """Run a simulated bexio and Arcavis with a demo shop, until Ctrl-C."""
    ports = ["--bexio-port", str(bexio_port), "--arcavis-port", str(arcavis_port)]
    run_until_told(_sandbox([sys.executable, "-m", "sandbox", "--host", host, *ports], as_json=as_json))


async def _sandbox(command: list[str], *, as_json: bool) -> None:
    async with running("The sandbox", command) as child:
        if as_json:
            show_json_line(child.ready)
        else:
            _show_sandbox(child.ready)
        await child.process.wait()
        child.check()


def _show_sandbox(ready: Mapping[str, Any]) -> None:
    show_line("The sandbox runs until Ctrl-C. Point a connector at it with")
    show_line(f"  CONNECTOR_BEXIO_API_URL={ready['bexio_url']} CONNECTOR_ALLOW_PRIVATE_HOSTS=true \\")
    show_line(f"  CONNECTOR_BEXIO_ISSUER_URL={ready['issuer_url']} CONNECTOR_BEXIO_CLIENT_ID={ready['client_id']} \\")
    show_line(f"  CONNECTOR_BEXIO_CLIENT_SECRET={ready['client_secret']} connector serve")
    show_line("and connect a tenant with")
    for name in ("arcavis_url", "arcavis_username", "arcavis_password", "bexio_token"):
        show_line(f"  {name:17} {ready[name]}")
    show_line(f"Faults, ledger and sales: {ready['bexio_url']}/_sandbox/ and {_origin(ready['arcavis_url'])}/_sandbox/")


def _origin(url: str) -> str:
    return url.rsplit("/", 1)[0]


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            told = f"Cannot listen on {settings.host}:{settings.port}: {error.strerror or error}."
            raise CommandFailed(f"{told} Choose another with --port or CONNECTOR_PORT.", Exit.UNAVAILABLE) from None


def _run_long(process: Coroutine[Any, Any, None]) -> None:
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(process)
