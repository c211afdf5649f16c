"""Units of quantity (`/2.0/unit`)."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class Unit(Wire):
    """A unit, such as "Stk"."""

    id: int
    name: str


UNITS = resource_of("/2.0/unit", Unit)
