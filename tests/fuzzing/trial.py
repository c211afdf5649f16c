"""One generated request: how it is sent into the application, and what its answer must keep whatever it is."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import httpx
import schemathesis as library
from requests import Request
from schemathesis import GenerationMode, checks

from app.core.texts import ENTRIES
from tests.fixtures.shop import Tenant

DOCUMENT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "openapi" / "openapi.json").read_text())
METHODS = ("get", "put", "post", "patch", "delete")
# Without a key of ours: health, figures, and what browsers and the marketplace call, which prove themselves otherwise.
PUBLIC = ("/health/", "/metrics", "/oauth/", "/provision", "/connection/landing")
LONGEST = 10.0
# Fewer for each operation when there are more of them: the seconds stay the same.
ALTOGETHER, AT_LEAST, AT_MOST = 320, 2, 6
PROBLEM = {"type", "title", "status", "detail", "code", "remedy", "request_id"}
BASE = "http://connector"
# Typed only in part.
Case = Any
schemathesis: Any = library


def _without_keys(document: dict[str, Any]) -> dict[str, Any]:
    """The document as whoever has the right key sees it: the key is put in, and left out, by the tests."""
    made = copy.deepcopy(document)
    for path in made["paths"].values():
        for operation in path.values():
            operation.pop("security", None)
    return made


checks.load_all_checks()
_schema = schemathesis.openapi.from_dict(_without_keys(DOCUMENT))
OPERATIONS: dict[str, Any] = {
    operation.label: operation for operation in (found.ok() for found in _schema.get_all_operations())
}
# Asking again without the key is done here, in our loop; whether valid input is accepted depends on what is stored.
EXCLUDED: Any = cast("Any", checks).CHECKS.get_by_names(["ignored_auth", "positive_data_acceptance"])


def examples_each() -> int:
    """How many requests each operation gets of each kind in CI."""
    return min(AT_MOST, max(AT_LEAST, ALTOGETHER // (2 * len(OPERATIONS))))


def kinds(label: str) -> list[GenerationMode]:
    """Valid requests, and wrong ones where there is anything to be wrong: as a header any text is fine."""
    raw = OPERATIONS[label].definition.raw
    wrong = "requestBody" in raw or any(part["in"] != "header" for part in raw.get("parameters", ()))
    return [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if wrong else [GenerationMode.POSITIVE]


def is_public(path: str) -> bool:
    return path.startswith(PUBLIC)


@dataclass
class Target:
    """A connected tenant, and one record of it for each parameter that a path may name."""

    tenant: Tenant
    records: Mapping[str, str]
    _role: str | None = None

    async def send(self, case: Case, mode: GenerationMode) -> httpx.Response:
        """The exact bytes of the case, with the key of a caller who may; a valid id is that of a record."""
        for name in case.path_parameters if mode is GenerationMode.POSITIVE else ():
            if (known := self.records.get(name)) is not None:
                case.path_parameters[name] = known
        return await self._allowed(case.as_transport_kwargs(base_url=BASE))

    async def _allowed(self, parts: Mapping[str, Any]) -> httpx.Response:
        roles = (self._role,) if self._role else ("backoffice", "operator")
        answer = None
        for role in roles:
            answer = await self.raw(parts, {"Authorization": f"Bearer {self.tenant.keys[role]}"})
            if answer.status_code != HTTPStatus.FORBIDDEN:
                self._role = role
                break
        assert answer is not None
        return answer

    async def raw(self, parts: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
        prepared = Request(**parts).prepare()
        given = [
            (name.encode(), _bytes(value))
            for name, value in (*prepared.headers.items(), *headers.items())
            if name != "Authorization" or name in headers
        ]
        async with asyncio.timeout(LONGEST):
            return await self.tenant.shop.client.request(
                str(prepared.method),
                str(prepared.url),
                headers=given,
                content=cast("bytes | str | None", prepared.body),
            )


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("latin-1", "replace")


def check(case: Case, answer: httpx.Response) -> None:
    """Whatever was asked: no failure of ours, what the document says, and every error a problem."""
    assert answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR, f"{case.as_curl_command()}\n{answer.text}"
    assert_told(answer)
    case.validate_response(answer, excluded_checks=EXCLUDED)


def assert_told(answer: httpx.Response) -> None:
    """An answer has its id; an error says what happened and what to do."""
    assert answer.headers["x-request-id"]
    if answer.status_code < HTTPStatus.BAD_REQUEST:
        return
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert set(problem) - {"errors"} == PROBLEM
    assert problem["code"] in ENTRIES
    assert problem["status"] == answer.status_code
    assert problem["remedy"]
    assert (answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY) == ("errors" in problem)
