from __future__ import annotations

from http import HTTPStatus
from typing import Any

import httpx
import pytest

from app.api.auth import Role
from app.api.problems import MEDIA_TYPE, STATUSES, problems
from app.core import errors
from app.core.errors import ConnectorError
from tests.api.tiny import OPERATOR_KEY, Bench, bearer

APPLE = {"name": "Apfel", "price": "1.20"}
ENGLISH = {"Accept-Language": "en"}


def leaves(kind: type[ConnectorError]) -> list[type[ConnectorError]]:
    below = kind.__subclasses__()
    ours = [one for one in below if one.__module__ == errors.__name__]
    return [leaf for one in ours for leaf in leaves(one)] or [kind]


@pytest.mark.parametrize("kind", leaves(ConnectorError))
def test_every_kind_of_error_has_a_status(kind: type[ConnectorError]) -> None:
    assert kind in STATUSES
    assert STATUSES[kind] >= HTTPStatus.BAD_REQUEST


def test_a_route_names_its_problems_by_their_class() -> None:
    named = problems(errors.NotFound, errors.Conflict)
    assert set(named) == {404, 409}
    assert MEDIA_TYPE in named[404]["content"]


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == MEDIA_TYPE
    body = answer.json()
    assert body["code"] == code
    assert body["status"] == status
    assert body["type"].endswith(code)
    assert body["title"]
    assert body["detail"]
    assert body["remedy"]
    assert body["request_id"] == answer.headers["x-request-id"]
    return body


async def post(client: httpx.AsyncClient, **request: Any) -> httpx.Response:  # noqa: ANN401
    headers = bearer(OPERATOR_KEY) | ENGLISH | request.pop("headers", {})
    return await client.post("/things/by-operator", headers=headers, **request)


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (errors.RemoteUnavailable("bexio-unreachable", "bexio", 12.2, cause="time-out"), 503, "13"),
        (errors.RemoteUnavailable("bexio-busy", "bexio"), 503, "5"),
        (errors.RemoteRejected("bexio-rejected", "bexio", 422, ("name is too long",)), 502, None),
        (errors.RemoteNotFound("bexio-not-found", "bexio", 404), 502, None),
        (errors.ConnectionRefused("bexio-unauthorized", "bexio", 401), 502, None),
        (errors.OutcomeUnknown("bexio-outcome-unknown", "bexio", cause="reset"), 502, None),
        (errors.Unavailable("database-unavailable"), 503, "5"),
        (errors.RateLimited("too-many-requests", 3, limit=10, seconds=3), 429, "3"),
        (errors.NotFound("document-not-found"), 404, None),
        (errors.PreconditionFailed("settings-incomplete", setting="x"), 412, None),
    ],
)
async def test_an_error_of_ours_becomes_a_problem(
    client: httpx.AsyncClient, bench: Bench, error: ConnectorError, status: int, retry_after: str | None
) -> None:
    bench.failing = error
    answer = await client.get("/things/failing")
    assert_problem(answer, status, error.code)
    assert answer.headers.get("retry-after") == retry_after


async def test_what_bexio_said_is_passed_on(client: httpx.AsyncClient, bench: Bench) -> None:
    bench.failing = errors.RemoteRejected("bexio-rejected", "bexio", 422, ("name_1 is too long",))
    answer = await client.get("/things/failing", headers=ENGLISH)
    assert answer.json()["detail"] == "bexio answered with status 422: name_1 is too long"


async def test_a_defect_tells_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    answer = await client.get("/things/broken")
    body = assert_problem(answer, 500, "internal-error")
    assert "hunter2" not in answer.text
    assert "RuntimeError" not in answer.text
    assert "errors" not in body


async def test_unknown_addresses_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    assert_problem(await client.get("/nowhere"), 404, "route-not-found")
    answer = await client.delete("/things/sold")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"] == "GET"


async def test_each_wrong_field_is_named_by_its_pointer(client: httpx.AsyncClient) -> None:
    wrong = {"price": "much", "tags": ["a", 2], "colour": "red"}
    body = assert_problem(await post(client, json=wrong), 422, "invalid-input")
    assert body["errors"] == [
        {"pointer": "/name", "message": "This field is required."},
        {"pointer": "/price", "message": "This must be a decimal number written as a string."},
        {"pointer": "/tags/1", "message": "This must be a string."},
        {"pointer": "/colour", "message": "This field is not known here."},
    ]


async def test_a_pointer_is_escaped_as_rfc_6901_says(client: httpx.AsyncClient) -> None:
    body = assert_problem(await post(client, json=APPLE | {"a/b~c": 1}), 422, "invalid-input")
    assert body["errors"][0]["pointer"] == "/a~1b~0c"


async def test_long_input_is_not_echoed(client: httpx.AsyncClient) -> None:
    answer = await post(client, json=APPLE | {"x" * 5000: "y" * 5000, "price": "z" * 5000})
    assert_problem(answer, 422, "invalid-input")
    assert len(answer.content) < 1500
    assert "yyy" not in answer.text
    assert "zzz" not in answer.text


async def test_a_thousand_errors_are_cut(client: httpx.AsyncClient) -> None:
    body = assert_problem(await post(client, json=APPLE | {"tags": [1] * 1000}), 422, "invalid-input")
    assert len(body["errors"]) == 50


async def test_query_and_path_have_pointers_too(client: httpx.AsyncClient, bench: Bench) -> None:
    key = await bench.key(Role.BACKOFFICE, await bench.tenant())
    answer = await client.get("/things?limit=0", headers=bearer(key) | ENGLISH)
    assert assert_problem(answer, 422, "invalid-input")["errors"][0]["pointer"] == "/query/limit"
    answer = await client.get("/things/waiting/no-uuid", headers=ENGLISH)
    body = assert_problem(answer, 422, "invalid-input")
    assert body["errors"] == [{"pointer": "/path/subject", "message": "This must be a UUID."}]


@pytest.mark.parametrize(
    "content",
    [b"{", b'{"name": "\xff"}', b"[" * 100_000, b'{"name": ' + b"9" * 10_000 + b"}", b"nonsense", b'{"name": "\x00"}'],
)
async def test_what_is_not_json_is_refused(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await post(client, content=content, headers={"Content-Type": "application/json"})
    body = assert_problem(answer, 422, "invalid-json")
    assert body["errors"][0]["message"].startswith("This is not valid JSON")


@pytest.mark.parametrize("name", [r"\ud800", r"a\uDFFF", r"a\u0000b", r"\\\u0000"])
async def test_text_that_cannot_be_stored_is_refused_before_anything_happens(
    client: httpx.AsyncClient, bench: Bench, name: str
) -> None:
    content = f'{{"name": "a", "price": "1", "tags": ["b", "{name}"]}}'.encode()
    answer = await post(client, content=content, headers={"Content-Type": "application/json"})
    body = assert_problem(answer, 422, "text-not-storable")
    message = "This text contains the character NUL or half a Unicode character."
    assert body["errors"] == [{"pointer": "/tags/1", "message": message}]
    assert bench.made == []


@pytest.mark.parametrize(("name", "said"), [(r"\\u0000", r"\u0000"), (r"\ud83c\udf4e", "\U0001f34e")])
async def test_what_only_looks_like_it_is_taken(client: httpx.AsyncClient, name: str, said: str) -> None:
    content = f'{{"name": "{name}", "price": "1"}}'.encode()
    answer = await post(client, content=content, headers={"Content-Type": "application/json"})
    assert answer.json()["name"] == said


async def test_a_key_with_nul_is_refused(client: httpx.AsyncClient) -> None:
    content = rb'{"a": [{"b\u0000": 1}]}'
    answer = await post(client, content=content, headers={"Content-Type": "application/json"})
    assert assert_problem(answer, 422, "text-not-storable")["errors"][0]["pointer"] == "/a/0"


@pytest.mark.parametrize("url", ["/things?cursor=a%00b", "/things/%00"])
async def test_nul_in_the_address_is_refused(client: httpx.AsyncClient, url: str) -> None:
    assert_problem(await client.get(url), 422, "text-not-storable")


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity"])
async def test_a_price_is_a_number(client: httpx.AsyncClient, price: str) -> None:
    content = f'{{"name": "a", "price": {price}}}'.encode()
    for body in (content, content.replace(price.encode(), f'"{price}"'.encode())):
        answer = await post(client, content=body, headers={"Content-Type": "application/json"})
        assert assert_problem(answer, 422, "invalid-input")["errors"][0]["pointer"] == "/price"


async def test_another_content_type_is_refused(client: httpx.AsyncClient) -> None:
    answer = await post(client, content=b"<a/>", headers={"Content-Type": "text/xml"})
    assert_problem(answer, 415, "json-expected")


async def test_an_empty_body_is_a_missing_one(client: httpx.AsyncClient) -> None:
    body = assert_problem(await post(client), 422, "invalid-input")
    assert body["errors"] == [{"pointer": "", "message": "This field is required."}]


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("de", "de"),
        ("de-CH", "de"),
        ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7", "fr"),
        ("rm, it;q=0.5, de;q=0.4", "it"),
        ("en;q=0.1, de;q=0.9", "de"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("ja", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=x, ;;;,=,\xe9", "en"),
    ],
)
async def test_the_remedy_comes_in_the_callers_language(client: httpx.AsyncClient, wanted: str, language: str) -> None:
    answer = await client.get("/nowhere", headers=[(b"Accept-Language", wanted.encode("latin-1"))])
    remedies = {
        "en": "Check the path against the API's documentation.",
        "de": "Prüfen Sie den Pfad anhand der Dokumentation der Schnittstelle.",
        "fr": "Vérifiez le chemin dans la documentation de l’interface.",  # noqa: RUF001
        "it": "Controllate il percorso nella documentazione dell’interfaccia.",  # noqa: RUF001
    }
    assert answer.json()["remedy"] == remedies[language]
    assert answer.headers["content-language"] == language


async def test_without_a_wish_the_shops_language_holds(client: httpx.AsyncClient, bench: Bench) -> None:
    key = await bench.key(Role.POS, await bench.tenant(language="it"))
    assert (await client.get("/things", headers=bearer(key))).headers["content-language"] == "it"


async def test_messages_about_fields_are_translated(client: httpx.AsyncClient) -> None:
    answer = await post(client, json={"price": "1"}, headers={"Accept-Language": "fr"})
    assert answer.json()["errors"] == [{"pointer": "/name", "message": "Ce champ est obligatoire."}]
