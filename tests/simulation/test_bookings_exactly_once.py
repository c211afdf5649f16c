"""The slice of the booking export's simulation that CI runs; `make soak` runs the full count."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import URL

from app.db.session import Database
from tests.simulation.bookings import Plan
from tests.simulation.mutants import BOOKING_MUTANTS, Mutant, hunt
from tests.simulation.network import Weather
from tests.simulation.runs import Figures, run_booking_seeds

SEEDS = 60


@pytest.mark.timeout(200)
async def test_every_day_stands_in_bexio_once_whatever_fails(migrated: URL) -> None:
    db = Database(migrated.render_as_string(hide_password=False))
    figures = await run_booking_seeds(db, range(SEEDS))
    await db.close()
    assert figures.wrong == {}
    assert figures.sales >= SEEDS
    assert unreached(figures) == set()


async def test_the_same_seed_is_the_same_schedule(migrated: URL) -> None:
    db = Database(migrated.render_as_string(hide_password=False))
    first, second = await run_booking_seeds(db, [7]), await run_booking_seeds(db, [7])
    await db.close()
    assert first.milestones == second.milestones
    assert first.requests == second.requests


async def test_in_calm_weather_nothing_is_read_back_and_a_day_is_one_request(migrated: URL) -> None:
    plan = Plan(weather=Weather.calm(), kill=0, freeze=0, late=0, reversed=0)
    db = Database(migrated.render_as_string(hide_password=False))
    figures = await run_booking_seeds(db, range(5), plan)
    await db.close()
    assert figures.wrong == {}
    assert figures.milestones["read-back"] == 0
    assert figures.requests == figures.milestones["booking-intended"] == figures.milestones["booking-recorded"]


async def test_a_landing_later_than_the_wait_is_seen_as_wrong(migrated: URL) -> None:
    # What the protocol cannot prevent must not pass for right: here the promise about bexio is broken on purpose.
    plan = replace(Plan(), weather=Weather(write_lost=40, latest=600), kill=0, freeze=0)
    db = Database(migrated.render_as_string(hide_password=False))
    figures = await run_booking_seeds(db, range(12), plan)
    await db.close()
    assert figures.doubled > 0


@pytest.mark.timeout(200)
@pytest.mark.parametrize("mutant", BOOKING_MUTANTS, ids=lambda mutant: mutant.name)
async def test_the_simulation_turns_red_without(mutant: Mutant, tmp_path: Path, postgres: URL) -> None:
    figures = await hunt(mutant, tmp_path, postgres.render_as_string(hide_password=False), seeds=400)
    assert figures["wrong_seeds"] > 0


def unreached(figures: Figures) -> set[str]:
    """Milestones that a simulation must have passed, or it proves nothing about them."""
    wanted = {
        "claimed",
        "bookings-planned",
        "booking-intended",
        "booking-answered",
        "booking-recorded",
        "read-back",
        "booking-adopted",
        "booking-lost",
        "before-settle",
        "settled",
    }
    return wanted - set(figures.milestones)
