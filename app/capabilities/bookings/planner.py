"""Planning with real facts: receipts from Arcavis, accounts and periods from bexio, what was posted from our own log.

The one way in which a day is planned: what a preview shows and what an export posts come from here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.bookings import article_groups, chart, invoiced, paid_invoices, postings, rules_store
from app.capabilities.bookings.article_groups import Grouping
from app.capabilities.bookings.book import Cell, DayBook, InvoicedSale, Matches
from app.capabilities.bookings.completeness import Till, Traded
from app.capabilities.bookings.entries import DayPlan, Terms
from app.capabilities.bookings.facts import Receipt
from app.capabilities.bookings.findings import Example, Finding
from app.capabilities.bookings.mapping import groups_of, receipt_of
from app.capabilities.bookings.plan import plan_day, reversal
from app.capabilities.bookings.postings import Share, Standing
from app.capabilities.bookings.rules import Rule, holding_on
from app.capabilities.bookings.texts import Names, dimension_names, needed
from app.capabilities.tenancy.config import TenantConfig, load
from app.connectors.access import RemoteAccess
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import UnreadTransaction
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.reference import ReferenceData
from app.core import catalogue
from app.core.clock import Clock
from app.core.priority import Priority
from app.core.swiss_time import today
from app.db.session import Database

GROUPS_CURSOR = "arcavis.article-groups"
_GROUPS = frozenset({"main_group", "trade_group", "article_group"})
_CURSOR = text("select value from cursor where name = :name")
_MOVE = text(
    "insert into cursor (tenant_id, name, value, updated_at) values (:tenant, :name, :value, :now)"
    " on conflict (tenant_id, name) do update set value = excluded.value, updated_at = excluded.updated_at"
)
_DOCUMENTED = text(
    "select transaction_id, goal from document where tenant_id = :tenant and source = 'sale'"
    " and transaction_id = any(cast(:ids as text[]))"
)


@dataclass(frozen=True, slots=True)
class Planned:
    """A day's plan with what it was made of; `standing` is what it was compared with.

    `never_sent` are all sales on invoice that no till sent; a finding names the first ones.
    """

    plan: DayPlan
    standing: Standing
    desired: postings.Shares
    traded: Traded
    findings: tuple[Finding, ...] = ()
    never_sent: tuple[str, ...] = ()


@dataclass(slots=True)
class _Shares:
    """Collects what each receipt has of each cell."""

    found: dict[postings.Cell, dict[str, Share]] = field(default_factory=dict[postings.Cell, dict[str, Share]])

    def take(self, cell: Cell, receipt: Receipt, amount: Decimal) -> None:
        """One receipt's part; see `book.Sink`."""
        if amount:
            self.found.setdefault((cell.rule.id, cell.group_key), {})[receipt.id] = Share(receipt.number, amount)


@dataclass(frozen=True, slots=True)
class Planner:
    """Opens plannings, for any tenant. Built once."""

    db: Database
    clock: Clock
    remotes: RemoteAccess
    reference: ReferenceData

    async def open(self, tenant: UUID, priority: Priority, *, keep: bool = False) -> Planning:
        """Everything that the plans of any days need, read now. `keep` remembers which groups articles belong to.

        Raises:
            ConnectionRefused: bexio or Arcavis is not connected.
            RemoteUnavailable: one of them is away.
        """
        async with self.db.begin(tenant) as session:
            config = await load(session, tenant)
            rules = tuple(await rules_store.load(session))
            recorded = await paid_invoices.recorded(session, tenant)
        bexio = await self.remotes.bexio(tenant, priority)
        arcavis = await self.remotes.arcavis(tenant)
        ledger = await chart.read(self.reference.of(tenant, bexio))
        settings = config.settings
        terms = Terms(
            slug=config.slug,
            ledger=ledger,
            names={**dimension_names(settings.language), **await _names(arcavis)},
            today=today(self.clock.now()),
            policy=settings.closed_period_policy,
            rounding_account=settings.rounding_account_no,
            rounding_limit=settings.rounding_limit,
            rounding_text=catalogue.text("rounding-difference", {}, settings.language).title,
        )
        planning = Planning(self.db, tenant, config, rules, terms, bexio, arcavis, recorded=recorded)
        if any(_GROUPS & (rule.filter.dimensions() | set(rule.group_by) | needed(rule.text)) for rule in rules):
            planning.grouping = await self._grouping(tenant, arcavis, terms.today, keep=keep)
        return planning

    async def _grouping(self, tenant: UUID, arcavis: Arcavis, day: date, *, keep: bool) -> Grouping:
        """What articles belong to, with what changed in Arcavis since it was kept last."""
        async with self.db.begin(tenant) as session:
            value = (await session.execute(_CURSOR, {"name": GROUPS_CURSOR})).scalar_one_or_none()
            grouping = await article_groups.load(session)
        cursor: int | None = None
        async for page in arcavis.article_groups.changes(int(value or 0)):
            cursor = cursor or page.data_age_ticks
            grouping = grouping.seen({str(row.id): groups_of(row) for row in page.result}, day)
        if keep and cursor is not None:
            async with self.db.begin(tenant) as session:
                await article_groups.store(session, tenant, grouping.fresh)
                values = {"tenant": tenant, "name": GROUPS_CURSOR, "value": str(cursor), "now": self.clock.now()}
                await session.execute(_MOVE, values)
        return grouping


@dataclass(slots=True)
class Planning:
    """One tenant's rules and facts as they were when it was opened. Plans day by day, in bounded memory."""

    db: Database
    tenant: UUID
    config: TenantConfig
    rules: Sequence[Rule]
    terms: Terms
    bexio: Bexio
    arcavis: Arcavis
    grouping: Grouping = field(default_factory=Grouping)
    recorded: paid_invoices.Recorded = field(default_factory=dict[str, Mapping[str, Decimal]])
    _matches: dict[tuple[UUID, ...], Matches] = field(default_factory=dict[tuple[UUID, ...], Matches])

    async def day(self, day: date) -> Planned:
        """The plan of one day."""
        book, shares = DayBook(day, self._holding(day), self.config.settings.invoice_payment_type_id), _Shares()
        book.sink, leaving_out = shares.take, paid_invoices.LeavingOut(self.recorded)
        sold, closed = set[str](), set[str]()
        async for receipt in self.receipts(day):
            if isinstance(receipt, UnreadTransaction):
                if not receipt.is_end_of_day_transaction:
                    book.unread.append(Example(str(receipt.id), receipt.number or "?"))
                continue
            if (rest := leaving_out.rest(receipt)) is not None:
                book.add(rest)
            (closed if receipt.is_end_of_day else sold).add(receipt.point_of_sale)
        async with self.db.begin(self.tenant) as session:
            stands = await postings.standing(session, self.tenant, day, with_shares=True)
            documents = await self._documents(session, book.invoiced)
        plan = plan_day(book, self.terms, stands.posted, stands.sequence)
        traded = Traded(frozenset(sold), frozenset(closed))
        unsent = invoiced.never_sent(book.invoiced, documents)
        besides = (*invoiced.judge(day, book.invoiced, documents), *leaving_out.findings(day))
        return Planned(plan, stands, shares.found, traded, (*plan.findings, *besides), unsent)

    async def _documents(self, session: AsyncConnection, sales: Sequence[InvoicedSale]) -> invoiced.Documents:
        """What became of the documents of sales on bexio invoice, where there is one."""
        ids = invoiced.asked_about(sales)
        if not ids:
            return {}
        rows = await session.execute(_DOCUMENTED, {"tenant": self.tenant, "ids": ids})
        return {row.transaction_id: row.goal for row in rows}

    async def reversal(self, day: date) -> Planned:
        """The plan that takes back what stands for a day."""
        async with self.db.begin(self.tenant) as session:
            stands = await postings.standing(session, self.tenant, day, with_shares=True)
        plan = reversal(day, self.terms, stands.posted, stands.sequence)
        return Planned(plan, stands, {}, Traded(), plan.findings)

    async def receipts(self, day: date) -> AsyncIterator[Receipt | UnreadTransaction]:
        """The day's receipts, each once, page by page."""
        seen = set[int]()
        async for page in self.arcavis.transactions.pages(day, day):
            for transaction in page.result:
                if transaction.id in seen:
                    continue
                seen.add(transaction.id)
                if isinstance(transaction, UnreadTransaction):
                    yield transaction
                else:
                    yield receipt_of(transaction, lambda article: self.grouping.of(article, day))

    async def tills(self) -> list[Till]:
        """The tills, and when each was heard last."""
        rows = await self.arcavis.points_of_sale.list()
        return [Till(str(row.id), row.title, row.is_active, row.synched_time) for row in rows]

    def _holding(self, day: date) -> Matches:
        rules = holding_on(self.rules, day)
        key = tuple(rule.id for rule in rules)
        if key not in self._matches:
            self._matches[key] = Matches(rules, self.terms.ledger.vat.rate_class)
        return self._matches[key]


async def _names(arcavis: Arcavis) -> Names:
    """What people call stores, tills, kinds of bookings, purposes and payment types."""
    listed = {
        "store": await arcavis.stores.list(),
        "point_of_sale": await arcavis.points_of_sale.list(),
        "transaction_type": await arcavis.transaction_types.list(),
        "purpose": await arcavis.transaction_purposes.list(),
        "payment_type": await arcavis.payment_types.list(),
    }
    return {(dimension, str(row.id)): row.title for dimension, rows in listed.items() for row in rows}
