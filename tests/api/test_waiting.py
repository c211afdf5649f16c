from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.api import waiting
from app.api.waiting import Settled, parse_wait
from app.core.clock import SystemClock
from app.db.session import Database
from tests.api.tiny import Bench

NOTIFY = text("select pg_notify('connector_settled', :subject)")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["wait=10"], 10),
        (["wait=10, respond-async"], 10),
        (["respond-async, Wait=7"], 7),
        (["respond-async", "wait = 3"], 3),
        (['wait="5"'], 5),
        (["wait=9; foo=bar"], 9),
        (["wait=3600"], 20),
        (["wait=0"], 0),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=soon"], None),
        (["await=5"], None),
        (["return=minimal"], None),
        ([], None),
    ],
)
def test_the_wait_is_read_as_rfc_7240_says(headers: list[str], seconds: int | None) -> None:
    assert parse_wait(headers) == seconds


async def test_the_answer_says_what_wait_was_applied(client: httpx.AsyncClient) -> None:
    url = f"/things/waiting/{uuid4()}"
    answer = await client.get(url, headers={"Prefer": "wait=0"})
    assert answer.headers["preference-applied"] == "wait=0"
    assert answer.json()["name"] == "settled None True"
    assert "preference-applied" not in (await client.get(url)).headers


async def test_what_is_settled_already_is_answered_at_once(client: httpx.AsyncClient, bench: Bench) -> None:
    bench.settled = True
    answer = await client.get(f"/things/waiting/{uuid4()}", headers={"Prefer": "wait=20"})
    assert answer.json()["name"] == "settled True True"


@asynccontextmanager
async def listening(db: Database) -> AsyncGenerator[Settled]:
    settled = Settled(db, SystemClock())
    async with asyncio.TaskGroup() as group:
        listener = group.create_task(settled.run())
        for _ in range(200):
            if settled.listening:
                break
            await asyncio.sleep(0.02)
        yield settled
        listener.cancel()


async def notify(db: Database, subject: UUID | str) -> None:
    async with db.begin_system() as session:
        await session.execute(NOTIFY, {"subject": str(subject)})


class Record:
    """Settles when told to; counts how often it was looked at."""

    def __init__(self) -> None:
        self.done = False
        self.looks = 0

    async def look(self) -> str | None:
        self.looks += 1
        return "done" if self.done else None


async def test_a_notification_wakes_who_waits_for_that_subject(api_db: Database) -> None:
    subject, record, other = uuid4(), Record(), Record()
    async with listening(api_db) as settled, asyncio.TaskGroup() as group:
        waiting_for = group.create_task(settled.until(subject, 10, record.look))
        unrelated = group.create_task(settled.until(uuid4(), 0.6, other.look))
        await asyncio.sleep(0.2)
        record.done = True
        started = time.monotonic()
        await notify(api_db, "not a uuid")
        await notify(api_db, subject)
        assert await waiting_for == "done"
        assert time.monotonic() - started < waiting.POLL_SECONDS
        assert record.looks == 2
        assert await unrelated is None
        assert other.looks == 2


async def test_what_was_only_just_made_is_looked_at_when_it_settles_and_not_before(api_db: Database) -> None:
    subject, record = uuid4(), Record()
    async with listening(api_db) as settled, asyncio.TaskGroup() as group:
        waiting_for = group.create_task(settled.until(subject, 10, record.look, new=True))
        await asyncio.sleep(0.1)
        assert record.looks == 0
        record.done = True
        await notify(api_db, subject)
        assert await waiting_for == "done"
    assert record.looks == 1


async def test_what_settled_before_anybody_waited_is_seen_at_once(api_db: Database) -> None:
    subject, record = uuid4(), Record()
    record.done = True
    async with listening(api_db) as settled:
        # Another one that is watched tells when the notification has arrived.
        async with settled.watch(subject) as signal:
            await notify(api_db, subject)
            await signal.wait(5)
        started = time.monotonic()
        assert await settled.until(subject, 10, record.look, new=True) == "done"
        assert time.monotonic() - started < waiting.POLL_SECONDS


async def test_nobody_relies_on_notifications_that_cannot_arrive(api_db: Database) -> None:
    record = Record()
    record.done = True
    assert await Settled(api_db, SystemClock()).until(uuid4(), 5, record.look, new=True) == "done"
    assert record.looks == 1


async def test_without_a_listener_looking_again_is_enough(api_db: Database) -> None:
    settled, record = Settled(api_db, SystemClock()), Record()
    async with asyncio.TaskGroup() as group:
        waiting_for = group.create_task(settled.until(uuid4(), 5, record.look))
        await asyncio.sleep(0.1)
        record.done = True
        assert await waiting_for == "done"
    assert record.looks == 2


async def test_the_wait_ends_when_its_time_is_up(api_db: Database) -> None:
    started = time.monotonic()
    assert await Settled(api_db, SystemClock()).until(uuid4(), 0.3, Record().look) is None
    assert 0.3 <= time.monotonic() - started < 1


async def kill_listeners(url: URL) -> None:
    kill = text(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and application_name = 'connector-jobs'"
    )
    owner = create_async_engine(url)
    async with owner.connect() as connection:
        await connection.execute(kill)
    await owner.dispose()


async def test_listening_survives_the_loss_of_its_connection(api_db: Database, api_url: URL) -> None:
    subject, record = uuid4(), Record()
    async with listening(api_db) as settled:
        assert settled.poll_seconds == waiting.POLL_SECONDS_LISTENING
        await kill_listeners(api_url)
        await until(lambda: not settled.listening)
        assert settled.poll_seconds == waiting.POLL_SECONDS
        await until(lambda: settled.listening)
        async with asyncio.TaskGroup() as group:
            waiting_for = group.create_task(settled.until(subject, 10, record.look))
            await asyncio.sleep(0.1)
            record.done = True
            await notify(api_db, subject)
            assert await asyncio.wait_for(waiting_for, waiting.POLL_SECONDS) == "done"


async def test_nothing_is_kept_of_who_has_left(api_db: Database) -> None:
    settled = Settled(api_db, SystemClock())
    async with settled.watch(uuid4()):
        assert len(settled.watched) == 1
    assert len(settled.watched) == 0


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(250):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("It did not happen within five seconds.")
