"""The journal (`/3.0/accounting/journal`): every row of the ledger, by day and account."""

from datetime import date

from sandbox.bexio.call import Answer, Call, Route, Routes, counted
from sandbox.bexio.company import Company
from sandbox.bexio.errors import Invalid
from sandbox.bexio.ledger import Row
from sandbox.bexio.values import Record, midnight_stamp, uuid_of


def routes() -> Routes:
    """The endpoint of the journal."""
    return {("GET", "/3.0/accounting/journal"): Route(_journal, ("accounting",))}


def _journal(call: Call) -> Answer:
    rows = list(call.company.ledger.rows())
    if since := call.query.get("from"):
        first = _day(since, "from")
        rows = [row for row in rows if row.date >= first]
    if until := call.query.get("to"):
        last = _day(until, "to")
        rows = [row for row in rows if row.date <= last]
    if account_uuid := call.query.get("account_uuid"):
        ids = {row["id"] for row in call.company.accounts if row["uuid"] == account_uuid}
        rows = [row for row in rows if ids & {row.debit_account_id, row.credit_account_id}]
    answer = counted(call, rows)
    return Answer([_journal_row(call.company, row) for row in call.page(rows)], headers=answer.headers)


def _journal_row(company: Company, row: Row) -> Record:
    reference = row.reference
    return {
        "id": row.id,
        "ref_id": reference.ref_id,
        "ref_uuid": uuid_of(company.id, reference.ref_class, reference.ref_id),
        "ref_class": reference.ref_class,
        "date": midnight_stamp(row.date),
        "debit_account_id": row.debit_account_id,
        "credit_account_id": row.credit_account_id,
        "description": reference.text,
        "amount": float(row.amount),
        "currency_id": 1,
        "currency_factor": 1,
        "base_currency_id": 1,
        "base_currency_amount": float(row.amount),
    }


def _day(value: str, name: str) -> date:
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Invalid(f"{name} is not a date.") from None
