"""Setting stock whose mark is committed, and finding out about stock that nobody knows to be set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.capabilities.articles import records, stock
from app.capabilities.articles.records import Trouble
from app.capabilities.articles.sending import Sent, intend, late, remember, send_all, worst
from app.capabilities.articles.stock import DueStock, OpenStock
from app.capabilities.articles.wanted import Problem
from app.connectors.arcavis.client import Arcavis
from app.connectors.arcavis.names import StockLevel, StockWrite
from app.core.errors import ConnectorError, RemoteUnavailable
from app.jobs import operations
from app.jobs.misses import Misses
from app.jobs.outcomes import Halt, Later
from app.jobs.work import Work

MOST_OPEN = 500
UNREAD, UNKNOWN = "article-stock-unread", "article-outcome-unknown"
Levels = tuple[StockLevel, ...]


@dataclass(frozen=True, slots=True)
class Stocking:
    """The stock of one run, within one turn of its work."""

    work: Work
    run: UUID
    arcavis: Arcavis
    settle: timedelta

    async def levels(self, ids: Sequence[str]) -> dict[str, Sent[str, Levels]]:
        """What Arcavis keeps of articles, by their ids. A look that fails each time is a problem of the one article."""
        sent = await send_all(ids, lambda each: self.arcavis.article_stocks.levels(int(each)), UNREAD, looks=True)
        return {one.item: self._read(one) for one in sent}

    def _read(self, sent: Sent[str, Levels]) -> Sent[str, Levels]:
        misses, key = Misses(self.work), f"levels {sent.item}"
        if not sent.tried or not _failed(sent.error):
            return sent
        misses.add([key])
        if not misses.are_enough(key):
            return sent
        misses.forget([key])
        return Sent(sent.item, problem=Problem(UNREAD, {"reasons": ""}))

    async def set(self, due: Sequence[DueStock]) -> None:
        """Sets stock whose mark was committed a moment ago. What a slow Arcavis left no time for is marked once more.

        Raises:
            ConnectorError: Arcavis is away, or does not say what it did. What it did say is kept.
        """
        left = await self._without_hopeless(due)
        while left:
            sent = await self._send(left)
            left = late(sent)
            error = worst([one.error for one in sent])
            if left:
                await self._mark({one.arcavis_id: stock.INTENDED for one in left}, [])
            elif error is not None:
                remember(self.work, error)
                raise error
        self.work.note(sent_at=None)

    async def recover(self) -> None:
        """Decides about stock whose mark is there while nobody knows whether it was set.

        Raises:
            Halt: it may still land.
        """
        last = ""
        while True:
            async with self.work.db.begin(self.work.tenant) as session:
                left = await stock.open_ones(session, self.work.tenant, last, MOST_OPEN)
            if not left:
                return
            now = self.work.clock.now()
            latest = max(one.at for one in left) + self.settle
            if now < latest:
                raise Halt(Later(latest - now, "stock-may-land"))
            await self._look_at(left)
            last = left[-1].arcavis_id

    async def _look_at(self, left: Sequence[OpenStock]) -> None:
        found = await self.levels([one.arcavis_id for one in left])
        states: dict[str, str] = {}
        troubles: list[Trouble] = []
        for one in left:
            state, trouble = _found(one, found[one.arcavis_id])
            states |= {} if state is None else {one.arcavis_id: state}
            troubles += [] if trouble is None else [trouble]
        clear = [one.bexio_id for one in left if one.arcavis_id in states]
        await self._mark(states, troubles, clear)
        error = worst([one.error for one in found.values()])
        if error is not None:
            raise error
        await self.set([one for one in left if states.get(one.arcavis_id) == stock.INTENDED])

    async def _without_hopeless(self, due: Sequence[DueStock]) -> list[DueStock]:
        """Those that are still to be sent. Of the others nobody hears whatever one does, and they were not set."""
        misses = Misses(self.work)
        hopeless = [one for one in due if misses.are_enough(_key(one))]
        if hopeless:
            problem = Problem(UNKNOWN)
            troubles = [Trouble(one.bexio_id, problem, one.number, "") for one in hopeless]
            await self._mark({one.arcavis_id: stock.REFUSED for one in hopeless}, troubles)
            misses.forget(map(_key, hopeless))
        return [one for one in due if one not in hopeless]

    async def _send(self, due: Sequence[DueStock]) -> list[Sent[DueStock, None]]:
        arcavis = await intend(self.work, self.arcavis, "setting-stock")

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
        Misses(self.work).add(_key(one.item) for one in sent if one.is_unknown)
        await self._mark(states, refused)
        await self.work.reached("stock-kept")
        return sent

    async def _mark(self, states: Mapping[str, str], troubles: Sequence[Trouble], clear: Sequence[int] = ()) -> None:
        """Keeps what became of stock by Arcavis id; for the bexio ids in `clear`, no more is wrong than `troubles`."""
        async with self.work.db.begin(self.work.tenant) as session:
            await operations.hold(session, self.work.operation)
            await stock.mark(session, self.work.tenant, states, self.work.clock.now())
            await records.forget_stock_problems(session, self.work.tenant, clear)
            await records.add_problems(session, self.work.tenant, self.run, troubles)


def _key(due: DueStock) -> str:
    return f"stock {due.arcavis_id}"


def _failed(error: ConnectorError | None) -> bool:
    """Whether Arcavis failed on this one request; not that it, or our way to it, was busy."""
    return isinstance(error, RemoteUnavailable) and error.code in {"arcavis-unreachable", "arcavis-answer-unreadable"}


def _found(due: OpenStock, sent: Sent[str, Levels]) -> tuple[str | None, Trouble | None]:
    """What became of a stock, and what is wrong with it. None leaves it open.

    No stock kept anywhere: ours did not arrive. Another amount: it was sold or counted since, and is left alone. A look
    that failed says nothing, unless it is that there is no such article any more.
    """
    if sent.error is not None:
        return None, None
    if sent.problem is not None:
        is_gone = sent.absent or not due.is_there
        problem = Problem("article-stock-refused", sent.problem.params) if is_gone else sent.problem
        return stock.REFUSED if is_gone else None, Trouble(due.bexio_id, problem, due.number, "")
    levels = sent.result or ()
    if not levels:
        return stock.INTENDED, None
    arrived = any(level.store_id == due.store_id and level.stock == due.quantity for level in levels)
    return stock.SET if arrived else stock.KEPT, None
