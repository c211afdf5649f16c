"""Errors on the wire: RFC 9457 `application/problem+json`, one table from error class to HTTP status."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Scope

from app.core import catalogue, errors
from app.core.errors import ConnectorError, FieldError

MEDIA_TYPE = "application/problem+json"

STATUSES: Mapping[type[ConnectorError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RemoteUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RemoteRejected: HTTPStatus.BAD_GATEWAY,
    errors.RemoteNotFound: HTTPStatus.BAD_GATEWAY,
    errors.ConnectionRefused: HTTPStatus.BAD_GATEWAY,
    errors.OutcomeUnknown: HTTPStatus.BAD_GATEWAY,
    errors.LeaseLost: HTTPStatus.SERVICE_UNAVAILABLE,
}

_RETRY_AFTER = {HTTPStatus.SERVICE_UNAVAILABLE: 5}


def problems(*kinds: type[ConnectorError]) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for its `responses=`: one entry per status."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status = STATUSES[kind]
        answers[int(status)] = response_entry((kind.__doc__ or status.phrase).strip().splitlines()[0])
    return answers


def response_entry(description: str) -> dict[str, Any]:
    """A problem as an OpenAPI response object; `app.api.openapi` adds the schema it points to."""
    return {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def status_of(error: ConnectorError) -> HTTPStatus:
    """The HTTP status of an error: the row of its class, or of the nearest class above."""
    for kind in type(error).__mro__:
        if kind in STATUSES:
            return STATUSES[kind]
    return HTTPStatus.INTERNAL_SERVER_ERROR
