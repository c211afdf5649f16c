"""Unfinished is never silent: at every moment an operation is done, parked with a reason and an item for a person,
waiting with a moment and a reason, or running on a lease that ends. And left alone, it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.core.errors import (
    ConnectionRefused,
    LeaseLost,
    NotFound,
    OutcomeUnknown,
    RemoteRejected,
    RemoteUnavailable,
    Unavailable,
)
from app.db.session import Database
from app.jobs import operations
from app.jobs.operations import LEASE
from app.jobs.outcomes import MAX_ATTEMPTS, MAX_STARTS, Done, Halt, Later, NeedsAttention, Outcome
from app.jobs.work import Work, WorkLoop
from tests.jobs.stock import KIND, HandClock, Trial, add_tenant, add_work, items, loop_over, stored

FATES: dict[str, Outcome | Exception] = {
    "done": Done(),
    "later": Later(timedelta(seconds=7), "may-land"),
    "later, counted": Later(timedelta(0), "try-again", counted=True),
    "person": NeedsAttention("total-differs", {"till": "1.00"}),
    "halt": Halt(Later(timedelta(minutes=3), "contact-being-resolved")),
    "halt for a person": Halt(NeedsAttention("contact-gone")),
    "remote away": RemoteUnavailable("bexio-unavailable", "bexio", retry_after=30),
    "remote refuses": RemoteRejected("bexio-rejected", "bexio", 422),
    "not connected": ConnectionRefused("bexio-unauthorized", "bexio", 401),
    "unclear": OutcomeUnknown("bexio-silent", "bexio"),
    "database away": Unavailable("database-unavailable"),
    "gone": NotFound("document-not-found"),
    "bug": ZeroDivisionError(),
    "lease lost": LeaseLost(),
}
# What happens to the work from outside.
EVENTS = ("killed", "asked again", "asked again while it runs", "taken over while it runs")

_FORGET = text("delete from operation where subject_id = :subject")


class Script(Trial):
    """Meets the fates in their order, then is done."""

    def __init__(self, db: Database, clock: HandClock) -> None:
        super().__init__(self._meet)
        self._db = db
        self._clock = clock
        self.fate = "done"
        self.event = ""

    async def _meet(self, work: Work) -> Outcome:
        # Whoever is killed while parking the work may be started again and again; what kills is not.
        assert work.operation.starts <= MAX_STARTS
        if self.event == "asked again while it runs":
            await ask_again(self._db, work.tenant, work.subject, self._clock)
        elif self.event == "taken over while it runs":
            self._clock.move(LEASE.total_seconds())
            await operations.claim(self._db, self._clock.now())
        fate = FATES[self.fate]
        if isinstance(fate, Exception):
            raise fate
        return fate


async def ask_again(db: Database, tenant: UUID, subject: UUID, clock: HandClock) -> None:
    async with db.begin(tenant) as session:
        await operations.rearm(session, kind=KIND, subject=subject, now=clock.now())


async def assert_it_speaks(db: Database, tenant: UUID, subject: UUID, clock: HandClock) -> None:
    row = await stored(db, subject)
    open_items = [code for code, state in await items(db, tenant, subject) if state == "open"]
    assert row.attempts <= MAX_ATTEMPTS
    assert len(open_items) <= 1
    match row.state:
        case "done":
            assert open_items == []
        case "parked":
            assert open_items == [row.reason]
        case "waiting":
            assert row.next_attempt_at <= clock.now() + timedelta(minutes=5)
            # Only work that somebody asked for again, due at once, has no reason to give.
            assert row.reason is not None or row.next_attempt_at <= clock.now()
        case "running":
            assert row.lease_until is not None
            assert row.lease_until <= clock.now() + LEASE
        case _:
            raise AssertionError(row.state)


async def pass_time(db: Database, subject: UUID, clock: HandClock) -> None:
    """To the moment at which the work is due."""
    row = await stored(db, subject)
    due = row.lease_until if row.state == "running" else row.next_attempt_at
    clock.move(max(0.0, (due - clock.now()).total_seconds()))


async def one_step(loop: WorkLoop, script: Script, step: tuple[str, str], tenant: UUID, subject: UUID) -> None:
    db, clock = loop.db, script._clock  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
    script.fate, script.event = step
    await pass_time(db, subject, clock)
    if script.event == "asked again":
        await ask_again(db, tenant, subject, clock)
    if script.event == "killed":
        await operations.claim(db, clock.now())
    else:
        await loop.turn()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(sorted(FATES)), st.sampled_from(("", "", *EVENTS))), max_size=20))
async def test_unfinished_work_always_says_why_and_when(jobs_db: Database, steps: Sequence[tuple[str, str]]) -> None:
    db, clock = jobs_db, HandClock()
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    script = Script(db, clock)
    loop = loop_over(db, script, clock)
    try:
        for step in steps:
            await one_step(loop, script, step, tenant, subject)
            await assert_it_speaks(db, tenant, subject, clock)
        for _ in range(3):
            await one_step(loop, script, ("done", ""), tenant, subject)
        row = await stored(db, subject)
        assert row.state in {"done", "parked"}
        await assert_it_speaks(db, tenant, subject, clock)
    finally:
        async with db.begin_system() as session:
            await session.execute(_FORGET, {"subject": subject})


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(set(FATES) - {"later", "halt", "remote away", "database away", "done"})))
async def test_work_that_always_ends_the_same_bad_way_ends_with_a_person(jobs_db: Database, fate: str) -> None:
    db, clock = jobs_db, HandClock()
    tenant = await add_tenant(db)
    subject = await add_work(db, tenant)
    script = Script(db, clock)
    loop = loop_over(db, script, clock)
    try:
        for _ in range(MAX_ATTEMPTS + 1):
            await one_step(loop, script, (fate, ""), tenant, subject)
        assert (await stored(db, subject)).state == "parked"
        assert len(await items(db, tenant, subject)) == 1
    finally:
        async with db.begin_system() as session:
            await session.execute(_FORGET, {"subject": subject})
