"""Customers and suppliers: read, created or updated by number, changed, and softly deleted."""

from decimal import Decimal

from sandbox.arcavis.errors import BusinessError
from sandbox.arcavis.listing import Answer, Call, list_rows
from sandbox.arcavis.table import Table
from sandbox.arcavis.tenant import Tenant
from sandbox.arcavis.values import Record, flag, number, optional_whole, short_text, text

_TEXTS = (
    "LanguageId",
    "CompanyName",
    "Salutation",
    "SalutationTitle",
    "Firstname",
    "Name",
    "Street",
    "StreetNumber",
    "StreetSupplement",
    "PoBox",
    "Zip",
    "City",
    "CountryIsoCode",
    "ContactEmail",
    "ContactPhone",
    "ContactMobile",
    "VatNumber",
    "Remarks",
    "ExternalReference",
)
_DEFAULTS: Record = {"LanguageId": "de", "CountryIsoCode": "CH"}
_AMOUNTS = ("AccountBalance", "AccountLimit")


class Contacts:
    """One of the two kinds of contacts; `number_field` is its unique number's name."""

    def __init__(self, kind: str, number_field: str, prefix: str) -> None:
        self._kind = kind
        self.number_field = number_field
        self._prefix = prefix

    def table(self, tenant: Tenant) -> Table:
        """The tenant's contacts of this kind."""
        return tenant.customers if self._kind == "customers" else tenant.suppliers

    def read_all(self, tenant: Tenant, call: Call) -> Answer:
        """`GET /api/customers`."""
        return list_rows(self.table(tenant), call, tenant.ticks.next())

    def read_one(self, tenant: Tenant, call: Call) -> Answer:
        """`GET /api/customers/{id}`; a deleted one is still there, with `IsDeleted`."""
        return Answer(self.table(tenant).get(call.record_id))

    def save(self, tenant: Tenant, call: Call) -> Answer:
        """`POST /api/customers`: create, or update by `Id` or number. Result is the id."""
        return Answer(self.upsert(tenant, call.body))

    def replace(self, tenant: Tenant, call: Call) -> Answer:
        """`PUT /api/customers/{id}`: change the fields that are sent. Result is the id."""
        return Answer(self._store(tenant, self.table(tenant).get(call.record_id), call.body))

    def delete(self, tenant: Tenant, call: Call) -> Answer:
        """`DELETE /api/customers/{id}`: soft; the id appears in `DeletedIds`."""
        self.remove(tenant, call.record_id)
        return Answer(result=True)

    def remove(self, tenant: Tenant, record_id: int) -> None:
        """Delete a contact softly."""
        table = self.table(tenant)
        record = table.get(record_id)
        table.hide(record_id)
        record["IsDeleted"] = True

    def add(self, tenant: Tenant, fields: Record) -> int:
        """A new contact of complete, right fields, unchecked; for those who make very many. Returns its id."""
        table = self.table(tenant)
        unset: Record = {"Birthdate": None, "CustomerGroupId": None, **dict.fromkeys(_AMOUNTS, Decimal(0))}
        return table.put({**self._blank(table.next_id), **unset, "IsDeleted": False, **fields})

    def upsert(self, tenant: Tenant, given: Record) -> int:
        """Create or update a contact from a client's object; returns its id."""
        table = self.table(tenant)
        if (record_id := optional_whole(given.get("Id"))) is not None:
            return self._store(tenant, table.get(record_id), given)
        found = table.by_key(text(given.get(self.number_field)))
        if found is not None:
            return self._store(tenant, found, given)
        return self._store(tenant, self._blank(table.next_id), given)

    def _blank(self, record_id: int) -> Record:
        fresh = {"Id": record_id, self.number_field: f"{self._prefix}{record_id}"}
        return fresh | dict.fromkeys(_TEXTS, "") | _DEFAULTS | {"IsCompany": False}

    def _store(self, tenant: Tenant, before: Record, given: Record) -> int:
        table = self.table(tenant)
        record = before | {name: _text(given[name], name) for name in _TEXTS if name in given}
        given_number = short_text(given.get(self.number_field), self.number_field)
        record[self.number_field] = given_number or before[self.number_field]
        record["IsCompany"] = flag(given.get("IsCompany", before["IsCompany"]))
        record["Birthdate"] = text(given.get("Birthdate", before.get("Birthdate"))) or None
        record["CustomerGroupId"] = optional_whole(given.get("CustomerGroupId", before.get("CustomerGroupId")))
        for name in _AMOUNTS:
            record[name] = number(given.get(name, before.get(name)))
        record["IsDeleted"] = False
        owner = table.by_key(record[self.number_field])
        if owner is not None and owner["Id"] != record["Id"]:
            raise BusinessError(f"{self.number_field}AlreadyUsed")
        return table.put(record)


def _text(value: object, name: str) -> str:
    return text(value) if name == "Remarks" else short_text(value, name)


CUSTOMERS = Contacts("customers", "CustomerNumber", "K-")
SUPPLIERS = Contacts("suppliers", "SupplierNumber", "L-")
