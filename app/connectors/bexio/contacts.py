"""Contacts: companies and persons, customers and suppliers alike (`/2.0/contact`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from enum import IntEnum

from pydantic import Field, field_validator, model_validator

from app.connectors.bexio.criteria import Criterion, changed_since
from app.connectors.bexio.resource import gathered, one, pages, resource_of, search_page, search_pages
from app.connectors.bexio.wire import IdList, OptionalId, Request, SwissMoment, Wire
from app.connectors.bexio.writing import confirmed, send
from app.connectors.transport import Transport

# What bexio takes in a text of a contact.
LONGEST_TEXT = 255


class ContactType(IntEnum):
    """`contact_type_id`."""

    COMPANY = 1
    PERSON = 2


class Contact(Wire):
    """A contact. Empty texts come as "" or null, depending on the record's history.

    `name_1` is the company or the last name, `name_2` the company's addition or the first name. `address` is
    street and number in one, and read-only.
    """

    id: int
    nr: str | None = None
    contact_type_id: int
    name_1: str
    name_2: str | None = None
    salutation_id: OptionalId = None
    birthday: str | None = None
    address: str | None = None
    street_name: str | None = None
    house_number: str | None = None
    address_addition: str | None = None
    postcode: str | None = None
    city: str | None = None
    country_id: OptionalId = None
    mail: str | None = None
    mail_second: str | None = None
    phone_fixed: str | None = None
    phone_mobile: str | None = None
    remarks: str | None = None
    language_id: OptionalId = None
    contact_group_ids: IdList = ()
    user_id: int
    owner_id: int
    updated_at: SwissMoment


class _ContactDetails(Request):
    """What may be given on create and on edit."""

    nr: str | None = None
    name_2: str | None = None
    salutation_id: int | None = None
    birthday: date | None = None
    street_name: str | None = None
    house_number: str | None = None
    address_addition: str | None = None
    postcode: str | None = None
    city: str | None = None
    country_id: int | None = None
    mail: str | None = None
    mail_second: str | None = None
    phone_fixed: str | None = None
    phone_mobile: str | None = None
    remarks: str | None = None
    language_id: int | None = None
    contact_group_ids: IdList = ()

    @field_validator("salutation_id", "country_id", "language_id")
    @classmethod
    def _never_zero(cls, value: int | None) -> int | None:
        # bexio shows 0 for "not set" and refuses it when written.
        return value or None

    @model_validator(mode="after")
    def _street_before_number(self) -> _ContactDetails:
        if (self.house_number or self.address_addition) and not self.street_name:
            raise ValueError("house_number and address_addition need a street_name")
        return self


class ContactCreate(_ContactDetails):
    """A new contact; `user_id` and `owner_id` are bexio users."""

    contact_type_id: ContactType
    name_1: str = Field(min_length=1)
    user_id: int
    owner_id: int


class ContactEdit(_ContactDetails):
    """The fields to change, and no others: bexio refuses what it only shows. A default is never sent."""

    contact_type_id: ContactType = ContactType.COMPANY
    name_1: str = Field(default="", min_length=1)
    user_id: int = 0
    owner_id: int = 0


CONTACTS = resource_of("/2.0/contact", Contact, order_by="id")
NEWEST_FIRST = replace(CONTACTS, order_by="updated_at_desc")


class Contacts:
    """The company's contacts."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def pages(
        self, *, updated_since: str | None = None, show_archived: bool = False
    ) -> AsyncIterator[tuple[Contact, ...]]:
        """All contacts by id, or those changed since a Swiss local time; or the archived ones, alone."""
        if updated_since is not None:
            return self.search_pages(changed_since(updated_since), show_archived=show_archived)
        return pages(self._transport, CONTACTS, _archived(show_archived=show_archived))

    def search_pages(self, *criteria: Criterion, show_archived: bool = False) -> AsyncIterator[tuple[Contact, ...]]:
        """The contacts that meet all criteria, page by page."""
        return search_pages(self._transport, CONTACTS, criteria, _archived(show_archived=show_archived))

    async def search(self, *criteria: Criterion, show_archived: bool = False) -> tuple[Contact, ...]:
        """The contacts that meet all criteria.

        Searchable: id, name_1, name_2, nr, address, mail, mail_second, postcode, city, country_id,
        contact_group_ids, contact_type_id, updated_at, user_id, phone_fixed, phone_mobile, fax.
        """
        return await gathered(self.search_pages(*criteria, show_archived=show_archived))

    async def page_after(
        self, contact_id: int, *, updated_since: str | None = None, show_archived: bool = False
    ) -> tuple[Contact, ...]:
        """The next contacts by id, at most `PAGE_SIZE`; fewer when there are no more.

        By id and not by offset: a contact that is archived while the list is read would shift another one out of it.
        """
        criteria = (Criterion("id", ">", contact_id),)
        if updated_since is not None:
            criteria = (*criteria, changed_since(updated_since))
        query = _archived(show_archived=show_archived)
        return await search_page(self._transport, CONTACTS, criteria, 0, query)

    async def newest(self, offset: int, *, updated_since: str) -> tuple[Contact, ...]:
        """The contacts changed since a Swiss local time, the latest change first, at most `PAGE_SIZE`."""
        return await search_page(self._transport, NEWEST_FIRST, (changed_since(updated_since),), offset)

    async def get(self, contact_id: int) -> Contact:
        """One contact."""
        return await one(self._transport, CONTACTS, contact_id)

    async def create(self, contact: ContactCreate) -> Contact:
        """Makes a contact."""
        return await send(self._transport, CONTACTS.path, contact.body(), CONTACTS.row)

    async def edit(self, contact_id: int, changes: ContactEdit) -> Contact:
        """Changes the fields that are given and returns the contact as it then is."""
        return await send(self._transport, f"{CONTACTS.path}/{contact_id}", changes.body(), CONTACTS.row)

    async def bulk_create(self, contacts: Sequence[ContactCreate]) -> tuple[Contact, ...]:
        """Makes several contacts in one request; they come back in the same order.

        Raises:
            OutcomeUnknown: also when bexio names another number of contacts than were sent.
        """
        answer = await self._transport.write(
            "POST", f"{CONTACTS.path}/_bulk_create", body=[contact.body() for contact in contacts]
        )
        made = confirmed(self._transport, answer, CONTACTS.rows)
        if len(made) != len(contacts):
            raise self._transport.unreadable(answer, wrote=True)
        return made


def _archived(*, show_archived: bool) -> dict[str, str | int]:
    return {"show_archived": "true"} if show_archived else {}
