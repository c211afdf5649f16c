"""Requests and answers of the simulator as bytes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import orjson

from sandbox.bexio.errors import BadRequest

NUMBER: Final = re.compile(r"/(\d{1,18})(?=/|$)")
_JSON: Final = {"content-type": "application/json", "cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request that arrived whole. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    scheme: str = "http"

    @property
    def origin(self) -> str:
        """Where the client believes this host to be."""
        return f"{self.scheme}://{self.headers.get('host', 'localhost')}"

    @property
    def route(self) -> str:
        """The path with `{id}` for every number."""
        return NUMBER.sub("/{id}", self.path)

    @property
    def is_write(self) -> bool:
        """Whether it could change something."""
        return self.method != "GET" and not self.path.endswith("/search")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer in bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def bearer_of(inbound: Inbound) -> str:
    """The bearer token of a request; empty when there is none."""
    scheme, _, bearer = inbound.headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""


def parsed(body: bytes) -> object:
    """A JSON body; an empty one is None.

    Raises:
        BadRequest: when it is no JSON.
    """
    if not body:
        return None
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BadRequest("The request body is not valid JSON.") from None


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer with a JSON body."""
    return Reply(status, {**_JSON, **(headers or {})}, orjson.dumps(content, default=_plain))


def _plain(value: object) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in a bexio answer")
