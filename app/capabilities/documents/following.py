"""Who paid, who cancelled: invoices that changed in bexio are read every few minutes, and ours brought up to date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.documents import records
from app.capabilities.documents.turn import facts_of, is_understood
from app.capabilities.tenancy.guard import connection_works
from app.connectors.access import RemoteAccess
from app.connectors.bexio.invoices import Invoice
from app.core.clock import Clock
from app.core.errors import ConnectionRefused, RemoteRejected
from app.core.swiss_time import changed_since
from app.db.attention import Subject, close_items, raise_item
from app.jobs.operations import Operation
from app.jobs.outcomes import Later, Outcome
from app.jobs.work import Work

KIND = "invoices.follow"
CURSOR = "bexio.invoices"
# bexio's clock is not ours, and a row may become visible a little after its own timestamp.
OVERLAP = timedelta(minutes=5)

_READ = text("select value from cursor where name = :name")
_MOVE = text(
    "insert into cursor (tenant_id, name, value, updated_at) values (:tenant, :name, :value, :now)"
    " on conflict (tenant_id, name) do update set value = excluded.value, updated_at = excluded.updated_at"
)


@dataclass(frozen=True, slots=True)
class FollowHandler:
    """The standing work of a connected tenant: it is never done, only due again."""

    remotes: RemoteAccess
    clock: Clock
    every: timedelta

    async def run(self, work: Work) -> Outcome:
        """Reads what changed since the cursor; see `app.jobs.work.Handler`."""
        try:
            await self._follow(work)
        except ConnectionRefused:
            raise
        except RemoteRejected as error:
            # Standing work never ends: a person is told, and the next round tries again.
            async with work.db.begin(work.tenant) as session:
                subject = Subject(work.tenant, KIND, work.subject)
                await raise_item(session, subject, code=error.code, params=error.params, now=self.clock.now())
            return Later(self.every, error.code)
        async with work.db.begin(work.tenant) as session:
            now = self.clock.now()
            await connection_works(session, work.tenant, "bexio", actor="system", now=now)
            subject = Subject(work.tenant, KIND, work.subject)
            await close_items(session, subject, state="resolved", actor="system", now=now)
        return Later(self.every, "next-poll", succeeded=True)

    async def settled(self, session: AsyncConnection, operation: Operation, outcome: Outcome) -> None:
        """Every page was stored with the cursor that covers it: nothing is left to record."""

    async def _follow(self, work: Work) -> None:
        started = self.clock.now()
        async with work.db.begin(work.tenant) as session:
            value = (await session.execute(_READ, {"name": CURSOR})).scalar_one_or_none()
        cursor = datetime.fromisoformat(value) if value else started - timedelta(days=1)
        bexio = await self.remotes.bexio(work.tenant, work.priority)
        since = changed_since(cursor - OVERLAP, started)
        async for page in bexio.invoices.pages(updated_since=since):
            await self._store(work, page, None)
        await self._store(work, (), started)

    async def _store(self, work: Work, page: tuple[Invoice, ...], cursor: datetime | None) -> None:
        now = self.clock.now()
        async with work.db.begin(work.tenant) as session:
            await records.follow(session, [facts_of(invoice) for invoice in page if is_understood(invoice)], now)
            if cursor is not None:
                values = {"tenant": work.tenant, "name": CURSOR, "value": cursor.isoformat(), "now": now}
                await session.execute(_MOVE, values)
