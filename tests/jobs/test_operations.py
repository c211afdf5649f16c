"""What the holder of an operation may do, and what somebody who lost it may not."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.core.errors import LeaseLost
from app.core.ids import uuid7
from app.core.priority import Priority
from app.db.session import Database
from app.jobs import operations
from app.jobs.operations import LEASE, Ending, Operation
from app.jobs.outcomes import Halt, Later
from tests.jobs.stock import KIND, START, add_tenant, add_work, claimed, settle, stored

LATER = START + timedelta(seconds=4)
EXPIRED = START + LEASE


async def one_held(db: Database) -> Operation:
    await add_work(db, await add_tenant(db))
    return await claimed(db)


async def test_adding_work_for_a_subject_twice_is_adding_it_once(db: Database) -> None:
    tenant, subject = await add_tenant(db), uuid7(START)
    async with db.begin(tenant) as session:
        for priority in (Priority.TILL, Priority.BULK):
            await operations.add(session, tenant=tenant, kind=KIND, subject=subject, priority=priority, now=START)
    row = await stored(db, subject)
    assert (row.state, row.priority, row.wanted) == ("waiting", Priority.TILL.rank, 1)


async def test_a_claim_gives_the_operation_a_lease_and_a_new_fence(db: Database) -> None:
    held = await one_held(db)
    row = await stored(db, held.subject_id)
    assert (row.state, row.lease_until, row.fence, row.starts) == ("running", EXPIRED, 1, 1)
    assert (held.fence, held.starts) == (1, 1)


async def test_work_that_is_held_or_not_due_is_not_claimed(db: Database) -> None:
    tenant = await add_tenant(db)
    await add_work(db, tenant)
    await add_work(db, tenant, due=LATER)
    await claimed(db)
    assert await operations.claim(db, LATER - timedelta(microseconds=1)) is None
    assert await operations.claim(db, LATER) is not None


async def test_an_expired_lease_is_claimed_by_the_next_worker(db: Database) -> None:
    first = await one_held(db)
    assert await operations.claim(db, EXPIRED - timedelta(microseconds=1)) is None
    second = await claimed(db, EXPIRED)
    assert (second.id, second.fence, second.starts) == (first.id, 2, 2)


async def test_advancing_keeps_step_and_memo_and_renews_the_lease(db: Database) -> None:
    held = await operations.advance(db, await one_held(db), "creating", {"contact": 7}, LATER)
    row = await stored(db, held.subject_id)
    assert (row.step, row.memo, row.lease_until) == ("creating", {"contact": 7}, LATER + LEASE)
    assert (held.step, held.memo) == ("creating", {"contact": 7})


async def test_whoever_lost_the_lease_writes_nothing_more(db: Database) -> None:
    lost = await one_held(db)
    holder = await operations.advance(db, await claimed(db, EXPIRED), "theirs", {}, EXPIRED)
    before = await stored(db, lost.subject_id)
    with pytest.raises(LeaseLost):
        await operations.advance(db, lost, "ours", {"lost": True}, EXPIRED)
    with pytest.raises(LeaseLost):
        await settle(db, lost, "done", EXPIRED)
    await operations.extend(db, [lost], EXPIRED + LEASE)
    assert await stored(db, lost.subject_id) == before
    await operations.advance(db, holder, "still theirs", {}, EXPIRED)


async def test_an_expired_lease_that_nobody_took_may_still_be_used(db: Database) -> None:
    held = await one_held(db)
    await operations.advance(db, held, "late", {}, EXPIRED + timedelta(hours=1))
    assert (await stored(db, held.subject_id)).fence == held.fence


async def test_a_settled_operation_cannot_be_written_by_its_last_holder(db: Database) -> None:
    held = await one_held(db)
    assert await settle(db, held, "done") == "done"
    with pytest.raises(LeaseLost):
        await operations.advance(db, held, "again", {}, LATER)
    with pytest.raises(LeaseLost):
        await settle(db, held, "waiting")
    assert (await stored(db, held.subject_id)).state == "done"


async def test_extending_renews_every_lease_that_is_still_held(db: Database) -> None:
    tenant = await add_tenant(db)
    for _ in range(3):
        await add_work(db, tenant)
    held = [await claimed(db) for _ in range(3)]
    await settle(db, held[0], "done")
    await operations.extend(db, held, LATER)
    leases = [(await stored(db, operation.subject_id)).lease_until for operation in held]
    assert leases == [None, LATER + LEASE, LATER + LEASE]


async def test_settling_records_when_it_goes_on_and_why(db: Database) -> None:
    held = await operations.advance(db, await one_held(db), "paying", {"n": 1}, START)
    async with db.begin(held.tenant_id) as session:
        await operations.settle(session, held, Ending("waiting", START, LATER, 3, "bexio-unavailable"))
    row = await stored(db, held.subject_id)
    assert (row.state, row.next_attempt_at, row.attempts) == ("waiting", LATER, 3)
    assert (row.reason, row.starts, row.lease_until) == ("bexio-unavailable", 0, None)
    assert (row.step, row.memo) == ("paying", {"n": 1})


async def test_work_that_was_asked_for_while_it_ran_runs_once_more(db: Database) -> None:
    held = await one_held(db)
    async with db.begin(held.tenant_id) as session:
        assert await operations.rearm(session, kind=KIND, subject=held.subject_id, now=START)
    assert (await stored(db, held.subject_id)).state == "running"
    assert await settle(db, held, "done", LATER) == "waiting"
    again = await claimed(db, LATER)
    assert (again.id, again.wanted) == (held.id, held.wanted + 1)
    assert await settle(db, again, "done", LATER) == "done"


async def test_a_holder_learns_of_a_new_wish_before_its_next_step(db: Database) -> None:
    held = await one_held(db)
    async with db.begin(held.tenant_id) as session:
        await operations.rearm(session, kind=KIND, subject=held.subject_id, now=START)
    before = await stored(db, held.subject_id)
    with pytest.raises(Halt) as halted:
        await operations.advance(db, held, "issuing", {"too": "late"}, LATER)
    assert halted.value.outcome == Later(timedelta(0), "asked-again")
    assert await stored(db, held.subject_id) == before
    assert await settle(db, held, "waiting") == "waiting"
    again = await claimed(db, LATER)
    assert again.wanted == held.wanted + 1
    await operations.advance(db, again, "cancelling", {}, LATER)
    assert await settle(db, again, "done", LATER) == "done"


async def test_only_the_holder_may_write_beside_its_operation(db: Database) -> None:
    lost = await one_held(db)
    holder = await claimed(db, EXPIRED)
    async with db.begin(lost.tenant_id) as session:
        with pytest.raises(LeaseLost):
            await operations.hold(session, lost)
    async with db.begin(lost.tenant_id) as session:
        await operations.hold(session, holder)


async def test_what_a_holder_writes_beside_its_operation_keeps_others_from_taking_it(db: Database) -> None:
    held = await one_held(db)
    async with db.begin(held.tenant_id) as session:
        await operations.hold(session, held)
        assert await operations.claim(db, EXPIRED) is None
    assert (await claimed(db, EXPIRED)).id == held.id


@pytest.mark.parametrize("state", ["done", "parked", "waiting"])
async def test_asking_again_wakes_work_from_every_rest_and_forgives_its_failures(db: Database, state: str) -> None:
    held = await one_held(db)
    async with db.begin(held.tenant_id) as session:
        await operations.settle(session, held, Ending(state, START, START + timedelta(days=1), 9, "total-differs"))
        assert await operations.rearm(session, kind=KIND, subject=held.subject_id, now=LATER)
    row = await stored(db, held.subject_id)
    assert (row.state, row.next_attempt_at, row.attempts, row.reason) == ("waiting", LATER, 0, None)


async def test_asking_for_work_that_does_not_exist_says_so(db: Database) -> None:
    tenant = await add_tenant(db)
    async with db.begin(tenant) as session:
        assert not await operations.rearm(session, kind=KIND, subject=uuid7(START), now=START)


async def test_another_tenant_can_neither_rearm_nor_settle_it(db: Database) -> None:
    held = await one_held(db)
    async with db.begin(await add_tenant(db)) as session:
        assert not await operations.rearm(session, kind=KIND, subject=held.subject_id, now=START)
        with pytest.raises(LeaseLost):
            await operations.settle(session, held, Ending("done", START, START, 0, None))
    assert (await stored(db, held.subject_id)).state == "running"


async def test_twenty_claimers_never_share_an_operation(db: Database) -> None:
    tenants = [await add_tenant(db) for _ in range(10)]
    subjects = {await add_work(db, tenant) for tenant in tenants for _ in range(20)}
    taken: list[Operation] = []

    async def work() -> None:
        while (operation := await operations.claim(db, START)) is not None:
            taken.append(operation)
            await settle(db, operation, "done")

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(work())
    assert len(taken) == len(subjects)
    assert {operation.subject_id for operation in taken} == subjects
    assert {operation.fence for operation in taken} == {1}
