"""An import: what both systems know first, then a page of bexio's articles each turn, then what came of it.

Between the pages tills and others have their turn.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from app.capabilities.articles import place, records, stock, till_articles
from app.capabilities.articles.planning import batches, decide
from app.capabilities.articles.records import Span
from app.capabilities.articles.stock import StockPlan
from app.capabilities.articles.wanted import Catalogue, number_key, unit_key
from app.capabilities.articles.writing import Writer
from app.capabilities.tenancy.settings import TenantSettings
from app.connectors.arcavis.client import Arcavis
from app.connectors.bexio.articles import Article
from app.connectors.bexio.client import Bexio
from app.connectors.bexio.item_settings import INVOICE_CLASS, ItemSetting
from app.connectors.bexio.reference import CompanyReference
from app.connectors.bexio.reference_kinds import CURRENCIES, ITEM_SETTINGS, TAXES
from app.connectors.bexio.resource import PAGE_SIZE
from app.core.errors import RemoteRejected
from app.core.swiss_time import today
from app.jobs import operations, runs
from app.jobs.outcomes import Halt, Later, NeedsAttention
from app.jobs.runs import Run
from app.jobs.work import Work

KIND = "articles.import"
BUSY_PAUSE = timedelta(seconds=15)
# Above every id that bexio gives.
NO_END = 2**62
FRANCS = "CHF"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stride:
    """How much is done in one go: the rows of a page, and the articles that are written before they are kept."""

    rows: int
    writes: int


WHOLE_PAGES = Stride(PAGE_SIZE, 100)


@dataclass(frozen=True, slots=True)
class Import:
    """One turn of a run, over the tenant's two connections."""

    work: Work
    bexio: Bexio
    arcavis: Arcavis
    reference: CompanyReference
    settings: TenantSettings
    settle: timedelta
    stride: Stride

    @property
    def _run(self) -> UUID:
        return self.work.subject

    async def go_on(self) -> str | None:
        """Does the next page from where the run stands. Returns how the run ended, `done` or `cancelled`, or None.

        Raises:
            Halt: another run is under way, an earlier write may still land, or a person must decide.
        """
        work, run, stands = self.work, *(await self._enter())
        if run.cancel_requested:
            return "cancelled"
        self._wait_for_lost_write()
        catalogue = await self._catalogue()
        stock_plan = stock.plan(await self._stock_locations(), await self.arcavis.stores.list())
        work.note(prices_include_vat=catalogue.prices_include_vat, stock=_stock_note(stock_plan))
        highest = await till_articles.follow(work, self.arcavis)
        dry_run = bool(run.detail.get("dry_run"))
        writer = Writer(work, run.id, self.arcavis, stock_plan, self.settle, run.counts, stands, dry_run, highest)
        if not dry_run:
            await writer.stocking.recover()
        await work.advance("reading")
        found = await self.bexio.articles.after(stands.last, stands.passed, self.stride.rows)
        writer.place = place.Place(stands.last, found.passed)
        await self._page(writer, found.articles, catalogue)
        if writer.cancelled:
            return "cancelled"
        if not found.is_last:
            return None
        await self._end(writer)
        return "done"

    async def _enter(self) -> tuple[Run, place.Place]:
        now = self.work.clock.now()
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            stands = await place.enter(session, self.work.tenant, self._run, now)
            if stands is not None:
                await runs.start(session, self._run, now)
            run = await runs.read(session, self._run)
        if stands is None and not run.cancel_requested:
            raise Halt(Later(BUSY_PAUSE, "articles-import-running"))
        return run, stands or place.Place()

    def _wait_for_lost_write(self) -> None:
        """Whether an article was made shows only once a request that got no answer had the time to land."""
        sent = self.work.memo.get("sent_at")
        if sent is None:
            return
        until = datetime.fromisoformat(sent) + self.settle
        now = self.work.clock.now()
        if now < until:
            raise Halt(Later(until - now, "article-write-may-land"))
        self.work.note(sent_at=None)

    async def _catalogue(self) -> Catalogue:
        currencies = await self.reference.rows(CURRENCIES)
        day = today(self.work.clock.now())
        return Catalogue(
            day=day,
            prices_include_vat=await prices_include_vat(self.settings, self.reference),
            is_vat_subject=await self._is_vat_subject(),
            francs_id=next((row.id for row in currencies if row.name == FRANCS), None),
            taxes={row.id: row for row in await self.reference.refresh(TAXES)},
            units={row.id: row for row in await self.bexio.units.list()},
            till_taxes=await self.arcavis.taxes.list(),
            till_units={unit_key(row.title): row.id for row in await self.arcavis.units.list()},
        )

    async def _is_vat_subject(self) -> bool:
        """Whether the company accounts for VAT today; bexio's silence means that it does."""
        years = await _readable(self.bexio.calendar_years.list)
        day = today(self.work.clock.now())
        current = next((year for year in years or () if year.start <= day <= year.end), None)
        return current is None or current.is_vat_subject

    async def _stock_locations(self) -> tuple[Any, ...] | None:
        return await _readable(self.bexio.stock_locations.list)

    async def _page(self, writer: Writer, articles: tuple[Article, ...], catalogue: Catalogue) -> None:
        if not articles:
            return
        span = Span(writer.place.last, articles[-1].id)
        ids = [article.id for article in articles]
        keys = sorted({number_key(article.intern_code) for article in articles if article.intern_code})
        async with self.work.db.begin(self.work.tenant) as session:
            near = await records.neighbours(session, self.work.tenant, span, ids, keys)
        for batch in batches(decide(articles, catalogue, near, self._run), self.stride.writes):
            begin = writer.place.last
            await writer.do(batch, frozenset(each for each in near.missing if begin < each <= batch.upto))
            await self.work.reached("batch-done")
            if writer.cancelled:
                return
        await self.work.reached("page-done")

    async def _end(self, writer: Writer) -> None:
        """What lies behind the last article is gone. A company that shows no article at all hides them."""
        work = self.work
        async with work.db.begin(work.tenant) as session:
            await operations.hold(session, work.operation)
            await records.forget_old_problems(session, work.tenant, self._run)
            if not writer.place.last:
                return
            tail = Span(writer.place.last, NO_END)
            near = await records.neighbours(session, work.tenant, tail, [], [])
            counts = {**writer.counts, "gone": writer.counts.get("gone", 0) + len(near.missing)}
            if not writer.dry_run:
                await records.end_missing(session, work.tenant, near.missing, work.clock.now())
            await runs.progress(session, self._run, counts, work.clock.now(), total=counts.get("read", 0))


async def prices_include_vat(settings: TenantSettings, reference: CompanyReference) -> bool:
    """What the tenant says, else what the company does on its invoices.

    bexio puts an article's price on a document as it is, so that the document's own setting decides what it means.

    Raises:
        Halt: neither says so.
    """
    if settings.article_prices_include_vat is not None:
        return settings.article_prices_include_vat
    invoices: ItemSetting | None = next(
        (row for row in await reference.rows(ITEM_SETTINGS) if row.kb_item_class == INVOICE_CLASS), None
    )
    if invoices is None:
        raise Halt(NeedsAttention("article-price-basis-unknown"))
    return not invoices.default_mwst_is_net


async def _readable(read: Callable[[], Awaitable[T]]) -> T | None:
    """What `read` gives; None when the right or the module for it is missing."""
    try:
        return await read()
    except RemoteRejected as error:
        if error.status != HTTPStatus.FORBIDDEN:
            raise
        return None


def _stock_note(plan: StockPlan) -> dict[str, Any]:
    return {"reason": plan.reason, "store": plan.main_store.title if plan.main_store is not None else None}
