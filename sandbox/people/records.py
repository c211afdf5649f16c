"""People as Arcavis customers and as bexio contacts, one by one or very many at once."""

from collections.abc import Iterable
from datetime import timedelta

from sandbox.arcavis.contacts import CUSTOMERS, Contacts
from sandbox.arcavis.tenant import Tenant
from sandbox.bexio import contacts
from sandbox.bexio.company import Company
from sandbox.bexio.values import Record, local_stamp
from sandbox.people.identity import Identity

CUSTOMER_GROUP = "2"
_COUNTRIES = {"CH": 1, "DE": 2, "AT": 3, "LI": 4, "FR": 5, "IT": 6}
_LANGUAGES = {"de": 1, "fr": 2, "it": 3, "en": 4}
_SALUTATIONS = {"Herr": 1, "Monsieur": 1, "Signor": 1, "Frau": 2, "Madame": 2, "Signora": 2}


def arcavis_fields(who: Identity, number: str, number_field: str = "CustomerNumber") -> Record:
    """As `POST /api/customers` takes it."""
    return {
        number_field: number,
        "LanguageId": who.language,
        "IsCompany": who.is_company,
        "CompanyName": who.company,
        "Salutation": who.salutation,
        "Firstname": who.first_name,
        "Name": who.last_name,
        "Street": who.street,
        "StreetNumber": who.house_number,
        "StreetSupplement": who.addition,
        "Zip": who.postcode,
        "City": who.city,
        "CountryIsoCode": who.country,
        "ContactEmail": who.email,
        "ContactPhone": who.phone,
        "ContactMobile": who.mobile,
        "Birthdate": who.birthday or None,
    }


def bexio_fields(who: Identity, number: int | None = None, groups: str | None = CUSTOMER_GROUP) -> Record:
    """As `POST /2.0/contact` takes it, with the ids of a company that was seeded here."""
    names = (who.company, "") if who.is_company else (who.last_name, who.first_name)
    return {
        "nr": None if number is None else str(number),
        "contact_type_id": 1 if who.is_company else 2,
        "name_1": names[0],
        "name_2": names[1],
        "salutation_id": None if who.is_company else _SALUTATIONS.get(who.salutation),
        "birthday": who.birthday or None,
        "street_name": who.street or None,
        "house_number": (who.house_number or None) if who.street else None,
        "address_addition": (who.addition or None) if who.street else None,
        "postcode": who.postcode,
        "city": who.city,
        "country_id": _COUNTRIES.get(who.country),
        "mail": who.email,
        "phone_fixed": who.phone,
        "phone_mobile": who.mobile,
        "language_id": _LANGUAGES[who.language],
        "contact_group_ids": groups,
        "user_id": 1,
        "owner_id": 1,
    }


def fill_bexio(
    company: Company,
    everybody: Iterable[Identity],
    groups: str | None = CUSTOMER_GROUP,
    age: timedelta = timedelta(0),
) -> int:
    """Make a contact of each; returns how many. They are right by construction, so nothing is checked.

    `age` is how long ago they were changed last.
    """
    stamp, before = local_stamp(company.now() - age), len(company.contacts)
    for who in everybody:
        fields = bexio_fields(who, groups=groups)
        del fields["nr"]
        address = " ".join(part for part in (who.street, who.house_number) if part) or None
        contacts.add(company, contacts.blank(company) | fields | {"address": address, "updated_at": stamp})
    return len(company.contacts) - before


def fill_arcavis(
    tenant: Tenant, everybody: Iterable[Identity], prefix: str = "K-1", contacts_of: Contacts = CUSTOMERS
) -> int:
    """Make a customer (or supplier) of each; returns how many. Numbers are the prefix and six digits."""
    made = 0
    for made, who in enumerate(everybody, 1):
        fields = arcavis_fields(who, f"{prefix}{made:06d}", contacts_of.number_field)
        contacts_of.add(tenant, fields)
    return made
