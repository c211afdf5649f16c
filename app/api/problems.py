"""Errors on the wire: RFC 9457 `application/problem+json`, one table from error class to HTTP status."""

from __future__ import annotations

import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Scope

from app.api.auth import TenantCaller
from app.api.language import negotiate
from app.core import catalogue, errors
from app.core.errors import ConnectorError, FieldError

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:arcavis-bexio-connector:problem:"
RETRY_SECONDS = 5.0

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


def problems(*kinds: type[ConnectorError]) -> dict[int | str, dict[str, Any]]:
    """What a route may answer besides success, for its `responses=`: one entry per status."""
    answers: dict[int | str, dict[str, Any]] = {}
    for kind in kinds:
        status = STATUSES[kind]
        answers[int(status)] = described((kind.__doc__ or status.phrase).splitlines()[0])
    return answers


def described(description: str) -> dict[str, Any]:
    """A problem as an OpenAPI response object; `app.api.openapi` adds the schema it points to."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": description, "content": {MEDIA_TYPE: {"schema": schema}}}


def status_of(error: ConnectorError) -> HTTPStatus:
    """The HTTP status of an error: the row of its class, or of the nearest class above."""
    rows = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return next(rows, HTTPStatus.INTERNAL_SERVER_ERROR)


def respond(scope: Scope, error: ConnectorError) -> Response:
    """The response for an error of ours."""
    status = status_of(error)
    found = error.errors if isinstance(error, errors.InvalidInput) else []
    headers = retry_header(error, status)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(scope, error.code, status, error.params, errors=found, headers=headers)


def retry_header(error: ConnectorError, status: HTTPStatus) -> dict[str, str]:
    """When to come back, where that is known or to be expected."""
    retry_after: float = getattr(error, "retry_after", 0.0)
    if retry_after or status == HTTPStatus.SERVICE_UNAVAILABLE:
        return {"Retry-After": str(math.ceil(retry_after or RETRY_SECONDS))}
    return {}


def problem(
    scope: Scope,
    code: str,
    status: HTTPStatus,
    params: Mapping[str, str] | None = None,
    *,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document in the caller's language."""
    caller = scope.get("connector.caller")
    language = negotiate(scope, caller.language if isinstance(caller, TenantCaller) else catalogue.FALLBACK)
    text = catalogue.text(code, params or {}, language)
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": text.title,
        "status": int(status),
        "detail": text.detail,
        "code": code,
        "remedy": text.remedy,
        "request_id": scope.get("connector.request_id"),
    }
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        document["errors"] = [
            {"pointer": found.pointer, "message": catalogue.sentence(found.message, found.params, language)}
            for found in errors or []
        ]
    marks = {"Content-Language": language, "Vary": "Accept-Language"}
    return Response(orjson.dumps(document), int(status), headers=marks | dict(headers or {}), media_type=MEDIA_TYPE)
