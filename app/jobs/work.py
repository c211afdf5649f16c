"""The work loop: claims one operation at a time, hands it to its capability, records how the turn ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

import structlog
from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.clock import Clock
from app.core.errors import ConnectorError, LeaseLost
from app.core.milestones import Probe
from app.core.priority import Priority
from app.db.attention import Subject, close_items, raise_item
from app.db.session import Database
from app.jobs import operations
from app.jobs.operations import Ending, Operation
from app.jobs.outcomes import MAX_STARTS, Done, Halt, Later, NeedsAttention, Outcome, after_error, limited

BEAT_SECONDS = 3.0
# How long a committed intent may take to leave the process. A worker that was frozen in between does not send.
INTENT_LIFE = timedelta(seconds=8)
UNKNOWN_KIND_PAUSE = timedelta(seconds=30)

_log = structlog.get_logger("work")
# A statement and its parameters; see `SettlesAlone`.
Settlement = tuple[TextClause, Mapping[str, Any]]


class Work:
    """One turn of one operation, as its handler sees it."""

    def __init__(self, operation: Operation, db: Database, clock: Clock, probe: Probe) -> None:
        self.operation = operation
        self.db = db
        self.clock = clock
        self._probe = probe
        self.started_at = clock.now()

    @property
    def tenant(self) -> UUID:
        """Whose work it is."""
        return self.operation.tenant_id

    @property
    def subject(self) -> UUID:
        """What it is about: the id of a document, a payment, a tenant."""
        return self.operation.subject_id

    @property
    def step(self) -> str:
        """How far the work came."""
        return self.operation.step

    @property
    def memo(self) -> Mapping[str, Any]:
        """What earlier steps left for later ones; JSON values."""
        return self.operation.memo

    @property
    def priority(self) -> Priority:
        """How urgent it is, also for bexio's budget."""
        return Priority.of_rank(self.operation.priority)

    async def advance(self, step: str, **memo: object) -> None:
        """Commits how far the work came; `memo` is merged into what is there. Call it before every remote write.

        Raises:
            LeaseLost: another worker holds the operation; nothing may be written any more.
            Halt: somebody asked for the work again: look at its goal first.
        """
        self.operation = await operations.advance(
            self.db, self.operation, step, {**self.operation.memo, **memo}, self.clock.now()
        )

    @property
    def age(self) -> float:
        """Seconds since the work was asked for first."""
        return (self.clock.now() - self.operation.created_at).total_seconds()

    def note(self, **memo: object) -> None:
        """Adds to the memo without a round trip: written with the next `advance`, or when the turn ends."""
        self.operation = replace(self.operation, memo={**self.operation.memo, **memo})

    async def reached(self, milestone: str) -> None:
        """Passes a named point (see `app.core.milestones`)."""
        await self._probe(milestone)


class Handler(Protocol):
    """What a capability does for one kind of operation."""

    async def run(self, work: Work) -> Outcome:
        """Goes on with the work from where it stands."""
        ...

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Records the outcome in the capability's own tables, in the transaction that settles the operation."""
        ...


@runtime_checkable
class SettlesAlone(Protocol):
    """A handler whose tables are written by the very statement that settles the operation: one round trip.

    Whoever waits at a till waits for it. It is used where no person has to be asked.
    """

    def settlement(self, operation: Operation, outcome: Outcome) -> Settlement | None:
        """The statement, which answers with `settled`, and what it takes beside `Ending.values`; None for none."""
        ...


class Nobody:
    """Leaves a kind that this version does not know to a worker of the version that does."""

    async def run(self, work: Work) -> Outcome:  # noqa: ARG002 - the protocol
        """See `Handler`."""
        return Later(UNKNOWN_KIND_PAUSE, "kind-unknown")

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Has nothing to record."""


@dataclass
class WorkLoop:
    """Runs operations one turn at a time; several turns may run at once in one process.

    At most `most_others` of them are not a till's, when it is set.
    """

    db: Database
    clock: Clock
    handlers: Mapping[str, Handler]
    probe: Probe
    random: Random
    stopping: bool = False
    most_others: int | None = None
    held: dict[tuple[UUID, int], Operation] = field(default_factory=dict[tuple[UUID, int], Operation])
    _others: int = 0

    async def drain(self) -> None:
        """Turns until nothing is due."""
        while not self.stopping and await self.turn():
            pass

    async def turn(self) -> bool:
        """Claims the best due operation and runs it; False when nothing is due that may run now."""
        takes_any = self.most_others is None or self._others < self.most_others
        # Counted before it is known what comes, or turns that claim at the same time would all find a place.
        self._others += takes_any
        try:
            least = Priority.BULK if takes_any else Priority.TILL
            operation = await operations.claim(self.db, self.clock.now(), least=least)
            if operation is not None and takes_any and operation.priority >= Priority.TILL.rank:
                self._others -= 1
                takes_any = False
            if operation is not None:
                await self._run_held(operation)
            return operation is not None
        finally:
            self._others -= takes_any

    async def _run_held(self, operation: Operation) -> None:
        # By fence as well: after a stall this very process may hold the same operation a second time.
        self.held[operation.id, operation.fence] = operation
        context = {"operation": str(operation.id), "tenant": str(operation.tenant_id), "kind": operation.kind}
        with structlog.contextvars.bound_contextvars(**context):
            try:
                await self._run(operation)
            except LeaseLost:
                _log.warning("lease-lost")
            except ConnectorError:
                raise
            except Exception:  # noqa: BLE001 - one poison record never stops the loop
                # Its lease runs out, it is started again, and after the last start it is parked.
                _log.exception("turn-not-recorded")
            finally:
                self.held.pop((operation.id, operation.fence), None)

    async def sweep(self, every: float) -> None:
        """Finds what no wake-up reached: deferred work, and what a dead worker held. Runs until told to stop."""
        while not self.stopping:
            await self.look()
            await self.clock.sleep(every)

    async def look(self) -> None:
        """One sweep; a database that is away is no reason to end."""
        try:
            await self.drain()
        except ConnectorError as error:
            _log.warning("sweep-failed", code=error.code)

    async def beat(self) -> None:
        """Keeps the leases of all running turns alive; runs until cancelled."""
        while True:
            await self.clock.sleep(BEAT_SECONDS)
            if self.held:
                try:
                    await operations.extend(self.db, list(self.held.values()), self.clock.now())
                except Exception as error:  # noqa: BLE001 - without its beat the whole process would lose its work
                    _log.warning("beat-failed", error=type(error).__name__)

    async def _run(self, operation: Operation) -> None:
        work = Work(operation, self.db, self.clock, self.probe)
        await work.reached("claimed")
        handler = self.handlers.get(operation.kind) or Nobody()
        outcome = limited(await self._outcome(handler, work), work.operation.attempts)
        await work.reached("before-settle")
        await self._settle(handler, work.operation, outcome)
        await work.reached("settled")

    async def _outcome(self, handler: Handler, work: Work) -> Outcome:
        if work.operation.starts > MAX_STARTS:
            return NeedsAttention("work-kills-its-worker", {"starts": str(work.operation.starts)})
        try:
            return await handler.run(work)
        except Halt as halt:
            return halt.outcome
        except LeaseLost:
            raise
        except ConnectorError as error:
            _log.info("turn-failed", code=error.code)
            return after_error(error, work.operation.attempts, self.random.random(), work.age)
        except Exception as error:  # noqa: BLE001 - one poison record never stops the loop
            _log.exception("turn-crashed")
            return after_error(error, work.operation.attempts, self.random.random(), work.age)

    async def _settle(self, handler: Handler, operation: Operation, outcome: Outcome) -> None:
        now = self.clock.now()
        state, due, attempts, reason = "done", now, 0, None
        match outcome:
            case Done():
                pass
            case Later(delay=delay, reason=reason, counted=counted):
                state, due = "waiting", now + delay
                attempts = 0 if outcome.succeeded else operation.attempts + int(counted)
            case NeedsAttention(code=reason):
                state, attempts = "parked", operation.attempts
        ending = Ending(state, now, due, attempts, reason)
        alone = None
        if isinstance(handler, SettlesAlone) and not isinstance(outcome, NeedsAttention):
            alone = handler.settlement(operation, outcome)
        if alone is not None:
            await operations.settle_alone(self.db, operation, ending, *alone)
        else:
            await self._settle_with_others(handler, operation, outcome, ending)
        _log.info("turn-ended", state=state, reason=reason, delay=_seconds(due - now))

    async def _settle_with_others(
        self, handler: Handler, operation: Operation, outcome: Outcome, ending: Ending
    ) -> None:
        """In one transaction with what a person is asked and what the handler records."""
        subject, now = Subject(operation.tenant_id, operation.kind, operation.subject_id), ending.now
        async with self.db.begin(operation.tenant_id) as session:
            await operations.settle(session, operation, ending)
            if isinstance(outcome, NeedsAttention):
                await raise_item(session, subject, code=outcome.code, params=outcome.params, now=now)
                await close_items(session, subject, state="resolved", actor="system", now=now, keep=outcome.code)
            await self._project(session, handler, operation, outcome)

    async def _project(
        self, session: AsyncConnection, handler: Handler, operation: Operation, outcome: Outcome
    ) -> None:
        if operation.starts <= MAX_STARTS:
            await handler.settled(session, operation, outcome)
            return
        # This may be the very thing that fails each time: parking must not depend on it.
        try:
            async with session.begin_nested():
                await handler.settled(session, operation, outcome)
        except Exception:  # noqa: BLE001 - whatever it is, a person gets to see the work
            _log.exception("outcome-not-recorded")


def _seconds(delay: timedelta) -> float:
    return round(delay.total_seconds(), 1)
