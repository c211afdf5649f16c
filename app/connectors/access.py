"""From a tenant to its bexio and its Arcavis: opens the stored connection and ties on the shared limits."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.client import Bexio
from app.connectors.budget import Budgets
from app.connectors.circuit import Circuits
from app.connectors.clients import HttpClients, Upstream
from app.connectors.renewal_rows import BEXIO_SECRET
from app.connectors.renewals import Renewals, Renewing
from app.connectors.transport import Transport
from app.core.clock import Clock
from app.core.errors import ConnectionRefused, InvalidInput
from app.core.priority import Priority
from app.core.vault import Vault
from app.db.session import Database
from app.db.statements import Record

# What a sealed secret is bound to, beside its tenant.
ARCAVIS_SECRET = "arcavis_connection.secret"  # noqa: S105 - the column's name

CONNECTED = "connected"

__all__ = ["ARCAVIS_SECRET", "BEXIO_COLUMNS", "BEXIO_SECRET", "CONNECTED", "RemoteAccess"]

# What `RemoteAccess.bexio_over` needs of a row of `open_bexio_connection`.
BEXIO_COLUMNS = "company_id, kind, secret, state, generation, renew_from, access_until, renewed_at"
_OPEN_BEXIO = text(f"select {BEXIO_COLUMNS} from open_bexio_connection(:tenant)")  # noqa: S608 - constant
_OPEN_ARCAVIS = text("select base_url, username, secret, state from open_arcavis_connection(:tenant)")
_TOKEN = re.compile(r"[\x21-\x7e]{8,8192}")


@dataclass(frozen=True, slots=True)
class RemoteAccess:
    """The door to both remote systems, for any tenant. Built once.

    A connection's row is read anew for every client that is handed out: work that begins after a company was
    disconnected or exchanged never writes to it.
    """

    db: Database
    vault: Vault
    clients: HttpClients
    budgets: Budgets
    circuits: Circuits
    clock: Clock
    bexio_url: str
    renewals: Renewals
    jitter: Callable[[], float] = random.random

    async def bexio(self, tenant: UUID, priority: Priority) -> Bexio:
        """The tenant's bexio company, for work of this priority.

        Raises:
            ConnectionRefused: `bexio-not-connected`, `bexio-reconnect-required`.
        """
        return self.bexio_over(tenant, await self.db.execute_alone(_OPEN_BEXIO, {"tenant": tenant}), priority)

    def bexio_over(self, tenant: UUID, row: Record | None, priority: Priority) -> Bexio:
        """The same over a row that was read just now, together with something else (`BEXIO_COLUMNS`).

        Raises:
            ConnectionRefused: `bexio-not-connected`, `bexio-reconnect-required`.
        """
        row = _usable(row if row is not None and row.company_id is not None else None, "bexio")
        held = self.renewals.held(tenant, row)
        return Bexio(
            Transport(
                upstream=Upstream("bexio", row.company_id, self.bexio_url, urgent=priority is Priority.TILL),
                clients=self.clients,
                clock=self.clock,
                authorization=Renewing(self.renewals, tenant, held),
                budget=self.budgets.of(row.company_id, priority),
                circuit=self.circuits.of("bexio", row.company_id),
                jitter=self.jitter,
            )
        )

    async def arcavis(self, tenant: UUID) -> Arcavis:
        """The tenant's Arcavis.

        Raises:
            ConnectionRefused: `arcavis-not-connected`, `arcavis-reconnect-required`.
        """
        row = _usable(await self.db.execute_alone(_OPEN_ARCAVIS, {"tenant": tenant}), "arcavis")
        password = self.vault.open(tenant, ARCAVIS_SECRET, row.secret)
        return Arcavis(
            Transport(
                upstream=Upstream("arcavis", str(tenant), row.base_url),
                clients=self.clients,
                clock=self.clock,
                authorization=_basic(row.username, password),
                circuit=self.circuits.of("arcavis", str(tenant)),
                jitter=self.jitter,
            )
        )

    def bexio_with_token(self, token: str) -> Bexio:
        """The company behind a token that is not stored yet, to read whose it is. Knows no budget.

        Raises:
            InvalidInput: `bexio-token-malformed`, it cannot be a token.
        """
        if not _TOKEN.fullmatch(token):
            raise InvalidInput("bexio-token-malformed")
        owner = "token " + hashlib.sha256(token.encode()).hexdigest()
        return Bexio(self._unproven(Upstream("bexio", owner, self.bexio_url), f"Bearer {token}"))

    def arcavis_with(self, base_url: str, username: str, password: str) -> Arcavis:
        """An Arcavis that is not stored yet, to try its credentials. `base_url` as `Egress.check` gave it."""
        authorization = _basic(username, password)
        owner = "credentials " + hashlib.sha256(authorization.encode()).hexdigest()
        return Arcavis(self._unproven(Upstream("arcavis", owner, base_url), authorization))

    def _unproven(self, upstream: Upstream, authorization: str) -> Transport:
        return Transport(upstream, self.clients, self.clock, authorization, jitter=self.jitter)


def _usable(row: Record | None, system: str) -> Record:
    if row is None:
        raise ConnectionRefused(f"{system}-not-connected", system, 401)
    if row.state != CONNECTED:
        raise ConnectionRefused(f"{system}-reconnect-required", system, 401)
    return row


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
