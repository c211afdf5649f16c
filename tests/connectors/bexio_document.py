"""bexio's OpenAPI document, where it is at hand: which requests it allows, and its recorded answers."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, cast

import httpx
import jsonschema

DOCUMENT = Path(__file__).parents[3] / "shared" / "reference" / "bexio-openapi.json"

Json = dict[str, Any]

# What the document does not say and bexio does, each with where it is known from.
TOLERATED_PARAMETERS = {
    "/2.0/kb_item_setting": {"order_by"},
    # `order_by=id_desc` was seen to work by Noevu/bexio-cli (bexio.md 7).
    "/3.0/accounting/manual_entries": {"order_by"},
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    content: Json

    def matches(self, method: str, path: str) -> bool:
        pattern = re.sub(r"\{[^}]+\}", "[^/]+", self.path)
        return method == self.method and re.fullmatch(pattern, path) is not None

    @property
    def body(self) -> Json | None:
        if "requestBody" not in self.content:
            return None
        return cast("Json", self.content["requestBody"]["content"]["application/json"]["schema"])

    @property
    def parameters(self) -> set[str]:
        found = [_resolved(one) for one in self.content.get("parameters", [])]
        return {one["name"] for one in found if one["in"] == "query"}


@cache
def _document() -> Json:
    return cast("Json", json.loads(DOCUMENT.read_bytes()))


@cache
def operations() -> tuple[Operation, ...]:
    return tuple(
        Operation(method.upper(), path, content)
        for path, methods in _document()["paths"].items()
        for method, content in methods.items()
        if method in {"get", "post", "put", "patch", "delete"}
    )


def available() -> bool:
    return DOCUMENT.exists()


def operation(method: str, path: str) -> Operation:
    exact = [one for one in operations() if (one.method, one.path) == (method, path)]
    found = exact or [one for one in operations() if one.matches(method, path)]
    assert len(found) == 1, f"{method} {path} is not in bexio's document"
    return found[0]


def check(request: httpx.Request) -> None:
    """Fails when the document does not allow a request: method, path, query and body, with no field beyond."""
    called = operation(request.method, request.url.path)
    unknown = set(request.url.params) - called.parameters - TOLERATED_PARAMETERS.get(called.path, set())
    assert not unknown, f"{called.path} does not take {unknown}"
    if called.body is None:
        assert not request.content, f"{called.path} takes no body"
        return
    validator = jsonschema.Draft202012Validator(_strict(called.body), format_checker=jsonschema.FormatChecker())
    validator.validate(json.loads(request.content))  # pyright: ignore[reportUnknownMemberType] - jsonschema is untyped


def _resolved(node: Json) -> Json:
    while "$ref" in node:
        target: Any = _document()
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = cast("Json", target)
    return node


def _strict(schema: Json) -> Json:
    """A schema that allows no field that is unknown or read-only."""
    schema = _translated(schema)
    if "items" in schema:
        return {**schema, "items": _closed(schema["items"])}
    return _closed(schema)


def _closed(schema: Json) -> Json:
    return schema if "oneOf" in schema else {"allOf": [schema], "unevaluatedProperties": False}


def _translated(schema: Json) -> Json:
    """OpenAPI 3.0 as JSON Schema: references followed, `nullable` written out, read-only properties forbidden."""
    resolved = dict(_resolved(schema))
    resolved.pop("discriminator", None)
    if "properties" in resolved:
        properties = cast("dict[str, Json]", resolved["properties"])
        resolved["properties"] = {
            name: False if one.get("readOnly") else _translated(one) for name, one in properties.items()
        }
    if "items" in resolved:
        resolved["items"] = _translated(resolved["items"])
    for key in ("allOf", "anyOf"):
        if key in resolved:
            resolved[key] = [_translated(one) for one in resolved[key]]
    if "oneOf" in resolved:
        resolved["oneOf"] = [_closed(_translated(one)) for one in resolved["oneOf"]]
    if resolved.pop("nullable", False):
        return {"anyOf": [resolved, {"type": "null"}]}
    return resolved
