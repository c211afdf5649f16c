"""One batch: its articles written to Arcavis, then kept with their links, then their stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.capabilities.articles import place, records, stock
from app.capabilities.articles.counting import added
from app.capabilities.articles.place import Place
from app.capabilities.articles.planning import Batch, Step
from app.capabilities.articles.records import NewLink, Span, Trouble
from app.capabilities.articles.sending import Sent, send_all
from app.capabilities.articles.stock import DueStock, StockPlan
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import StockLevel, StockWrite
from app.core.errors import ConnectorError, OutcomeUnknown
from app.jobs import operations, runs
from app.jobs.outcomes import Halt, Later
from app.jobs.work import INTENT_LIFE, Work

TOO_OLD = "intent-too-old"
MOST_OPEN = 500


@dataclass(slots=True)
class Writer:
    """Does the batches of one run. `counts` and `place` are where it stands; `cancelled` says that it shall stop."""

    work: Work
    run: UUID
    arcavis: Arcavis
    stock: StockPlan
    settle: timedelta
    counts: Mapping[str, int]
    place: Place
    dry_run: bool
    cancelled: bool = False

    async def do(self, batch: Batch, gone: frozenset[int]) -> None:
        """Does a batch; linked articles in `gone` are no longer in bexio.

        Raises:
            ConnectorError: Arcavis is away, or does not say what it did. What it did say is kept.
        """
        if self.dry_run:
            await self._keep(batch, (), gone, ())
            return
        written = await self._write([step for step in batch.steps if step.writes])
        levels = await self._levels(batch, written)
        error = _worst([sent.error for sent in (*written.values(), *levels.values())])
        links = [link for step in batch.steps if (link := self._link(step, written, levels)) is not None]
        refused = [_trouble(sent.item, sent) for sent in written.values() if sent.problem is not None]
        if error is None:
            await self._keep(batch, links, gone, refused)
        else:
            await self._save(links)
        await self.work.reached("articles-kept")
        sent_at = self.work.memo.get("sent_at")
        try:
            await self._set_stock([due for link in links if (due := _due(link)) is not None])
        finally:
            if isinstance(error, OutcomeUnknown):
                # Stock that was answered says nothing about articles that were not.
                self.work.note(sent_at=sent_at)
        if error is not None:
            self._remember(error)
            raise error

    async def _write(self, steps: Sequence[Step]) -> dict[int, Sent[Step, int]]:
        """Writes articles, by bexio id. Those that a slow Arcavis left no time for get an intent of their own."""
        done: dict[int, Sent[Step, int]] = {}
        left = list(steps)
        while left:
            sent = await self._save_articles(left)
            done |= {one.item.wanted.bexio_id: one for one in sent}
            errors = [one.error for one in sent if one.error is not None]
            late = [one.item for one in sent if _is_too_old(one.error)]
            left = late if len(late) < len(left) and all(map(_is_too_old, errors)) else []
        return done

    async def _save_articles(self, steps: Sequence[Step]) -> list[Sent[Step, int]]:
        arcavis = await self._intend("writing")

        async def save(step: Step) -> int:
            return await arcavis.articles.save(step.wanted.write(is_new=step.is_new))

        sent = await send_all(steps, save, "article-refused")
        await self.work.reached("articles-answered")
        return sent

    async def _levels(
        self, batch: Batch, written: Mapping[int, Sent[Step, int]]
    ) -> dict[int, Sent[Step, tuple[StockLevel, ...]]]:
        """What Arcavis keeps of articles that it had before, where their stock is to be decided."""
        asked = [
            step for step in self._stock_due(batch) if not step.is_new and _is_there(written.get(step.wanted.bexio_id))
        ]
        if not asked:
            return {}
        ids = {step.wanted.bexio_id: self._arcavis_id(step, written) for step in asked}
        sent = await send_all(
            asked, lambda step: self.arcavis.article_stocks.levels(int(ids[step.wanted.bexio_id])), "article-refused"
        )
        return {one.item.wanted.bexio_id: one for one in sent}

    def _stock_due(self, batch: Batch) -> list[Step]:
        """The articles whose stock is to be taken over now."""
        steps = batch.steps if self.stock.allowed else []
        return [step for step in steps if step.stock_is_open and step.wanted.stock is not None]

    def _link(
        self,
        step: Step,
        written: Mapping[int, Sent[Step, int]],
        levels: Mapping[int, Sent[Step, tuple[StockLevel, ...]]],
    ) -> NewLink | None:
        """The link to keep after a step; None when nothing changes, or it was not done."""
        wanted, link = step.wanted, step.link
        sent = written.get(wanted.bexio_id)
        if not _is_there(sent) or (step.writes and sent is None):
            return None
        state = self._stock_state(step, levels.get(wanted.bexio_id))
        if not step.writes and state is None and link is not None and link.account_id == wanted.account_id:
            return None
        has_stock = state in {stock.INTENDED, stock.KEPT}
        return NewLink(
            arcavis_id=self._arcavis_id(step, written),
            bexio_id=wanted.bexio_id,
            account_id=wanted.account_id,
            number=wanted.number,
            number_key=wanted.number_key,
            fingerprint=wanted.fingerprint,
            outcome=step.outcome,
            stock_state=state,
            stock=wanted.stock if has_stock else None,
            stock_store_id=self.stock.store(wanted.stock_location_id) if has_stock else None,
        )

    def _stock_state(self, step: Step, levels: Sent[Step, tuple[StockLevel, ...]] | None) -> str | None:
        """What becomes of the stock; None leaves it open."""
        if not self.stock.allowed or not step.stock_is_open:
            return None
        if step.wanted.stock is None:
            return stock.NONE
        if step.is_new:
            return stock.INTENDED
        if levels is None or levels.error is not None:
            return None
        return stock.KEPT if levels.result or levels.problem is not None else stock.INTENDED

    @staticmethod
    def _arcavis_id(step: Step, written: Mapping[int, Sent[Step, int]]) -> str:
        sent = written.get(step.wanted.bexio_id)
        return str(sent.result) if sent is not None and sent.result is not None else step.arcavis_id or ""

    async def _keep(
        self, batch: Batch, links: Sequence[NewLink], gone: frozenset[int], refused: Sequence[Trouble]
    ) -> None:
        """Keeps a batch that is wholly done, moves the place and the figures: all in one transaction."""
        now, span = self.work.clock.now(), Span(self.place.last, batch.upto)
        due = len(self._stock_due(batch)) if self.dry_run else 0
        counts = _with_refusals(added(self.counts, batch, gone=len(gone), stock=due), batch, refused)
        moved = Place(batch.upto, self.place.passed + len(batch.decisions))
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await records.replace_problems(session, self.work.tenant, self.run, span, [*batch.troubles, *refused])
            if not self.dry_run:
                await records.end_missing(session, self.work.tenant, gone, now)
                await records.save(session, self.work.tenant, self.run, links, now)
            await place.move(session, self.run, moved)
            self.cancelled = await runs.progress(session, self.run, counts, now)
        self.counts, self.place = counts, moved
        self.work.note(sent_at=None)

    async def _save(self, links: Sequence[NewLink]) -> None:
        """Keeps what was done of a batch that is not."""
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await records.save(session, self.work.tenant, self.run, links, self.work.clock.now())

    async def _set_stock(self, due: Sequence[DueStock]) -> None:
        """Sets stock whose mark was committed a moment ago."""
        if not due:
            return
        arcavis = await self._intend("setting-stock")

        async def send(one: DueStock) -> None:
            article_id, amount = int(one.arcavis_id), one.quantity
            await arcavis.article_stocks.set(StockWrite(article_id=article_id, store_id=one.store_id, stock=amount))

        sent = await send_all(due, send, "article-stock-refused")
        await self.work.reached("stock-answered")
        states = {
            one.item.arcavis_id: stock.REFUSED if one.problem is not None else stock.SET
            for one in sent
            if one.error is None
        }
        refused = [
            Trouble(one.item.bexio_id, one.problem, one.item.number, "") for one in sent if one.problem is not None
        ]
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await stock.mark(session, self.work.tenant, states, self.work.clock.now())
            await records.add_problems(session, self.work.tenant, self.run, refused)
        await self.work.reached("stock-kept")
        error = _worst([one.error for one in sent])
        if error is not None:
            self._remember(error)
            raise error
        self.work.note(sent_at=None)

    async def recover_stock(self) -> None:
        """Decides about stock whose mark is there while nobody knows whether it was set.

        Raises:
            Halt: it may still land.
        """
        while True:
            async with self.work.db.begin(self.work.tenant) as session:
                left = await stock.open_ones(session, self.work.tenant, MOST_OPEN)
            if not left:
                return
            now = self.work.clock.now()
            latest = max(one.at for one in left) + self.settle
            if now < latest:
                raise Halt(Later(latest - now, "stock-may-land"))
            await self._look_at(left)

    async def _look_at(self, left: Sequence[DueStock]) -> None:
        sent = await send_all(
            left, lambda one: self.arcavis.article_stocks.levels(int(one.arcavis_id)), "article-stock-refused"
        )
        states = {one.item.arcavis_id: _found(one) for one in sent if one.error is None}
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await stock.mark(session, self.work.tenant, states, self.work.clock.now())
        error = _worst([one.error for one in sent])
        if error is not None:
            raise error
        await self._set_stock([one for one in left if states[one.arcavis_id] == stock.INTENDED])

    async def _intend(self, step: str) -> Arcavis:
        """Commits the intent of writes and returns a client that sends only while it is young."""
        now = self.work.clock.now()
        await self.work.advance(step, sent_at=now.isoformat())
        await self.work.reached(f"{step}-intended")
        return self.arcavis.until(now + INTENT_LIFE)

    def _remember(self, error: ConnectorError) -> None:
        """After an error that leaves nothing unclear, the next turn need not wait."""
        if not isinstance(error, OutcomeUnknown):
            self.work.note(sent_at=None)


def _is_too_old(error: ConnectorError | None) -> bool:
    return error is not None and error.code == TOO_OLD


def _worst(errors: Sequence[ConnectorError | None]) -> ConnectorError | None:
    """The one that says most about what is unclear."""
    real = [error for error in errors if error is not None]
    return next((error for error in real if isinstance(error, OutcomeUnknown)), next(iter(real), None))


def _is_there(sent: Sent[Step, int] | None) -> bool:
    """Whether an article stands in Arcavis: it needed no write, or the write was answered."""
    return sent is None or sent.result is not None


def _trouble(step: Step, sent: Sent[Step, int]) -> Trouble:
    if sent.problem is None:
        raise ValueError("there is no problem")
    return Trouble(step.wanted.bexio_id, sent.problem, step.wanted.number, step.wanted.title[:80])


def _due(link: NewLink) -> DueStock | None:
    """The stock to set of a link whose mark says so."""
    if link.stock_state != stock.INTENDED or link.stock_store_id is None or link.stock is None:
        return None
    return DueStock(link.arcavis_id, link.bexio_id, link.number, link.stock, link.stock_store_id)


def _found(sent: Sent[DueStock, tuple[StockLevel, ...]]) -> str:
    """No stock kept anywhere: ours did not arrive. Another amount: it was sold or counted since, and is left alone."""
    if not sent.result:
        return stock.INTENDED if sent.problem is None else stock.KEPT
    arrived = any(level.store_id == sent.item.store_id and level.stock == sent.item.quantity for level in sent.result)
    return stock.SET if arrived else stock.KEPT


def _with_refusals(counts: dict[str, int], batch: Batch, refused: Sequence[Trouble]) -> dict[str, int]:
    """What Arcavis refused counts as a problem, and not as what was to be done."""
    outcomes = {step.wanted.bexio_id: step.outcome for step in batch.steps}
    for trouble in refused:
        counts[outcomes[trouble.bexio_id]] -= 1
        counts["problems"] += 1
    return counts
