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
from app.capabilities.articles.sending import Sent, intend, late, remember, send_all, worst
from app.capabilities.articles.stock import DueStock, StockPlan
from app.capabilities.articles.stocking import UNKNOWN, Levels, Stocking
from app.capabilities.articles.wanted import Problem
from app.connectors.arcavis.client import Arcavis
from app.core.errors import OutcomeUnknown
from app.jobs import operations, runs
from app.jobs.misses import Misses
from app.jobs.work import Work


@dataclass(slots=True)
class Writer:
    """Does the batches of one run. `counts` and `place` are where it stands; `cancelled` says that it shall stop.

    `highest` is the highest id of an article that Arcavis had when it was looked at last.
    """

    work: Work
    run: UUID
    arcavis: Arcavis
    stock: StockPlan
    settle: timedelta
    counts: Mapping[str, int]
    place: Place
    dry_run: bool
    highest: int = 0
    cancelled: bool = False

    @property
    def stocking(self) -> Stocking:
        """What sets the stock of this run."""
        return Stocking(self.work, self.run, self.arcavis, self.settle)

    async def do(self, batch: Batch, gone: frozenset[int]) -> None:
        """Does a batch; linked articles in `gone` are no longer in bexio.

        Raises:
            ConnectorError: Arcavis is away, or does not say what it did. What it did say is kept.
        """
        if self.dry_run:
            await self._keep(batch, (), gone, (), ())
            return
        written = await self._write([step for step in batch.steps if step.writes])
        levels = await self._levels(batch, written)
        error = worst([sent.error for sent in (*written.values(), *levels.values())])
        links = [link for step in batch.steps if (link := self._link(step, written, levels)) is not None]
        refused = [_trouble(one.item, one.problem) for one in written.values() if one.problem is not None]
        unread = [
            _trouble(step, sent.problem)
            for step in batch.steps
            if (sent := levels.get(step.wanted.bexio_id)) is not None and sent.problem is not None
        ]
        if error is None:
            await self._keep(batch, links, gone, refused, unread)
        else:
            await self._save(links)
        await self.work.reached("articles-kept")
        sent_at = self.work.memo.get("sent_at")
        try:
            await self.stocking.set([due for link in links if (due := _due(link)) is not None])
        finally:
            if isinstance(error, OutcomeUnknown):
                # Stock that was answered says nothing about articles that were not.
                self.work.note(sent_at=sent_at)
        if error is not None:
            remember(self.work, error)
            raise error

    async def _write(self, steps: Sequence[Step]) -> dict[int, Sent[Step, int]]:
        """Writes articles, by bexio id. Those that a slow Arcavis left no time for get an intent of their own."""
        misses = Misses(self.work)
        hopeless = [step for step in steps if misses.are_enough(_key(step))]
        done: dict[int, Sent[Step, int]] = {
            step.wanted.bexio_id: Sent(step, problem=Problem(UNKNOWN)) for step in hopeless
        }
        left = [step for step in steps if step not in hopeless]
        while left:
            sent = await self._save_articles(left)
            done |= {one.item.wanted.bexio_id: one for one in sent}
            misses.add(_key(one.item) for one in sent if one.is_unknown)
            left = late(sent)
        return done

    async def _save_articles(self, steps: Sequence[Step]) -> list[Sent[Step, int]]:
        arcavis = await intend(self.work, self.arcavis, "writing")

        async def save(step: Step) -> int:
            return await arcavis.articles.save(step.wanted.write(is_new=step.is_new))

        sent = await send_all(steps, save, "article-refused")
        await self.work.reached("articles-answered")
        return sent

    async def _levels(self, batch: Batch, written: Mapping[int, Sent[Step, int]]) -> dict[int, Sent[str, Levels]]:
        """What Arcavis keeps of articles that it had before, where their stock is to be decided."""
        ids = {
            step.wanted.bexio_id: self._arcavis_id(step, written)
            for step in self._stock_due(batch)
            if _is_there(written.get(step.wanted.bexio_id)) and self._was_there(step, written)
        }
        sent = await self.stocking.levels(list(ids.values())) if ids else {}
        return {bexio_id: sent[arcavis_id] for bexio_id, arcavis_id in ids.items()}

    def _was_there(self, step: Step, written: Mapping[int, Sent[Step, int]]) -> bool:
        """Whether Arcavis had an article: also one that it did not list and found by its number when it was saved."""
        return not step.is_new or int(self._arcavis_id(step, written)) <= self.highest

    def _stock_due(self, batch: Batch) -> list[Step]:
        """The articles whose stock is to be taken over now."""
        steps = batch.steps if self.stock.allowed else []
        return [step for step in steps if step.stock_is_open and step.wanted.stock is not None]

    def _link(
        self,
        step: Step,
        written: Mapping[int, Sent[Step, int]],
        levels: Mapping[int, Sent[str, Levels]],
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

    def _stock_state(self, step: Step, levels: Sent[str, Levels] | None) -> str | None:
        """What becomes of the stock; None leaves it open, as where Arcavis did not say what it keeps."""
        if not self.stock.allowed or not step.stock_is_open:
            return None
        if step.wanted.stock is None:
            return stock.NONE
        if levels is None:
            return stock.INTENDED if step.is_new else None
        if levels.result is None:
            return None
        return stock.KEPT if levels.result else stock.INTENDED

    @staticmethod
    def _arcavis_id(step: Step, written: Mapping[int, Sent[Step, int]]) -> str:
        sent = written.get(step.wanted.bexio_id)
        return str(sent.result) if sent is not None and sent.result is not None else step.arcavis_id or ""

    async def _keep(
        self,
        batch: Batch,
        links: Sequence[NewLink],
        gone: frozenset[int],
        refused: Sequence[Trouble],
        unread: Sequence[Trouble],
    ) -> None:
        """Keeps a batch that is wholly done, moves the place and the figures: all in one transaction."""
        now, span = self.work.clock.now(), Span(self.place.last, batch.upto)
        due = len(self._stock_due(batch)) if self.dry_run else 0
        counts = _with_refusals(added(self.counts, batch, gone=len(gone), stock=due), batch, refused)
        troubles = [*unread, *batch.troubles, *refused]
        moved = Place(batch.upto, self.place.passed + len(batch.decisions))
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await records.replace_problems(session, self.work.tenant, self.run, span, troubles)
            if not self.dry_run:
                await records.end_missing(session, self.work.tenant, gone, now)
                await records.save(session, self.work.tenant, self.run, links, now)
            await place.move(session, self.run, moved)
            self.cancelled = await runs.progress(session, self.run, counts, now)
        self.counts, self.place = counts, moved
        Misses(self.work).forget(map(_key, batch.steps))
        self.work.note(sent_at=None)

    async def _save(self, links: Sequence[NewLink]) -> None:
        """Keeps what was done of a batch that is not."""
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await records.save(session, self.work.tenant, self.run, links, self.work.clock.now())


def _key(step: Step) -> str:
    return f"article {step.wanted.bexio_id}"


def _is_there(sent: Sent[Step, int] | None) -> bool:
    """Whether an article stands in Arcavis: it needed no write, or the write was answered."""
    return sent is None or sent.result is not None


def _trouble(step: Step, problem: Problem) -> Trouble:
    return Trouble(step.wanted.bexio_id, problem, step.wanted.number, step.wanted.title[:80])


def _due(link: NewLink) -> DueStock | None:
    """The stock to set of a link whose mark says so."""
    if link.stock_state != stock.INTENDED or link.stock_store_id is None or link.stock is None:
        return None
    return DueStock(link.arcavis_id, link.bexio_id, link.number, link.stock, link.stock_store_id)


def _with_refusals(counts: dict[str, int], batch: Batch, refused: Sequence[Trouble]) -> dict[str, int]:
    """What Arcavis refused counts as a problem, and not as what was to be done."""
    outcomes = {step.wanted.bexio_id: step.outcome for step in batch.steps}
    for trouble in refused:
        counts[outcomes[trouble.bexio_id]] -= 1
        counts["problems"] += 1
    return counts
