"""Records with a memory of when each one changed, for paging and `changedSinceTicks`."""

import itertools

from sandbox.arcavis.errors import UnknownRecordError
from sandbox.arcavis.ticks import TickClock
from sandbox.arcavis.values import Record


class Table:
    """Records by `Id`. A hidden record is gone for readers and listed in `DeletedIds` of a diff.

    Args:
        ticks: where change times come from.
        first_id: the id of the first record added without one.
        key: a field whose value names a record uniquely ("CustomerNumber"), for look-ups.
    """

    def __init__(self, ticks: TickClock, *, first_id: int = 1, key: str | None = None) -> None:
        self._ticks = ticks
        self._next_id = first_id
        self._key = key
        self._rows: dict[int, Record] = {}
        self._by_key: dict[str, int] = {}
        # Both are kept in order of change, so that a diff needs no sorting.
        self._changed: dict[int, int] = {}
        self._hidden: dict[int, int] = {}

    def __len__(self) -> int:
        """How many records readers see."""
        return len(self._changed)

    def __contains__(self, record_id: int) -> bool:
        """Whether there is such a record, hidden or not."""
        return record_id in self._rows

    @property
    def next_id(self) -> int:
        """The id that the next new record gets."""
        return self._next_id

    def put(self, record: Record) -> int:
        """Store a record under its `Id` (made visible, changed now); returns the id."""
        record_id: int = record["Id"]
        self._forget_key(record_id)
        self._rows[record_id] = record
        if self._key is not None:
            self._by_key[record[self._key]] = record_id
        self._next_id = max(self._next_id, record_id + 1)
        self._hidden.pop(record_id, None)
        self._changed.pop(record_id, None)
        self._changed[record_id] = self._ticks.next()
        return record_id

    def touch(self, record_id: int) -> None:
        """Mark a visible record as changed now."""
        if self._changed.pop(record_id, None) is not None:
            self._changed[record_id] = self._ticks.next()

    def hide(self, record_id: int) -> None:
        """Take a record out of the readers' sight; doing it twice changes nothing."""
        self.get(record_id)
        if self._changed.pop(record_id, None) is not None:
            self._hidden[record_id] = self._ticks.next()

    def remove(self, record_id: int) -> Record:
        """Take a record out for good, without a trace in any diff, as the vendor's support can."""
        self.get(record_id)
        self._forget_key(record_id)
        for times in (self._changed, self._hidden):
            times.pop(record_id, None)
        return self._rows.pop(record_id)

    def get(self, record_id: int) -> Record:
        """The record, hidden or not.

        Raises:
            UnknownRecordError: when the id was never used.
        """
        try:
            return self._rows[record_id]
        except KeyError:
            raise UnknownRecordError("NotFound") from None

    def get_visible(self, record_id: int) -> Record:
        """The record, unless it is hidden.

        Raises:
            UnknownRecordError: when readers see no such record.
        """
        if record_id in self._hidden:
            raise UnknownRecordError("NotFound")
        return self.get(record_id)

    def by_key(self, value: str) -> Record | None:
        """The record with this key, hidden or not."""
        record_id = self._by_key.get(value)
        return None if record_id is None else self._rows[record_id]

    def visible(self) -> list[Record]:
        """All records that readers see, by id."""
        return [self._rows[record_id] for record_id in sorted(self._changed)]

    def changed_since(self, ticks: int) -> list[Record]:
        """The visible records that changed after `ticks`, oldest change first."""
        return [self._rows[record_id] for record_id in _after(self._changed, ticks)]

    def hidden_since(self, ticks: int) -> list[int]:
        """The ids of records hidden after `ticks`."""
        return _after(self._hidden, ticks)

    def _forget_key(self, record_id: int) -> None:
        before = self._rows.get(record_id)
        if before is not None and self._key is not None and self._by_key.get(before[self._key]) == record_id:
            del self._by_key[before[self._key]]


def _after(times: dict[int, int], ticks: int) -> list[int]:
    """The ids whose time is after `ticks`, oldest first; costs as much as there are of them."""
    latest = itertools.takewhile(lambda entry: entry[1] > ticks, reversed(times.items()))
    return [record_id for record_id, _ in latest][::-1]
