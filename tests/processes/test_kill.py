"""One seed of `kill.run`: every point of the code, a real kill -9 and a real freeze."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.processes.kill import run_on
from tests.processes.points import FREEZES, POINTS
from tests.processes.shop import Stage

APP = Path(__file__).parents[2] / "app"
# The way of a sale. Contacts, articles, bookings, renewals and new shops are killed at their own points elsewhere.
WAY = ("jobs", "capabilities/documents", "capabilities/invoices", "capabilities/parties")


def milestones_of_the_code() -> set[str]:
    source = "".join(path.read_text() for part in WAY for path in (APP / part).rglob("*.py"))
    reached = re.findall(r'\breached\("([a-z-]+)"\)', source)
    intended = re.findall(r'\bintend\("([a-z-]+)"', source)
    return {*reached, *(f"{step}-intended" for step in intended)}


def test_every_milestone_of_the_code_is_a_place_to_be_killed_at() -> None:
    assert {point.milestone for point in POINTS} == milestones_of_the_code()
    assert len(POINTS) >= 12


@pytest.mark.timeout(240)
async def test_a_worker_killed_or_frozen_anywhere_leaves_one_invoice_and_nothing_undone(stage: Stage) -> None:
    report = await run_on(stage, [1])
    assert report.wrong == []
    assert report.killed.total() == len(POINTS)
    assert report.frozen.total() == len(FREEZES)
