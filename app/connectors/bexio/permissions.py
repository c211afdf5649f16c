"""What the signed-in user may do (`/3.0/permissions`)."""

from __future__ import annotations

from pydantic import TypeAdapter

from app.connectors.bexio.resource import understood
from app.connectors.bexio.wire import Wire
from app.connectors.transport import Transport


class Permissions(Wire):
    """The active modules, and per permission what bexio says of it."""

    components: tuple[str, ...]
    permissions: dict[str, dict[str, object]]


_PERMISSIONS = TypeAdapter(Permissions)


async def permissions(transport: Transport) -> Permissions:
    """Reads them."""
    return understood(transport, await transport.read("GET", "/3.0/permissions"), _PERMISSIONS)
