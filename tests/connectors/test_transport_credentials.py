"""Credentials that change while a client is in use, forms, and bounds of a party's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import httpx
import pytest

from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Form, Transport
from app.core.errors import ConnectionRefused, RemoteRejected, RemoteUnavailable
from tests.connectors.conftest import ManualClock


@dataclass
class Renewing:
    """Credentials of which each refusal makes the next ones, `others` times."""

    others: int
    number: int = 1

    async def header(self) -> str:
        return f"Bearer token-{self.number}"

    async def refused(self) -> bool:
        if self.number > self.others:
            return False
        self.number += 1
        return True


async def test_what_is_refused_for_its_token_is_sent_once_more_under_another_one_also_a_write(
    clock: ManualClock,
) -> None:
    for others, expected in ((0, 1), (1, 2), (5, 2)):
        sent: list[tuple[str, bytes]] = []

        def answer(request: httpx.Request, seen: list[tuple[str, bytes]] = sent) -> httpx.Response:
            seen.append((request.headers["authorization"], request.content))
            return httpx.Response(401)

        transport = replace(scripted(clock, answer), authorization=Renewing(others))
        with pytest.raises(ConnectionRefused):
            await transport.write("POST", "/thing", body={"a": 1})
        assert sent == [(f"Bearer token-{number + 1}", b'{"a":1}') for number in range(expected)]


async def test_a_write_whose_intent_ended_while_its_token_was_renewed_is_not_sent(clock: ManualClock) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        clock.pass_time(30)
        return httpx.Response(401)

    transport = replace(scripted(clock, answer), authorization=Renewing(1)).until(clock.now() + timedelta(seconds=8))
    with pytest.raises(RemoteUnavailable) as caught:
        await transport.write("POST", "/thing")
    assert (caught.value.code, len(sent)) == ("intent-too-old", 1)


async def test_a_form_is_sent_as_a_form_without_a_header_that_nobody_gave(clock: ManualClock) -> None:
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(400, json={"error": "invalid_grant"})

    transport = scripted(clock, answer).under("")
    form = Form({"grant_type": "refresh_token", "token": "ä&b"})
    answered = await transport.write("POST", "/token", body=form, understood={400})
    assert (answered.status, json.loads(answered.content)) == (400, {"error": "invalid_grant"})
    [request] = sent
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert request.content == b"grant_type=refresh_token&token=%C3%A4%26b"
    assert "authorization" not in request.headers
    assert "ä&b" not in repr(form)


async def test_an_answer_larger_than_was_agreed_is_not_read_to_its_end(clock: ManualClock) -> None:
    transport = replace(scripted(clock, lambda _: httpx.Response(200, content=b"x" * 2048)), largest=1024)
    with pytest.raises(RemoteRejected):
        await transport.read("GET", "/thing")


def scripted(clock: ManualClock, answer: Callable[[httpx.Request], httpx.Response]) -> Transport:
    clients = HttpClients(lambda _: httpx.MockTransport(answer))
    return Transport(Upstream("bexio", "c", "https://api.bexio.test"), clients, clock, "Bearer t", jitter=lambda: 0.0)
