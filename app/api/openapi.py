"""The OpenAPI document: FastAPI's own, with problems instead of its 422, and an example for every body."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from app.api.problems import TYPE_PREFIX, described
from app.core.catalogue import FALLBACK, text
from app.core.texts import ENTRIES

TITLE = "Arcavis-bexio connector"
VERSION = "1.0.0"
DESCRIPTION = """\
Joins Arcavis (point of sale and backoffice) and bexio (business software).

Money and quantities are decimal strings, times RFC 3339 with offset, dates `YYYY-MM-DD`. Unknown fields are
refused. Lists answer `{"items": [...], "next_cursor": null}`. Errors are RFC 9457 problems whose `code` is
stable and whose `remedy` says what to do, in the language of `Accept-Language` (de, fr, it, en). Every answer
carries `X-Request-Id`."""

_SECURED = {"401": "No key, or one that is not valid (any more).", "403": "The key may not do this."}
_OTHERS = "Any other problem: too many requests (429), not available now (503), internal error (500)."


class FieldProblem(BaseModel):
    """One thing wrong with the input."""

    pointer: str = Field(description="JSON pointer into the body, or /query/…, /path/…, /header/….")
    message: str


class Problem(BaseModel):
    """Why a request was not done, and what to do (RFC 9457)."""

    model_config = ConfigDict(extra="forbid")

    type: str
    title: str
    status: int
    detail: str
    code: str = Field(
        description="Stable; these exist.",
        json_schema_extra={"x-codes": {code: entry.title for code, entry in sorted(ENTRIES.items())}},
    )
    remedy: str = Field(description="What the caller can do.")
    request_id: str
    errors: list[FieldProblem] = Field(default=[], description="With status 422: what is wrong, and where.")


class Application(FastAPI):
    """FastAPI that serves our document."""

    def openapi(self) -> dict[str, Any]:
        """The document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _document(self)
        return self.openapi_schema


def render(app: FastAPI) -> str:
    """The document as it is committed: indented JSON with a final newline."""
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def write(app: FastAPI, path: Path) -> None:
    """Writes the document to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(app), encoding="utf-8")


def missing_examples(document: Mapping[str, Any]) -> list[str]:
    """The request and success bodies that have no example, as `operation id: place`."""
    missing: list[str] = []
    for operation in _operations(document):
        for place, media in _bodies(operation):
            if "example" not in media and "examples" not in media:
                missing.append(f"{operation['operationId']}: {place}")
    return missing


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(_problem_schemas())
    for operation in _operations(document):
        _describe_problems(operation)
        for _, media in _bodies(operation):
            if "example" not in media and "examples" not in media:
                example = _example(media.get("schema", {}), schemas)
                if example is not None:
                    media["example"] = example
    return document


def _problem_schemas() -> dict[str, Any]:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = schema.pop("$defs")
    said = text("invalid-input", {}, FALLBACK)
    schema["example"] = {
        "type": f"{TYPE_PREFIX}invalid-input",
        "title": said.title,
        "status": 422,
        "detail": said.detail,
        "code": "invalid-input",
        "remedy": said.remedy,
        "request_id": "0b2c5f0e8f6f4c0f9a1d3c5b7e9f1a2b",
        "errors": [{"pointer": "/lines/0/amount", "message": "This field is required."}],
    }
    return {**parts, "Problem": schema}


def _describe_problems(operation: dict[str, Any]) -> None:
    responses: dict[str, Any] = operation["responses"]
    if "422" in responses:
        responses["422"] = described("The input is not valid; `errors` say where.")
    if operation.get("security"):
        for status, description in _SECURED.items():
            responses.setdefault(status, described(description))
    responses.setdefault("default", described(_OTHERS))
    operation["responses"] = dict(sorted(responses.items()))


def _operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()


def _bodies(operation: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The media types of the request and of every success."""
    for media in operation.get("requestBody", {}).get("content", {}).values():
        yield "request", media
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            for media in response.get("content", {}).values():
                yield status, media


def _example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """A schema's example, or one put together from its parts; None without."""
    schema = _resolved(schema, schemas)
    if "examples" in schema:
        return _restored(schema["examples"][0], schema, schemas)
    for key in ("example", "const"):
        if key in schema:
            return schema[key]
    if schema.get("type") == "array":
        item = _example(schema.get("items", {}), schemas)
        return None if item is None else [item]
    if schema.get("type") == "object" and "properties" in schema:
        return _object_example(schema, schemas)
    return None


def _object_example(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any] | None:
    made: dict[str, Any] = {}
    for name, part in schema["properties"].items():
        example = _example(part, schemas)
        if example is not None or _is_nullable(part):
            made[name] = example
        elif name in schema.get("required", ()):
            return None
    return made


def _restored(example: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """An example in its schema's order, with the nulls that FastAPI drops from its document."""
    schema = _resolved(schema, schemas)
    if "properties" in schema:
        given = cast("dict[str, Any]", example)
        made: dict[str, Any] = {}
        for name, part in schema["properties"].items():
            if name in given:
                made[name] = _restored(given[name], part, schemas)
            elif name in schema.get("required", ()) and _is_nullable(part):
                made[name] = None
        return made | {name: value for name, value in given.items() if name not in made}
    if "items" in schema:
        return [_restored(one, schema["items"], schemas) for one in cast("list[Any]", example)]
    return example


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference, or `something or null`, stands for."""
    if "$ref" in schema:
        return _resolved(schemas[schema["$ref"].rsplit("/", 1)[-1]], schemas)
    choices = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1 and "examples" not in schema:
        return _resolved(choices[0], schemas)
    return schema


def _is_nullable(schema: Mapping[str, Any]) -> bool:
    return any(one.get("type") == "null" for one in schema.get("anyOf", ()))
