from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

import httpx
import pytest

from app.connectors.circuit import FAILURES, REFRESH, Circuit, Circuits
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.errors import ConnectorError, InvalidInput, OutcomeUnknown, RemoteUnavailable
from app.db.session import Database
from tests.connectors.conftest import ManualClock
from tests.fixtures.wire import watched

_names = count()


@pytest.fixture
def company() -> str:
    return f"circuit-{next(_names)}"


async def fail(circuit: Circuit, times: int) -> None:
    for _ in range(times):
        probe = await circuit.enter()
        await circuit.report(alive=False, probe=probe)


async def wait_of(circuit: Circuit) -> float:
    with pytest.raises(RemoteUnavailable) as caught:
        await circuit.enter()
    assert caught.value.code == "bexio-circuit-open"
    return caught.value.retry_after


async def test_it_opens_after_failures_in_a_row_and_says_how_long(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuit = Circuits(limits_db, clock).of("bexio", company)
    await fail(circuit, FAILURES - 1)
    await circuit.enter()
    await circuit.report(alive=False, probe=False)
    assert await wait_of(circuit) == pytest.approx(5.0)


async def test_one_success_in_between_starts_the_count_again(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuit = Circuits(limits_db, clock).of("bexio", company)
    for _ in range(3):
        await fail(circuit, FAILURES - 1)
        await circuit.report(alive=True, probe=await circuit.enter())
    assert await circuit.enter() is False


async def test_another_replica_learns_of_it_within_its_refresh(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    one, other = (Circuits(limits_db, clock).of("bexio", company) for _ in range(2))
    assert await other.enter() is False
    await fail(one, FAILURES)
    clock.pass_time(REFRESH)
    await wait_of(other)


async def test_half_open_lets_one_probe_pass_over_all_replicas(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    replicas = [Circuits(limits_db, clock).of("bexio", company) for _ in range(3)]
    await fail(replicas[0], FAILURES)
    clock.pass_time(5.1)
    assert await replicas[1].enter() is True
    for replica in (*replicas, *replicas):
        assert await wait_of(replica) <= 1.0


async def test_a_probe_that_succeeds_closes_it_for_everybody(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    one, other = (Circuits(limits_db, clock).of("bexio", company) for _ in range(2))
    await fail(one, FAILURES)
    await other.report(alive=None, probe=False)
    clock.pass_time(5.1)
    await one.report(alive=True, probe=await one.enter())
    assert await one.enter() is False
    assert await other.enter() is False


async def test_a_probe_that_fails_leaves_it_open_for_longer_up_to_a_bound(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuit = Circuits(limits_db, clock).of("bexio", company)
    await fail(circuit, FAILURES)
    waits = [await wait_of(circuit)]
    for _ in range(4):
        clock.pass_time(waits[-1] + 0.1)
        assert await circuit.enter() is True
        await circuit.report(alive=False, probe=True)
        waits.append(await wait_of(circuit))
    assert waits == [pytest.approx(seconds) for seconds in (5, 10, 20, 30, 30)]


async def test_a_probe_that_learned_nothing_makes_way_for_the_next(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuit = Circuits(limits_db, clock).of("bexio", company)
    await fail(circuit, FAILURES)
    clock.pass_time(5.1)
    assert await circuit.enter() is True
    await circuit.report(alive=None, probe=True)
    assert await circuit.enter() is True


async def test_a_probe_whose_process_died_makes_way_in_time(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuit = Circuits(limits_db, clock).of("bexio", company)
    await fail(circuit, FAILURES)
    clock.pass_time(5.1)
    assert await circuit.enter() is True
    clock.pass_time(71)
    assert await circuit.enter() is True


async def test_late_failures_of_earlier_requests_do_not_lengthen_the_pause(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuit = Circuits(limits_db, clock).of("bexio", company)
    for _ in range(FAILURES + 8):
        await circuit.report(alive=False, probe=False)
    assert await wait_of(circuit) == pytest.approx(5.0)


async def test_companies_and_systems_have_circuits_of_their_own(
    limits_db: Database, clock: ManualClock, company: str
) -> None:
    circuits = Circuits(limits_db, clock)
    await fail(circuits.of("bexio", company), FAILURES)
    assert await circuits.of("bexio", company + "-other").enter() is False
    assert await circuits.of("arcavis", company).enter() is False


async def test_a_working_remote_costs_no_writes_and_one_look_per_refresh(
    limits_url: str, clock: ManualClock, company: str
) -> None:
    async with watched(limits_url) as (db, wire):
        circuit = Circuits(db, clock).of("bexio", company)
        # The first look opens the connection.
        await circuit.report(alive=True, probe=await circuit.enter())
        wire.clear()
        for _ in range(100):
            await circuit.report(alive=True, probe=await circuit.enter())
            clock.pass_time(0.1)
        assert {statement.split("(")[0] for statement in wire.statements} == {"select * from enter_circuit"}
        assert len(wire.statements) <= 10 / REFRESH + 1


Effect = httpx.Response | Exception


def over_the_wire(db: Database, clock: ManualClock, company: str, effects: Sequence[Effect]) -> Transport:
    remaining = iter(effects)

    def answer(_: httpx.Request) -> httpx.Response:
        effect = next(remaining)
        if isinstance(effect, Exception):
            raise effect
        return effect

    clients = HttpClients(lambda _: httpx.MockTransport(answer))
    circuits = Circuits(db, clock, cool_down=timedelta(seconds=5))
    upstream = Upstream("bexio", company, "https://api.bexio.test")
    return Transport(upstream, clients, clock, "Bearer t", circuit=circuits.of("bexio", company))


@pytest.mark.parametrize(
    "effect", [httpx.Response(503), httpx.Response(500), httpx.ReadTimeout(""), httpx.ConnectError("")]
)
async def test_a_remote_that_is_away_is_left_alone(
    limits_db: Database, clock: ManualClock, company: str, effect: Effect
) -> None:
    transport = over_the_wire(limits_db, clock, company, [effect] * FAILURES)
    for _ in range(FAILURES):
        with pytest.raises((OutcomeUnknown, RemoteUnavailable)):
            await transport.write("POST", "/x")
    for call in (transport.write, transport.read):
        with pytest.raises(RemoteUnavailable) as caught:
            await call("POST", "/x")
        assert caught.value.code == "bexio-circuit-open"
    assert clock.slept == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429])
async def test_refusals_never_open_it(limits_db: Database, clock: ManualClock, company: str, status: int) -> None:
    transport = over_the_wire(limits_db, clock, company, [httpx.Response(status)] * 20 + [httpx.Response(200)])
    for _ in range(20):
        with pytest.raises(ConnectorError):
            await transport.write("POST", "/x")
    assert (await transport.write("POST", "/x")).status == 200


@pytest.mark.parametrize("effect", [httpx.PoolTimeout(""), InvalidInput("arcavis-url-not-allowed", reason="x")])
async def test_our_own_limits_never_open_it(
    limits_db: Database, clock: ManualClock, company: str, effect: Exception
) -> None:
    transport = over_the_wire(limits_db, clock, company, [effect] * 20 + [httpx.Response(200)])
    for _ in range(20):
        with pytest.raises(ConnectorError):
            await transport.write("POST", "/x")
    assert (await transport.write("POST", "/x")).status == 200


async def test_what_a_write_did_is_told_even_when_our_database_is_away(clock: ManualClock, company: str) -> None:
    away = Database("postgresql+asyncpg://connector@127.0.0.1:1/none")
    circuits = Circuits(away, clock)

    class Entered(Circuit):
        async def enter(self) -> bool:
            return False

    clients = HttpClients(
        lambda _: httpx.MockTransport(lambda r: httpx.Response(201 if r.url.path == "/good" else 500))
    )
    upstream = Upstream("bexio", company, "https://api.bexio.test")
    circuit = Entered(circuits, "bexio", f"bexio:{company}")
    transport = Transport(upstream, clients, clock, "Bearer t", circuit=circuit)
    assert (await transport.write("POST", "/good")).status == 201
    with pytest.raises(OutcomeUnknown):
        await transport.write("POST", "/bad")
    await away.close()
