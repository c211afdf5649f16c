"""Stock is taken over once for each article, when it is linked, and never after: from then on Arcavis counts it.

The mark on the link is committed before the stock is set. After a crash in between, Arcavis is asked: an article
whose stock it keeps in any store was set, or sold, or counted by somebody since, and is left alone. Only where it keeps
none at all did the request surely not arrive, once it had the time to. Where it does not say so, nothing is decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connectors.arcavis.names import Store
from app.connectors.bexio.stock import StockLocation

INTENDED, SET, KEPT, NONE, REFUSED = "intended", "set", "kept", "none", "refused"

_OPEN = text(
    "select arcavis_id, bexio_id, number, stock, stock_store_id, stock_at, exists (select from arcavis_article a"
    " where a.tenant_id = l.tenant_id and a.arcavis_id = l.arcavis_id) as is_there from article_link l"
    " where tenant_id = :tenant and stock_state = 'intended' and arcavis_id > :after order by arcavis_id limit :most"
)
_MARK = text(
    "update article_link l set stock_state = u.state, stock_at = :now, updated_at = :now"
    " from unnest(cast(:ids as text[]), cast(:states as text[])) u (id, state)"
    " where l.tenant_id = :tenant and l.arcavis_id = u.id and l.stock_state = 'intended'"
)
_FIGURES = text(
    "select count(*) filter (where stock_run_id = :run and stock_state = 'set') as taken,"
    " count(*) filter (where stock_run_id = :run and stock_state = 'kept') as kept,"
    " count(*) filter (where stock_run_id = :run and stock_state = 'refused') as refused,"
    " count(*) filter (where stock_run_id is distinct from :run and stock_state in ('set', 'kept')) as left_alone"
    " from article_link where tenant_id = :tenant"
)


@dataclass(frozen=True, slots=True)
class StockPlan:
    """Whether stock can be taken over, and into which store. `reason` says why it cannot."""

    reason: str | None
    main_store: Store | None = None
    stores_by_location: Mapping[int, int] = field(default_factory=dict[int, int])

    @property
    def allowed(self) -> bool:
        """Whether bexio shows stock and Arcavis has a store for it."""
        return self.reason is None and self.main_store is not None

    def store(self, location: int | None) -> int:
        """The store of a stock location: the one of the same name, else the main store."""
        if self.main_store is None:
            raise ValueError("there is no store")
        return self.stores_by_location.get(location or 0, self.main_store.id)


def plan(locations: Sequence[StockLocation] | None, stores: Sequence[Store]) -> StockPlan:
    """Where stock goes. `locations` is None where bexio does not show them: then it hides the stock as well."""
    if locations is None:
        return StockPlan("stock-right-missing")
    if not stores:
        return StockPlan("stock-store-missing")
    named = {store.title.strip().casefold(): store.id for store in stores}
    by_location = {
        location.id: named[name] for location in locations if (name := location.name.strip().casefold()) in named
    }
    return StockPlan(None, min(stores, key=lambda store: store.id), by_location)


@dataclass(frozen=True, slots=True)
class DueStock:
    """A stock whose mark is committed and says that it is being set."""

    arcavis_id: str
    bexio_id: int
    number: str
    quantity: Decimal
    store_id: int


@dataclass(frozen=True, slots=True)
class OpenStock(DueStock):
    """One that an earlier turn marked at `at`: nobody knows whether it was set, or whether the article `is_there`."""

    at: datetime
    is_there: bool


async def open_ones(session: AsyncConnection, tenant: UUID, after: str, most: int) -> list[OpenStock]:
    """The first of those that an earlier turn left open, behind the Arcavis id `after`."""
    rows = await session.execute(_OPEN, {"tenant": tenant, "after": after, "most": most})
    return [_open(row) for row in rows]


async def mark(session: AsyncConnection, tenant: UUID, states: Mapping[str, str], now: datetime) -> None:
    """What became of them, by Arcavis id; `intended` again means that it is sent once more."""
    if states:
        values = {"tenant": tenant, "ids": list(states), "states": list(states.values()), "now": now}
        await session.execute(_MARK, values)


@dataclass(frozen=True, slots=True)
class StockFigures:
    """How many articles got their stock in a run, had one in Arcavis, were refused, or were left alone."""

    taken: int
    kept: int
    refused: int
    left_alone: int


async def figures(session: AsyncConnection, tenant: UUID, run: UUID) -> StockFigures:
    """The figures of a run."""
    row = (await session.execute(_FIGURES, {"tenant": tenant, "run": run})).one()
    return StockFigures(row.taken, row.kept, row.refused, row.left_alone)


def _open(row: Row[Any]) -> OpenStock:
    return OpenStock(
        row.arcavis_id, row.bexio_id, row.number or "", row.stock, row.stock_store_id, row.stock_at, row.is_there
    )
