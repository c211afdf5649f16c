"""With what a request says who sends it: fixed for as long as it works, or renewed as it ages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


class Credentials(Protocol):
    """Credentials that change while a client is in use, as the access tokens of an OAuth connection do."""

    async def header(self) -> str:
        """The value of `Authorization` for a request that is sent now. May go to the network, so not in a transaction.

        Raises:
            ConnectionRefused: there are none any more.
            RemoteUnavailable: there are none right now.
        """
        ...

    async def refused(self) -> bool:
        """After a 401 to what `header` gave: whether there are others now that are worth one more request.

        Raises:
            ConnectionRefused: there are none any more.
        """
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same header every time; empty for none."""

    value: str = field(repr=False)

    async def header(self) -> str:
        """See `Credentials`."""
        return self.value

    async def refused(self) -> bool:
        """See `Credentials`."""
        return False
