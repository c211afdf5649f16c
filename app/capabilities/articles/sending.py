"""Writing to Arcavis: several requests at once, each with an outcome of its own, so that one failure loses no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Generic, TypeVar

from app.capabilities.articles.wanted import Problem
from app.connectors.arcavis.client import Arcavis
from app.core.errors import ConnectionRefused, ConnectorError, OutcomeUnknown, RemoteNotFound, RemoteRejected
from app.jobs.work import INTENT_LIFE, Work

AT_ONCE = 8
TOO_OLD = "intent-too-old"

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sent(Generic[Item, Result]):
    """What became of one request: a result, or a problem of this one record, or an error that stops the work.

    `tried` is False where the work was stopped before. `absent`: Arcavis has no such record.
    """

    item: Item
    result: Result | None = None
    problem: Problem | None = None
    error: ConnectorError | None = None
    tried: bool = True
    absent: bool = False

    @property
    def is_unknown(self) -> bool:
        """Whether it may or may not have been done."""
        return self.tried and isinstance(self.error, OutcomeUnknown)


async def send_all(
    items: Sequence[Item], send: Callable[[Item], Awaitable[Result]], problem_code: str, *, looks: bool = False
) -> list[Sent[Item, Result]]:
    """Sends each item, at most `AT_ONCE` at a time; after the first error that stops the work no more are begun.

    One of which nobody hears what became stops none that follow. `looks`: nothing is written, and any answer but one
    about the connection is about the record.
    """
    limit = asyncio.Semaphore(AT_ONCE)
    stopped: list[ConnectorError] = []

    async def one(item: Item) -> Sent[Item, Result]:
        async with limit:
            if stopped:
                return Sent(item, error=stopped[0], tried=False)
            try:
                return Sent(item, result=await send(item))
            except RemoteRejected as error:
                if not _concerns_the_record(error, looks=looks):
                    stopped.append(error)
                    return Sent(item, error=error)
                problem = Problem(problem_code, {"reasons": "; ".join(error.reasons)})
                return Sent(item, problem=problem, absent=isinstance(error, RemoteNotFound))
            except OutcomeUnknown as error:
                return Sent(item, error=error)
            except ConnectorError as error:
                stopped.append(error)
                return Sent(item, error=error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


async def intend(work: Work, arcavis: Arcavis, step: str) -> Arcavis:
    """Commits the intent of writes and returns a client that sends only while it is young."""
    now = work.clock.now()
    await work.advance(step, sent_at=now.isoformat())
    await work.reached(f"{step}-intended")
    return arcavis.until(now + INTENT_LIFE)


def late(sent: Sequence[Sent[Item, Result]]) -> list[Item]:
    """Those that a slow Arcavis left no time for, when nothing else went wrong and some were sent."""
    errors = [one.error for one in sent if one.error is not None]
    if len(errors) == len(sent) or any(error.code != TOO_OLD for error in errors):
        return []
    return [one.item for one in sent if one.error is not None]


def worst(errors: Sequence[ConnectorError | None]) -> ConnectorError | None:
    """The one that says most about what is unclear."""
    real = [error for error in errors if error is not None]
    return next((error for error in real if isinstance(error, OutcomeUnknown)), next(iter(real), None))


def remember(work: Work, error: ConnectorError) -> None:
    """After an error that leaves nothing unclear, the next turn need not wait."""
    if not isinstance(error, OutcomeUnknown):
        work.note(sent_at=None)


def _concerns_the_record(error: RemoteRejected, *, looks: bool) -> bool:
    """Whether the next record may be taken all the same."""
    if isinstance(error, ConnectionRefused):
        return False
    if looks:
        return True
    is_refused = error.code.endswith("-refused") or error.status >= HTTPStatus.BAD_REQUEST
    return is_refused and not isinstance(error, RemoteNotFound)
