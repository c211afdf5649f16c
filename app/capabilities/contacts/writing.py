"""Writing contacts to both systems, several at a time and never two for one contact. What was refused is a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.mapping import Problem
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.contacts import Contacts
from app.connectors.arcavis.names import Customer, Supplier
from app.core.errors import ConnectionRefused, ConnectorError, OutcomeUnknown, RemoteNotFound, RemoteRejected
from app.jobs.misses import Misses
from app.jobs.work import Work

IN_FLIGHT = 8
_UNKNOWN = "contact-outcome-unknown"

Value = TypeVar("Value")


def contacts_of(arcavis: Arcavis, kind: Kind) -> Contacts[Customer] | Contacts[Supplier]:
    """The list in which Arcavis keeps a kind of contacts."""
    return arcavis.customers if kind == "customer" else arcavis.suppliers


async def together(calls: Sequence[Callable[[], Awaitable[Value]]]) -> list[Value | ConnectorError]:
    """Makes all calls, at most `IN_FLIGHT` at a time; what each gave, or how it failed."""
    turns = asyncio.Semaphore(IN_FLIGHT)

    async def one(call: Callable[[], Awaitable[Value]]) -> Value | ConnectorError:
        async with turns:
            try:
                return await call()
            except ConnectorError as error:
                return error

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(call)) for call in calls]
    return [task.result() for task in tasks]


def refused(error: ConnectorError) -> Problem | None:
    """The contact's own problem, when that is why it was refused; None when it says nothing about the contact.

    Whatever the status: a write that is refused will be refused again, and must not stop all contacts behind it.
    """
    if not isinstance(error, RemoteRejected) or isinstance(error, ConnectionRefused | RemoteNotFound):
        return None
    if error.status >= HTTPStatus.BAD_REQUEST or error.code == "arcavis-refused":
        return Problem("contact-refused", {"system": error.system, "reasons": "; ".join(error.reasons)})
    return None


def is_unknown(problem: Problem | None) -> bool:
    """Whether a system failed on the contact: the next run tries again, as it may have been down."""
    return problem is not None and problem.code == _UNKNOWN


@dataclass(frozen=True, slots=True)
class Patience:
    """Ends when nobody heard often enough what became of a contact's write. Each write has a key of its own."""

    work: Work

    def tries(self, key: str) -> int:
        """How often nobody heard of it."""
        return Misses(self.work).of(key)

    def missed(self, keys: Iterable[str]) -> None:
        """It happened again."""
        Misses(self.work).add(keys)

    def given_up(self, key: str, system: str) -> Problem | None:
        """The contact's problem once it was tried often enough; then it is counted anew."""
        misses = Misses(self.work)
        if not misses.are_enough(key):
            return None
        misses.forget([key])
        return Problem(_UNKNOWN, {"system": system})

    def problem(self, key: str, error: ConnectorError) -> Problem | None:
        """What `refused` says of a write that may be repeated, or that it was tried often enough."""
        if not isinstance(error, OutcomeUnknown):
            return refused(error)
        self.missed([key])
        return self.given_up(key, error.system)
