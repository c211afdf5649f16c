"""Customers and suppliers: by id, as a full load, as what changed; made and changed by number or id."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from app.connectors.arcavis import names
from app.connectors.arcavis.envelope import Many, Resource, one, pages, resource_of, whole
from app.connectors.arcavis.names import Contact, ContactWrite, Customer, Supplier
from app.connectors.arcavis.writing import saved
from app.connectors.transport import Transport

# What Arcavis takes in a text of a contact.
LONGEST_TEXT = 255

Row = TypeVar("Row", bound=Contact)

CUSTOMERS = resource_of(names.CUSTOMERS, Customer)
SUPPLIERS = resource_of(names.SUPPLIERS, Supplier)
_ID = TypeAdapter(int)


class Contacts(Generic[Row]):
    """The tenant's contacts of one kind."""

    def __init__(self, transport: Transport, resource: Resource[Row]) -> None:
        self._transport = transport
        self._resource = resource

    async def get(self, contact_id: int) -> Row:
        """One contact; a deleted one is marked so."""
        return await one(self._transport, self._resource, contact_id)

    def pages(self) -> AsyncIterator[Many[Row]]:
        """All contacts."""
        return pages(self._transport, self._resource)

    async def page(self, page: int, size: int, changed_since: int | None = None) -> Many[Row]:
        """One page, from 1, of all contacts, or of those changed since an earlier answer's `data_age_ticks`.

        A version that knows no pages of changes answers with all of them, and says that there is one page.
        """
        query: dict[str, str | int] = {names.PAGE: page, names.PAGE_SIZE: size}
        if changed_since is not None:
            query[names.CHANGED_SINCE] = changed_since
        return await whole(self._transport, self._resource, query)

    async def changed_since(self, ticks: int) -> Many[Row]:
        """Contacts changed, and the ids of those deleted, since an earlier answer's `data_age_ticks`."""
        return await whole(self._transport, self._resource, {names.CHANGED_SINCE: ticks})

    async def save(self, contact: ContactWrite) -> int:
        """Makes a contact, or changes the one that has its number; returns its id. Saving twice is saving once.

        Raises:
            RemoteRejected: `arcavis-refused`.
        """
        return await saved(self._transport, "POST", self._resource.path, contact.body(), _ID)

    async def change(self, contact_id: int, changes: ContactWrite) -> int:
        """Changes the fields that are given.

        Raises:
            RemoteNotFound: there is no such contact.
            RemoteRejected: `arcavis-refused`.
        """
        return await saved(self._transport, "PUT", f"{self._resource.path}/{contact_id}", changes.body(), _ID)
