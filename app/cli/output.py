"""What commands print: data to standard output, as tables or as JSON; everything else to standard error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from app.core.catalogue import FALLBACK, LANGUAGES

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

_PIPED_WIDTH = 200


def out() -> Console:
    """Standard output. A pipe gets lines of their full length."""
    return _console(sys.stdout.isatty(), stderr=False)


def err() -> Console:
    """Standard error: progress, hints, errors."""
    return _console(sys.stderr.isatty(), stderr=True)


def _console(is_terminal: bool, *, stderr: bool) -> Console:  # noqa: FBT001 - private
    return Console(stderr=stderr, highlight=False, width=None if is_terminal else _PIPED_WIDTH)


def show_json(value: object) -> None:
    """Prints a value as indented JSON."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")


def show_json_line(value: object) -> None:
    """Prints a value as one line of JSON, at once: somebody waits for it."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def show_line(text: str) -> None:
    """Prints one line as it is: never wrapped, never coloured, so that it can be copied."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], right: Sequence[str] = ()) -> Table:
    """A table of texts; the columns named in `right` hold figures."""
    made = Table(title=title, title_justify="left", title_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], empty: str) -> None:
    """Prints a table, or the sentence `empty` when there are no rows."""
    out().print(table(title, columns, rows) if rows else empty)


def language() -> str:
    """The user's language as the environment tells it: de, fr, it or en."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if told := os.environ.get(name):
            return told[:2].lower() if told[:2].lower() in LANGUAGES else FALLBACK
    return FALLBACK


def _plain(value: object) -> object:
    match value:
        case BaseModel():
            return value.model_dump(mode="json")
        case UUID() | Decimal():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON value")
