"""Contacts and their groups (`/2.0/contact`, `/2.0/contact_group`)."""

from sandbox.bexio import forms
from sandbox.bexio.call import SUCCESS, Answer, Call, Route, Routes
from sandbox.bexio.company import Company
from sandbox.bexio.errors import Invalid, form_errors
from sandbox.bexio.limits import Bucket
from sandbox.bexio.search import field_of, ordered, search
from sandbox.bexio.values import Record, is_list, local_stamp

SEARCHABLE = frozenset({
    "id", "name_1", "name_2", "nr", "address", "mail", "mail_second", "postcode", "city", "country_id",
    "contact_group_ids", "contact_type_id", "updated_at", "user_id", "phone_fixed", "phone_mobile", "fax",
})  # fmt: skip
GROUP_SEARCHABLE = frozenset({"name"})
PROFILE_IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
_EMPTY_TEXTS = (
    "name_2", "postcode", "city", "mail", "mail_second", "phone_fixed", "phone_fixed_second", "phone_mobile", "fax",
    "url", "skype_name", "remarks",
)  # fmt: skip
_COLUMNS = (
    "id", "nr", "contact_type_id", "name_1", "name_2", "salutation_id", "salutation_form", "title_id", "birthday",
    "address", "street_name", "house_number", "address_addition", "postcode", "city", "country_id", "mail",
    "mail_second", "phone_fixed", "phone_fixed_second", "phone_mobile", "fax", "url", "skype_name", "remarks",
    "language_id", "is_lead", "contact_group_ids", "contact_branch_ids", "user_id", "owner_id", "updated_at",
)  # fmt: skip


def _salutation(company: Company, value: object) -> object:
    if value == 0:
        raise ValueError("0 does not exist")
    return forms.known("salutations")(company, value)


def _number(_company: Company, value: object) -> object:
    if value is None:
        return None
    given = str(value)
    if isinstance(value, bool) or not (given.isascii() and given.isdigit()) or int(given) == 0:
        raise ValueError("has to be a number")
    return f"{int(given):06d}"


FORM = forms.Form(
    {
        "nr": _number,
        "contact_type_id": forms.one_of(1, 2),
        "name_1": forms.short_text,
        "name_2": forms.short_text,
        "salutation_id": _salutation,
        "salutation_form": forms.optional_number,
        "title_id": forms.known("titles"),
        "titel_id": forms.known("titles"),
        "birthday": forms.day,
        "street_name": forms.short_text,
        "house_number": forms.short_text,
        "address_addition": forms.short_text,
        "postcode": forms.short_text,
        "city": forms.short_text,
        "country_id": forms.known("countries"),
        "mail": forms.mail,
        "mail_second": forms.mail,
        "phone_fixed": forms.short_text,
        "phone_fixed_second": forms.short_text,
        "phone_mobile": forms.short_text,
        "fax": forms.short_text,
        "url": forms.short_text,
        "skype_name": forms.short_text,
        "remarks": forms.text,
        "language_id": forms.known("languages"),
        "contact_group_ids": forms.known_ids("contact_groups"),
        "contact_branch_ids": forms.short_text,
        "user_id": forms.known("users"),
        "owner_id": forms.known("users"),
    },
    frozenset({"contact_type_id", "name_1", "user_id", "owner_id"}),
)


def routes() -> Routes:
    """The endpoints of contacts and contact groups."""
    show, edit = ("contact_show",), ("contact_edit",)
    return {
        ("GET", "/2.0/contact"): Route(_list, show),
        ("POST", "/2.0/contact"): Route(_create, edit),
        ("POST", "/2.0/contact/search"): Route(_search, show, Bucket.SEARCH),
        ("POST", "/2.0/contact/_bulk_create"): Route(_bulk_create, edit),
        ("GET", "/2.0/contact/{id}"): Route(_show, show),
        ("POST", "/2.0/contact/{id}"): Route(_edit, edit),
        ("DELETE", "/2.0/contact/{id}"): Route(_archive, edit),
        ("PATCH", "/2.0/contact/{id}/restore"): Route(_restore, edit),
        ("GET", "/2.0/contact_group"): Route(_groups),
        ("POST", "/2.0/contact_group"): Route(_create_group),
        ("POST", "/2.0/contact_group/search"): Route(_search_groups),
        ("GET", "/2.0/contact_group/{id}"): Route(lambda call: Answer(call.company.contact_groups[call.ids[0]])),
    }


def create(company: Company, given: Record) -> Record:
    """A new contact from the fields that the API takes.

    Raises:
        Invalid: as bexio refuses it.
    """
    values = _read(company, given, is_new=True)
    values["nr"] = values.get("nr") or f"{company.last_contact_number + 1:06d}"
    company.last_contact_number = max(company.last_contact_number, int(values["nr"]))
    empty: Record = {**dict.fromkeys(_COLUMNS), **dict.fromkeys(_EMPTY_TEXTS, "")}
    stored = {**empty, "is_lead": False, "is_archived": False, **values}
    return add(company, _stamped(company, stored))


def add(company: Company, stored: Record) -> Record:
    """Keep a complete record as a new contact, unchecked."""
    stored["id"] = company.contacts.next_id()
    company.contact_ids_by_number[stored["nr"]] = stored["id"]
    return company.contacts.put(stored["id"], stored)


def blank(company: Company) -> Record:
    """A contact with the next number and nothing else, for those who make very many of them."""
    company.last_contact_number += 1
    empty: Record = {**dict.fromkeys(_COLUMNS), **dict.fromkeys(_EMPTY_TEXTS, "")}
    return {**empty, "nr": f"{company.last_contact_number:06d}", "is_lead": False, "is_archived": False}


def edit(company: Company, contact_id: int, given: Record) -> Record:
    """Change some fields of a contact.

    Raises:
        Invalid: as bexio refuses it.
    """
    stored = company.contacts[contact_id]
    values = _read(company, given, is_new=False, stored=stored)
    if values.get("nr"):
        del company.contact_ids_by_number[stored["nr"]]
        company.contact_ids_by_number[values["nr"]] = contact_id
    stored.update(values)
    return _stamped(company, stored)


def archive(company: Company, contact_id: int, *, archived: bool = True) -> None:
    """Hide a contact from lists and searches, or bring it back."""
    stored = company.contacts[contact_id]
    stored["is_archived"] = archived
    _stamped(company, stored)


def _read(company: Company, given: Record, *, is_new: bool, stored: Record | None = None) -> Record:
    if "address" in given:
        raise form_errors()
    values = FORM.read(company, given, is_new=is_new)
    if "titel_id" in values:
        values["title_id"] = values.pop("titel_id")
    after = {**(stored or {}), **values}
    if (after.get("house_number") or after.get("address_addition")) and not after.get("street_name"):
        raise form_errors("street_name: Required when house_number or address_addition is set.")
    number, own = values.get("nr"), None if stored is None else stored["id"]
    if "nr" in values and not number and not is_new:
        raise form_errors("nr: Required.")
    if number and company.contact_ids_by_number.get(number, own) != own:
        raise form_errors("nr: The number is already in use.")
    return values


def _stamped(company: Company, stored: Record) -> Record:
    parts = [stored["street_name"], stored["house_number"]]
    stored["address"] = " ".join(part for part in parts if part) or None
    stored["updated_at"] = local_stamp(company.now())
    return stored


def _row(stored: Record) -> Record:
    """As lists show it: an unset salutation is 0 there."""
    return {**{name: stored[name] for name in _COLUMNS}, "salutation_id": stored["salutation_id"] or 0}


def _detailed(stored: Record) -> Record:
    return {**{name: stored[name] for name in _COLUMNS}, "profile_image": PROFILE_IMAGE}


def _visible(call: Call) -> list[Record]:
    archived = call.query.get("show_archived") in {"true", "1"}
    return [row for row in call.company.contacts if row["is_archived"] == archived]


def _list(call: Call) -> Answer:
    return Answer([_row(row) for row in call.page(ordered(call, _visible(call), field_of))])


def _search(call: Call) -> Answer:
    found = search(call, _visible(call), SEARCHABLE, field_of)
    return Answer([_row(row) for row in call.page(ordered(call, found, field_of))])


def _create(call: Call) -> Answer:
    return Answer(_detailed(create(call.company, call.form())), 201)


def _bulk_create(call: Call) -> Answer:
    """All or none; or the valid ones, and yet a refusal."""
    if not is_list(call.body):
        raise Invalid("The request body has to be a list of contacts.")
    if len(call.body) > call.company.rules.max_bulk:
        raise Invalid(f"The list has more than {call.company.rules.max_bulk} contacts.")
    given = [Call(call.company, call.user_id, (), {}, each).form() for each in call.body]
    if call.company.rules.bulk_keeps_valid:
        return _bulk_of_valid(call.company, given)
    numbers = [number for each in given if (number := _read(call.company, each, is_new=True).get("nr"))]
    if len(set(numbers)) < len(numbers):
        raise form_errors("nr: The number is already in use.")
    return Answer([_row(create(call.company, each)) for each in given])


def _bulk_of_valid(company: Company, given: list[Record]) -> Answer:
    made: list[Record] = []
    refused: Invalid | None = None
    for each in given:
        try:
            made.append(_row(create(company, each)))
        except Invalid as error:
            refused = error
    if refused is not None:
        raise refused
    return Answer(made)


def _show(call: Call) -> Answer:
    stored = call.company.contacts[call.ids[0]]
    return Answer({**_detailed(stored), "salutation_id": stored["salutation_id"] or 0})


def _edit(call: Call) -> Answer:
    return Answer(_detailed(edit(call.company, call.ids[0], call.form())))


def _archive(call: Call) -> Answer:
    archive(call.company, call.ids[0])
    return Answer(SUCCESS)


def _restore(call: Call) -> Answer:
    archive(call.company, call.ids[0], archived=False)
    return Answer(SUCCESS)


def _groups(call: Call) -> Answer:
    return Answer(call.page(ordered(call, list(call.company.contact_groups), field_of)))


def _search_groups(call: Call) -> Answer:
    found = search(call, call.company.contact_groups, GROUP_SEARCHABLE, field_of)
    return Answer(call.page(ordered(call, found, field_of)))


def _create_group(call: Call) -> Answer:
    form = forms.Form({"name": forms.text}, frozenset({"name"}))
    values = form.read(call.company, call.form())
    group_id = call.company.contact_groups.next_id()
    return Answer(call.company.contact_groups.put(group_id, {"id": group_id, **values}), 201)
