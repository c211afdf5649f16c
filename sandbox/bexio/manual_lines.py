"""The lines of a manual entry: every fault is named per line, in bexio's mix of camelCase and snake_case."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from sandbox.bexio.company import Company
from sandbox.bexio.errors import Invalid
from sandbox.bexio.taxes import is_in_force
from sandbox.bexio.values import Record, decimal_of, is_list, is_record, rounded

MAX_DESCRIPTION: Final = 255
_FIELDS: Final = frozenset(
    {
        "id", "debit_account_id", "credit_account_id", "tax_id", "tax_account_id", "description", "amount",
        "currency_id", "currency_factor",
    }
)  # fmt: skip
_SIDES: Final = {"debit_account_id": "debitAccountId", "credit_account_id": "creditAccountId"}
Fault = dict[str, object]


def read(company: Company, given: object, day: date, *, one_sided: bool) -> list[Record]:
    """The lines, checked; `one_sided` lines have a debit or a credit account, all others both.

    Raises:
        Invalid: with one object per line, empty for a line without fault; without detail for missing currency fields.
    """
    if not is_list(given) or not given:
        raise Invalid("validation failed", [{"entries": {"type": "count", "message": "This value is too short."}}])
    rows = [row if is_record(row) else {} for row in given]
    if any(set(row) - _FIELDS for row in rows):
        raise Invalid("validation failed", [{"entries": {"type": "extra", "message": "This form has extra fields."}}])
    if any(row.get("currency_id") is None or row.get("currency_factor") is None for row in rows):
        raise Invalid("The request could not be processed.")
    faults = [_faults(company, row, day, one_sided=one_sided) for row in rows]
    if any(faults):
        raise Invalid("validation failed", faults)
    return [_line(row) for row in rows]


def _faults(company: Company, row: Record, day: date, *, one_sided: bool) -> Fault:
    found: Fault = {}
    for field, name in _SIDES.items():
        fault = _account_fault(company, row.get(field))
        if fault is not None:
            found[name] = fault
    sides = [row.get(field) for field in _SIDES]
    if sum(side is not None for side in sides) != (1 if one_sided else 2):
        found["entries"] = {"type": "custom", "message": "The accounts of the line are not valid for this type."}
    return found | _tax_faults(company, row, sides, day) | _value_faults(company, row)


def _account_fault(company: Company, account_id: object) -> Mapping[str, str] | None:
    if account_id is None:
        return None
    if isinstance(account_id, bool) or not isinstance(account_id, int) or account_id not in company.accounts:
        return {"type": "model", "message": f"A 'Account' with id {account_id} does not exist"}
    if not company.accounts[account_id]["is_active"] and not company.rules.books_on_inactive_accounts:
        return {"type": "custom", "message": "The account is not active"}
    return None


def _tax_faults(company: Company, row: Record, sides: Sequence[object], day: date) -> Fault:
    tax_id = row.get("tax_id")
    if tax_id is None:
        return {}
    if isinstance(tax_id, bool) or not isinstance(tax_id, int) or tax_id not in company.taxes:
        return {"taxId": {"type": "model", "message": f"A 'Tax' with id {tax_id} does not exist"}}
    tax = company.taxes[tax_id]
    if not tax["is_active"] or not is_in_force(tax, day):
        return {"taxId": {"type": "custom", "message": "The tax is not active on this date"}}
    if row.get("tax_account_id") is None or row["tax_account_id"] not in sides:
        text = "tax_account_id has to be equal to debit_account_id or credit_account_id"
        return {"tax_account_id": {"type": "custom", "message": text}}
    return {}


def _value_faults(company: Company, row: Record) -> Fault:
    found: Fault = {}
    text = row.get("description")
    if text is not None and (not isinstance(text, str) or len(text) > MAX_DESCRIPTION):
        found["description"] = {
            "type": "length",
            "max": MAX_DESCRIPTION,
            "message": f"This value is too long. It should have {MAX_DESCRIPTION} characters or less.",
        }
    if not _is_positive(row.get("amount"), places=2) or not _is_positive(row.get("currency_factor"), places=10):
        found["amount"] = {"type": "custom", "message": "This value is not valid."}
    if row["currency_id"] not in company.currencies:
        found["currencyId"] = {"type": "model", "message": "A 'Currency' does not exist"}
    return found


def _is_positive(value: object, places: int) -> bool:
    try:
        number = _number(value)
    except ValueError:
        return False
    return number > 0 and number == rounded(number, places)


def _number(value: object) -> Decimal:
    """A JSON number; bexio's document knows no text here."""
    if isinstance(value, str):
        raise ValueError("is not a number")  # noqa: TRY004 - what is sent is wrong, not what is called
    return decimal_of(value)


def _line(row: Record) -> Record:
    with_tax = row.get("tax_id") is not None
    return {
        "debit_account_id": row.get("debit_account_id"),
        "credit_account_id": row.get("credit_account_id"),
        "tax_id": row.get("tax_id"),
        "tax_account_id": row.get("tax_account_id") if with_tax else None,
        "description": row.get("description") or "",
        "amount": _number(row["amount"]),
        "currency_id": row["currency_id"],
        "currency_factor": _number(row["currency_factor"]),
    }
