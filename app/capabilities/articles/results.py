"""What came of an import, for the run's detail: problems with their articles, and what a person should know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from app.capabilities.articles import records, stock
from app.capabilities.articles.stock import StockFigures
from app.jobs.runs import Run

MOST_LISTED = 200

Note = dict[str, Any]


async def detail(session: AsyncConnection, tenant: UUID, run: Run, memo: Mapping[str, Any]) -> dict[str, Any]:
    """`problems` (the first of them), `problems_total` and `notes`; `stock` in figures.

    `memo` is what the work remembers: how prices were taken, and whether and where stock could go.
    """
    problems, total = await records.problems(session, tenant, run.id, MOST_LISTED)
    figures = await stock.figures(session, tenant, run.id)
    notes = list(_notes(run, memo, figures))
    if total > len(problems):
        notes.append(_note("problems-not-all-listed", listed=len(problems), total=total))
    return {
        "problems": problems,
        "problems_total": total,
        "stock": {"taken": figures.taken, "kept": figures.kept, "left_alone": figures.left_alone},
        "notes": notes,
    }


def _notes(run: Run, memo: Mapping[str, Any], figures: StockFigures) -> Iterator[Note]:
    if (includes_vat := memo.get("prices_include_vat")) is not None:
        yield _note("article-prices-gross" if includes_vat else "article-prices-net")
    if not run.counts.get("read"):
        yield _note("articles-none")
    if run.counts.get("gone"):
        yield _note("articles-gone", count=run.counts["gone"])
    yield from _of_stock(run, memo.get("stock") or {}, figures)


def _of_stock(run: Run, plan: Mapping[str, Any], figures: StockFigures) -> Iterator[Note]:
    if plan.get("reason"):
        yield _note(plan["reason"])
    store = plan.get("store") or ""
    if run.detail.get("dry_run"):
        if run.counts.get("stock"):
            yield _note("stock-would-be-taken", count=run.counts["stock"], store=store)
    elif figures.taken:
        yield _note("stock-taken", count=figures.taken, store=store)
    if figures.kept:
        yield _note("stock-kept-by-arcavis", count=figures.kept)
    if figures.refused:
        yield _note("stock-refused", count=figures.refused)
    if figures.left_alone:
        yield _note("stock-left-alone", count=figures.left_alone)


def _note(code: str, **params: object) -> Note:
    return {"code": code, "params": {name: str(value) for name, value in params.items()}}
