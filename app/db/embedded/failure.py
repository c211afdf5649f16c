"""What can go wrong with the embedded Postgres, in words that say what to do."""

from __future__ import annotations

import errno
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

OWN_SERVER = "or point CONNECTOR_DATABASE_URL at a Postgres of your own"

_DISK_FULL = f"Free space on that disk, choose another folder with CONNECTOR_DATA_DIR, {OWN_SERVER}."
_NOT_ALLOWED = f"Give the user that runs the connector a folder of its own with CONNECTOR_DATA_DIR, {OWN_SERVER}."

# Phrases of Postgres, and the remedy for each.
_REMEDIES = (
    ("No space left on device", _DISK_FULL),
    ("Disk quota exceeded", _DISK_FULL),
    ("Permission denied", _NOT_ALLOWED),
    ("Read-only file system", _NOT_ALLOWED),
    ("could not look up", f"Give the user that runs the connector a name in /etc/passwd, {OWN_SERVER}."),
)
_FULL = {errno.ENOSPC, errno.EDQUOT}


class EmbeddedPostgresError(Exception):
    """The embedded Postgres can not be used; `remedy` says what a person can do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(f"{problem} {remedy}")
        self.problem = problem
        self.remedy = remedy


def explain(doing: str, output: str) -> EmbeddedPostgresError:
    """The error for a Postgres program that failed, from what it wrote."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for phrase, remedy in _REMEDIES:
        told = [line for line in lines if phrase in line]
        if told:
            return EmbeddedPostgresError(f"{doing} failed: {told[0]}.", remedy)
    last = " / ".join(lines[-4:]) or "it wrote no message"
    return EmbeddedPostgresError(f"{doing} failed: {last}.", f"See the message, {OWN_SERVER}.")


@contextmanager
def explained(doing: str, where: Path) -> Generator[None]:
    """Turns what the operating system refuses within the block into an error with a remedy."""
    try:
        yield
    except OSError as error:
        remedy = _DISK_FULL if error.errno in _FULL else _NOT_ALLOWED
        problem = f"{doing} failed at {error.filename or where}: {error.strerror or error}."
        raise EmbeddedPostgresError(problem, remedy) from error
