"""Manual entries (`/3.0/accounting/manual_entries`): list, create, replace, delete, and what they book.

There is no draft and no idempotency: the same body twice makes two entries, and a `reference_nr` may occur often.
"""

from datetime import date
from decimal import Decimal

from sandbox.bexio import manual_lines, periods
from sandbox.bexio.call import SUCCESS, Answer, Call, Route, Routes, counted, whole
from sandbox.bexio.company import MANUAL_ENTRY, Company
from sandbox.bexio.errors import Forbidden, Invalid
from sandbox.bexio.ledger import Reference
from sandbox.bexio.search import field_of, ordered
from sandbox.bexio.values import ZERO, Record, rounded

SINGLE, GROUP, COMPOUND = "manual_single_entry", "manual_group_entry", "manual_compound_entry"
MAX_REFERENCE = 80
_FIELDS = frozenset({"type", "date", "reference_nr", "entries", "id"})
_WHOLE = Decimal(100)


def routes() -> Routes:
    """The endpoints of manual entries."""
    path, scopes = "/3.0/accounting/manual_entries", ("accounting",)
    return {
        ("GET", path): Route(_list, scopes),
        ("POST", path): Route(_create, scopes),
        ("GET", f"{path}/next_ref_nr"): Route(_next_reference, scopes),
        ("PUT", f"{path}/{{id}}"): Route(_replace, scopes),
        ("DELETE", f"{path}/{{id}}"): Route(_delete, scopes),
    }


def create(company: Company, given: Record, user_id: int = 1) -> Record:
    """Make an entry and book it.

    Raises:
        Invalid: as bexio refuses it.
    """
    entry = _read(company, given)
    entry_id = company.manual_entries.next_id()
    made: Record = {
        "id": entry_id,
        "type": entry["type"],
        "booking_type": "manual_entry",
        "date": entry["date"],
        "reference_nr": entry["reference_nr"],
        "created_by_user_id": user_id,
        "edited_by_user_id": user_id,
        "entries": [_numbered(company, line, entry["date"], user_id) for line in entry["entries"]],
    }
    _book(company, made)
    return company.manual_entries.put(entry_id, made)


def replace(company: Company, entry_id: int, given: Record, user_id: int = 1) -> Record:
    """Replace an entry with all its lines, whatever is sent about single ones.

    Raises:
        Invalid: as bexio refuses it, or the entry is locked.
    """
    old = company.manual_entries[entry_id]
    if lock_of(company, old) is not None:
        raise Invalid("The manual entry is locked.")
    entry = _read(company, given)
    made: Record = {
        **old,
        "type": entry["type"],
        "date": entry["date"],
        "reference_nr": entry["reference_nr"],
        "edited_by_user_id": user_id,
        "entries": [_numbered(company, line, entry["date"], user_id) for line in entry["entries"]],
    }
    company.ledger.remove(MANUAL_ENTRY, entry_id)
    _book(company, made)
    return company.manual_entries.put(entry_id, made)


def delete(company: Company, entry_id: int) -> None:
    """Take an entry and its booking out; nothing is reversed.

    Raises:
        Forbidden: when it is locked.
    """
    if lock_of(company, company.manual_entries[entry_id]) is not None:
        raise Forbidden("The manual entry is locked.")
    company.manual_entries.remove(entry_id)
    company.ledger.remove(MANUAL_ENTRY, entry_id)


def lock_of(company: Company, entry: Record) -> str | None:
    """Why an entry can not be changed any more (`locked_info`), or None."""
    return periods.lock_of(company, date.fromisoformat(entry["date"]), with_vat=_has_vat(entry))


def shown(company: Company, entry: Record) -> Record:
    """An entry as bexio shows it."""
    lock = lock_of(company, entry)
    return {**entry, "is_locked": lock is not None, "locked_info": lock}


def _read(company: Company, given: Record) -> Record:
    """The entry that a body describes, checked as a whole: shape, lines, then the day."""
    if set(given) - _FIELDS or given.get("type") not in {SINGLE, GROUP, COMPOUND}:
        raise Invalid("validation failed", [{"type": {"type": "choice", "message": "The type is not valid."}}])
    day = _day(given.get("date"))
    reference = given.get("reference_nr")
    if reference is not None and (not isinstance(reference, str) or len(reference) > MAX_REFERENCE):
        fault = {"type": "length", "max": MAX_REFERENCE, "message": f"should have {MAX_REFERENCE} characters or less."}
        raise Invalid("validation failed", [{"reference_nr": fault}])
    kind: str = given["type"]
    lines = manual_lines.read(company, given.get("entries"), day, one_sided=kind == COMPOUND)
    if kind == SINGLE and len(lines) != 1:
        raise Invalid("A single entry has exactly one line.")
    if kind == COMPOUND:
        _balance(lines)
        lines[0] = {**lines[0], "tax_id": None, "tax_account_id": None}
    entry: Record = {"type": kind, "date": day.isoformat(), "reference_nr": reference, "entries": lines}
    periods.check_open(company, day, with_vat=_has_vat(entry))
    return entry


def _day(given: object) -> date:
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise Invalid("validation failed", [{"date": {"type": "date", "message": "is not a valid date."}}]) from None


def _balance(lines: list[Record]) -> None:
    """The sides of a compound entry are equal."""
    sums = [
        sum((line["amount"] for line in lines if line[side] is not None), ZERO)
        for side in ("debit_account_id", "credit_account_id")
    ]
    if sums[0] != sums[1]:
        raise Invalid("The sum of debit has to equal the sum of credit.")


def _has_vat(entry: Record) -> bool:
    return any(line["tax_id"] is not None for line in entry["entries"])


def _numbered(company: Company, line: Record, day: str, user_id: int) -> Record:
    return {
        "id": company.manual_lines.next_id(),
        "date": day,
        **line,
        "base_currency_id": 1,
        "base_currency_amount": rounded(line["amount"] * line["currency_factor"]),
        "created_by_user_id": user_id,
        "edited_by_user_id": user_id,
    }


def _book(company: Company, entry: Record) -> None:
    day = date.fromisoformat(entry["date"])
    if entry["type"] == COMPOUND:
        return _book_compound(company, entry, day)
    for line in entry["entries"]:
        _book_line(company, entry, line, day, line["debit_account_id"], line["credit_account_id"])
    return None


def _book_compound(company: Company, entry: Record, day: date) -> None:
    """The first line is the total: every other line is booked against its account."""
    anchor = entry["entries"][0]
    main = anchor["debit_account_id"] or anchor["credit_account_id"]
    for line in entry["entries"][1:]:
        debit, credit = line["debit_account_id"] or main, line["credit_account_id"] or main
        _book_line(company, entry, line, day, debit, credit)


def _book_line(company: Company, entry: Record, line: Record, day: date, debit: int, credit: int) -> None:
    """Gross amount; with a tax its VAT goes from the account that carries it to the tax's account."""
    reference = Reference(MANUAL_ENTRY, entry["id"], line["description"] or "")
    gross, tax_id = line["base_currency_amount"], line["tax_id"]
    if tax_id is None:
        return company.ledger.book(reference, day, debit, credit, gross)
    tax = company.taxes[tax_id]
    vat = vat_of(gross, tax)
    company.ledger.book(reference, day, debit, credit, gross - vat, tax_id)
    is_debit = line["tax_account_id"] == debit
    owed = tax["type"].endswith("sales_tax")
    sides = (tax["account_id"], credit) if is_debit else (debit, tax["account_id"])
    company.ledger.book(reference, day, *sides, vat, tax_id, -vat if owed == is_debit else vat)
    return None


def vat_of(gross: Decimal, tax: Record) -> Decimal:
    """The VAT within a gross amount; a customs code is VAT alone."""
    rate = Decimal(str(tax["value"]))
    return gross if rate == _WHOLE else gross - rounded(gross / (1 + rate / 100))


def _list(call: Call) -> Answer:
    rows = ordered(call, list(call.company.manual_entries), field_of)
    answer = counted(call, rows)
    return Answer([shown(call.company, row) for row in call.page(rows)], headers=answer.headers)


def _create(call: Call) -> Answer:
    company = call.company
    made = shown(company, create(company, call.form(), call.user_id))
    if company.rules.echoes_null_ids:
        made = {**made, "entries": [{**line, "id": None} for line in made["entries"]]}
    return Answer(made, 201)


def _replace(call: Call) -> Answer:
    return Answer(shown(call.company, replace(call.company, call.ids[0], call.form(), call.user_id)))


def _delete(call: Call) -> Answer:
    delete(call.company, call.ids[0])
    return Answer(SUCCESS)


def _next_reference(call: Call) -> Answer:
    """One above the highest whole number in use; texts count for nothing."""
    numbers = [whole(row["reference_nr"], 0) for row in call.company.manual_entries]
    return Answer({"next_ref_nr": str(max(numbers, default=0) + 1)})
