"""Languages of documents and contacts (`/2.0/language`)."""

from __future__ import annotations

from app.connectors.bexio.resource import resource_of
from app.connectors.bexio.wire import Wire


class Language(Wire):
    """A language; `iso_639_1` is two lower-case letters."""

    id: int
    name: str
    iso_639_1: str | None = None


LANGUAGES = resource_of("/2.0/language", Language, order_by="id")
