"""Turns what FastAPI and Starlette raise into the same problems as our own errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException  # noqa: TID251 - what the framework raises is caught here
from starlette.requests import Request
from starlette.responses import Response

from app.api import pages
from app.api.idempotency import Replayed
from app.api.problems import problem, respond
from app.core.errors import ConnectorError, FieldError, InvalidInput, InvalidValue, UnsupportedMedia

MOST_ERRORS = 50
LONGEST_MESSAGE = 200
LONGEST_PART = 64

E = TypeVar("E", bound=Exception)

_FRAMEWORK_CODES: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "route-not-found",
    HTTPStatus.METHOD_NOT_ALLOWED: "method-not-allowed",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "body-too-large",
}

# What FastAPI and pydantic say in their own words, in words for the person who wrote the client.
_MESSAGES: Mapping[str, str] = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here.",
    "model_attributes_type": "This must be a JSON object.",
    "dict_type": "This must be a JSON object.",
    "list_type": "This must be a JSON array.",
    "string_type": "This must be a string.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "decimal_type": "This must be a decimal number written as a string.",
    "decimal_parsing": "This must be a decimal number written as a string.",
    "finite_number": "This must be a finite number.",
    "uuid_type": "This must be a UUID.",
    "uuid_parsing": "This must be a UUID.",
    "date_type": "This must be a date written YYYY-MM-DD.",
    "date_parsing": "This must be a date written YYYY-MM-DD.",
    "date_from_datetime_parsing": "This must be a date written YYYY-MM-DD.",
    "date_from_datetime_inexact": "This must be a date written YYYY-MM-DD.",
    "datetime_parsing": "This must be a time with offset, as in RFC 3339.",
    "datetime_from_date_parsing": "This must be a time with offset, as in RFC 3339.",
    "timezone_aware": "This must be a time with offset, as in RFC 3339.",
    "string_too_long": "At most {max_length} characters.",
    "string_too_short": "At least {min_length} characters.",
    "too_long": "At most {max_length} entries.",
    "too_short": "At least {min_length} entries.",
    "greater_than": "This must be above {gt}.",
    "greater_than_equal": "This must be at least {ge}.",
    "less_than": "This must be below {lt}.",
    "less_than_equal": "This must be at most {le}.",
    "literal_error": "This must be one of: {expected}.",
    "enum": "This must be one of: {expected}.",
    "string_pattern_mismatch": "This is not written as it must be; its pattern is {pattern}.",
}

KINDS = frozenset(_MESSAGES)


def install(app: FastAPI) -> None:
    """Registers a handler for everything that the framework lets escape. The last resort is `app.api.middleware`."""
    app.add_exception_handler(ConnectorError, _ours)
    app.add_exception_handler(Replayed, _replayed)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _framework)


def pointer(location: Sequence[object]) -> str:
    """The JSON pointer (RFC 6901) of a field in the body, or `/query/name`, `/path/name`, `/header/name`."""
    parts = [str(part)[:LONGEST_PART] for part in location]
    if parts[:1] == ["body"]:
        del parts[0]
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def field_error(error: Mapping[str, Any]) -> FieldError:
    """One of pydantic's errors in our words, without what was sent."""
    kind = error["type"]
    if kind == "json_invalid":
        place = {"character": str(error["loc"][-1])}
        return FieldError("", "This is not valid JSON: see character {character}.", place)
    at = pointer(error["loc"])
    context: Mapping[str, Any] = error.get("ctx") or {}
    said = context.get("error")
    if isinstance(said, InvalidValue):
        return FieldError(at, said.message, said.params)
    if message := _MESSAGES.get(kind):
        return FieldError(at, message, {name: str(value)[:LONGEST_MESSAGE] for name, value in context.items()})
    return FieldError(at, str(error["msg"]).removeprefix("Value error, ")[:LONGEST_MESSAGE])


async def _ours(request: Request, error: Exception) -> Response:
    ours = _expect(ConnectorError, error)
    return pages.failure(request.scope, ours) if pages.wants_page(request.scope) else respond(request.scope, ours)


async def _replayed(_request: Request, error: Exception) -> Response:
    answer = _expect(Replayed, error).answer
    return Response(answer.body, answer.status, headers=dict(answer.headers) | {"Idempotent-Replayed": "true"})


async def _invalid(request: Request, error: Exception) -> Response:
    found: Sequence[Mapping[str, Any]] = _expect(RequestValidationError, error).errors()
    if any(one["type"] == "json_invalid" for one in found):
        return respond(request.scope, InvalidInput("invalid-json", [field_error(one) for one in found]))
    if isinstance(_expect(RequestValidationError, error).body, bytes):
        # FastAPI hands the bytes on when the content type does not say JSON.
        return respond(request.scope, UnsupportedMedia("json-expected"))
    errors = [field_error(one) for one in found[:MOST_ERRORS]]
    return respond(request.scope, InvalidInput("invalid-input", errors))


async def _framework(request: Request, error: Exception) -> Response:
    raised = _expect(HTTPException, error)
    status = HTTPStatus(raised.status_code)
    if status == HTTPStatus.BAD_REQUEST:
        # FastAPI's word for a body that is not UTF-8, nests too deep or holds an absurd number.
        return respond(request.scope, InvalidInput("invalid-json", [FieldError("", "This is not valid JSON.")]))
    code = _FRAMEWORK_CODES.get(status, "request-refused")
    return problem(request.scope, code, status, headers=raised.headers)


def _expect(kind: type[E], error: Exception) -> E:
    """Starlette types every handler for `Exception`; each is registered for one class."""
    if not isinstance(error, kind):
        raise error
    return error
