"""Waiting for a run, as a program does that starts one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from app.cli.demo.shop import Shop
from app.cli.demo.stage import Stage
from app.cli.failures import CommandFailed

PATIENCE_SECONDS = 90.0
_POLL_SECONDS = 0.3
_FINISHED = frozenset({"done", "failed", "cancelled"})


async def finished(stage: Stage, shop: Shop, run: Mapping[str, Any]) -> Mapping[str, Any]:
    """The run once it is over.

    Raises:
        CommandFailed: it takes too long.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while run["state"] not in _FINISHED:
        if time.monotonic() > deadline:
            raise CommandFailed(f"The run {run['id']} ({run['kind']}) does not end; the logs are in {stage.folder}.")
        stage.check()
        await asyncio.sleep(_POLL_SECONDS)
        run = await shop.backoffice.get(f"/runs/{run['id']}")
    return run
