"""Reading a form as bexio's 2.0 endpoints do: unknown fields are refused, all faults are named at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sandbox.bexio.company import Company
from sandbox.bexio.errors import form_errors
from sandbox.bexio.values import Record, decimal_of, rounded

Check = Callable[[Company, object], object]
"""Gives the value as it is stored, or raises ValueError with what is wrong with it."""

_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Form:
    """The fields that may be written, and those that must be."""

    fields: Mapping[str, Check]
    required: frozenset[str] = frozenset()

    def read(self, company: Company, given: Record, *, is_new: bool = True) -> Record:
        """The given fields, checked.

        Raises:
            Invalid: with one text per fault.
        """
        unknown = [name for name in given if name not in self.fields]
        if unknown:
            names = ", ".join(unknown)
            raise form_errors(f"Widget schema does not include the following field(s): {names}")
        faults: list[str] = []
        values: Record = {}
        for name, value in given.items():
            try:
                values[name] = self.fields[name](company, value)
            except ValueError as error:
                faults.append(f"{name}: {error}")
        missing = [name for name in sorted(self.required) if given.get(name) is None or given[name] == ""]
        faults += [f"{name}: Required." for name in missing if is_new or name in given]
        if faults:
            raise form_errors(*faults)
        return values


def text(_company: Company, value: object) -> str | None:
    """Text, or null."""
    if value is None or isinstance(value, str):
        return value
    raise ValueError("Invalid.")


def short_text(company: Company, value: object) -> str | None:
    """Text up to the company's rule, or null. bexio documents no length; the rule is an assumption."""
    given = text(company, value)
    if given is not None and len(given) > company.rules.max_text:
        raise ValueError(f"is too long ({company.rules.max_text} characters max).")
    return given


def mail(company: Company, value: object) -> str | None:
    """An e-mail address, or nothing."""
    given = short_text(company, value)
    if given and not _MAIL.fullmatch(given):
        raise ValueError("Invalid.")
    return given


def flag(_company: Company, value: object) -> bool:
    """True or false."""
    if isinstance(value, bool):
        return value
    raise ValueError("Invalid.")


def day(_company: Company, value: object) -> str | None:
    """A date as `YYYY-MM-DD`, or null."""
    if value is None:
        return None
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("Invalid date.")
    return date.fromisoformat(value).isoformat()


def number(_company: Company, value: object) -> object:
    """A number as text or JSON, with at most six decimals."""
    read = decimal_of(value)
    if read != rounded(read, 6):
        raise ValueError("has more than 6 decimals")
    return read


def optional_number(company: Company, value: object) -> object:
    """A number, or null."""
    return None if value is None else number(company, value)


def one_of(*allowed: int) -> Check:
    """One of some numbers."""

    def check(_company: Company, value: object) -> object:
        if isinstance(value, bool) or value not in allowed:
            raise ValueError("Invalid.")
        return value

    return check


def known(table: str) -> Check:
    """The id of a record of the company, or null."""

    def check(company: Company, value: object) -> object:
        if value is None:
            return None
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or value not in getattr(company, table):
            raise ValueError(f"{value} does not exist")
        return value

    return check


def known_ids(table: str) -> Check:
    """Ids of records of the company as "1,2", or null."""
    one = known(table)

    def check(company: Company, value: object) -> object:
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ValueError("Invalid.")  # noqa: TRY004 - what is sent is wrong, not what is called
        ids = [one(company, part.strip()) for part in value.split(",") if part.strip()]
        return ",".join(str(each) for each in dict.fromkeys(ids)) or None

    return check
