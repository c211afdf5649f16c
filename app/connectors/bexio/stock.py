"""Where stock lies (`/2.0/stock`). Needs the stock module and its scope; bexio has no way to book stock."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class StockLocation(Wire):
    """A stock location, such as "Hauptlager"."""

    id: int
    name: str


STOCK_LOCATIONS = resource_of("/2.0/stock", StockLocation)
