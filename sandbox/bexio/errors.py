"""bexio's refusals and the JSON that it answers them with."""

from collections.abc import Sequence
from typing import Any

FORM_MESSAGE = "The form could not be saved due to the following errors:"


class BexioError(Exception):
    """A refusal; `errors` is left out of the answer when None, and may be empty as bexio's sometimes is."""

    status = 500

    def __init__(self, message: str, errors: Sequence[object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """`{error_code, message, errors?}`."""
        body: dict[str, Any] = {"error_code": self.status, "message": self.message}
        return body if self.errors is None else {**body, "errors": list(self.errors)}


class BadRequest(BexioError):
    """The request itself is malformed."""

    status = 400


class Unauthorized(BexioError):
    """No token, or one that is unknown, revoked or expired."""

    status = 401


class Forbidden(BexioError):
    """The token's scope, the user's right or the record's state forbids it."""

    status = 403


class NotFound(BexioError):
    """There is no such record or path."""

    status = 404


class Conflict(BexioError):
    """The record is in use."""

    status = 409


class Invalid(BexioError):
    """What was sent, or the step that was asked for, is not possible."""

    status = 422


class TooManyRequests(BexioError):
    """The minute's requests are used up."""

    status = 429


class Broken(BexioError):
    """bexio failed, possibly after it saved something."""

    status = 500


def form_errors(*errors: str) -> Invalid:
    """A form that was not saved, with the reason per field."""
    return Invalid(FORM_MESSAGE, errors)
