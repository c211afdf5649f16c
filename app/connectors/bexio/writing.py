"""Writing: creates, edits and actions. An answer that cannot be read leaves open what happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from app.connectors.transport import Answer, Transport

Row = TypeVar("Row")
Body = Mapping[str, object] | Sequence[Mapping[str, object]]


class _Success(BaseModel):
    success: Literal[True]


_SUCCESS = TypeAdapter(_Success)


def confirmed(transport: Transport, answer: Answer, shape: TypeAdapter[Row]) -> Row:
    """The body of a write that bexio answered with 2xx.

    Raises:
        OutcomeUnknown: it does not have the shape, so nothing says what was written.
    """
    try:
        return shape.validate_json(answer.content)
    except ValidationError as error:
        raise transport.unreadable(answer, wrote=True) from error


async def send(transport: Transport, path: str, body: Body, shape: TypeAdapter[Row]) -> Row:
    """POSTs a body once and returns the record that bexio made or changed."""
    return confirmed(transport, await transport.write("POST", path, body=body), shape)


async def act(transport: Transport, method: str, path: str, body: Body | None = None) -> None:
    """Does something that bexio only confirms: `{"success": true}`."""
    confirmed(transport, await transport.write(method, path, body=body), _SUCCESS)
