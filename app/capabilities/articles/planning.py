"""What is to be done with each article of a page. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from app.capabilities.articles.records import GONE_IN_ARCAVIS, Link, Neighbours, Trouble
from app.capabilities.articles.wanted import Catalogue, Problem, Wanted, shown_name
from app.connectors.bexio.articles import Article

CREATED, UPDATED, UNCHANGED = "created", "updated", "unchanged"


@dataclass(frozen=True, slots=True)
class Step:
    """An article that fits. `outcome` says what is to be done with it, or was done already in this run.

    `arcavis_id` is the article in Arcavis where there is one.
    """

    wanted: Wanted
    link: Link | None
    arcavis_id: str | None
    outcome: str
    writes: bool

    @property
    def is_new(self) -> bool:
        """Whether Arcavis gets an article that it does not have."""
        return self.arcavis_id is None

    @property
    def stock_is_open(self) -> bool:
        """Whether nobody decided about its stock yet."""
        return self.link is None or self.link.stock_state is None


Decision = Step | Trouble


@dataclass(frozen=True, slots=True)
class Batch:
    """A stretch of a page that is done and kept together; it ends with the id `upto`."""

    decisions: Sequence[Decision]
    upto: int

    @property
    def steps(self) -> list[Step]:
        """The articles that fit."""
        return [one for one in self.decisions if isinstance(one, Step)]

    @property
    def troubles(self) -> list[Trouble]:
        """The others."""
        return [one for one in self.decisions if isinstance(one, Trouble)]


def decide(articles: Sequence[Article], catalogue: Catalogue, near: Neighbours, run: UUID) -> list[Decision]:
    """One decision for each article, in their order. Of two with one number, the one that was linked first stays."""
    taken: dict[str, int] = {}
    decisions: list[Decision] = []
    for article in articles:
        found = catalogue.wanted(article)
        decision = found if isinstance(found, Problem) else _decide(found, near, taken, run)
        if isinstance(decision, Problem):
            number = (article.intern_code or "").strip()[:80]
            decisions.append(Trouble(article.id, decision, number, shown_name(article)))
            continue
        taken[decision.wanted.number_key] = article.id
        decisions.append(decision)
    return decisions


def _decide(wanted: Wanted, near: Neighbours, taken: dict[str, int], run: UUID) -> Step | Problem:
    link = near.links.get(wanted.bexio_id)
    if link is not None and link.reason == GONE_IN_ARCAVIS:
        return Problem(GONE_IN_ARCAVIS)
    key = wanted.number_key
    there = link.arcavis_id if link is not None else near.known.get(key)
    for other in (taken.get(key), near.owners.get(key), near.holders.get(there or "")):
        if other not in {None, wanted.bexio_id} and other not in near.missing:
            return Problem("article-number-double", {"other": str(other)})
    if link is None:
        return Step(wanted, None, there, CREATED if there is None else UPDATED, writes=True)
    if near.numbers.get(link.arcavis_id, link.number_key or key) != key:
        return Problem("article-number-changed", {"number": wanted.number})
    if link.state == "active" and link.fingerprint == wanted.fingerprint:
        outcome = link.outcome if link.run_id == run and link.outcome else UNCHANGED
        return Step(wanted, link, link.arcavis_id, outcome, writes=False)
    return Step(wanted, link, link.arcavis_id, UPDATED, writes=True)


def batches(decisions: Sequence[Decision], largest: int) -> Iterator[Batch]:
    """The decisions in stretches of at most `largest` articles to write."""
    begin = writes = 0
    for index, one in enumerate(decisions):
        writes += isinstance(one, Step) and (one.writes or one.stock_is_open)
        if writes == largest or index == len(decisions) - 1:
            part = decisions[begin : index + 1]
            yield Batch(part, _id(part[-1]))
            begin, writes = index + 1, 0


def _id(decision: Decision) -> int:
    return decision.wanted.bexio_id if isinstance(decision, Step) else decision.bexio_id
