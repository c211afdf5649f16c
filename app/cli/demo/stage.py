"""The demo's processes: the sandbox, `serve` with its embedded Postgres, and a worker, each on its own."""

from __future__ import annotations

import base64
import os
import secrets
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.cli.children import Child, connector, running
from app.cli.demo.http import Caller
from app.cli.output import language

# bexio's late writes land within this in the sandbox; a real one is given ninety seconds.
SETTLE_SECONDS = 2
SANDBOX = (sys.executable, "-m", "sandbox")
MARKETPLACE_URI = "https://marketplace.example/callback"


@dataclass(frozen=True, slots=True)
class Stage:
    """Who can be called, and which programs answer."""

    operator: Caller
    bexio: Caller
    arcavis: Caller
    mail: Caller
    access: Mapping[str, Any]
    children: tuple[Child, ...]
    folder: Path
    marketplace_secret: str = field(repr=False)

    @property
    def marketplace_uri(self) -> str:
        """Where bexio sends the browser of somebody who activates Arcavis in bexio Apps."""
        return MARKETPLACE_URI

    def check(self) -> None:
        """Raises `ChildFailed` when one of the programs has ended."""
        for child in self.children:
            child.check()

    def caller(self, key: str) -> Caller:
        """Somebody with another key of the service."""
        return Caller(self.operator.url, key, self.operator.language)


@asynccontextmanager
async def set_up(folder: Path, settings: Mapping[str, str] | None = None) -> AsyncGenerator[Stage]:
    """Starts everything in a folder of its own and ends it afterwards, the database last.

    `settings`: environment variables beside those that connect the programs with each other.
    """
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            running("The sandbox", [*SANDBOX, "--redirect-uri", MARKETPLACE_URI], log=folder / "sandbox.log")
        )
        key = f"abx_operator_{secrets.token_urlsafe(32)}"
        secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        environment = _environment(folder, sandbox.ready, key, secret) | dict(settings or {})
        log = folder / "serve.log"
        serve = await stack.enter_async_context(
            running("connector serve", connector("serve", "--json"), environment=environment, log=log)
        )
        worker = await stack.enter_async_context(
            running(
                "connector worker",
                connector("worker"),
                environment=environment,
                log=folder / "worker.log",
                tells_when_ready=False,
            )
        )
        yield Stage(
            operator=Caller(serve.ready["url"], key, language()),
            bexio=Caller(sandbox.ready["bexio_url"]),
            arcavis=Caller(sandbox.ready["arcavis_url"].rsplit("/", 1)[0]),
            mail=Caller(sandbox.ready["mail_url"]),
            access=sandbox.ready,
            children=(sandbox, serve, worker),
            folder=folder,
            marketplace_secret=secret,
        )


def _environment(folder: Path, sandbox: Mapping[str, str], key: str, secret: str) -> dict[str, str]:
    """Ours, without what it says about another installation."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("CONNECTOR_")}
    return inherited | {
        "CONNECTOR_DATA_DIR": str(folder / "data"),
        "CONNECTOR_BEXIO_API_URL": sandbox["bexio_url"],
        "CONNECTOR_BEXIO_ISSUER_URL": sandbox["issuer_url"],
        "CONNECTOR_BEXIO_CLIENT_ID": sandbox["client_id"],
        "CONNECTOR_BEXIO_CLIENT_SECRET": sandbox["client_secret"],
        "CONNECTOR_ARCAVIS_HOSTING_URL": sandbox["hosting_url"],
        "CONNECTOR_ARCAVIS_HOSTING_KEY": sandbox["hosting_key"],
        "CONNECTOR_SMTP_URL": sandbox["smtp_url"],
        "CONNECTOR_MARKETPLACE_SECRET": secret,
        "CONNECTOR_OPERATOR_KEY": key,
        "CONNECTOR_ALLOW_PRIVATE_HOSTS": "true",
        "CONNECTOR_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "CONNECTOR_PORT": "0",
    }
