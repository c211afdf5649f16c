"""Search, order and page as bexio's 2.0 lists do."""

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from sandbox.bexio.call import Call
from sandbox.bexio.errors import Invalid
from sandbox.bexio.values import Record, decimal_of, is_list, is_record

T = TypeVar("T")
Test = Callable[[object], bool]

MAX_VALUE = 255
_NAMES = {
    "equal": "=",
    "not_equal": "!=",
    "greater_than": ">",
    "greater_equal": ">=",
    "less_than": "<",
    "less_equal": "<=",
}


def field_of(row: Record, name: str) -> object:
    """A field of a record."""
    return row.get(name)


def search(call: Call, rows: Iterable[T], fields: frozenset[str], read: Callable[[T, str], object]) -> list[T]:
    """The rows that meet all criteria `{field, value, criteria}` of the body; `like` is the default.

    Raises:
        Invalid: when the body is no list of criteria over `fields`.
    """
    if not is_list(call.body):
        raise Invalid("The search body has to be a list of criteria.")
    for criterion in call.body:
        name, test = _criterion(criterion, fields)
        rows = [row for row in rows if test(read(row, name))]
    return list(rows)


def ordered(call: Call, rows: Sequence[T], read: Callable[[T, str], object]) -> list[T]:
    """In the order of `order_by`: names with `_asc` or `_desc`, separated by commas."""
    result = list(rows)
    for part in reversed(call.query.get("order_by", "").split(",")):
        name = part.removesuffix("_desc").removesuffix("_asc")
        if name:
            result.sort(key=lambda row: _sortable(read(row, name)), reverse=part.endswith("_desc"))
    return result


def _criterion(criterion: object, fields: frozenset[str]) -> tuple[str, Test]:
    if not is_record(criterion):
        raise Invalid("The search body has to be a list of criteria.")
    name, value, kind = criterion.get("field"), criterion.get("value"), criterion.get("criteria", "like")
    if name not in fields:
        raise Invalid(f"The field {name} is not searchable.")
    if isinstance(value, str) and len(value) > MAX_VALUE:
        raise Invalid(f"The search value exceeds {MAX_VALUE} characters.")
    make = _TESTS.get(_NAMES.get(str(kind), str(kind)))
    if make is None:
        raise Invalid(f"The criteria {kind} does not exist.")
    return str(name), make(value)


def _like(value: object) -> Test:
    wanted = _text(value).casefold()
    return lambda found: wanted in _text(found).casefold()


def _is_null(_value: object) -> Test:
    return lambda found: found in {None, ""}


def _compared(holds: Callable[[int], bool]) -> Callable[[object], Test]:
    """A test on whether a field is below (-1), at (0) or above (1) the value. Nothing is neither below nor above."""

    def make(value: object) -> Test:
        wanted = _text(value)
        return lambda found: found is not None and holds(_compare(found, wanted))

    return make


def _negated(make: Callable[[object], Test]) -> Callable[[object], Test]:
    def negated(value: object) -> Test:
        test = make(value)
        return lambda found: not test(found)

    return negated


def _among(value: object) -> Test:
    parts = [_text(each) for each in value] if is_list(value) else _text(value).split(",")
    return lambda found: any(_compare(found, part) == 0 for part in parts)


_EQUAL = _compared(lambda order: order == 0)
_TESTS: dict[str, Callable[[object], Test]] = {
    "like": _like,
    "not_like": _negated(_like),
    "=": _EQUAL,
    "!=": _negated(_EQUAL),
    ">": _compared(lambda order: order > 0),
    ">=": _compared(lambda order: order >= 0),
    "<": _compared(lambda order: order < 0),
    "<=": _compared(lambda order: order <= 0),
    "is_null": _is_null,
    "not_null": _negated(_is_null),
    "in": _among,
    "not_in": _negated(_among),
}


def _compare(found: object, wanted: str) -> int:
    """Numbers by value, everything else (dates too) as text; below, at or above zero."""
    if isinstance(found, int | float | Decimal):
        try:
            number = decimal_of(wanted)
        except ValueError:
            return -1
        return (found > number) - (found < number)
    there = _text(found)
    return (there > wanted) - (there < wanted)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _sortable(value: object) -> tuple[int, object]:
    if value is None:
        return 0, 0
    if isinstance(value, int | float | Decimal):
        return 1, value
    return 2, str(value)
