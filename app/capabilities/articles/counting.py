"""The figures of an import. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from app.capabilities.articles.planning import CREATED, UNCHANGED, UPDATED, Batch

# `done` is how far a run is, as every kind of run tells it.
NAMES = ("done", "read", CREATED, UPDATED, UNCHANGED, "problems", "gone", "stock")


def added(before: Mapping[str, int], batch: Batch, *, gone: int, stock: int = 0) -> dict[str, int]:
    """The figures with a batch that is done. Every article read is one of created, updated, unchanged, problems."""
    counts = Counter({name: before.get(name, 0) for name in NAMES})
    counts["done"] += len(batch.decisions)
    counts["read"] += len(batch.decisions)
    counts["problems"] += len(batch.troubles)
    counts["gone"] += gone
    counts["stock"] += stock
    counts.update(step.outcome for step in batch.steps)
    return dict(counts)
