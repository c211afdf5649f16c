"""Records with ids of their own sequence, as every bexio company has them."""

from collections.abc import Iterator
from typing import Generic, TypeVar

from sandbox.bexio.errors import NotFound

T = TypeVar("T")


class Table(Generic[T]):
    """Rows by id, in the order in which they were added. An id is never given twice."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: dict[int, T] = {}
        self._last = 0

    def __iter__(self) -> Iterator[T]:
        return iter(self.rows.values())

    def __len__(self) -> int:
        return len(self.rows)

    def __contains__(self, row_id: object) -> bool:
        return row_id in self.rows

    def __getitem__(self, row_id: int) -> T:
        """The row with this id.

        Raises:
            NotFound: when there is none.
        """
        try:
            return self.rows[row_id]
        except KeyError:
            raise NotFound(f"{self.name} with id {row_id} does not exist") from None

    def next_id(self) -> int:
        """The next id of the sequence, used up by asking."""
        self._last += 1
        return self._last

    def put(self, row_id: int, row: T) -> T:
        """Keep a row under an id."""
        self.rows[row_id] = row
        self._last = max(self._last, row_id)
        return row

    def remove(self, row_id: int) -> T:
        """Take a row out.

        Raises:
            NotFound: when there is none.
        """
        row = self[row_id]
        del self.rows[row_id]
        return row

    def clear(self) -> None:
        """Take everything out and begin the sequence anew."""
        self.rows.clear()
        self._last = 0
