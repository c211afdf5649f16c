"""Errors, grouped by what to do next. What they say to people stands in the catalogue under their code.

An error carries a stable code and the parameters of its texts, nothing internal and no personal data. Its HTTP
status is written in one table in `app.api.problems`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with the input: a JSON pointer into the body, and a message of `app.core.texts.fields`.

    Without `params` the message is said as it stands: a choice that is offered may hold braces.
    """

    pointer: str
    message: str
    params: Mapping[str, str] = field(default_factory=dict[str, str])


class InvalidValue(ValueError):
    """What a validator says of a value: a message of `app.core.texts.fields` and its parameters."""

    def __init__(self, message: str, **params: object) -> None:
        super().__init__(message.format_map(params) if params else message)
        self.message = message
        self.params = {name: str(value) for name, value in params.items()}


class ConnectorError(Exception):
    """An error with a code from the catalogue and the parameters of its texts."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code)
        self.code = code
        self.params = {name: str(value) for name, value in params.items()}

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.code} ({details})" if details else self.code


class RequestError(ConnectorError):
    """The caller must change something."""


class InvalidInput(RequestError):
    """The body or a parameter is wrong; `errors` say where."""

    def __init__(self, code: str, errors: list[FieldError] | None = None, **params: object) -> None:
        super().__init__(code, **params)
        self.errors = errors or []


class Unauthenticated(RequestError):
    """No key, or one that is not valid (any more)."""


class Forbidden(RequestError):
    """The key is valid but may not do this."""


class NotFound(RequestError):
    """There is no such record for this caller."""


class Conflict(RequestError):
    """The record's state, or an earlier request, forbids this."""


class PreconditionFailed(RequestError):
    """`If-Match` names another version."""


class PreconditionRequired(RequestError):
    """`If-Match` is missing."""


class TooLarge(RequestError):
    """The body is larger than the route takes."""


class UnsupportedMedia(RequestError):
    """The body is not JSON."""


class RateLimited(RequestError):
    """Too many requests with this key; `retry_after` in seconds."""

    def __init__(self, code: str, retry_after: float, **params: object) -> None:
        super().__init__(code, **params)
        self.retry_after = retry_after


class Unavailable(ConnectorError):
    """We cannot serve now (the database is away); nothing was written."""


class RemoteError(ConnectorError):
    """A remote system did not do what was asked; `system` is `bexio` or `arcavis`."""

    def __init__(self, code: str, system: str, **params: object) -> None:
        super().__init__(code, system=system, **params)
        self.system = system


class RemoteUnavailable(RemoteError):
    """It surely did nothing. Try again, not before `retry_after` seconds."""

    def __init__(self, code: str, system: str, retry_after: float = 0.0, **params: object) -> None:
        super().__init__(code, system, **params)
        self.retry_after = retry_after


class RemoteRejected(RemoteError):
    """It refused, and will refuse the same again: a person or a fix is needed.

    `status` is the HTTP status, `reasons` the remote's own words, cleaned and cut.
    """

    def __init__(self, code: str, system: str, status: int, reasons: tuple[str, ...] = (), **params: object) -> None:
        super().__init__(code, system, status=status, reasons="; ".join(reasons), **params)
        self.status = status
        self.reasons = reasons


class RemoteNotFound(RemoteRejected):
    """There is no such record there (404, or 410)."""


class ConnectionRefused(RemoteRejected):
    """The credentials are missing, expired, revoked, or lack a right (401, 403): reconnect or ask for the right."""


class OutcomeUnknown(RemoteError):
    """A write may or may not have happened. Look first, then decide; never repeat it blindly."""


class LeaseLost(ConnectorError):
    """Another worker owns the operation now; whoever gets this writes nothing more."""

    def __init__(self) -> None:
        super().__init__("lease-lost")
