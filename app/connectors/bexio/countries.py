"""Countries (`/2.0/country`)."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class Country(Wire):
    """A country; the documentation writes the code's name without the first underscore, bexio with it."""

    id: int
    name: str
    iso_3166_alpha2: str | None = None


COUNTRIES = resource_of("/2.0/country", Country, order_by="id")
