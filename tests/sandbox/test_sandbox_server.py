"""The sandbox as people and the command line start it: over sockets, in this process and as one of its own."""

import asyncio
import json
import signal
import socket
import sys
from datetime import UTC, datetime

import httpx
import pytest

from sandbox.server import Access, SandboxServer, personal_access_token

PYTHON = [sys.executable, "-m", "sandbox"]


async def shop_on_both_sides(access: Access) -> tuple[set[str], set[str]]:
    """The article numbers that bexio and Arcavis have."""
    async with httpx.AsyncClient() as client:
        bearer = {"Authorization": f"Bearer {access.bexio_token}", "Accept": "application/json"}
        in_bexio = await client.get(f"{access.bexio_url}/2.0/article?limit=2000", headers=bearer)
        in_arcavis = await client.get(
            f"{access.arcavis_url}/api/articles", auth=(access.arcavis_username, access.arcavis_password)
        )
    assert (in_bexio.status_code, in_arcavis.status_code) == (200, 200)
    return (
        {row["intern_code"] for row in in_bexio.json()},
        {row["ArticleNumber"] for row in in_arcavis.json()["Result"]},
    )


async def start(*arguments: str) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*PYTHON, *arguments, stdout=pipe, stderr=pipe)


async def test_both_simulators_answer_and_hold_the_same_shop() -> None:
    server = SandboxServer(lambda: datetime(2026, 11, 20, 9, tzinfo=UTC))
    async with server.running() as access:
        in_bexio, in_arcavis = await shop_on_both_sides(access)
    assert in_bexio == in_arcavis
    assert len(in_bexio) == 42


async def test_a_request_that_a_fault_holds_back_does_not_hold_up_the_end() -> None:
    server = SandboxServer(lambda: datetime(2026, 11, 20, 9, tzinfo=UTC))
    async with server.running() as access, httpx.AsyncClient() as client:
        host = access.arcavis_url.removesuffix("/demo")
        await client.post(f"{host}/_sandbox/faults", json={"kind": "timeout", "seconds": 60})
        with pytest.raises(httpx.ReadTimeout):
            await client.get(f"{access.arcavis_url}/api/stores", timeout=0.2)
        told = (await client.get(f"{host}/_sandbox/faults")).json()
        assert told[0]["struck"] == 1


async def test_the_token_tells_its_company_and_its_end_but_is_not_shown() -> None:
    token = personal_access_token("acme", datetime(2027, 1, 1, tzinfo=UTC))
    access = Access(
        "http://b", token, "http://a", "webapi", "secret", "acme", "http://b/realms/bexio", "app", "app-secret"
    )
    assert token.count(".") == 2
    assert token not in repr(access)
    assert "secret" not in repr(access)


async def test_the_command_prints_its_access_and_ends_on_a_signal() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        process = await start("--host", "127.0.0.1", "--bexio-port", "0", "--arcavis-port", "0")
        assert process.stdout is not None
        try:
            access = Access(**json.loads(await asyncio.wait_for(process.stdout.readline(), 20)))
            in_bexio, in_arcavis = await shop_on_both_sides(access)
            assert in_bexio == in_arcavis
            process.send_signal(number)
            output, errors = await asyncio.wait_for(process.communicate(), 10)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        assert (process.returncode, output, errors) == (0, b"", b"")


async def test_a_port_in_use_is_told_and_nothing_is_left_running() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = await start("--arcavis-port", str(taken.getsockname()[1]))
        output, errors = await asyncio.wait_for(process.communicate(), 20)
    assert (process.returncode, output) == (1, b"")
    assert b"cannot listen" in errors
