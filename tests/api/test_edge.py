from __future__ import annotations

from collections.abc import AsyncGenerator
from io import BytesIO
from typing import Any

import httpx
import orjson
import pytest

from app.api.assembly import Options
from app.api.auth import Role
from app.api.idempotency import Replay
from app.api.limits import Limits
from app.api.middleware import Edge
from tests.api.tiny import OPERATOR_KEY, Bench, bearer

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
APPLE = {"name": "Apfel", "price": "1.20"}


def lines(written: BytesIO) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in written.getvalue().splitlines()]


async def test_every_answer_carries_a_request_id(client: httpx.AsyncClient) -> None:
    answers = [await client.get(url) for url in ("/health/live", "/nowhere", "/things/broken", "/things/sold")]
    ids = [answer.headers["x-request-id"] for answer in answers]
    assert all(ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("given", ["abc-123", "0198f2/kasse:7=", "x" * 128])
async def test_a_sane_request_id_is_taken_over(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/nowhere", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    assert answer.json()["request_id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "a\xe9", '{"a":1}'])
async def test_an_odd_request_id_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/nowhere", headers=[(b"X-Request-Id", given.encode("latin-1"))])
    assert answer.headers["x-request-id"] != given
    assert len(answer.headers["x-request-id"]) == 32


async def test_answers_carry_security_headers(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/nowhere")).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


async def test_a_request_is_one_line_that_continues_the_callers_trace(bench: Bench, written: BytesIO) -> None:
    key = await bench.key(Role.POS, await bench.tenant())
    marks = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "X-Request-Id": "r-1"}
    async with bench.client() as client:
        await client.get("/things/sold?name=Muster", headers=bearer(key) | marks)
    (line,) = lines(written)
    assert line["event"] == "request"
    assert line["trace_id"] == TRACE
    assert line["parent_id"] == "00f067aa0ba902b7"
    assert line["request_id"] == "r-1"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/things/sold", 200)
    assert line["key"] == key.prefix
    assert line["tenant"].startswith("shop-")
    assert key.text not in written.getvalue().decode()
    assert "Muster" not in written.getvalue().decode()


@pytest.mark.parametrize(
    "parent",
    ["junk", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01"],
)
async def test_a_broken_trace_is_left_out(bench: Bench, written: BytesIO, parent: str) -> None:
    async with bench.client() as client:
        await client.get("/nowhere", headers={"traceparent": parent})
    assert "trace_id" not in lines(written)[0]


async def test_one_requests_marks_do_not_leak_into_the_next(bench: Bench, written: BytesIO) -> None:
    async with bench.client() as client:
        await client.get("/nowhere", headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"})
        await client.get("/nowhere")
    first, second = lines(written)
    assert first["trace_id"] == TRACE
    assert "trace_id" not in second
    assert first["request_id"] != second["request_id"]


async def test_a_defect_is_logged_with_its_frames(bench: Bench, written: BytesIO) -> None:
    async with bench.client() as client:
        answer = await client.get("/things/broken")
    crash, request = lines(written)
    assert crash["event"] == "request-crashed"
    assert any("get_broken" in frame for frame in crash["frames"])
    assert crash["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert request["status"] == 500


async def test_health_checks_do_not_fill_the_log(bench: Bench, written: BytesIO) -> None:
    async with bench.client() as client:
        await client.get("/health/live")
    assert written.getvalue() == b""


async def test_requests_are_counted_by_route_template(client: httpx.AsyncClient, bench: Bench) -> None:
    for subject in ("0198f2a4-0000-7000-8000-000000000001", "0198f2a4-0000-7000-8000-000000000002"):
        await client.get(f"/things/waiting/{subject}")
    await client.get("/secret-name")
    await client.request("BREW", "/things/sold")
    figures = bench.metrics.render().decode()
    by_route = 'connector_http_requests_total{method="GET",route="/things/waiting/{subject}",status="2xx"} 2.0'
    assert by_route in figures
    assert 'connector_http_requests_total{method="GET",route="unknown",status="4xx"} 1.0' in figures
    assert 'method="OTHER"' in figures
    assert "connector_http_request_seconds_bucket" in figures
    assert "secret-name" not in figures


def chunks(count: int) -> AsyncGenerator[bytes]:
    async def generate() -> AsyncGenerator[bytes]:
        for _ in range(count):
            yield b" " * 1000

    return generate()


async def test_a_body_beyond_the_limit_is_refused_whether_declared_or_chunked(bench: Bench) -> None:
    async with bench.client(Options(largest_body=10_000)) as client:
        for content in (b" " * 10_001, chunks(11)):
            answer = await client.post("/things/by-operator", content=content, headers=bearer(OPERATOR_KEY))
            assert answer.status_code == 413
            assert answer.json()["code"] == "body-too-large"
            assert "10000" in answer.json()["detail"]


async def test_a_chunked_body_within_the_limit_arrives_whole(bench: Bench) -> None:
    async def halves() -> AsyncGenerator[bytes]:
        yield b'{"name": "Apf'
        yield b'el", "price": "1"}'

    headers = bearer(OPERATOR_KEY) | {"Content-Type": "application/json"}
    async with bench.client() as client:
        answer = await client.post("/things/by-operator", content=halves(), headers=headers)
    assert answer.json()["name"] == "Apfel"


async def test_a_caller_knows_what_is_left_and_is_told_when_to_return(bench: Bench) -> None:
    async with bench.client(Options(requests_per_minute=3)) as client:
        left = [(await client.get("/things/sold")).headers["ratelimit-remaining"] for _ in range(3)]
        refused = await client.get("/things/sold")
        bench.clock.advance(20)
        again = await client.get("/things/sold")
    assert left == ["2", "1", "0"]
    assert refused.status_code == 429
    assert refused.json()["code"] == "too-many-requests"
    assert refused.headers["retry-after"] == "20"
    assert refused.headers["ratelimit-limit"] == "3"
    assert refused.headers["ratelimit-reset"] == "60"
    assert again.status_code == 401


async def test_one_keys_haste_does_not_slow_another(bench: Bench) -> None:
    tenant = await bench.tenant()
    hasty, calm = await bench.key(Role.POS, tenant), await bench.key(Role.POS, tenant)
    async with bench.client(Options(requests_per_minute=2)) as client:
        statuses = [(await client.get("/things/sold", headers=bearer(hasty))).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        assert (await client.get("/things/sold", headers=bearer(calm))).status_code == 200


async def test_health_checks_are_never_refused(bench: Bench) -> None:
    async with bench.client(Options(requests_per_minute=1)) as client:
        statuses = {(await client.get("/health/live")).status_code for _ in range(5)}
    assert statuses == {200}


def test_no_layer_is_a_base_http_middleware(bench: Bench) -> None:
    layers: list[object] = [layer.cls for layer in bench.app().user_middleware]
    assert layers == [Edge, Limits, Replay]
