"""Named points that work passes: before and after every remote write and commit.

In service a milestone is a line in the debug log. Simulations and kill tests hand in a probe of their own that stops,
pauses or kills the work exactly there.
"""

from __future__ import annotations

from typing import Protocol

import structlog

_log = structlog.get_logger("milestone")


class Probe(Protocol):
    """Awaited at every milestone with its name."""

    async def __call__(self, milestone: str) -> None:
        """Passes the milestone."""
        ...


async def log_milestone(milestone: str) -> None:
    """Writes the milestone to the debug log."""
    _log.debug("milestone", milestone=milestone)
