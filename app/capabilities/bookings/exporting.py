"""The durable job of an export: day after day from what should stand in bexio, less what does, to posted entries.

A day that is held, refused or unclear never blocks the next one. What a day came to is recorded when it is through, so
a killed worker goes on where it stood; a run that a person retries does again only what did not come through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings import asking, exports, postings
from app.capabilities.bookings.export_service import what_changed
from app.capabilities.bookings.exports import SETTLED_DAYS, DayResult, Export, said
from app.capabilities.bookings.findings import Finding
from app.capabilities.bookings.plan import plan_hash
from app.capabilities.bookings.planner import Planned, Planner, Planning
from app.capabilities.bookings.posting import Poster
from app.core.clock import Clock
from app.core.errors import ConnectionRefused, OutcomeUnknown, RemoteRejected
from app.db import audit
from app.db.attention import Subject, close_items, raise_item
from app.jobs import operations, runs
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, Halt, Later, NeedsAttention, Outcome
from app.jobs.work import Work

# Long exports give way now and then: others wait for the worker too.
TURN = timedelta(seconds=15)
QUEUE_PAUSE = timedelta(seconds=10)
HELD = "booking-days-held"
PLAN_CHANGED = "plan-changed"
MAY_LAND = "booking-may-land"
PLANNED_DAYS = SETTLED_DAYS | {"held"}
COMPARED = frozenset({"expected", "changed", "failed"})


@dataclass(frozen=True, slots=True)
class ExportHandler:
    """Exports and reversals of one tenant, one at a time."""

    planner: Planner
    clock: Clock
    settle: timedelta

    async def run(self, work: Work) -> Outcome:
        """One turn; see `app.jobs.work.Handler`."""
        now = self.clock.now()
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            if await exports.must_wait(session, work.tenant, work.subject):
                return Later(QUEUE_PAUSE, "other-export-running")
            export = await exports.read(session, work.subject)
            cancelled = await runs.cancel_requested(session, work.subject)
            known = await exports.results(session, work.subject)
            await runs.start(session, work.subject, now)
            await exports.note_state(session, work.subject, "running", now)
        if work.memo.get("wanted") != work.operation.wanted:
            work.note(wanted=work.operation.wanted, began=now.isoformat(), ending=None, changed=None)
        planning = await self.planner.open(work.tenant, work.priority, keep=True)
        poster = Poster(work, planning.bexio, self.settle)
        turn = _Turn(work, self.clock, export, planning, poster, known, cancelled=cancelled)
        return await turn.run()

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Ends the run with the operation, and asks a person about what did not come through."""
        if isinstance(outcome, Later):
            return
        now = self.clock.now()
        run = operation.subject_id
        known = await exports.results(session, run)
        open_days = {day: row for day, row in known.items() if row.state not in SETTLED_DAYS}
        reason, params = _reason(operation, outcome, open_days)
        ending = operation.memo.get("ending") or ("failed" if reason else "done")
        entries = sum(row.entries for row in known.values())
        await runs.finish(session, run, ending, now, reason=reason, params=params, detail={"entries": entries})
        await exports.note_state(session, run, ending, now)
        if isinstance(outcome, Done):
            await _ask(session, operation, open_days, now)
            await _release(session, operation, known, now)
        await audit.append(
            session,
            tenant=operation.tenant_id,
            now=now,
            actor="system",
            action=f"{operation.kind}.{ending}",
            subject_kind="run",
            subject_id=run,
            detail={"days": str(len(known)), "held": str(len(open_days)), "entries": str(entries)},
        )


@dataclass(slots=True)
class _Turn:
    """One turn of work on one export."""

    work: Work
    clock: Clock
    export: Export
    planning: Planning
    poster: Poster
    known: dict[date, DayResult]
    cancelled: bool
    progressed: bool = False
    waits: list[timedelta] = field(default_factory=list[timedelta])

    async def run(self) -> Outcome:
        """Goes through the days that are left."""
        if self.cancelled:
            return await self._stop()
        if self.export.plan_hash is not None and not self.known:
            changed = await self._changed(self.export.plan_hash)
            if changed:
                self.work.note(ending="failed", changed=changed)
                return Done()
        for day in self._left():
            result = await self._attempt(day)
            if result is None:
                continue
            if await self._keep(result):
                return await self._stop()
            if self.clock.now() - self.work.started_at > TURN:
                return Later(timedelta(0), "next-part", succeeded=True)
        if self.waits:
            return Later(min(self.waits), MAY_LAND, counted=not self.progressed, succeeded=self.progressed)
        return Done()

    async def _attempt(self, day: date) -> DayResult | None:
        """What a day comes to; None when it has to be waited for, while the next ones go on."""
        try:
            return await self._day(day)
        except OutcomeUnknown:
            self.waits.append(self.poster.settle)
        except Halt as halt:
            if not isinstance(halt.outcome, Later) or halt.outcome.reason != MAY_LAND:
                raise
            self.waits.append(halt.outcome.delay)
        return None

    def _left(self) -> list[date]:
        """The days that are not through, each once in every attempt."""
        began = datetime.fromisoformat(self.work.memo["began"])
        return [day for day in self.export.days if not self._is_through(self.known.get(day), began)]

    @staticmethod
    def _is_through(row: DayResult | None, began: datetime) -> bool:
        if row is None or row.state == "expected":
            return False
        return row.state in SETTLED_DAYS or (row.updated_at is not None and row.updated_at >= began)

    async def _changed(self, seen: str) -> str:
        """Plans every day anew: what is not as the caller saw it. Keeps what each day is to be when nothing changed."""
        plans = [(await self._planned(day)).plan for day in self.export.days]
        present = plan_hash(plans, self.planning.terms, self.planning.rules)
        if present != seen:
            return what_changed(seen, present)
        now = self.clock.now()
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            for plan in plans:
                result = DayResult(plan.day, "expected", plan.booked_on, plan.digest)
                await exports.keep(session, self.work.tenant, self.export.id, result, now)
            self.known = await exports.results(session, self.export.id)
        return ""

    async def _planned(self, day: date) -> Planned:
        return await (self.planning.reversal(day) if self.export.reverse else self.planning.day(day))

    async def _day(self, day: date) -> DayResult:
        """Brings one day's entries into bexio, if it can be done.

        Raises:
            OutcomeUnknown: an entry may or may not be there.
            Halt: it may still land, or somebody else is at it.
        """
        for doubled in await self.poster.resolve(day):
            known: dict[str, list[int]] = self.work.memo.get("doubled", {})
            self.work.note(doubled={**known, doubled.reference: list(doubled.bexio_ids)})
        expected = await self._expected(day)
        try:
            planned = await self._planned(day)
        except ConnectionRefused:
            raise
        except RemoteRejected as error:
            seen = expected.digest if expected is not None else b""
            return DayResult(day, "failed", day, seen, findings=(_refused(error, day),))
        plan = planned.plan
        if expected is not None and expected.digest != plan.digest:
            finding = Finding(PLAN_CHANGED, "error", (day,), (), {"what": "sales"})
            return DayResult(day, "changed", plan.booked_on, expected.digest, findings=(said(finding),))
        findings, proof = tuple(said(one) for one in planned.findings), proof_of(planned)
        if plan.state != "ready":
            return DayResult(day, plan.state, plan.booked_on, plan.digest, 0, findings, proof)
        try:
            await self._post(planned)
        except ConnectionRefused:
            raise
        except RemoteRejected as error:
            refused = (_refused(error, day), *findings)
            return DayResult(day, "failed", plan.booked_on, plan.digest, 0, refused, proof)
        return DayResult(day, "posted", plan.booked_on, plan.digest, 0, findings, proof)

    async def _expected(self, day: date) -> DayResult | None:
        """What a caller saw of a day of which nothing was sent yet; once something was, the plan is what is left."""
        expected = self.known.get(day)
        if self.export.plan_hash is None or expected is None or expected.state not in COMPARED:
            return None
        async with self.work.db.begin(self.work.tenant) as session:
            return None if await postings.begun(session, self.export.id, day) else expected

    async def _post(self, planned: Planned) -> None:
        work, plan = self.work, planned.plan
        entries = [entry for group in plan.groups for entry in group.entries]
        parts = postings.parts_of(entries, planned.desired, planned.standing.shares)
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            now = self.clock.now()
            ids = await postings.add(session, work.tenant, self.export.id, plan.day, plan.groups, parts, now)
        await work.reached("bookings-planned")
        for group, request in zip(ids, (group.request for group in plan.groups), strict=True):
            await self.poster.post(group, request)

    async def _keep(self, result: DayResult) -> bool:
        """Records the day and the progress; True when the export is to stop."""
        now = self.clock.now()
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            # Counted where they are: a worker that died between posting and this line has posted all the same.
            entries = await postings.count(session, self.export.id, result.day)
            state = "posted" if entries and result.state == "unchanged" else result.state
            result = replace(result, state=state, entries=entries, updated_at=now)
            await exports.keep(session, self.work.tenant, self.export.id, result, now)
            if not self.export.reverse and state in PLANNED_DAYS:
                await asking.ask(session, self.work.tenant, result.day, result.findings, now)
            self.known[result.day] = result
            counts = counts_of(self.known)
            stop = await runs.progress(session, self.export.id, counts, now, total=len(self.export.days))
        self.progressed = True
        return stop

    async def _stop(self) -> Outcome:
        """Nothing more is begun; what is on its way is brought to an end."""
        mine = {day for day in self.export.days if day not in self.known}
        async with self.work.db.begin(self.work.tenant) as session:
            unsettled = await postings.unsettled(session, self.work.tenant)
        for day in sorted({one.day for one in unsettled} & (mine | set(self.known))):
            await self.poster.resolve(day)
        self.work.note(ending="cancelled")
        return Done()


def _refused(error: RemoteRejected, day: date) -> dict[str, Any]:
    return said(Finding(error.code, "error", (day,), (), dict(error.params)))


def counts_of(known: Mapping[date, DayResult]) -> dict[str, int]:
    """An export's figures: days by what they came to, and entries in bexio."""
    through = [row for row in known.values() if row.state != "expected"]
    counts: dict[str, int] = dict.fromkeys(("posted", "unchanged", "held", "failed", "changed"), 0)
    for row in through:
        counts[row.state] += 1
    return {"done": len(through), **counts, "entries": sum(row.entries for row in through)}


def proof_of(planned: Planned) -> dict[str, Any]:
    """The day's equation, to be shown with its entries."""
    sums = planned.plan.sums
    return {
        "sales": str(sums.sales),
        "vouchers_sold": str(sums.vouchers_sold),
        "tips": str(sums.tips),
        "money": str(sums.money),
        "payments": str(sums.payments),
        "receipts": sums.receipts,
        "roundings": [{"account": one.account, "amount": str(one.amount)} for one in planned.plan.roundings],
    }


def _reason(
    operation: Operation, outcome: Outcome, open_days: Mapping[date, DayResult]
) -> tuple[str | None, dict[str, str]]:
    """Why the run is not simply done."""
    if isinstance(outcome, NeedsAttention):
        return outcome.code, outcome.params
    if operation.memo.get("ending") == "cancelled":
        return None, {}
    if operation.memo.get("changed"):
        return PLAN_CHANGED, {"what": operation.memo["changed"]}
    if open_days:
        days = sorted(open_days)
        return HELD, {"count": str(len(days)), "first": days[0].isoformat(), "last": days[-1].isoformat()}
    return None, {}


async def _ask(
    session: AsyncConnection, operation: Operation, open_days: Mapping[date, DayResult], now: datetime
) -> None:
    """One item for each kind of flaw, with the days that it is about."""
    subject = Subject(operation.tenant_id, operation.kind, operation.subject_id)
    flaws: dict[str, dict[str, str]] = {}
    for day, row in sorted(open_days.items()):
        for finding in row.findings:
            if finding["severity"] == "error":
                known = flaws.setdefault(finding["code"], {**finding["params"], "days": ""})
                known["days"] = f"{known['days']}, {day}".removeprefix(", ")
    for reference, ids in operation.memo.get("doubled", {}).items():
        flaws["booking-doubled"] = {"reference": reference, "entries": ", ".join(map(str, ids))}
    for code, params in flaws.items():
        await raise_item(session, subject, code=code, params=params, now=now)


async def _release(
    session: AsyncConnection, operation: Operation, known: Mapping[date, DayResult], now: datetime
) -> None:
    """Closes the items of earlier exports that waited for nothing but these days."""
    through = [day for day, row in known.items() if row.state in SETTLED_DAYS]
    for row in await exports.outdated(session, operation.tenant_id, operation.subject_id, through):
        subject = Subject(operation.tenant_id, row.kind, row.export_id)
        await close_items(session, subject, state="resolved", actor="system", now=now)
