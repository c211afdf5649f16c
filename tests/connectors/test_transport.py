from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from uuid import UUID

import httpx
import pytest
import respx
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.connectors.clients import CONNECTIONS, HttpClients, Upstream
from app.connectors.refusals import LONGEST_REASON, reasons_of
from app.connectors.transport import Answer, Transport
from app.core.errors import (
    ConnectionRefused,
    ConnectorError,
    InvalidInput,
    OutcomeUnknown,
    RemoteNotFound,
    RemoteRejected,
    RemoteUnavailable,
)
from app.db.session import Database
from tests.connectors.conftest import ManualClock

UPSTREAM = Upstream("bexio", "q69vysq7fkzl", "https://api.bexio.test")
INVOICE = "https://api.bexio.test/2.0/kb_invoice"
Effect = httpx.Response | Exception


class Remote:
    """A transport over a wire that answers as told, and counts."""

    def __init__(self, clock: ManualClock, *effects: Effect, system: str = "bexio") -> None:
        self.sent: list[httpx.Request] = []
        router = respx.Router(assert_all_called=False)
        router.route().mock(side_effect=list(effects))

        async def on_the_wire(request: httpx.Request) -> httpx.Response:
            self.sent.append(request)
            return await router.async_handler(request)

        self.clients = HttpClients(lambda _: httpx.MockTransport(on_the_wire))
        upstream = Upstream(system, UPSTREAM.owner, UPSTREAM.base_url)
        self.transport = Transport(upstream, self.clients, clock, "Bearer secret-token", jitter=lambda: 0.5)


def answer(status: int, body: object = None, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json={} if body is None else body, headers=named)


async def test_a_write_sends_exactly_these_bytes(clock: ManualClock) -> None:
    remote = Remote(clock, answer(201, {"id": 1}))
    got = await remote.transport.write("POST", "/2.0/kb_invoice", body={"title": "Zürich", "total": "13.60", "n": None})
    (sent,) = remote.sent
    assert sent.method == "POST"
    assert str(sent.url) == INVOICE
    assert sent.content == '{"title":"Zürich","total":"13.60","n":null}'.encode()
    assert sent.headers["authorization"] == "Bearer secret-token"
    assert sent.headers["content-type"] == sent.headers["accept"] == "application/json"
    assert sent.headers["content-length"] == str(len(sent.content))
    assert sent.headers["user-agent"] == "arcavis-bexio-connector"
    assert got == Answer(201, got.headers, b'{"id":1}')
    assert got.headers["content-type"] == "application/json"


async def test_a_read_by_get_has_neither_body_nor_length(clock: ManualClock) -> None:
    remote = Remote(clock, answer(200, []))
    await remote.transport.read(
        "GET", "/2.0/contact", query={"limit": 2000, "order_by": "id"}, accept="application/pdf"
    )
    (sent,) = remote.sent
    assert str(sent.url) == "https://api.bexio.test/2.0/contact?limit=2000&order_by=id"
    assert "content-length" not in sent.headers
    assert "content-type" not in sent.headers
    assert sent.headers["accept"] == "application/pdf"


async def test_an_action_without_body_says_that_it_has_none(clock: ManualClock) -> None:
    remote = Remote(clock, answer(200, {"success": True}))
    await remote.transport.write("POST", "/2.0/kb_invoice/42/issue")
    assert remote.sent[0].headers["content-length"] == "0"


def test_neither_a_transport_nor_its_errors_show_the_token(clock: ManualClock) -> None:
    assert "secret-token" not in repr(Remote(clock).transport)


async def test_the_callers_trace_goes_on_in_a_span_of_our_own(clock: ManualClock) -> None:
    remote = Remote(clock, answer(200), answer(200), answer(200))
    caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with structlog.contextvars.bound_contextvars(traceparent=caller):
        await remote.transport.read("GET", "/x")
    with structlog.contextvars.bound_contextvars(traceparent="forged\r\nheader"):
        await remote.transport.read("GET", "/x")
    await remote.transport.read("GET", "/x")
    traced, forged, none = remote.sent
    version, trace, span, flags = traced.headers["traceparent"].split("-")
    assert (version, trace, flags) == ("00", "0af7651916cd43dd8448eb211c80319c", "01")
    assert span != "b7ad6b7169203331"
    assert len(span) == 16
    assert "traceparent" not in forged.headers
    assert "traceparent" not in none.headers


REFUSED = [
    (400, RemoteRejected, "bexio-rejected"),
    (401, ConnectionRefused, "bexio-unauthorized"),
    (404, RemoteNotFound, "bexio-not-found"),
    (409, RemoteRejected, "bexio-rejected"),
    (410, RemoteNotFound, "bexio-not-found"),
    (411, RemoteRejected, "bexio-rejected"),
    (415, RemoteRejected, "bexio-rejected"),
    (422, RemoteRejected, "bexio-rejected"),
]
FAILED = [408, 499, 500, 501, 502, 503, 504, 520, 599]


@pytest.mark.parametrize(("status", "kind", "code"), REFUSED)
async def test_a_refusal_is_one_for_reads_and_writes_and_is_not_repeated(
    clock: ManualClock, status: int, kind: type[RemoteRejected], code: str
) -> None:
    remote = Remote(clock, *[answer(status, {"error_code": status, "message": "No."}) for _ in range(2)])
    for call in (remote.transport.read, remote.transport.write):
        with pytest.raises(RemoteRejected) as caught:
            await call("POST", "/x")
        assert type(caught.value) is kind
        assert (caught.value.code, caught.value.status, caught.value.reasons) == (code, status, ("No.",))
    assert len(remote.sent) == 2
    assert clock.slept == []


async def test_a_forbidden_read_is_the_connections_flaw_a_forbidden_write_may_be_the_records(
    clock: ManualClock,
) -> None:
    remote = Remote(clock, *[answer(403, {"error_code": 403, "message": "No."}) for _ in range(2)])
    with pytest.raises(ConnectionRefused) as read:
        await remote.transport.read("GET", "/x")
    with pytest.raises(RemoteRejected) as written:
        await remote.transport.write("DELETE", "/x")
    assert not isinstance(written.value, ConnectionRefused)
    assert read.value.code == written.value.code == "bexio-forbidden"


@pytest.mark.parametrize("status", [301, 302, 304, 307])
async def test_a_redirect_is_followed_by_nobody(clock: ManualClock, status: int) -> None:
    remote = Remote(clock, *[answer(status, location="https://elsewhere.test/") for _ in range(2)])
    with pytest.raises(RemoteRejected):
        await remote.transport.read("GET", "/x")
    with pytest.raises(OutcomeUnknown):
        await remote.transport.write("POST", "/x")
    assert {request.url.host for request in remote.sent} == {"api.bexio.test"}


@pytest.mark.parametrize("status", FAILED)
async def test_a_write_that_the_server_failed_on_is_unknown_and_never_repeated(clock: ManualClock, status: int) -> None:
    remote = Remote(clock, answer(status))
    with pytest.raises(OutcomeUnknown) as caught:
        await remote.transport.write("POST", "/2.0/kb_invoice", body={})
    assert caught.value.code == "bexio-outcome-unknown"
    assert caught.value.params["cause"] == f"HTTP {status}"
    assert len(remote.sent) == 1


@pytest.mark.parametrize("status", FAILED)
async def test_a_read_that_the_server_failed_on_is_tried_three_times(clock: ManualClock, status: int) -> None:
    remote = Remote(clock, *[answer(status) for _ in range(5)])
    with pytest.raises(RemoteUnavailable) as caught:
        await remote.transport.read("GET", "/x")
    assert caught.value.code == "bexio-unreachable"
    assert len(remote.sent) == 3
    assert clock.slept == [0.5, 1.0]


NEVER_SENT = [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout]
UNCLEAR = [
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.LocalProtocolError,
    httpx.DecodingError,
]


@pytest.mark.parametrize("error", NEVER_SENT)
async def test_a_write_that_was_surely_not_sent_may_be_tried_again_by_the_caller(
    clock: ManualClock, error: type[httpx.RequestError]
) -> None:
    remote = Remote(clock, error("secret detail"))
    with pytest.raises(RemoteUnavailable) as caught:
        await remote.transport.write("POST", "/x")
    assert caught.value.code == "bexio-unreachable"
    assert "secret detail" not in str(caught.value)
    assert len(remote.sent) == 1


@pytest.mark.parametrize("error", UNCLEAR)
async def test_a_lost_write_is_never_repeated(clock: ManualClock, error: type[httpx.RequestError]) -> None:
    remote = Remote(clock, error("gone"))
    with pytest.raises(OutcomeUnknown) as caught:
        await remote.transport.write("POST", "/x")
    assert caught.value.params["cause"] == error.__name__
    assert len(remote.sent) == 1


@pytest.mark.parametrize("error", [*NEVER_SENT, *UNCLEAR])
async def test_a_lost_read_is_repeated_until_it_answers(clock: ManualClock, error: type[httpx.RequestError]) -> None:
    remote = Remote(clock, error("gone"), error("gone"), answer(200, {"id": 7}))
    assert json.loads((await remote.transport.read("GET", "/x")).content) == {"id": 7}
    assert len(remote.sent) == 3


async def test_a_429_after_a_write_is_surely_not_accepted(clock: ManualClock) -> None:
    remote = Remote(clock, answer(429, ratelimit_reset="17"))
    with pytest.raises(RemoteUnavailable) as caught:
        await remote.transport.write("POST", "/x")
    assert (caught.value.code, caught.value.retry_after) == ("bexio-busy", 17.0)
    assert len(remote.sent) == 1


async def test_a_busy_remote_is_asked_again_when_it_said(clock: ManualClock) -> None:
    remote = Remote(clock, answer(429, retry_after="3", ratelimit_reset="40"), answer(200))
    await remote.transport.read("GET", "/x")
    assert clock.slept == [3.0]


async def test_a_long_wait_is_left_to_the_caller(clock: ManualClock) -> None:
    remote = Remote(clock, answer(429, ratelimit_reset="40"))
    with pytest.raises(RemoteUnavailable) as caught:
        await remote.transport.read("GET", "/x")
    assert caught.value.retry_after == 40.0
    assert clock.slept == []


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({}, 5.0), ({"retry_after": "Fri, 20 Nov 2026 09:00:00 GMT"}, 5.0), ({"retry_after": "-3"}, 5.0),
     ({"retry_after": "999999"}, 300.0), ({"ratelimit_reset": "1e9"}, 5.0), ({"retry_after": "0"}, 5.0)],
)  # fmt: skip
async def test_a_strange_wish_to_wait_is_bounded(clock: ManualClock, headers: dict[str, str], seconds: float) -> None:
    remote = Remote(clock, answer(429, **headers))
    with pytest.raises(RemoteUnavailable) as caught:
        await remote.transport.write("POST", "/x")
    assert caught.value.retry_after == seconds


async def test_an_answer_without_end_is_cut_off(clock: ManualClock) -> None:
    served = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal served
        while True:
            served += 1
            yield b"x" * 1_000_000

    remote = Remote(clock, httpx.Response(200, content=endless()), httpx.Response(201, content=endless()))
    with pytest.raises(RemoteRejected) as caught:
        await remote.transport.read("GET", "/x")
    assert caught.value.code == "bexio-answer-unreadable"
    with pytest.raises(OutcomeUnknown):
        await remote.transport.write("POST", "/x")
    assert served <= 36
    assert len(remote.sent) == 2


async def test_an_answer_that_breaks_off_is_a_lost_one(clock: ManualClock) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b'{"id":'
        raise httpx.RemoteProtocolError("peer closed connection")

    remote = Remote(clock, httpx.Response(201, content=broken()))
    with pytest.raises(OutcomeUnknown):
        await remote.transport.write("POST", "/x")


async def test_no_request_leaves_from_inside_a_transaction(clock: ManualClock, limits_db: Database) -> None:
    remote = Remote(clock, answer(200))
    async with limits_db.begin(UUID(int=1)):
        with pytest.raises(RuntimeError, match="transaction"):
            await remote.transport.read("GET", "/x")
        with pytest.raises(RuntimeError, match="transaction"):
            await remote.transport.write("POST", "/x")
    assert remote.sent == []


async def test_our_own_refusal_at_the_connection_passes_unchanged(clock: ManualClock) -> None:
    remote = Remote(clock, InvalidInput("arcavis-url-not-allowed", reason="private-address"), system="arcavis")
    with pytest.raises(InvalidInput):
        await remote.transport.write("POST", "/x")


async def test_each_system_answers_with_its_own_codes(clock: ManualClock) -> None:
    remote = Remote(clock, answer(401), answer(500), httpx.ConnectError(""), system="arcavis")
    codes = set[str]()
    for _ in range(3):
        with pytest.raises(ConnectorError) as caught:
            await remote.transport.write("POST", "/x")
        codes.add(caught.value.code)
    assert codes == {"arcavis-unauthorized", "arcavis-outcome-unknown", "arcavis-unreachable"}


@pytest.mark.parametrize(
    ("content", "kind"),
    [(b"<html>CDN</html>", RemoteUnavailable), (b'{"id": 1', RemoteUnavailable), (b"", RemoteUnavailable),
     (b'{"unexpected": true}', RemoteRejected)],
)  # fmt: skip
def test_an_unreadable_answer_to_a_read_is_named_by_what_helps(
    clock: ManualClock, content: bytes, kind: type[ConnectorError]
) -> None:
    error = Remote(clock).transport.unreadable(Answer(200, {}, content), wrote=False)
    assert type(error) is kind
    assert error.code == "bexio-answer-unreadable"


def test_an_unreadable_answer_to_a_write_is_an_unknown_outcome(clock: ManualClock) -> None:
    error = Remote(clock).transport.unreadable(Answer(201, {}, b"<html>"), wrote=True)
    assert type(error) is OutcomeUnknown


SAYINGS: list[tuple[object, tuple[str, ...]]] = [
    ({"error_code": 404, "message": "The contact does not exist"}, ("The contact does not exist",)),
    (
        {
            "error_code": 422,
            "message": "The form could not be saved due to the following errors:",
            "errors": ["Widget schema does not include the following field(s): esr_id"],
        },
        (
            "The form could not be saved due to the following errors:",
            "Widget schema does not include the following field(s): esr_id",
        ),
    ),
    (
        {
            "error_code": 422,
            "message": "validation failed",
            "errors": [
                {
                    "debitAccountId": {"type": "model", "message": "A 'Account' with id 1 does not exist"},
                    "description": {"type": "length", "max": 255, "message": "too long"},
                }
            ],
        },
        (
            "validation failed",
            "debitAccountId: A 'Account' with id 1 does not exist",
            "description: too long",
        ),
    ),
    ({"message": "no", "errors": {"name_1": ["required"], "mail": "odd"}}, ("no", "name_1: required", "mail: odd")),
    ({"message": "empty list", "errors": []}, ("empty list",)),
    ({"error": "invalid_grant", "error_description": "Token is not active"}, ("Token is not active", "invalid_grant")),
    ({"Result": None, "IsSuccessful": False, "Message": "NotEnoughFunds"}, ("NotEnoughFunds",)),
    (["a", "b"], ()),
    (None, ()),
    ("plain", ("plain",)),
]


@pytest.mark.parametrize(("body", "reasons"), SAYINGS)
def test_every_known_shape_of_an_error_body_gives_its_reasons(body: object, reasons: tuple[str, ...]) -> None:
    assert reasons_of(json.dumps(body).encode()) == reasons


@pytest.mark.parametrize(
    ("content", "reasons"),
    [
        (b"<html><head><title>502 Bad\n Gateway</title></head><body><p>long</p></body></html>", ("502 Bad Gateway",)),
        (b"<html><body>nothing to see</body></html>", ()),
        (b"Service temporarily\x00 unavailable\r\n", ("Service temporarily unavailable",)),
        (b"", ()),
        (b"\xff\xfe", ("\ufffd\ufffd",)),
        (b"[" * 100_000, ("[" * LONGEST_REASON,)),
    ],
)
def test_bodies_that_are_no_json_are_made_short_and_clean(content: bytes, reasons: tuple[str, ...]) -> None:
    assert reasons_of(content) == reasons


def test_mail_addresses_and_long_numbers_of_people_stay_out_of_errors() -> None:
    body = {
        "message": "max.muster@muster.ch +41 79 123 45 67 CH93 0076 2011 6238 5295 7 is not unique for id 42, nr K-501"
    }
    (reason,) = reasons_of(json.dumps(body).encode())
    assert "muster" not in reason
    assert "123" not in reason
    assert "6238" not in reason
    assert "id 42, nr K-501" in reason


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["message", "errors", "a"]) | st.text(), inner),
    max_leaves=20,
)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_body_whatsoever_breaks_the_parser_or_the_limit(content: bytes) -> None:
    reasons = reasons_of(content)
    assert sum(map(len, reasons)) <= LONGEST_REASON
    assert all(reason == reason.strip() and "\n" not in reason for reason in reasons)


def counting_clients(limit: int) -> tuple[HttpClients, list[Upstream], list[Upstream]]:
    opened: list[Upstream] = []
    closed: list[Upstream] = []

    class Connection(httpx.AsyncBaseTransport):
        def __init__(self, upstream: Upstream) -> None:
            self.upstream = upstream
            opened.append(upstream)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200)

        async def aclose(self) -> None:
            closed.append(self.upstream)

    return HttpClients(Connection, limit=limit), opened, closed


def company(number: int) -> Upstream:
    return Upstream("bexio", f"company-{number}", "https://api.bexio.test")


async def test_each_party_keeps_one_client_and_tills_have_their_own() -> None:
    clients, opened, closed = counting_clients(limit=8)
    urgent = Upstream("bexio", "company-0", "https://api.bexio.test", urgent=True)
    for upstream in (company(0), company(0), company(1), urgent, urgent):
        async with clients.lease(upstream) as client:
            await client.send("GET", "https://api.bexio.test/x")
    assert opened == [company(0), company(1), urgent]
    await clients.close()
    assert sorted(map(str, closed)) == sorted(map(str, opened))
    assert len(clients) == 0


async def test_the_least_used_clients_make_way_but_never_one_in_use() -> None:
    clients, _, closed = counting_clients(limit=2)
    async with clients.lease(company(0)) as busy:
        for number in range(1, 4):
            async with clients.lease(company(number)):
                pass
        assert closed == [company(1), company(2)]
        assert not busy.is_closed
    async with clients.lease(company(4)), clients.lease(company(5)), clients.lease(company(6)):
        assert len(clients) == 3
    await clients.close()


async def test_cookies_of_a_load_balancer_are_not_kept() -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, headers={"set-cookie": "lb=1; Domain=api.bexio.test"})

    clients = HttpClients(lambda _: httpx.MockTransport(answer))
    async with clients.lease(company(0)) as client:
        for _ in range(2):
            await client.send("GET", "https://api.bexio.test/x")
    assert [request.headers.get("cookie") for request in sent] == [None, None]
    await clients.close()


@pytest.fixture
async def silent_server() -> AsyncIterator[Callable[[], str]]:
    """Takes connections and never says a word."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield lambda: f"http://127.0.0.1:{port}"


async def test_bulk_work_waits_for_a_connection_while_more_than_eight_are_busy(
    clock: ManualClock, silent_server: Callable[[], str]
) -> None:
    quick = httpx.Timeout(0.5, pool=0.1)

    class Impatient(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            request.extensions["timeout"] = quick.as_dict()
            return await super().handle_async_request(request)

    def connect(_: Upstream) -> httpx.AsyncBaseTransport:
        return Impatient(limits=CONNECTIONS)

    clients = HttpClients(connect)
    transport = Transport(Upstream("bexio", "c", silent_server()), clients, clock, "Bearer t")
    results = await asyncio.gather(*[transport.write("POST", "/x") for _ in range(10)], return_exceptions=True)
    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["OutcomeUnknown"] * 8 + ["RemoteUnavailable"] * 2
    await clients.close()
