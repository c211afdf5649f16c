"""Contacts after the activation: what is linked, what waits for a person, and a sync that has nothing left to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.cli.demo.following import finished
from app.cli.demo.shop import Shop
from app.cli.demo.stage import Stage


@dataclass(frozen=True, slots=True)
class Synced:
    """Two syncs in a row, what each wrote to bexio and Arcavis, and the conflicts that a person decides."""

    first: Mapping[str, Any]
    second: Mapping[str, Any]
    writes: Mapping[str, int]
    conflicts: Sequence[Mapping[str, Any]]
    articles: Mapping[str, Any]
    article_writes: int


async def sync(stage: Stage, shop: Shop) -> Synced:
    """Syncs twice without anybody changing anything in between, and imports the articles once more."""
    first = await _run(stage, shop, "/contacts/sync")
    before = await _writes(stage, shop)
    second = await _run(stage, shop, "/contacts/sync")
    after = await _writes(stage, shop)
    articles = await _run(stage, shop, "/articles/import")
    last = await _writes(stage, shop)
    conflicts: Any = await shop.backoffice.get("/contacts/conflicts?limit=200")
    writes = {system: after[system] - before[system] for system in before}
    return Synced(first, second, writes, conflicts["items"], articles, sum(last.values()) - sum(after.values()))


async def _run(stage: Stage, shop: Shop, path: str) -> Mapping[str, Any]:
    return await finished(stage, shop, await shop.backoffice.send("POST", path, {}, Prefer="wait=10"))


async def _writes(stage: Stage, shop: Shop) -> dict[str, int]:
    """How many writes each system has seen so far."""
    bexio: Any = await stage.bexio.get("/_sandbox/requests")
    arcavis: Any = await stage.arcavis.get("/_sandbox/requests")
    return {
        "bexio": sum(bexio["writes_by_route"].values()),
        "Arcavis": sum(arcavis["writes_by_tenant"].get(shop.environment, {}).values()),
    }
