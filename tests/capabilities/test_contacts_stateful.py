"""Random edits on both sides between runs; the full count is a part of `make soak`."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from tests.fixtures.contact_program import Decide, Edit, Step, Sync, play, programs
from tests.fixtures.shop import Shop


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(program=programs)
async def test_both_sides_agree_but_for_what_was_changed_on_both(shop: Shop, program: list[Step]) -> None:
    await play(shop, program)


async def test_an_address_that_one_cleared_and_the_other_added_to_stops_nobody(shop: Shop) -> None:
    await play(
        shop,
        [
            Edit("arcavis", 0, "street", ""),
            Edit("bexio", 0, "house_number", "1a"),
            Edit("bexio", 1, "street", ""),
            Edit("arcavis", 1, "address_addition", "c/o Huber"),
            Edit("arcavis", 2, "street", "Altweg"),
            Edit("bexio", 2, "street", "Neuweg"),
            Edit("bexio", 2, "house_number", "1"),
            Sync("export"),
            Decide("bexio"),
            Sync("import"),
            Sync(),
        ],
    )


async def test_a_conflict_outlives_further_edits_and_ends_with_a_decision(shop: Shop) -> None:
    await play(
        shop,
        [
            Edit("arcavis", 0, "city", "Bern"),
            Edit("bexio", 0, "city", "Basel"),
            Edit("bexio", 1, "mobile", "079 111 11 11"),
            Sync(),
            Edit("arcavis", 0, "mobile", "078 222 22 22"),
            Edit("bexio", 0, "city", "Chur"),
            Sync("export"),
            Edit("arcavis", 1, "mobile", ""),
            Sync("import"),
            Decide("bexio"),
            Sync(),
        ],
    )
