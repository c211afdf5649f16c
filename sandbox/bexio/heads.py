"""The head of invoices and orders: its fields, defaults, number and address."""

from collections.abc import Mapping
from datetime import date, timedelta

from sandbox.bexio import forms
from sandbox.bexio.company import Company
from sandbox.bexio.errors import form_errors
from sandbox.bexio.forms import Check
from sandbox.bexio.values import Record

FIELDS: Mapping[str, Check] = {
    "document_nr": forms.text,
    "title": forms.text,
    "contact_id": forms.known("contacts"),
    "contact_sub_id": forms.known("contacts"),
    "user_id": forms.known("users"),
    "pr_project_id": forms.optional_number,
    "logopaper_id": forms.optional_number,
    "language_id": forms.known("languages"),
    "bank_account_id": forms.known("banking_accounts"),
    "currency_id": forms.known("currencies"),
    "payment_type_id": forms.known("payment_types"),
    "header": forms.text,
    "footer": forms.text,
    "mwst_type": forms.one_of(0, 1, 2),
    "mwst_is_net": forms.flag,
    "show_position_taxes": forms.flag,
    "is_valid_from": forms.day,
    "contact_address_manual": forms.text,
    "api_reference": forms.text,
    "template_slug": forms.text,
}
_HEADER = "Danke für Ihr Vertrauen. Ihre Rechnung setzt sich wie folgt zusammen:"
_FOOTER = "Sie haben Fragen? Melden Sie sich bei uns.<br/><br/>Freundliche Grüsse"

_NEVER_EMPTY = frozenset({
    "language_id", "bank_account_id", "currency_id", "header", "footer", "is_valid_from", "is_valid_to",
})  # fmt: skip


def kept(given: Record) -> Record:
    """Null leaves alone what cannot be empty."""
    return {name: value for name, value in given.items() if value is not None or name not in _NEVER_EMPTY}


def defaults(company: Company, kind: str, given: Record) -> Record:
    """What a new document takes from the company where nothing is given."""
    setting = company.setting(kind)
    start = str(given.get("is_valid_from") or company.today())
    return {
        **dict.fromkeys(FIELDS),
        "contact_address": None,
        "title": setting["default_title"],
        "logopaper_id": setting["default_logopaper_id"],
        "language_id": setting["default_language_id"],
        "bank_account_id": setting["default_client_bank_account_new_id"],
        "currency_id": setting["default_currency_id"],
        "payment_type_id": setting["default_payment_type_id"],
        "header": _HEADER,
        "footer": _FOOTER,
        "mwst_type": setting["default_mwst_type"],
        "mwst_is_net": setting["default_mwst_is_net"],
        "show_position_taxes": setting["default_show_position_taxes"],
        "is_valid_from": start,
        "is_valid_to": due_day(start, setting),
        "reference": "",
        "template_slug": "",
        "delivery_address_type": 0,
        "delivery_address_manual": None,
    }


def due_day(start: str, setting: Record) -> str:
    """The last day to pay."""
    return (date.fromisoformat(start) + timedelta(days=setting["default_time_period_in_days"])).isoformat()


def check_contact(company: Company, head: Record) -> None:
    """A document needs a contact or a manual address.

    Raises:
        Invalid: without either, or for an archived contact where the rules say so.
    """
    contact_id = head.get("contact_id")
    if contact_id is None and not head.get("contact_address_manual"):
        raise form_errors("contact_id: Required.")
    if (
        contact_id is not None
        and company.contacts[contact_id]["is_archived"]
        and not company.rules.accepts_archived_contact
    ):
        raise form_errors(f"contact_id: {contact_id} is archived")


def address(company: Company, head: Record) -> str:
    """The address as printed, line by line."""
    if head.get("contact_address_manual"):
        return head["contact_address_manual"]
    contact = company.contacts[head["contact_id"]]
    names = [contact["name_1"], contact["name_2"]]
    if contact["contact_type_id"] == 2:
        names = [" ".join(name for name in reversed(names) if name)]
    country = contact["country_id"]
    lines = [
        *names,
        contact["address"],
        contact["address_addition"],
        f"{contact['postcode'] or ''} {contact['city'] or ''}".strip(),
        None if country is None else company.countries[country]["name"],
    ]
    return "\n".join(line for line in lines if line)


def number(company: Company, kind: str, head: Record) -> str:
    """The number of a new document: bexio's, or the given one where numbering is manual.

    Raises:
        Invalid: given although automatic, or missing although manual.
    """
    if "document_nr" in head or not company.setting(kind)["use_automatic_enumeration"]:
        return given_number(company, kind, head)
    return next_number(company.setting(kind))


def given_number(company: Company, kind: str, head: Record) -> str:
    """A number that the caller gives.

    Raises:
        Invalid: while numbering is automatic, or when it is empty.
    """
    if company.setting(kind)["use_automatic_enumeration"]:
        raise form_errors("document_nr: Must not be set while automatic numbering is on.")
    if not head.get("document_nr"):
        raise form_errors("document_nr: Required.")
    return head["document_nr"]


def next_number(setting: Record) -> str:
    """Bexio's next number, used up."""
    number = str(setting["next_nr"]).zfill(setting["nr_min_length"])
    setting["next_nr"] += 1
    return setting["enumeration_format"].replace("%nummer%", number)
