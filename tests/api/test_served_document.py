"""What the product itself serves as its contract."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from app import bootstrap
from app.api import openapi
from app.connectors.clients import HttpClients
from app.connectors.egress import Egress, network
from app.core.clock import SystemClock
from app.core.vault import generate_key
from app.db.session import Database
from app.main import create_app
from app.settings import Settings

COMMITTED = Path(__file__).parents[2] / "openapi" / "openapi.json"
NOWHERE = "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"


@pytest.fixture(scope="module")
async def document() -> dict[str, Any]:
    settings = Settings.model_validate({"database_url": NOWHERE, "encryption_keys": generate_key("test")})
    egress = Egress(allow_private=False)
    clients = HttpClients(network(egress))
    resources = bootstrap.build(settings, Database(NOWHERE), SystemClock(), egress, clients)
    served = create_app(resources).openapi()
    await clients.close()
    return served


def test_the_committed_document_is_what_is_served(document: dict[str, Any]) -> None:
    """`make openapi` writes it anew."""
    assert json.loads(COMMITTED.read_text()) == document


def test_every_body_of_the_product_has_an_example(document: dict[str, Any]) -> None:
    assert openapi.missing_examples(document) == []


def bodies(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        for one in path.values():
            places = [one.get("requestBody", {}), *one["responses"].values()]
            for place in places:
                for kind, media in place.get("content", {}).items():
                    if kind == "application/json":
                        yield one["operationId"], media


def test_every_example_is_a_valid_one(document: dict[str, Any]) -> None:
    wrong: list[str] = []
    for name, media in bodies(document):
        if "example" in media:
            # jsonschema types its methods only in part.
            validator: Any = Draft202012Validator(media["schema"] | {"components": document["components"]})
            wrong += [f"{name}: {error.json_path} {error.message}" for error in validator.iter_errors(media["example"])]
    assert wrong == []
