from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict

from app.api import openapi
from app.api.assembly import assemble
from app.api.deps import Backoffice
from app.db.session import Database
from tests.api.tiny import Bench


@pytest.fixture
def unconnected() -> Bench:
    """Resources whose database does not exist."""
    return Bench(Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing"))


@pytest.fixture
def document(unconnected: Bench) -> dict[str, Any]:
    return unconnected.app().openapi()


def operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = [one for path in document["paths"].values() for one in path.values() if one["operationId"] == name]
    assert len(found) == 1
    return found[0]


def test_the_document_needs_no_database_and_says_the_same_each_time(unconnected: Bench) -> None:
    assert openapi.render(unconnected.app()) == openapi.render(unconnected.app())


async def test_what_is_written_is_what_is_served(unconnected: Bench, tmp_path: Path) -> None:
    path = tmp_path / "openapi" / "openapi.json"
    openapi.write(unconnected.app(), path)
    async with unconnected.client() as client:
        served = await client.get("/openapi.json")
    assert httpx.Response(200, content=path.read_bytes()).json() == served.json()
    assert path.read_text().endswith("}\n")


def test_operations_are_named_after_their_functions(document: dict[str, Any]) -> None:
    names = {one["operationId"] for path in document["paths"].values() for one in path.values()}
    assert {"get_liveness", "get_readiness", "get_metrics", "make_thing", "list_things"} <= names


def test_every_problem_is_problem_json(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for one in path.values():
            for status, response in one["responses"].items():
                if not status.startswith("2"):
                    assert list(response["content"]) == ["application/problem+json"]
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_who_needs_a_key_may_be_refused(document: dict[str, Any]) -> None:
    make = operation(document, "make_thing")
    assert make["security"] == [{"ApiKey": []}]
    assert {"201", "401", "403", "409", "422", "default"} == set(make["responses"])
    assert "security" not in operation(document, "get_liveness")
    assert document["components"]["securitySchemes"]["ApiKey"]["scheme"] == "bearer"


def test_the_headers_of_a_dependency_are_documented(document: dict[str, Any]) -> None:
    named = {(one["in"], one["name"]) for one in operation(document, "make_thing")["parameters"]}
    assert named == {("header", "Idempotency-Key"), ("header", "Prefer")}


def test_every_body_has_an_example(document: dict[str, Any]) -> None:
    assert openapi.missing_examples(document) == []
    page = operation(document, "list_things")["responses"]["200"]["content"]["application/json"]
    assert page["example"] == {"items": [{"id": 1, "name": "Apfel"}], "next_cursor": None}


class Nested(BaseModel):
    """Part of an answer."""

    zeta: str
    alpha: str | None


class Nulls(BaseModel):
    """An answer with nulls in its example."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"later": [{"zeta": "1", "alpha": None}], "earlier": None, "nested": {"zeta": "2"}}]
        }
    )

    later: list[Nested]
    earlier: Nested | None
    nested: Nested | None


def test_examples_keep_their_order_and_their_nulls(unconnected: Bench) -> None:
    router = APIRouter()

    @router.get("/nulls")
    async def get_nulls() -> Nulls:
        raise NotImplementedError

    document = assemble(unconnected, [router]).openapi()
    example = operation(document, "get_nulls")["responses"]["200"]["content"]["application/json"]["example"]
    assert json.dumps(example) == json.dumps(
        {"later": [{"zeta": "1", "alpha": None}], "earlier": None, "nested": {"zeta": "2", "alpha": None}}
    )


class Bare(BaseModel):
    """A body that nobody gave an example."""

    name: str


def test_a_body_without_an_example_is_found(unconnected: Bench) -> None:
    router = APIRouter()

    @router.post("/bare")
    async def make_bare(bare: Bare, _caller: Backoffice) -> Bare:
        return bare

    document = assemble(unconnected, [router]).openapi()
    assert openapi.missing_examples(document) == ["make_bare: request", "make_bare: 200"]


async def test_problems_look_as_documented(document: dict[str, Any], unconnected: Bench) -> None:
    schema = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    # jsonschema types its methods only in part.
    validator: Any = Draft202012Validator(schema)
    async with unconnected.client() as client:
        for url in ("/nowhere", "/things/sold", "/things/broken", "/health/ready", "/things/waiting/x"):
            validator.validate((await client.get(url)).json())
