"""The simulated API without its faults: token, outage, limit, path, scope, then the resource.

Synchronous, so that a request happens whole or not at all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import parse_qsl

import orjson

from sandbox.bexio import (
    articles,
    contacts,
    invoices,
    journal,
    lines,
    manual_entries,
    masterdata,
    orders,
    payments,
    taxes,
)
from sandbox.bexio.call import Answer, Call, Route, Routes
from sandbox.bexio.errors import BadRequest, BexioError, Forbidden, Invalid, NotFound, TooManyRequests
from sandbox.bexio.limits import Standing
from sandbox.bexio.world import Token, World

_NUMBER: Final = re.compile(r"/(\d{1,18})(?=/|$)")
_JSON: Final = {"content-type": "application/json", "cache-control": "no-store"}


@dataclass(frozen=True, slots=True)
class Inbound:
    """A request that arrived whole. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def route(self) -> str:
        """The path with `{id}` for every number."""
        return _NUMBER.sub("/{id}", self.path)

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


class Api:
    """Answers requests over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._routes: Routes = {
            **contacts.routes(),
            **articles.routes(),
            **masterdata.routes(),
            **invoices.routes(),
            **payments.routes(),
            **orders.routes(),
            **lines.routes(),
            **taxes.routes(),
            **manual_entries.routes(),
            **journal.routes(),
        }

    def perform(self, inbound: Inbound) -> Reply:
        """Do what is asked and answer it."""
        headers: dict[str, str] = {}
        try:
            token = self.world.token(bearer_of(inbound))
            route = self._route(inbound)
            standing = self.world.limits.take(token.company_id, route.bucket, self.world.now())
            headers = {} if standing is None else standing.headers()
            return self._answer(inbound, token, route, standing, headers)
        except BexioError as error:
            return as_json(error.body(), error.status, headers)

    def _answer(
        self, inbound: Inbound, token: Token, route: Route, standing: Standing | None, headers: dict[str, str]
    ) -> Reply:
        if standing is not None and standing.exceeded:
            raise TooManyRequests("API rate limit exceeded")
        for scope in route.scopes:
            if not token.allows(scope):
                raise Forbidden(f"The access token lacks the scope {scope}.")
        answer = route.answer(self._call(inbound, token))
        return as_json(answer.content, answer.status, {**answer.headers, **headers})

    def _route(self, inbound: Inbound) -> Route:
        route = self._routes.get((inbound.method, inbound.route))
        if route is not None:
            return route
        if inbound.method == "PUT" and inbound.path.startswith("/2.0/kb_"):
            return Route(_put_on_a_document)
        return Route(_unknown_path)

    def _call(self, inbound: Inbound, token: Token) -> Call:
        return Call(
            company=self.world.company(token.company_id),
            user_id=token.user_id,
            ids=tuple(int(each) for each in _NUMBER.findall(inbound.path)),
            query=dict(parse_qsl(inbound.query, keep_blank_values=True)),
            body=parsed(inbound.body),
            allows=token.allows,
        )


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


def _unknown_path(_call: Call) -> Answer:
    raise NotFound("The requested resource does not exist.")


def _put_on_a_document(_call: Call) -> Answer:
    """A 2.0 document is edited by POST; PUT gives a 422 without detail."""
    raise Invalid("The form could not be saved due to the following errors:", [])


def _plain(value: object) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in a bexio answer")
