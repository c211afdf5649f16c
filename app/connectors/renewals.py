"""Access tokens that renew themselves: one renewal at a time over all replicas, the new tokens stored before use."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from app.connectors import renewal_rows as rows
from app.connectors.flights import Flights
from app.connectors.oidc.client import EXCHANGE_SECONDS, OidcClient
from app.connectors.oidc.grants import GrantRefused, Tokens
from app.connectors.renewal_rows import BEXIO_SECRET, Lease, Stored
from app.core.clock import Clock
from app.core.errors import Conflict, ConnectionRefused, ConnectorError, RemoteUnavailable, Unavailable
from app.core.milestones import Probe, log_milestone
from app.core.vault import Vault
from app.db.session import Database
from app.db.statements import Record

REFUSED = "bexio-refresh-refused"
# A request is sent within the first part of the lease and has ended before the rest is over: so whoever takes over
# knows that nobody is sending.
SEND_WITHIN = timedelta(seconds=5)
LEASE = SEND_WITHIN + timedelta(seconds=EXCHANGE_SECONDS + 5)
# How long a caller waits for another replica's renewal.
PATIENCE = 10.0
FIRST_LOOK, LONGEST_LOOK = 0.05, 0.5
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(minutes=5)
# Tokens that were just got must reach the database, however long that is away.
FIRST_STORE_PAUSE, LONGEST_STORE_PAUSE, STORE_TRIES = 0.1, 5.0, 120
# A token as young as this that is refused is not helped by yet another one.
JUST_RENEWED = timedelta(seconds=60)
# An access token that ends while a request is under way is refused.
ON_THE_WAY = timedelta(seconds=5)

_log = structlog.get_logger("renewals")


class Watch(Protocol):
    """Who is told when a connection breaks or works again, inside the transaction that finds it."""

    async def broken(self, session: AsyncConnection, tenant: UUID, code: str, now: datetime) -> None:
        """No token works any more: a person must connect again."""
        ...

    async def mended(self, session: AsyncConnection, tenant: UUID, now: datetime) -> None:
        """It was taken for broken, and works."""
        ...


@dataclass(frozen=True, slots=True)
class Held:
    """An access token as it was read. Without `until` it is a personal one, which nothing renews."""

    token: str = field(repr=False)
    company: str
    generation: int
    renew_from: datetime | None
    until: datetime | None
    renewed_at: datetime | None

    def is_due(self, now: datetime) -> bool:
        """Whether it is time for the next one."""
        return self.renew_from is not None and now >= self.renew_from

    def is_over(self, now: datetime) -> bool:
        """Whether it works no longer, or not for as long as a request takes."""
        return self.until is not None and now + ON_THE_WAY >= self.until


@dataclass(slots=True)
class Renewals:
    """Renews the tokens of any tenant. Built once per process."""

    db: Database
    vault: Vault
    clock: Clock
    oidc: OidcClient
    watch: Watch
    probe: Probe = log_milestone
    _flights: Flights[tuple[UUID, bool], Held] = field(default_factory=Flights[tuple[UUID, bool], Held], init=False)

    def held(self, tenant: UUID, row: Row[Any] | Record) -> Held:
        """What a connection's row holds."""
        token = self.vault.open(tenant, BEXIO_SECRET, row.secret)
        if row.kind != "oauth":
            return Held(token, row.company_id, row.generation, None, None, None)
        return Held(token, row.company_id, row.generation, row.renew_from, row.access_until, row.renewed_at)

    async def current(self, tenant: UUID, held: Held) -> Held:
        """A token that works: this one, or a newer one when it is due. While it still works no failure is one.

        Raises:
            ConnectionRefused: `bexio-reconnect-required`, `bexio-not-connected`.
            RemoteUnavailable: bexio's sign-in is away, or another replica takes its time.
        """
        if not held.is_due(self.clock.now()):
            return held
        try:
            newer = await self._flights.share((tenant, False), lambda: self._fly(tenant, held))
        except ConnectionRefused:
            raise
        except ConnectorError:
            if held.is_over(self.clock.now()):
                raise
            return held
        return newer

    async def after_refusal(self, tenant: UUID, held: Held) -> Held | None:
        """Another token after bexio refused this one; None when there is none that would be worth a try.

        Raises:
            ConnectionRefused: `bexio-reconnect-required`, `bexio-not-connected`.
            RemoteUnavailable: bexio's sign-in is away.
        """
        if held.until is None or self._is_young(held):
            return None
        newer = await self.renew(tenant, held)
        return newer if newer.generation != held.generation else None

    async def renew(self, tenant: UUID, held: Held) -> Held:
        """The tokens after these, however long these would still work.

        Raises:
            ConnectionRefused, RemoteUnavailable: as for `current`.
        """
        return await self._flights.share((tenant, True), lambda: self._fly(tenant, held, at_once=True))

    async def close(self) -> None:
        """Returns when no renewal is on its way any more."""
        await self._flights.close()

    def _is_young(self, held: Held) -> bool:
        return held.renewed_at is not None and self.clock.now() - held.renewed_at < JUST_RENEWED

    async def _fly(self, tenant: UUID, seen: Held, *, at_once: bool = False) -> Held:
        """Renews, or waits for who does."""
        began, pause = self.clock.monotonic(), FIRST_LOOK
        while True:
            now = self.clock.now()
            async with self.db.begin(tenant) as session:
                lease = await rows.take_lease(
                    session, self.vault, tenant, seen.company, seen.generation, now=now, until=now + LEASE
                )
                row = await rows.read(session, tenant) if lease is None else None
            if lease is not None:
                return await self._renew(lease, now)
            # Work that began with one company never goes on with another.
            if row is None or row.state == "disconnected" or row.company_id != seen.company:
                raise ConnectionRefused("bexio-not-connected", "bexio", 401)
            if row.state != "connected":
                raise ConnectionRefused("bexio-reconnect-required", "bexio", 401)
            if row.generation != seen.generation:
                return self.held(tenant, row)
            if not at_once and not seen.is_over(now):
                return seen
            if row.renewal_after is not None and row.renewal_after > now:
                wait = (row.renewal_after - now).total_seconds()
                raise RemoteUnavailable(row.renewal_reason, "bexio", wait)
            if self.clock.monotonic() - began > PATIENCE:
                raise RemoteUnavailable("bexio-renewal-busy", "bexio", FIRST_PAUSE.total_seconds())
            await self.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    async def _renew(self, lease: Lease, now: datetime) -> Held:
        try:
            used, tokens = await self._ask(lease, now + SEND_WITHIN)
        except GrantRefused:
            if not await self._break_off(lease):
                # Connected anew or disconnected meanwhile: whoever comes again sees which.
                raise RemoteUnavailable("bexio-renewal-busy", "bexio", FIRST_PAUSE.total_seconds()) from None
            raise ConnectionRefused("bexio-reconnect-required", "bexio", 401) from None
        except ConnectorError as error:
            raise await self._failed(lease, error) from error
        await self.probe("tokens-answered")
        stored_at = self.clock.now()
        stored = await self._stored(lease, tokens, used)
        if stored is None:
            # Connected anew or disconnected meanwhile: these tokens belong to nobody now.
            raise RemoteUnavailable("bexio-renewal-busy", "bexio", FIRST_PAUSE.total_seconds())
        await self.probe("tokens-stored")
        _log.info("tokens-renewed", tenant=str(lease.tenant), generation=stored.generation)
        return Held(
            tokens.access_token, lease.company, stored.generation, tokens.renew_from, tokens.access_until, stored_at
        )

    async def _ask(self, lease: Lease, not_after: datetime) -> tuple[str, Tokens]:
        """The next tokens, and the refresh token that gave them: the current one, or else once the one before."""
        await self.probe("before-renewal")
        try:
            return lease.refresh_token, await self.oidc.refresh(lease.refresh_token, not_after=not_after)
        except GrantRefused:
            if lease.previous_token is None:
                raise
        now = self.clock.now()
        async with self.db.begin(lease.tenant) as session:
            if not await rows.take_previous(session, lease, now + LEASE):
                raise RemoteUnavailable("bexio-renewal-busy", "bexio", FIRST_PAUSE.total_seconds())
        return lease.previous_token, await self.oidc.refresh(lease.previous_token, not_after=now + SEND_WITHIN)

    async def _stored(self, lease: Lease, tokens: Tokens, used: str) -> Stored | None:
        pause = FIRST_STORE_PAUSE
        for left in reversed(range(STORE_TRIES)):
            try:
                async with self.db.begin(lease.tenant) as session:
                    now = self.clock.now()
                    stored = await rows.store(session, self.vault, lease, tokens, used, now)
                    if stored is not None and stored.was_broken:
                        await self.watch.mended(session, lease.tenant, now)
                    return stored
            except Unavailable:
                if left == 0:
                    raise
                _log.warning("tokens-not-stored-yet", tenant=str(lease.tenant))
            await self.clock.sleep(pause)
            pause = min(pause * 2, LONGEST_STORE_PAUSE)
        raise AssertionError("The last try stores or raises.")

    async def _failed(self, lease: Lease, error: ConnectorError) -> RemoteUnavailable:
        """Notes it and says when to come back. An answer that was lost may have spent the token: the next try shows."""
        code = error.code if isinstance(error, RemoteUnavailable | Conflict) else "bexio-renewal-failed"
        now = self.clock.now()
        async with self.db.begin(lease.tenant) as session:
            after = await rows.note_failure(session, lease, code, first=FIRST_PAUSE, longest=LONGEST_PAUSE, now=now)
        _log.warning("renewal-failed", tenant=str(lease.tenant), code=error.code)
        wait = (after - now).total_seconds() if after is not None else FIRST_PAUSE.total_seconds()
        return RemoteUnavailable(code, "bexio", max(wait, getattr(error, "retry_after", 0.0)))

    async def _break_off(self, lease: Lease) -> bool:
        now = self.clock.now()
        async with self.db.begin(lease.tenant) as session:
            broken = await rows.break_off(session, lease, REFUSED, now)
            if broken:
                await self.watch.broken(session, lease.tenant, REFUSED, now)
                _log.warning("connection-broken", tenant=str(lease.tenant), code=REFUSED)
        return broken


@dataclass(slots=True)
class Renewing:
    """The credentials of one client that was handed out (see `app.connectors.credentials`)."""

    renewals: Renewals
    tenant: UUID
    held: Held

    async def header(self) -> str:
        """See `Credentials`."""
        self.held = await self.renewals.current(self.tenant, self.held)
        return f"Bearer {self.held.token}"

    async def refused(self) -> bool:
        """See `Credentials`."""
        newer = await self.renewals.after_refusal(self.tenant, self.held)
        if newer is None:
            return False
        self.held = newer
        return True
