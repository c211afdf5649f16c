"""Contact groups: how a contact is marked as customer or supplier (`/2.0/contact_group`)."""

from __future__ import annotations

from pydantic import Field

from app.connectors.bexio.criteria import Criterion
from app.connectors.bexio.resource import Listing, gathered, resource_of, search_pages
from app.connectors.bexio.wire import Request, Wire
from app.connectors.bexio.writing import send


class ContactGroup(Wire):
    """A group; names are not unique in bexio."""

    id: int
    name: str


class ContactGroupCreate(Request):
    """A new group."""

    name: str = Field(min_length=1)


CONTACT_GROUPS = resource_of("/2.0/contact_group", ContactGroup, order_by="id")


class ContactGroups(Listing[ContactGroup]):
    """The company's contact groups."""

    async def search(self, *criteria: Criterion) -> tuple[ContactGroup, ...]:
        """The groups that meet all criteria; only `name` can be searched."""
        return await gathered(search_pages(self._transport, CONTACT_GROUPS, criteria))

    async def create(self, name: str) -> ContactGroup:
        """Makes a group."""
        body = ContactGroupCreate(name=name).body()
        return await send(self._transport, CONTACT_GROUPS.path, body, CONTACT_GROUPS.row)
