"""A bookkeeper at bexio's screens: sees, adds, edits, doubles and deletes manual entries, past any connector."""

from collections.abc import Callable
from typing import Final

from sandbox.bexio import manual_entries
from sandbox.bexio.company import Company
from sandbox.bexio.errors import NotFound
from sandbox.bexio.values import Record, decimal_of

BOOKKEEPER: Final = 2
"""The user that a bookkeeper's entries carry."""
_LINE = (
    "debit_account_id", "credit_account_id", "tax_id", "tax_account_id", "description", "amount", "currency_id",
    "currency_factor",
)  # fmt: skip


def add(company: Company, given: Record) -> Record:
    """`{date, debit, credit, amount, text?, reference_nr?, tax?, tax_account?}`, accounts by number, tax by code."""
    debit, credit = company.account(given["debit"])["id"], company.account(given["credit"])["id"]
    tax_id = company.tax(given["tax"])["id"] if given.get("tax") else None
    carrier = company.account(given["tax_account"])["id"] if given.get("tax_account") else credit
    line: Record = {
        "debit_account_id": debit,
        "credit_account_id": credit,
        "tax_id": tax_id,
        "tax_account_id": None if tax_id is None else carrier,
        "description": given.get("text", "Buchung von Hand"),
        "amount": decimal_of(given["amount"]),
        "currency_id": 1,
        "currency_factor": 1,
    }
    body: Record = {"type": manual_entries.SINGLE, "date": given["date"], "entries": [line]}
    if given.get("reference_nr"):
        body["reference_nr"] = given["reference_nr"]
    return manual_entries.shown(company, manual_entries.create(company, body, BOOKKEEPER))


def edit(company: Company, given: Record) -> Record:
    """`{entry_id | reference_nr, line?, amount?, text?, date?, debit?, credit?, new_reference_nr?}`; line is 0."""
    entry = find(company, given)
    lines = [{name: line[name] for name in _LINE} for line in entry["entries"]]
    line = lines[int(given.get("line", 0))]
    if "amount" in given:
        line["amount"] = decimal_of(given["amount"])
    if "text" in given:
        line["description"] = given["text"]
    for side in ("debit", "credit"):
        if side in given:
            old, line[f"{side}_account_id"] = line[f"{side}_account_id"], company.account(given[side])["id"]
            if line["tax_account_id"] == old:
                line["tax_account_id"] = line[f"{side}_account_id"]
    body: Record = {
        "type": entry["type"],
        "date": given.get("date", entry["date"]),
        "reference_nr": given.get("new_reference_nr", entry["reference_nr"]),
        "entries": lines,
    }
    return manual_entries.shown(company, manual_entries.replace(company, entry["id"], body, BOOKKEEPER))


def delete(company: Company, given: Record) -> Record:
    """`{entry_id | reference_nr}`."""
    entry = find(company, given)
    manual_entries.delete(company, entry["id"])
    return {"deleted": entry["id"]}


def double(company: Company, given: Record) -> Record:
    """`{entry_id | reference_nr}`: the same entry once more, as "copy" in bexio makes it."""
    entry = find(company, given)
    body: Record = {
        "type": entry["type"],
        "date": entry["date"],
        "reference_nr": entry["reference_nr"],
        "entries": [{name: line[name] for name in _LINE} for line in entry["entries"]],
    }
    return manual_entries.shown(company, manual_entries.create(company, body, BOOKKEEPER))


def entries(company: Company, given: Record) -> list[Record]:
    """All manual entries; `date` narrows."""
    day = given.get("date")
    return [manual_entries.shown(company, row) for row in company.manual_entries if day in {None, row["date"]}]


def find(company: Company, given: Record) -> Record:
    """The entry with `entry_id`, or the latest with `reference_nr`.

    Raises:
        NotFound: when there is none.
    """
    if "entry_id" in given:
        return company.manual_entries[int(given["entry_id"])]
    found = [row for row in company.manual_entries if row["reference_nr"] == given["reference_nr"]]
    if not found:
        raise NotFound("there is no such manual entry")
    return found[-1]


ACTIONS: Final[dict[tuple[str, str], Callable[[Company, Record], object]]] = {
    ("GET", "manual-entries"): entries,
    ("POST", "actions/add-entry"): add,
    ("POST", "actions/edit-entry"): edit,
    ("POST", "actions/delete-entry"): delete,
    ("POST", "actions/double-entry"): double,
}
