"""What follows from an error: every kind of error has its row."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import (
    Conflict,
    ConnectionRefused,
    NotFound,
    OutcomeUnknown,
    RemoteNotFound,
    RemoteRejected,
    RemoteUnavailable,
    Unavailable,
)
from app.jobs.outcomes import (
    FIRST_DELAY,
    LONGEST_DELAY,
    LONGEST_PATIENCE,
    MAX_ATTEMPTS,
    Done,
    Later,
    NeedsAttention,
    Outcome,
    after_error,
    backoff,
    limited,
)

FIRST, LAST = 0, MAX_ATTEMPTS - 1
SECOND = timedelta(seconds=1)

TABLE: list[tuple[Exception, int, Outcome]] = [
    (
        RemoteRejected("bexio-rejected", "bexio", 422, ("name_1: missing",)),
        FIRST,
        NeedsAttention("bexio-rejected", {"system": "bexio", "status": "422", "reasons": "name_1: missing"}),
    ),
    (
        RemoteNotFound("bexio-not-found", "bexio", 404),
        LAST,
        NeedsAttention("bexio-not-found", {"system": "bexio", "status": "404", "reasons": ""}),
    ),
    (
        ConnectionRefused("bexio-unauthorized", "bexio", 401),
        FIRST,
        NeedsAttention("bexio-unauthorized", {"system": "bexio", "status": "401", "reasons": ""}),
    ),
    (RemoteUnavailable("bexio-unavailable", "bexio"), FIRST, Later(SECOND, "bexio-unavailable")),
    # However long it is away, it burns no attempt and young work asks at least every 16 seconds.
    (RemoteUnavailable("bexio-unavailable", "bexio"), 1000, Later(8 * SECOND, "bexio-unavailable")),
    (RemoteUnavailable("bexio-too-many", "bexio", 42.0), FIRST, Later(42 * SECOND, "bexio-too-many")),
    (Unavailable("database-unavailable"), LAST, Later(2 * SECOND, "database-unavailable")),
    (OutcomeUnknown("bexio-silent", "bexio"), FIRST, Later(SECOND, "bexio-silent", counted=True)),
    (OutcomeUnknown("bexio-silent", "bexio"), 3, Later(8 * SECOND, "bexio-silent", counted=True)),
    (
        OutcomeUnknown("bexio-silent", "bexio"),
        LAST,
        NeedsAttention("outcome-stays-unknown", {"system": "bexio"}),
    ),
    (NotFound("document-not-found"), FIRST, Later(SECOND, "document-not-found", counted=True)),
    (Conflict("tenant-changing", slug="a"), LAST, NeedsAttention("tenant-changing", {"slug": "a"})),
    (KeyError("unforeseen"), FIRST, Later(SECOND, "internal-error", counted=True)),
    (ZeroDivisionError(), LAST, NeedsAttention("internal-error", {"kind": "ZeroDivisionError"})),
]


@pytest.mark.parametrize(
    ("error", "attempts", "outcome"), TABLE, ids=[f"{type(row[0]).__name__} after {row[1]}" for row in TABLE]
)
def test_each_error_says_what_follows(error: Exception, attempts: int, outcome: Outcome) -> None:
    assert after_error(error, attempts, 0.0) == outcome


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_lies_between_half_and_all_of_its_step(attempts: int, share: float) -> None:
    step = min(FIRST_DELAY * 2.0 ** min(attempts, 100), LONGEST_DELAY)
    assert step / 2 <= backoff(attempts, share).total_seconds() <= step


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_later_attempt_never_comes_sooner_for_the_same_luck(attempts: int, share: float) -> None:
    assert backoff(attempts, share) <= backoff(attempts + 1, share)


@given(st.floats(0, 0.999), st.sampled_from([row[0] for row in TABLE]))
def test_counted_failures_end_with_a_person_within_an_hour(share: float, error: Exception) -> None:
    waited, attempts = timedelta(0), 0
    while isinstance(outcome := after_error(error, attempts, share), Later) and outcome.counted:
        waited, attempts = waited + outcome.delay, attempts + 1
    assert attempts < MAX_ATTEMPTS
    assert waited < timedelta(hours=1)


@given(st.floats(0, 100_000), st.floats(0, 0.999), st.integers(0, 50))
def test_a_remote_is_never_asked_sooner_than_it_told(seconds: float, share: float, attempts: int) -> None:
    outcome = after_error(RemoteUnavailable("bexio-too-many", "bexio", seconds), attempts, share)
    assert isinstance(outcome, Later)
    assert not outcome.counted
    assert outcome.delay >= timedelta(seconds=seconds)


@given(st.floats(0, 10_000_000), st.floats(0, 0.999))
def test_old_work_asks_a_remote_that_is_away_less_often_but_never_less_than_twice_a_minute(
    age: float, share: float
) -> None:
    error = RemoteUnavailable("bexio-unavailable", "bexio")
    outcome = after_error(error, 0, share, age)
    assert isinstance(outcome, Later)
    least = max(FIRST_DELAY, min(age / 10, LONGEST_PATIENCE)) / 2
    assert least <= outcome.delay.total_seconds() + 1e-5
    assert outcome.delay <= timedelta(seconds=LONGEST_PATIENCE)


@pytest.mark.parametrize(
    ("outcome", "attempts", "expected"),
    [
        (Later(SECOND, "draft-in-use", counted=True), LAST - 1, Later(SECOND, "draft-in-use", counted=True)),
        (Later(SECOND, "draft-in-use", counted=True), LAST, NeedsAttention("draft-in-use")),
        (Later(SECOND, "may-land"), 10 * MAX_ATTEMPTS, Later(SECOND, "may-land")),
        (Done(), LAST, Done()),
    ],
)
def test_a_turn_cannot_ask_for_counted_repeats_for_ever(outcome: Outcome, attempts: int, expected: Outcome) -> None:
    assert limited(outcome, attempts) == expected
