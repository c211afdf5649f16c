"""Writing to Arcavis: the envelope tells whether it was done, whatever the status says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from app.connectors.arcavis import names
from app.connectors.refusals import reasons_of
from app.connectors.transport import Transport
from app.core.errors import RemoteRejected

Result = TypeVar("Result")

_ENVELOPE = TypeAdapter(names.Envelope)
_RESULT = TypeAdapter(names.Written)


async def saved(
    transport: Transport, method: str, path: str, body: Mapping[str, object], result: TypeAdapter[Result]
) -> Result:
    """Sends a record once and returns what Arcavis calls its result, mostly the record's id.

    Raises:
        RemoteRejected: `arcavis-refused`, with status 200.
        OutcomeUnknown: the answer does not say what was done.
    """
    answer = await transport.write(method, path, body=body)
    try:
        if _ENVELOPE.validate_json(answer.content).is_successful:
            return result.validate_python(_RESULT.validate_json(answer.content).result)
    except ValidationError as error:
        raise transport.unreadable(answer, wrote=True) from error
    raise RemoteRejected("arcavis-refused", "arcavis", answer.status, reasons_of(answer.content))
