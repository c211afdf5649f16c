"""Writing contacts to both systems, several at a time and never two for one contact. What was refused is a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TypeVar

from app.capabilities.contacts.fields import Kind
from app.capabilities.contacts.mapping import Problem
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.contacts import Contacts
from app.connectors.arcavis.names import Customer, Supplier
from app.core.errors import ConnectionRefused, ConnectorError, RemoteRejected

IN_FLIGHT = 8

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
    """The contact's own problem, when that is why it was refused; None when it says nothing about the contact."""
    if not isinstance(error, RemoteRejected) or isinstance(error, ConnectionRefused):
        return None
    if error.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY} or error.code == "arcavis-refused":
        return Problem("contact-refused", {"system": error.system, "reasons": "; ".join(error.reasons)})
    return None
