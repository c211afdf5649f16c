from __future__ import annotations

import asyncio
import math
import statistics
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.connectors.budget import LEASE, PATIENCE, RESERVE, Bucket, Budgets, read_headers
from app.connectors.clients import HttpClients, Upstream
from app.connectors.transport import Transport
from app.core.clock import SystemClock
from app.core.errors import RemoteUnavailable
from app.core.priority import Priority
from app.db.session import Database
from tests.connectors.conftest import ManualClock
from tests.fixtures.wire import watched

MINUTE = 60.0
SHORT = 4.0
TILL, BACKOFFICE, BULK = Priority.TILL, Priority.BACKOFFICE, Priority.BULK
_companies = count()


def a_company() -> str:
    return f"company-{next(_companies)}"


@dataclass
class Counter:
    """bexio's side: fixed windows whose beginning we are not told, seconds rounded, everybody counted."""

    capacity: int
    window: float = MINUTE
    phase: float = 0.0
    step: float = 1.0
    rounding_up: bool = True
    accepted: dict[int, int] = field(default_factory=dict[int, int])
    refused: int = 0

    def hit(self, now: datetime) -> tuple[bool, dict[str, str]]:
        since = now.timestamp() + self.phase
        window = math.floor(since / self.window)
        rest = (window + 1) * self.window - since
        steps = math.ceil(rest / self.step) if self.rounding_up else max(1, math.floor(rest / self.step))
        used = self.accepted.get(window, 0)
        if good := used < self.capacity:
            used = self.accepted[window] = used + 1
        else:
            self.refused += 1
        return good, {
            "ratelimit-limit": str(self.capacity),
            "ratelimit-remaining": str(self.capacity - used),
            "ratelimit-reset": str(steps * self.step),
        }

    def whole_windows(self) -> list[int]:
        return [self.accepted[window] for window in sorted(self.accepted)[1:-1]]


def in_short_windows(db: Database) -> Budgets:
    """Minutes of `SHORT` seconds, patience shortened alike."""
    patience = {priority: seconds * SHORT / MINUTE for priority, seconds in PATIENCE.items()}
    return Budgets(db, SystemClock(), window=timedelta(seconds=SHORT), patience=patience)


async def ask(
    budgets: Budgets, company: str, remote: Counter, clock: ManualClock | SystemClock, priority: Priority
) -> float:
    """One request as the transport makes it; the seconds to wait when there is no budget for it."""
    try:
        await budgets.acquire(company, Bucket.GENERAL, priority)
    except RemoteUnavailable as error:
        return error.retry_after
    sent_at = clock.now()
    good, headers = remote.hit(sent_at)
    budgets.heard(company, Bucket.GENERAL, headers, sent_at)
    if not good:
        await budgets.refused(company, Bucket.GENERAL, float(headers["ratelimit-reset"]))
    return 0.0


@settings(max_examples=60, deadline=None)
@given(
    phase=st.floats(0, MINUTE),
    capacity=st.integers(1, 60),
    steps=st.lists(
        st.tuples(st.sampled_from(list(Priority)), st.floats(0, 20), st.integers(1, 25)), min_size=1, max_size=12
    ),
)
async def test_one_caller_at_any_pace_never_meets_a_429(
    limits_db: Database, phase: float, capacity: int, steps: list[tuple[Priority, float, int]]
) -> None:
    clock, remote, company = ManualClock(), Counter(capacity, phase=phase), a_company()
    budgets = Budgets(limits_db, clock)
    for priority, pause, requests in steps:
        clock.pass_time(pause)
        for _ in range(requests):
            await ask(budgets, company, remote, clock, priority)
    assert remote.refused == 0
    assert max(remote.accepted.values(), default=0) <= capacity


@settings(max_examples=15, deadline=None)
@given(
    phase=st.floats(0, MINUTE),
    capacity=st.integers(80, 300),
    cost=st.floats(0, 0.15),
    priority=st.sampled_from(list(Priority)),
    rounding_up=st.booleans(),
)
async def test_who_has_enough_to_do_uses_the_whole_minute_whatever_its_priority(
    limits_db: Database, phase: float, capacity: int, cost: float, priority: Priority, *, rounding_up: bool
) -> None:
    clock, company = ManualClock(), a_company()
    remote = Counter(capacity, phase=phase, rounding_up=rounding_up)
    budgets = Budgets(limits_db, clock)
    until = clock.now() + timedelta(seconds=3.2 * MINUTE)
    while clock.now() < until:
        clock.pass_time(cost + await ask(budgets, company, remote, clock, priority))
    for used in remote.whole_windows():
        assert used >= 0.95 * capacity
    # Seconds rounded down tell a minute's end up to a second early: then one request finds out.
    assert remote.refused <= (0 if rounding_up else 4)


@pytest.mark.parametrize("elapsed", [0.0, 15.0, 30.0, 50.0])
async def test_bulk_work_leaves_what_tills_may_need_in_the_rest_of_the_minute(
    limits_db: Database, clock: ManualClock, elapsed: float
) -> None:
    remote, company = Counter(200), a_company()
    budgets = Budgets(limits_db, clock)
    await ask(budgets, company, remote, clock, BULK)
    clock.pass_time(elapsed)
    while await ask(budgets, company, remote, clock, BULK) == 0 and not clock.slept:
        pass
    clock.slept.clear()
    kept = math.floor(RESERVE[BULK] * 200 * (MINUTE - elapsed) / MINUTE) - 1
    for _ in range(kept):
        assert await ask(budgets, company, remote, clock, TILL) == 0
    assert clock.slept == []
    assert remote.refused == 0


async def test_backoffice_work_goes_on_where_bulk_stops_and_stops_before_tills(
    limits_db: Database, clock: ManualClock
) -> None:
    company, budgets, remote = a_company(), Budgets(limits_db, clock), Counter(1000)
    spent: list[int] = []
    for priority in (BULK, BACKOFFICE, TILL):
        while await ask(budgets, company, remote, clock, priority) == 0 and not clock.slept:
            pass
        clock.slept.clear()
        spent.append(sum(remote.accepted.values()))
    bulk, backoffice, till = spent
    assert bulk == pytest.approx(750, abs=3)
    assert backoffice == pytest.approx(900, abs=5)
    assert till == 1000


async def test_a_till_waits_for_a_minute_that_ends_soon_and_otherwise_says_when(
    limits_db: Database, clock: ManualClock
) -> None:
    company, budgets = a_company(), Budgets(limits_db, clock)
    remote = Counter(10, phase=-clock.now().timestamp())
    for _ in range(10):
        assert await ask(budgets, company, remote, clock, TILL) == 0
    with pytest.raises(RemoteUnavailable) as caught:
        await budgets.acquire(company, Bucket.GENERAL, TILL)
    assert caught.value.code == "bexio-budget-spent"
    assert caught.value.retry_after == pytest.approx(MINUTE, abs=1)
    clock.pass_time(MINUTE - 1.5)
    assert await ask(budgets, company, remote, clock, TILL) == 0
    assert clock.slept == [pytest.approx(1.5, abs=0.01)]


async def test_what_other_apps_spend_counts(limits_db: Database, clock: ManualClock) -> None:
    company, budgets, remote = a_company(), Budgets(limits_db, clock), Counter(100)
    await ask(budgets, company, remote, clock, TILL)
    for _ in range(90):
        remote.hit(clock.now())
    granted = 0
    while await ask(budgets, company, remote, clock, TILL) == 0 and granted < 100:
        granted += 1
    # What one process had in hand when it learned of it is all that may come too late.
    assert granted <= 9 + LEASE
    assert remote.refused <= LEASE


async def test_after_a_429_every_replica_waits_as_told(limits_db: Database, clock: ManualClock) -> None:
    company = a_company()
    one, other = Budgets(limits_db, clock), Budgets(limits_db, clock)
    await one.acquire(company, Bucket.GENERAL, TILL)
    await one.refused(company, Bucket.GENERAL, 30.0)
    for budgets in (one, other):
        with pytest.raises(RemoteUnavailable) as caught:
            await budgets.acquire(company, Bucket.GENERAL, TILL)
        assert caught.value.retry_after == pytest.approx(30.0)
    await other.acquire(company, Bucket.SEARCH, TILL)
    clock.pass_time(30.1)
    await other.acquire(company, Bucket.GENERAL, TILL)


async def test_an_answer_overtaken_by_the_next_minutes_does_not_count_there(
    limits_db: Database, clock: ManualClock
) -> None:
    company, budgets, remote = a_company(), Budgets(limits_db, clock), Counter(20)
    clock.pass_time(59)
    for _ in range(19):
        await ask(budgets, company, remote, clock, TILL)
    sent_at = clock.now()
    _, slow = remote.hit(sent_at)
    clock.pass_time(1)
    await ask(budgets, company, remote, clock, TILL)
    budgets.heard(company, Bucket.GENERAL, slow, sent_at)
    clock.slept.clear()
    for _ in range(19):
        assert await ask(budgets, company, remote, clock, TILL) == 0
    assert clock.slept == []
    assert remote.refused == 0


async def test_companies_and_buckets_have_budgets_of_their_own(limits_db: Database, clock: ManualClock) -> None:
    company, budgets, remote = a_company(), Budgets(limits_db, clock), Counter(3)
    while await ask(budgets, company, remote, clock, TILL) == 0:
        pass
    await budgets.acquire(company, Bucket.ARTICLES, TILL)
    await budgets.acquire(a_company(), Bucket.GENERAL, TILL)


async def test_before_bexio_told_anything_its_known_limits_hold(limits_db: Database, clock: ManualClock) -> None:
    budgets = Budgets(limits_db, clock)
    for bucket, limit in ((Bucket.GENERAL, 1000), (Bucket.ARTICLES, 400), (Bucket.SEARCH, 250)):
        company = a_company()
        for _ in range(limit):
            await budgets.acquire(company, bucket, TILL)
        with pytest.raises(RemoteUnavailable):
            await budgets.acquire(company, bucket, TILL)


async def test_what_a_process_leased_and_did_not_use_goes_back(limits_db: Database, clock: ManualClock) -> None:
    company, budgets, remote = a_company(), Budgets(limits_db, clock), Counter(1000)
    for _ in range(5):
        await ask(budgets, company, remote, clock, TILL)
        clock.pass_time(10.5)
    async with limits_db.begin_system() as session:
        used = await session.scalar(text("select used from rate_budget where company_id = :c"), {"c": company})
    assert used == 4 + LEASE


async def test_a_sale_of_two_requests_costs_one_round_trip_at_most(limits_url: str, clock: ManualClock) -> None:
    async with watched(limits_url) as (db, wire):
        company, budgets, remote = a_company(), Budgets(db, clock), Counter(1000)
        for _ in range(20):
            await ask(budgets, company, remote, clock, TILL)
            await ask(budgets, company, remote, clock, TILL)
        statements = [one for one in wire.statements if "spend_request" in one]
    # The first request learns the limit; from then on four at a time.
    assert len(statements) == 1 + math.ceil(39 / LEASE)


async def test_sixteen_callers_on_four_replicas_fill_the_window_without_a_429_while_tills_do_not_wait(
    limits_url: str, limits_db: Database
) -> None:
    clock, company = SystemClock(), a_company()
    remote = Counter(260, window=SHORT, step=SHORT / MINUTE)
    pools = [Database(limits_url, pool_size=2) for _ in range(4)]
    replicas = [in_short_windows(db) for db in pools]
    until = clock.monotonic() + 2.3 * SHORT
    waits: list[float] = []

    async def caller(budgets: Budgets) -> None:
        while clock.monotonic() < until:
            wait = await ask(budgets, company, remote, clock, BULK)
            await clock.sleep(wait or 0.002)

    async def till() -> None:
        while clock.monotonic() < until:
            began = clock.monotonic()
            while await ask(replicas[0], company, remote, clock, TILL):
                await clock.sleep(0.01)
            waits.append(clock.monotonic() - began)
            await clock.sleep(0.1)

    try:
        await asyncio.gather(till(), *[caller(replicas[number % 4]) for number in range(16)])
    finally:
        for db in pools:
            await db.close()
    accepted = sum(remote.accepted.values())
    assert remote.refused <= 0.005 * accepted
    assert min(remote.whole_windows()) >= 0.95 * remote.capacity
    assert statistics.median(waits) < 0.05


async def test_half_the_budget_eaten_by_another_app_gives_few_429s(limits_url: str, limits_db: Database) -> None:
    clock, company = SystemClock(), a_company()
    remote = Counter(260, window=SHORT, step=SHORT / MINUTE)
    replicas = [in_short_windows(limits_db) for _ in range(2)]
    until = clock.monotonic() + 2.3 * SHORT
    ours = refused_to_others = 0

    async def caller(budgets: Budgets) -> None:
        nonlocal ours
        while clock.monotonic() < until:
            wait = await ask(budgets, company, remote, clock, BULK)
            ours += not wait
            await clock.sleep(wait or 0.002)

    eaten = Counter(130, window=SHORT)

    async def other_app() -> None:
        nonlocal refused_to_others
        while clock.monotonic() < until:
            if eaten.hit(clock.now())[0] and not remote.hit(clock.now())[0]:
                refused_to_others += 1
            await clock.sleep(0.01)

    await asyncio.gather(other_app(), *[caller(replicas[number % 2]) for number in range(8)])
    assert remote.refused - refused_to_others <= max(2, 0.01 * ours)
    assert statistics.mean(remote.whole_windows()) >= 0.9 * remote.capacity


async def test_the_transport_spends_learns_and_obeys(limits_db: Database, clock: ManualClock) -> None:
    company, remote = a_company(), Counter(5)

    def on_the_wire(_: httpx.Request) -> httpx.Response:
        good, headers = remote.hit(clock.now())
        return httpx.Response(200 if good else 429, json={}, headers=headers)

    clients = HttpClients(lambda _: httpx.MockTransport(on_the_wire))
    upstream = Upstream("bexio", company, "https://api.bexio.test")
    budgets = Budgets(limits_db, clock)
    transport = Transport(upstream, clients, clock, "Bearer t", budget=budgets.of(company, TILL))
    for _ in range(4):
        await transport.write("POST", "/x")
    remote.hit(clock.now())
    refused = remote.refused
    with pytest.raises(RemoteUnavailable) as caught:
        await transport.write("POST", "/x")
    assert caught.value.code == "bexio-busy"
    assert remote.refused == refused + 1
    with pytest.raises(RemoteUnavailable) as caught:
        await transport.write("POST", "/x")
    assert caught.value.code == "bexio-budget-spent"
    assert remote.refused == refused + 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"ratelimit-limit": "1000", "ratelimit-remaining": "5"},
        {"ratelimit-limit": "x", "ratelimit-remaining": "5", "ratelimit-reset": "5"},
        {"ratelimit-limit": "0", "ratelimit-remaining": "0", "ratelimit-reset": "5"},
        {"ratelimit-limit": "10", "ratelimit-remaining": "11", "ratelimit-reset": "5"},
        {"ratelimit-limit": "10", "ratelimit-remaining": "-1", "ratelimit-reset": "5"},
        {"ratelimit-limit": "10", "ratelimit-remaining": "1", "ratelimit-reset": "nan"},
        {"ratelimit-limit": "10", "ratelimit-remaining": "1", "ratelimit-reset": "1795165200"},
        {"ratelimit-limit": "10000000", "ratelimit-remaining": "1", "ratelimit-reset": "5"},
    ],
)
def test_headers_that_make_no_sense_teach_nothing(headers: dict[str, str]) -> None:
    assert read_headers(headers, datetime(2026, 11, 20, tzinfo=UTC)) is None
