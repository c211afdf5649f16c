"""The durable job of an import, export or sync: a page or batch each turn, so that tills and others come between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.contacts import conflicts, progress, records
from app.capabilities.contacts.fields import KINDS, Side
from app.capabilities.contacts.ledger import Ledger
from app.capabilities.contacts.progress import RUN_KINDS, Progress, Reading
from app.capabilities.contacts.reading import ReadingSides
from app.capabilities.contacts.reconcile import Reconciler, Terms
from app.capabilities.contacts.records import Place
from app.capabilities.contacts.sides import Opening, Sides
from app.core.clock import Clock
from app.jobs import operations, runs
from app.jobs.operations import Operation
from app.jobs.outcomes import Done, Later, NeedsAttention, Outcome
from app.jobs.work import Work

PERIODIC = "contacts.sync.periodic"
BATCH = 200
# From so many writes on their echo is read at once, so that the next run finds nothing to read.
MANY_WRITES = 500
ACTIVE_PAUSE = timedelta(seconds=20)
NEXT = Later(timedelta(0), "contacts-next-step", succeeded=True)


@dataclass(frozen=True, slots=True)
class RunHandler:
    """Does contact runs; see `app.jobs.work.Handler`."""

    opening: Opening
    clock: Clock

    async def run(self, work: Work) -> Outcome:
        """The next page or batch."""
        state = await self._begin(work)
        if not isinstance(state, Progress):
            return state
        writes_to_bexio = "bexio" in state.writable() and not state.dry_run
        sides = await self.opening.open(work, writes_to_bexio=writes_to_bexio)
        turn = _Turn(work, sides, state, self.opening.settle)
        match state.phase:
            case "begin" | "bexio":
                state.phase = "bexio"
                await turn.reading().bexio_page()
            case "archive":
                await turn.reading().archive_page()
            case "customers":
                await turn.reading().arcavis_page("customer")
            case "suppliers":
                await turn.reading().arcavis_page("supplier")
            case "work":
                return await self._work(turn)
        return NEXT

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """A run that waits for a person has failed, until it is retried; other contact runs may begin."""
        if isinstance(outcome, NeedsAttention):
            run, now = operation.subject_id, self.clock.now()
            await runs.finish(session, run, "failed", now, reason=outcome.code, params=outcome.params)
            await progress.finish(session, run)

    async def _begin(self, work: Work) -> Progress | Outcome:
        """Where the run stands, or why there is nothing to do just now."""
        try:
            async with work.db.begin(work.tenant) as session:
                found = await runs.read(session, work.subject)
                if found.state in {"done", "cancelled"}:
                    return Done()
                state = await self._claimed(session, work, found)
                await runs.start(session, work.subject, self.clock.now())
        except IntegrityError:
            return Later(ACTIVE_PAUSE, "contact-run-active")
        if state is None:
            return Later(ACTIVE_PAUSE, "contact-run-active")
        if found.cancel_requested:
            await self._finish(work, state, "cancelled")
            return Done()
        return state

    async def _claimed(self, session: AsyncConnection, work: Work, found: runs.Run) -> Progress | None:
        known = await progress.read(session, work.subject)
        if known is None:
            asked = found.detail
            mode = RUN_KINDS[work.operation.kind]
            state = Progress(mode=mode, dry_run=bool(asked.get("dry_run")), full=bool(asked.get("full")))
            claimed = await progress.claim(session, work.tenant, work.subject, state, self.clock.now())
            return state if claimed else None
        state, stopped = known
        if stopped:
            await progress.resume(session, work.subject)
        return state

    async def _work(self, turn: _Turn) -> Outcome:
        work, state = turn.work, turn.state
        await turn.count_all()
        reconciler = turn.reconciler()
        if not state.dry_run:
            await reconciler.recover()
        if await turn.batch(reconciler):
            return NEXT
        if state.rounds == 0 and max(state.written.values(), default=0) >= MANY_WRITES:
            await turn.listen_to_the_echo()
            return NEXT
        await self._finish(work, state, "done")
        return Done()

    async def _finish(self, work: Work, state: Progress, ending: runs.Ending) -> None:
        now = self.clock.now()
        if ending == "done" and state.total is not None:
            state.counts["done"] = state.total
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            if not state.dry_run:
                new = bool(state.counts.get("conflicts") or state.counts.get("failed"))
                await conflicts.tell(session, work.tenant, PERIODIC, now, new=new)
            await runs.progress(session, work.subject, state.shown(), now, total=state.total)
            await runs.finish(session, work.subject, ending, now, detail=state.detail())
            await progress.finish(session, work.subject)
        await work.reached("contacts-finished")


@dataclass(frozen=True, slots=True)
class _Turn:
    """One turn of a run, with both sides open."""

    work: Work
    sides: Sides
    state: Progress
    settle: timedelta

    def reading(self) -> ReadingSides:
        sides = self.sides
        return ReadingSides(self.work, sides.bexio, sides.arcavis, sides.vocabulary, self.state, self.keep)

    def reconciler(self) -> Reconciler:
        sides, state = self.sides, self.state
        return Reconciler(
            work=self.work,
            bexio=sides.bexio,
            arcavis=sides.arcavis,
            vocabulary=sides.vocabulary,
            terms=Terms(sides.settings.contact_conflict_policy, state.writable(), state.dry_run),
            settle=self.settle,
            run=self.work.subject,
            read_at=self._read_at(),
            keep=self.keep_piece,
        )

    def _read_at(self) -> dict[Side, datetime]:
        now = self.work.clock.now()
        customers, suppliers = self.state.customers.started or now, self.state.suppliers.started or now
        return {"bexio": self.state.bexio.started or now, "arcavis": min(customers, suppliers)}

    async def keep(self, session: AsyncConnection, state: Progress) -> None:
        """The figures, in the transaction of what they count."""
        now = self.work.clock.now()
        await progress.store(session, self.work.subject, state)
        await runs.progress(session, self.work.subject, state.shown(), now, total=state.total)

    async def keep_piece(self, session: AsyncConnection, ledger: Ledger) -> None:
        ledger.tally.into(self.state)
        self.state.count(done=ledger.done())
        await self.keep(session, self.state)

    def _whole(self, side: Side) -> bool:
        """Whether all changes of a side are worked through, or only what is gone there."""
        source: dict[Side, tuple[str, ...]] = {"bexio": ("import", "sync"), "arcavis": ("export", "sync")}
        return self.state.mode in source[side]

    async def count_all(self) -> None:
        """How many contacts there are to deal with, told once."""
        state, work = self.state, self.work
        if state.total is not None:
            return
        sides: Sequence[Side] = ("bexio", "arcavis")
        async with work.db.begin(work.tenant) as session:
            if state.full:
                await records.ask_for_all(session, work.tenant)
            state.total = 0
            for side in sides:
                only_gone = not self._whole(side)
                state.total += await records.count_pending(
                    session, work.tenant, side, work.subject, only_gone=only_gone
                )
            await self.keep(session, state)

    async def batch(self, reconciler: Reconciler) -> bool:
        """Deals with the next batch; False when nothing is left."""
        rows = await self._next(Place(self.work.tenant, "bexio"), whole=self._whole("bexio"))
        if rows:
            await reconciler.of_bexio(rows)
            return True
        for kind in KINDS:
            rows = await self._next(Place(self.work.tenant, "arcavis", kind), whole=self._whole("arcavis"))
            if rows:
                await reconciler.of_arcavis(kind, rows)
                return True
        return False

    async def _next(self, place: Place, *, whole: bool) -> list[records.Record]:
        work = self.work
        async with work.db.begin(work.tenant) as session:
            return await records.pending(session, place, work.subject, BATCH, only_gone=not whole)

    async def listen_to_the_echo(self) -> None:
        """Reads what our own writes changed, so that the cursors stand behind them; bexio only after many there."""
        state, work = self.state, self.work
        state.rounds += 1
        state.full = False
        state.phase, state.customers, state.suppliers = "customers", Reading(), Reading()
        if state.written["bexio"] >= MANY_WRITES:
            state.phase, state.bexio = "bexio", Reading()
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            await self.keep(session, state)
