"""Writing to Arcavis: several requests at once, each with an outcome of its own, so that one failure loses no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.capabilities.articles.wanted import Problem
from app.core.errors import ConnectorError, RemoteRejected

AT_ONCE = 8
_REFUSALS = frozenset({400, 409, 422})

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sent(Generic[Item, Result]):
    """What became of one request: a result, or a problem of this one record, or an error that stops the work."""

    item: Item
    result: Result | None = None
    problem: Problem | None = None
    error: ConnectorError | None = None


async def send_all(
    items: Sequence[Item], send: Callable[[Item], Awaitable[Result]], problem_code: str
) -> list[Sent[Item, Result]]:
    """Sends each item, at most `AT_ONCE` at a time; after the first error that stops the work no more are begun."""
    limit = asyncio.Semaphore(AT_ONCE)
    stopped: list[ConnectorError] = []

    async def one(item: Item) -> Sent[Item, Result]:
        async with limit:
            if stopped:
                return Sent(item, error=stopped[0])
            try:
                return Sent(item, result=await send(item))
            except RemoteRejected as error:
                if not _concerns_the_record(error):
                    stopped.append(error)
                    return Sent(item, error=error)
                return Sent(item, problem=Problem(problem_code, {"reasons": "; ".join(error.reasons)}))
            except ConnectorError as error:
                stopped.append(error)
                return Sent(item, error=error)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]


def _concerns_the_record(error: RemoteRejected) -> bool:
    """Whether the next record may be taken all the same."""
    return error.code.endswith("-refused") or error.status in _REFUSALS
