"""A company's double-entry ledger: every row has a debit and a credit account and one amount above zero."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sandbox.bexio.table import Table
from sandbox.bexio.values import ZERO, Record

RECEIVABLES = "1100"
VAT_OWED = "2200"
CUSTOMER_CREDIT = "2030"
ROUNDING = "6945"


@dataclass(frozen=True, slots=True)
class Reference:
    """What a row belongs to, and its text: `("KbInvoice", 42, "RE-00042")`."""

    ref_class: str
    ref_id: int
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """One journal row in the company's currency; `tax_id` names the VAT code that it was booked with.

    `tax_amount` is above or below zero on the row that carries the VAT itself.
    """

    id: int
    reference: Reference
    date: date
    debit_account_id: int
    credit_account_id: int
    amount: Decimal
    tax_id: int | None = None
    tax_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """An account's line in the trial balance; `balance` is debit less credit."""

    account_no: str
    name: str
    debit: Decimal
    credit: Decimal

    @property
    def balance(self) -> Decimal:
        """Debit less credit."""
        return self.debit - self.credit


class Ledger:
    """The journal over a chart of accounts."""

    def __init__(self, accounts: Table[Record]) -> None:
        self._accounts = accounts
        self._rows: dict[tuple[str, int], list[Row]] = defaultdict(list)
        self._last = 0

    def account_id(self, account_no: str) -> int:
        """The id of an account by its number.

        Raises:
            KeyError: when the chart does not have it.
        """
        for row in self._accounts:
            if row["account_no"] == account_no:
                return row["id"]
        raise KeyError(f"the chart of accounts has no {account_no}")

    def book(
        self,
        reference: Reference,
        day: date,
        debit_account_id: int,
        credit_account_id: int,
        amount: Decimal,
        tax_id: int | None = None,
        tax_amount: Decimal = ZERO,
    ) -> None:
        """Add a row. A negative amount swaps the sides; zero books nothing."""
        if amount == 0:
            return
        if amount < 0:
            debit_account_id, credit_account_id, amount = credit_account_id, debit_account_id, -amount
        self._last += 1
        row = Row(self._last, reference, day, debit_account_id, credit_account_id, amount, tax_id, tax_amount)
        self._rows[reference.ref_class, reference.ref_id].append(row)

    def of(self, ref_class: str, ref_id: int) -> list[Row]:
        """The rows of one document."""
        return list(self._rows.get((ref_class, ref_id), ()))

    def reverse(self, ref_class: str, ref_id: int, day: date) -> None:
        """Book every row of a document once more with its sides swapped."""
        for row in self.of(ref_class, ref_id):
            self.book(
                row.reference, day, row.credit_account_id, row.debit_account_id, row.amount,
                row.tax_id, -row.tax_amount,
            )  # fmt: skip

    def remove(self, ref_class: str, ref_id: int) -> None:
        """Take out the rows of a document that is a draft again, or of a deleted payment."""
        self._rows.pop((ref_class, ref_id), None)

    def rows(self) -> Iterator[Row]:
        """All rows, in the order in which they were booked."""
        return iter(sorted((row for rows in self._rows.values() for row in rows), key=lambda row: row.id))

    def balance(self, account_no: str) -> Decimal:
        """Debit less credit of one account."""
        account = self.account_id(account_no)
        return sum(
            (
                row.amount if row.debit_account_id == account else -row.amount
                for rows in self._rows.values()
                for row in rows
                if account in (row.debit_account_id, row.credit_account_id)
                and row.debit_account_id != row.credit_account_id
            ),
            ZERO,
        )

    def vat(self) -> dict[int, Decimal]:
        """VAT booked by tax id."""
        sums: dict[int, Decimal] = defaultdict(Decimal)
        for rows in self._rows.values():
            for row in rows:
                if row.tax_id is not None:
                    sums[row.tax_id] += row.tax_amount
        return dict(sums)

    def trial_balance(self) -> list[AccountBalance]:
        """Debit and credit per account that was booked on, by account number. The sums of both sides are equal."""
        debit: dict[int, Decimal] = defaultdict(Decimal)
        credit: dict[int, Decimal] = defaultdict(Decimal)
        for rows in self._rows.values():
            for row in rows:
                debit[row.debit_account_id] += row.amount
                credit[row.credit_account_id] += row.amount
        booked = sorted(debit.keys() | credit.keys(), key=lambda each: self._accounts[each]["account_no"])
        return [
            AccountBalance(
                self._accounts[each]["account_no"],
                self._accounts[each]["name"],
                debit.get(each, ZERO),
                credit.get(each, ZERO),
            )
            for each in booked
        ]
