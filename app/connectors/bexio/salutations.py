"""Salutations of contacts (`/2.0/salutation`)."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class Salutation(Wire):
    """A salutation, such as "Herr"."""

    id: int
    name: str


SALUTATIONS = resource_of("/2.0/salutation", Salutation, order_by="id")
