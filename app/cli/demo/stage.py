"""The demo's processes: the sandbox, `serve` with its embedded Postgres, and a worker, each on its own."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.cli.children import Child, connector, running
from app.cli.demo.http import Caller
from app.cli.output import language

# bexio's late writes land within this in the sandbox; a real one is given ninety seconds.
SETTLE_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Stage:
    """Who can be called, and which programs answer."""

    operator: Caller
    bexio: Caller
    arcavis: Caller
    access: Mapping[str, Any]
    children: tuple[Child, ...]
    folder: Path

    def check(self) -> None:
        """Raises `ChildFailed` when one of the programs has ended."""
        for child in self.children:
            child.check()

    def caller(self, key: str) -> Caller:
        """Somebody with another key of the service."""
        return Caller(self.operator.url, key, self.operator.language)


@asynccontextmanager
async def set_up(folder: Path) -> AsyncGenerator[Stage]:
    """Starts everything in a folder of its own and ends it afterwards, the database last."""
    async with AsyncExitStack() as stack:
        sandbox = await stack.enter_async_context(
            running("The sandbox", [sys.executable, "-m", "sandbox"], log=folder / "sandbox.log")
        )
        key = f"abx_operator_{secrets.token_urlsafe(32)}"
        environment = _environment(folder, sandbox.ready["bexio_url"], key)
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
            access=sandbox.ready,
            children=(sandbox, serve, worker),
            folder=folder,
        )


def _environment(folder: Path, bexio_url: str, key: str) -> dict[str, str]:
    """Ours, without what it says about another installation."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("CONNECTOR_")}
    return inherited | {
        "CONNECTOR_DATA_DIR": str(folder / "data"),
        "CONNECTOR_BEXIO_API_URL": bexio_url,
        "CONNECTOR_OPERATOR_KEY": key,
        "CONNECTOR_ALLOW_PRIVATE_HOSTS": "true",
        "CONNECTOR_SETTLE_SECONDS": str(SETTLE_SECONDS),
        "CONNECTOR_PORT": "0",
    }
