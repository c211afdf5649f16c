"""Errors as one line that says what to do, and an exit code that says whether to try again."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

from pydantic import ValidationError

from app.cli.children import ChildFailed
from app.core import catalogue
from app.core.errors import ConnectorError, InvalidInput, RemoteUnavailable, Unavailable


class Exit(IntEnum):
    """What the program's exit code means."""

    FAILED = 1
    """it did not work, or a check found something: the line says what to change"""
    USAGE = 2
    """the command or a CONNECTOR_* variable is wrong"""
    UNAVAILABLE = 3
    """something it needs is not there now: trying again later may help"""
    INTERRUPTED = 130
    """ended by Ctrl-C"""


@dataclass(frozen=True, slots=True)
class Failure:
    """What to print, and the exit code."""

    message: str
    exit_code: Exit


class CommandFailed(Exception):
    """A command cannot go on; the message says why and what to do."""

    def __init__(self, message: str, exit_code: Exit = Exit.FAILED) -> None:
        super().__init__(message)
        self.failure = Failure(message, exit_code)


@contextmanager
def reaching_database() -> Generator[None]:
    """Turns what a connection of our own to CONNECTOR_DATABASE_URL runs into, into a failure."""
    from asyncpg import PostgresError  # pyright: ignore[reportMissingTypeStubs]
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except (OSError, TimeoutError) as error:
        told = f"The database of CONNECTOR_DATABASE_URL does not answer: {error}. Start it, or correct the variable."
        raise CommandFailed(told, Exit.UNAVAILABLE) from error
    except (DBAPIError, PostgresError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        lacks_right = getattr(cause, "sqlstate", None) == _INSUFFICIENT_PRIVILEGE
        remedy = _ROLES if lacks_right else "Check CONNECTOR_DATABASE_URL."
        raise CommandFailed(f"The database refused: {_first_line(cause)}. {remedy}") from error


_INSUFFICIENT_PRIVILEGE = "42501"
_ROLES = (
    "Its user must own the database and have CREATEROLE, or find the role connector_app made for it:"
    " `create role connector_app; grant connector_app to <user>;`."
)


def _first_line(error: object) -> str:
    """What the database said, without its error class, its detail and the statement: those may quote values."""
    said = str(error).splitlines()[0]
    return said.split(">: ", 1)[-1].rstrip(".")


def explain(error: BaseException, language: str) -> Failure | None:
    """The failure behind an error that was foreseen; None for one that is a fault of the program."""
    match error:
        case BaseExceptionGroup() if len(error.exceptions) == 1:
            return explain(error.exceptions[0], language)
        case CommandFailed():
            return error.failure
        case KeyboardInterrupt():
            return Failure("Interrupted.", Exit.INTERRUPTED)
        case _:
            return _foreseen(error, language)


def _foreseen(error: BaseException, language: str) -> Failure | None:
    match error:
        case ConnectorError():
            return _connector_error(error, language)
        case ValidationError():
            return Failure(_settings_error(error) if error.title == "Settings" else _input_error(error), Exit.USAGE)
        case ChildFailed():
            return Failure(str(error), Exit.UNAVAILABLE)
        case _:
            return _database_error(error)


def _connector_error(error: ConnectorError, language: str) -> Failure:
    said = catalogue.text(error.code, error.params, language)
    parts = [said.detail]
    if isinstance(error, InvalidInput) and error.errors:
        parts.append("; ".join(f"{one.pointer}: {one.message}" for one in error.errors))
    away = isinstance(error, Unavailable | RemoteUnavailable)
    return Failure(" ".join([*parts, said.remedy]), Exit.UNAVAILABLE if away else Exit.FAILED)


def _settings_error(error: ValidationError) -> str:
    told = " ".join(f"CONNECTOR_{where.upper()}: {what}." for where, what in _wrong(error))
    return f"{told} `connector settings` lists every variable with its meaning."


def _input_error(error: ValidationError) -> str:
    return " ".join(f"{where}: {what}." for where, what in _wrong(error))


def _wrong(error: ValidationError) -> list[tuple[str, str]]:
    """Where and what, without the values: one of them may be a secret."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [(".".join(map(str, one["loc"])), one["msg"]) for one in found]


def _database_error(error: BaseException) -> Failure | None:
    # Loaded here: a command that needs no database should not wait for SQLAlchemy.
    from sqlalchemy.exc import ArgumentError, DBAPIError

    from app.db.embedded import EmbeddedPostgresError

    if isinstance(error, EmbeddedPostgresError):
        return Failure(str(error), Exit.UNAVAILABLE)
    if isinstance(error, ArgumentError):
        return Failure("CONNECTOR_DATABASE_URL is no database URL: postgresql://user:password@host/name.", Exit.USAGE)
    if isinstance(error, DBAPIError):
        # The statement and its parameters stay out: they may hold personal data.
        return Failure(f"The database refused: {_first_line(error.orig)}.", Exit.FAILED)
    return None
