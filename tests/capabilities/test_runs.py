"""Runs: started, watched while they go, cancelled and retried. The work here is a test's own; it only counts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.errors import NotFound
from app.core.priority import Priority
from app.jobs import runs
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, NeedsAttention, Outcome
from app.jobs.runs import Run
from app.jobs.work import Work, WorkLoop
from sandbox.serving import serve
from tests.fixtures.service import audited
from tests.fixtures.shop import Body, Shop, Tenant

KIND = "test.count"


class Counting:
    """Counts to `goal` in steps, looks whether it shall stop, and fails when told to."""

    def __init__(self, goal: int = 3) -> None:
        self.goal = goal
        self.failing = False
        self.counted = 0

    async def run(self, work: Work) -> Outcome:
        """See `app.jobs.work.Handler`."""
        async with work.db.begin(work.tenant) as session:
            await runs.start(session, work.subject, work.clock.now())
            cancelled = await runs.cancel_requested(session, work.subject)
        while self.counted < self.goal and not cancelled:
            if self.failing:
                return NeedsAttention("account-missing", {"account": "3200"})
            self.counted += 1
            async with work.db.begin(work.tenant) as session:
                counts = {"read": self.counted}
                cancelled = await runs.progress(session, work.subject, counts, work.clock.now(), total=self.goal)
        async with work.db.begin(work.tenant) as session:
            ending: runs.Ending = "cancelled" if cancelled else "done"
            await runs.finish(session, work.subject, ending, work.clock.now(), detail={"found": self.counted})
        return Done()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """See `app.jobs.work.Handler`."""
        if isinstance(outcome, NeedsAttention):
            now = operation.created_at
            await runs.finish(session, operation.subject_id, "failed", now, reason=outcome.code, params=outcome.params)


async def _unwatched(milestone: str) -> None:
    """Nobody looks on."""


def loop(shop: Shop, handler: Counting) -> WorkLoop:
    return WorkLoop(shop.db, shop.clock, {KIND: handler}, _unwatched, shop.resources.chance)


async def begin(tenant: Tenant, total: int | None = None) -> UUID:
    async with tenant.shop.db.begin(tenant.id) as session:
        return await runs.create(
            session,
            tenant=tenant.id,
            kind=KIND,
            priority=Priority.BULK,
            now=tenant.shop.clock.now(),
            total=total,
            detail={"dry_run": False},
        )


async def progress(tenant: Tenant, run: UUID, read: int) -> None:
    async with tenant.shop.db.begin(tenant.id) as session:
        await runs.progress(session, run, {"read": read}, tenant.shop.clock.now())


async def start(tenant: Tenant, run: UUID) -> None:
    async with tenant.shop.db.begin(tenant.id) as session:
        await runs.start(session, run, tenant.shop.clock.now())


async def finish(tenant: Tenant, run: UUID, ending: runs.Ending = "done") -> None:
    async with tenant.shop.db.begin(tenant.id) as session:
        await runs.finish(session, run, ending, tenant.shop.clock.now())


async def shown(tenant: Tenant, run: UUID, language: str = "en") -> Body:
    answer = await tenant.get(f"/runs/{run}", headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    return answer.json()


def events(text: str) -> list[Body]:
    """The runs that a stream of events told of."""
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


async def test_a_run_is_done_by_its_operation_and_shows_its_figures(tenant: Tenant) -> None:
    run = await begin(tenant)
    before = await shown(tenant, run)
    assert (before["state"], before["counts"], before["total"]) == ("waiting", {}, None)
    await loop(tenant.shop, Counting()).drain()
    after = await shown(tenant, run)
    assert (after["state"], after["counts"], after["total"]) == ("done", {"read": 3}, 3)
    assert after["detail"] == {"dry_run": False, "found": 3}
    assert after["started_at"] <= after["finished_at"]


async def test_a_cancelled_run_stops_and_what_was_done_stays_done(tenant: Tenant) -> None:
    run = await begin(tenant)
    for _ in range(2):
        answer = await tenant.post(f"/runs/{run}/cancel")
        assert (answer.status_code, answer.json()["cancel_requested"]) == (200, True)
    await loop(tenant.shop, Counting()).drain()
    after = await shown(tenant, run)
    assert (after["state"], after["counts"]) == ("cancelled", {})
    refused = await tenant.post(f"/runs/{run}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "run-finished")
    assert len(await audited(tenant, "run.cancel")) == 2


async def test_a_running_run_sees_at_its_next_step_that_it_shall_stop(tenant: Tenant) -> None:
    run = await begin(tenant)
    await start(tenant, run)
    await progress(tenant, run, 1)
    await tenant.post(f"/runs/{run}/cancel")
    async with tenant.shop.db.begin(tenant.id) as session:
        assert await runs.progress(session, run, {"read": 2}, tenant.shop.clock.now())
        assert await runs.cancel_requested(session, run)


async def test_a_failed_run_says_why_and_goes_on_when_it_is_retried(tenant: Tenant) -> None:
    run, handler = await begin(tenant), Counting()
    handler.failing = True
    await loop(tenant.shop, handler).drain()
    failed = await shown(tenant, run, "de")
    assert (failed["state"], failed["reason"]["code"]) == ("failed", "account-missing")
    assert "3200" in failed["reason"]["detail"]
    assert failed["detail"] == {"dry_run": False}
    handler.failing = False
    answer = await tenant.post(f"/runs/{run}/retry")
    assert (answer.json()["state"], answer.json()["reason"]) == ("waiting", None)
    await loop(tenant.shop, handler).drain()
    assert (await shown(tenant, run))["state"] == "done"
    refused = await tenant.post(f"/runs/{run}/retry")
    assert (refused.status_code, refused.json()["code"]) == (409, "run-not-failed")


async def test_a_failed_run_goes_on_through_its_attention_item_too(tenant: Tenant) -> None:
    run, handler = await begin(tenant), Counting()
    handler.failing = True
    await loop(tenant.shop, handler).drain()
    (item,) = (await tenant.get("/attention?state=open")).json()["items"]
    assert (item["subject_kind"], item["subject_id"]) == (KIND, str(run))
    handler.failing = False
    await tenant.post(f"/attention/{item['id']}/retry")
    await loop(tenant.shop, handler).drain()
    after = await shown(tenant, run)
    assert (after["state"], after["reason"]) == ("done", None)


async def test_a_run_that_is_finished_stays_as_it_is(tenant: Tenant) -> None:
    run = await begin(tenant)
    await start(tenant, run)
    await finish(tenant, run)
    before = await shown(tenant, run)
    await progress(tenant, run, 99)
    await start(tenant, run)
    await finish(tenant, run, "failed")
    assert await shown(tenant, run) == before


async def test_runs_are_listed_by_kind_the_latest_first(tenant: Tenant) -> None:
    made = [str(await begin(tenant)) for _ in range(3)]
    first = (await tenant.get("/runs?limit=2")).json()
    second = (await tenant.get(f"/runs?limit=2&cursor={first['next_cursor']}")).json()
    assert [one["id"] for one in (*first["items"], *second["items"])] == list(reversed(made))
    assert len((await tenant.get(f"/runs?kind={KIND}")).json()["items"]) == 3
    assert (await tenant.get("/runs?kind=other")).json() == {"items": [], "next_cursor": None}


async def test_a_finished_run_is_told_once_and_who_comes_back_is_sent_home(tenant: Tenant) -> None:
    run = await begin(tenant)
    await start(tenant, run)
    await finish(tenant, run)
    answer = await tenant.get(f"/runs/{run}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [one["state"] for one in events(answer.text)] == ["done"]
    last = next(line for line in answer.text.splitlines() if line.startswith("id: ")).removeprefix("id: ")
    again = await tenant.get(f"/runs/{run}/events", headers={"Last-Event-ID": last})
    assert (again.status_code, again.text) == (204, "")
    older = await tenant.get(f"/runs/{run}/events", headers={"Last-Event-ID": "2020-01-01T00:00:00+00:00"})
    assert [one["state"] for one in events(older.text)] == ["done"]


@asynccontextmanager
async def watching(tenant: Tenant, run: UUID) -> AsyncGenerator[AsyncGenerator[Body]]:
    """The events of a run over a real connection, as they arrive."""

    async def told(response: httpx.Response) -> AsyncGenerator[Body]:
        async for line in response.aiter_lines():
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))

    headers = {"Authorization": f"Bearer {tenant.keys['backoffice']}"}
    async with (
        serve({"connector": tenant.shop.app}, "127.0.0.1", {}) as urls,
        httpx.AsyncClient(base_url=urls["connector"], headers=headers, timeout=20) as client,
        client.stream("GET", f"/runs/{run}/events") as response,
    ):
        assert response.status_code == 200
        yield told(response)


async def test_changes_arrive_while_the_run_goes_on_and_the_stream_ends_with_it(tenant: Tenant) -> None:
    run = await begin(tenant, total=2)
    async with watching(tenant, run) as told:
        assert (await anext(told))["state"] == "waiting"
        await start(tenant, run)
        assert (await anext(told))["state"] == "running"
        await progress(tenant, run, 1)
        seen = await anext(told)
        assert (seen["counts"], seen["total"]) == ({"read": 1}, 2)
        await finish(tenant, run)
        assert (await anext(told))["state"] == "done"
        assert [one async for one in told] == []


async def test_who_reconnects_in_the_middle_gets_the_present_state_first(tenant: Tenant) -> None:
    run = await begin(tenant)
    await start(tenant, run)
    async with watching(tenant, run) as told:
        await anext(told)
    await progress(tenant, run, 7)
    async with watching(tenant, run) as told:
        assert (await anext(told))["counts"] == {"read": 7}


async def watched(tenant: Tenant, run: UUID) -> list[Run | None]:
    """All that a watcher is told of a run on which nothing happens."""
    clock = tenant.shop.clock

    async def pause(seconds: float) -> None:
        await clock.sleep(seconds)

    return [one async for one in runs.watch(tenant.shop.db, clock, tenant.id, run, pause)]


async def test_a_silent_run_is_watched_for_ten_minutes_with_signs_of_life(tenant: Tenant) -> None:
    run = await begin(tenant)
    began = tenant.shop.clock.monotonic()
    told = await watched(tenant, run)
    assert 600 <= tenant.shop.clock.monotonic() - began < 620
    assert told[0] is not None
    assert len(told) > 30
    assert all(one is None for one in told[1:])


async def test_nobody_watches_what_is_not_there(tenant: Tenant) -> None:
    other = await tenant.shop.tenant("other")
    run = await begin(other)
    with pytest.raises(NotFound):
        await watched(tenant, run)


async def test_cancelling_while_the_work_reports_locks_nobody_out(tenant: Tenant) -> None:
    made = [await begin(tenant) for _ in range(5)]
    handler = Counting(goal=200)
    working = loop(tenant.shop, handler)

    async def cancel_all() -> None:
        for run in made:
            answer = await tenant.post(f"/runs/{run}/cancel")
            assert answer.status_code in {200, 409}, answer.text

    await asyncio.gather(working.drain(), working.drain(), cancel_all())
    await working.drain()
    states = {(await shown(tenant, run))["state"] for run in made}
    assert states <= {"done", "cancelled"}
