"""A turn ends with a record of how it ended, whatever the handler does; and nothing it does stops the loop."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import LeaseLost, OutcomeUnknown, RemoteRejected, RemoteUnavailable
from app.db.session import Database
from app.jobs import operations
from app.jobs.operations import LEASE, Operation
from app.jobs.outcomes import MAX_ATTEMPTS, MAX_STARTS, Done, Halt, Later, NeedsAttention, Outcome
from app.jobs.work import Work
from tests.jobs.stock import (
    START,
    HandClock,
    Trial,
    add_tenant,
    add_work,
    claimed,
    items,
    loop_over,
    stored,
    until,
)

WAIT = timedelta(minutes=5)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


async def test_a_turn_that_is_done_leaves_nothing_to_do(db: Database, clock: HandClock) -> None:
    subject = await add_work(db, await add_tenant(db))
    handler = Trial()
    await loop_over(db, handler, clock).drain()
    assert (await stored(db, subject)).state == "done"
    assert (len(handler.runs), handler.outcomes) == (1, [Done()])


async def test_what_a_turn_noted_is_there_for_the_next_one(db: Database, clock: HandClock) -> None:
    subject = await add_work(db, await add_tenant(db))

    async def act(work: Work) -> Outcome:
        if work.step == "new":
            await work.advance("creating", sent=1)
            work.note(found=2)
            return Later(WAIT, "may-land")
        assert (work.step, dict(work.memo)) == ("creating", {"sent": 1, "found": 2})
        return Done()

    loop = loop_over(db, Trial(act), clock)
    await loop.drain()
    row = await stored(db, subject)
    assert (row.state, row.next_attempt_at, row.reason) == ("waiting", START + WAIT, "may-land")
    clock.move(WAIT.total_seconds())
    await loop.drain()
    assert (await stored(db, subject)).state == "done"


async def test_a_halt_from_deep_inside_ends_the_turn_as_it_says(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)

    async def act(work: Work) -> Outcome:
        raise Halt(NeedsAttention("total-differs", {"till": "1.00"}))

    await loop_over(db, Trial(act), clock).drain()
    row = await stored(db, subject)
    assert (row.state, row.reason) == ("parked", "total-differs")
    assert await items(db, tenant, subject) == [("total-differs", "open")]


async def test_a_new_reason_replaces_the_old_item_and_success_closes_it(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    outcomes: list[Outcome] = [NeedsAttention("contact-gone"), NeedsAttention("total-differs"), Done()]

    async def act(work: Work) -> Outcome:
        return outcomes.pop(0)

    loop = loop_over(db, Trial(act), clock)
    for expected in (
        [("contact-gone", "open")],
        [("contact-gone", "resolved"), ("total-differs", "open")],
        [("contact-gone", "resolved"), ("total-differs", "resolved")],
    ):
        clock.move(1)
        await loop.drain()
        assert await items(db, tenant, subject) == expected
        async with db.begin(tenant) as session:
            await operations.rearm(session, kind="trial", subject=subject, now=clock.now())


async def test_waiting_for_a_remote_that_is_away_burns_no_attempt(db: Database, clock: HandClock) -> None:
    subject = await add_work(db, await add_tenant(db))

    async def act(work: Work) -> Outcome:
        raise RemoteUnavailable("bexio-unavailable", "bexio", retry_after=20)

    loop = loop_over(db, Trial(act), clock)
    for _ in range(3 * MAX_ATTEMPTS):
        await loop.drain()
        row = await stored(db, subject)
        assert (row.state, row.attempts) == ("waiting", 0)
        # At least as long as it told, and for old work half a minute at most.
        assert timedelta(seconds=20) <= row.next_attempt_at - clock.now() <= timedelta(seconds=30)
        clock.moment = row.next_attempt_at


async def test_a_round_that_went_well_forgives_earlier_failures_of_standing_work(
    db: Database, clock: HandClock
) -> None:
    subject = await add_work(db, await add_tenant(db))

    async def act(work: Work) -> Outcome:
        if len(handler.runs) % MAX_ATTEMPTS:
            raise ZeroDivisionError
        return Later(WAIT, "next-poll", succeeded=True)

    handler = Trial(act)
    loop = loop_over(db, handler, clock)
    for _ in range(3 * MAX_ATTEMPTS):
        await loop.drain()
        clock.move(3600)
    row = await stored(db, subject)
    assert (len(handler.runs), row.state, row.attempts) == (3 * MAX_ATTEMPTS, "waiting", 0)


@pytest.mark.parametrize("error", [OutcomeUnknown("bexio-silent", "bexio"), ZeroDivisionError()], ids=type)
async def test_failures_that_count_end_with_a_person(db: Database, clock: HandClock, error: Exception) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)

    async def act(work: Work) -> Outcome:
        raise error

    handler = Trial(act)
    loop = loop_over(db, handler, clock)
    for _ in range(MAX_ATTEMPTS + 3):
        await loop.drain()
        clock.move(3600)
    assert len(handler.runs) == MAX_ATTEMPTS
    assert (await stored(db, subject)).state == "parked"
    assert len(await items(db, tenant, subject)) == 1


async def test_one_poison_record_never_stops_its_neighbours(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    poisons = [RuntimeError("boom"), KeyError("x"), RemoteRejected("bexio-rejected", "bexio", 422), LeaseLost()]
    poisoned = [await add_work(db, tenant) for _ in poisons]
    clock.move(1)
    healthy = [await add_work(db, tenant, now=clock.now()) for _ in range(3)]
    fates = dict(zip(poisoned, poisons, strict=True))

    async def act(work: Work) -> Outcome:
        if work.subject in fates:
            raise fates[work.subject]
        return Done()

    await loop_over(db, Trial(act), clock).drain()
    assert {(await stored(db, subject)).state for subject in healthy} == {"done"}
    assert [(await stored(db, subject)).state for subject in poisoned] == ["waiting", "waiting", "parked", "running"]


async def test_a_job_that_kills_its_worker_is_parked_after_five_starts(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    for start in range(1, MAX_STARTS + 1):
        # A worker that dies leaves nothing behind but its claim.
        assert (await claimed(db, clock.now())).starts == start
        clock.move(LEASE.total_seconds())
    handler = Trial()
    await loop_over(db, handler, clock).drain()
    row = await stored(db, subject)
    assert (handler.runs, row.state, row.reason) == ([], "parked", "work-kills-its-worker")
    assert await items(db, tenant, subject) == [("work-kills-its-worker", "open")]


async def test_parked_work_starts_afresh_when_a_person_asks(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    for _ in range(MAX_STARTS):
        await claimed(db, clock.now())
        clock.move(LEASE.total_seconds())
    handler = Trial()
    loop = loop_over(db, handler, clock)
    await loop.drain()
    async with db.begin(tenant) as session:
        await operations.rearm(session, kind="trial", subject=subject, now=clock.now())
    await loop.drain()
    assert ((await stored(db, subject)).state, len(handler.runs)) == ("done", 1)
    assert await items(db, tenant, subject) == [("work-kills-its-worker", "resolved")]


async def test_a_kind_that_this_version_does_not_know_is_left_to_one_that_does(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    newer = await add_work(db, tenant, kind="from-the-next-version")
    clock.move(1)
    ours = await add_work(db, tenant, now=clock.now())
    await loop_over(db, Trial(), clock).drain()
    assert (await stored(db, ours)).state == "done"
    row = await stored(db, newer)
    assert (row.state, row.reason, row.attempts) == ("waiting", "kind-unknown", 0)
    assert row.next_attempt_at > clock.now()


class Unsettled(Trial):
    """Its own tables refuse what it records."""

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        await session.execute(text("select 1 / 0"))


async def test_work_whose_outcome_cannot_be_recorded_is_parked_and_stops_nothing(
    db: Database, clock: HandClock
) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    handler = Unsettled()
    loop = loop_over(db, handler, clock)
    for _ in range(MAX_STARTS + 2):
        await loop.drain()
        clock.move(LEASE.total_seconds())
    row = await stored(db, subject)
    assert (len(handler.runs), row.state, row.reason) == (MAX_STARTS, "parked", "work-kills-its-worker")
    assert await items(db, tenant, subject) == [("work-kills-its-worker", "open")]


async def test_a_worker_whose_lease_was_taken_records_nothing(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)

    async def act(work: Work) -> Outcome:
        clock.move(LEASE.total_seconds())
        other = await claimed(db, clock.now())
        assert other.id == work.operation.id
        return NeedsAttention("total-differs")

    handler = Trial(act)
    loop = loop_over(db, handler, clock)
    assert await loop.turn()
    row = await stored(db, subject)
    assert (row.state, row.fence, row.reason) == ("running", 2, None)
    assert (await items(db, tenant, subject), handler.outcomes, loop.held) == ([], [], {})


async def test_a_goal_that_changed_while_it_was_worked_on_is_looked_at_before_the_next_write(
    db: Database, clock: HandClock
) -> None:
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    written: list[int] = []

    async def act(work: Work) -> Outcome:
        if len(handler.runs) == 1:
            async with db.begin(tenant) as session:
                await operations.rearm(session, kind="trial", subject=subject, now=clock.now())
        await work.advance("writing")
        written.append(work.operation.wanted)
        return Done()

    handler = Trial(act)
    await loop_over(db, handler, clock).drain()
    assert ((await stored(db, subject)).state, len(handler.runs), written) == ("done", 2, [2])


class SteppedClock(HandClock):
    """A sleep ends when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.slept = asyncio.Semaphore(0)

    async def sleep(self, seconds: float) -> None:
        await self.slept.acquire()
        self.move(seconds)


async def test_the_beat_keeps_a_long_turn_in_its_workers_hands(db: Database) -> None:
    clock = SteppedClock()
    subject = await add_work(db, await add_tenant(db))

    async def renewed() -> bool:
        return (await stored(db, subject)).lease_until == clock.now() + LEASE

    async def act(work: Work) -> Outcome:
        while clock.now() < START + 4 * LEASE:
            assert await operations.claim(db, clock.now()) is None
            clock.slept.release()
            await asyncio.sleep(0.01)
            await until(renewed)
        return Done()

    loop = loop_over(db, Trial(act), clock)
    async with asyncio.TaskGroup() as group:
        beat = group.create_task(loop.beat())
        await loop.turn()
        beat.cancel()
    row = await stored(db, subject)
    assert (row.state, row.fence) == ("done", 1)


async def test_a_loop_that_stops_takes_nothing_new(db: Database, clock: HandClock) -> None:
    tenant = await add_tenant(db)
    for _ in range(3):
        await add_work(db, tenant)

    async def act(work: Work) -> Outcome:
        loop.stopping = True
        return Done()

    handler = Trial(act)
    loop = loop_over(db, handler, clock)
    await loop.drain()
    assert len(handler.runs) == 1
